"""Measures Funcatron beside its peers in one run on one machine, and prints tables with ratios.

Runs take turns, so that all see the same machine; figures are medians. CPU is what the processes
used (user + system), divided by the requests.
"""

import argparse
import contextlib
import dataclasses
import functools
import pathlib
import signal
import sys
import tempfile
from collections.abc import Iterator

import dev
from goals import HELLO, MOLECULER, NAMEKO, NO_OP, RPC, WASMTIME, print_goals
from harness import Server, load, median, progress
from node import node
from peers import Peers
from systems import PATH, Cluster, Programs, embedded, embedded_native
from thousand import print_thousand

CONNECTIONS = (1, 32, 128)
# Before the first measured run: what is compiled, allocated and connected once.
WARM_UP_SECONDS = 2
ROLES = ("server", "frontend", "tron", "runner", "rabbitmq")


def servers(stack, options, programs: Programs) -> Iterator[Server]:
    """Starts what was asked for, all of it on one node."""
    broker = stack.enter_context(node(programs.scratch / "rabbitmq"))
    peers = Peers(stack, broker, programs.own, options.wasmtime, options.moleculer, options.nameko, programs.scratch)
    component = dev.ROOT / "funcs" / "hello-rust" / "func.wasm"

    @functools.cache
    def cluster(name: str) -> Cluster:
        started = Cluster(stack, programs, broker, name, native=name == "no-op")
        started.deploy([PATH])
        return started

    known = {
        "hyper": peers.hyper,
        "lapin RPC, 2 hops": lambda: peers.rpc(2),
        RPC: lambda: peers.rpc(3),
        WASMTIME: lambda: peers.serve(component),
        MOLECULER: peers.moleculer,
        NAMEKO: peers.nameko,
        "no-op, embedded": lambda: embedded_native(stack, programs),
        "no-op, direct": lambda: cluster("no-op").frontend("direct"),
        NO_OP: lambda: cluster("no-op").frontend("tron"),
        "hello, embedded": lambda: embedded(stack, programs),
        "hello, direct": lambda: cluster("hello").frontend("direct"),
        HELLO: lambda: cluster("hello").frontend("tron"),
    }
    wanted = [name for name in known if any(part in name for part in options.only.split(";"))]
    for name in wanted:
        progress(f"starting {name}")
        server = known[name]()
        yield dataclasses.replace(server, name=name)


def measure(options, programs: Programs) -> dict:
    """Runs by connections and server."""
    with contextlib.ExitStack() as stack:
        started = list(servers(stack, options, programs))
        for server in started:
            load(server, 32, WARM_UP_SECONDS)
        results = {(connections, server.name): [] for connections in CONNECTIONS for server in started}
        for run in range(options.runs):
            for connections in CONNECTIONS:
                for server in started:
                    result = load(server, connections, options.seconds)
                    progress(f"run {run + 1}, {connections} connections, {server.name}: {result['rps']:.0f} req/s")
                    results[connections, server.name].append(result)
        return results


def print_throughput(results: dict) -> None:
    print("| connections | server | req/s | : wasmtime | : RPC | p50 ms | : RPC | p99 ms | CPU us/req "
          "| server | frontend | tron | runner | rabbitmq | failed |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for (connections, name), runs in results.items():
        wasmtime, rpc = (results.get((connections, peer), runs) for peer in (WASMTIME, RPC))
        cpu = {role: median(runs, f"cpu {role}") for role in ROLES if f"cpu {role}" in runs[0]}
        cells = [
            str(connections), name, f"{median(runs, 'rps'):.0f}",
            *(f"{median(runs, 'rps') / median(peer, 'rps'):.2f}" for peer in (wasmtime, rpc)),
            f"{median(runs, 'p50'):.2f}", f"{median(runs, 'p50') / median(rpc, 'p50'):.2f}",
            f"{median(runs, 'p99'):.2f}", f"{sum(cpu.values()):.1f}",
            *(f"{cpu[role]:.1f}" if role in cpu else "" for role in ROLES),
            str(sum(run["failed"] for run in runs)),
        ]
        print(f"| {' | '.join(cells)} |")


def path(text: str) -> pathlib.Path:
    return pathlib.Path(text).absolute()


def main() -> None:
    # So that everything that was started is ended whichever way this ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--programs", type=path, required=True, help="the folder of the built binaries")
    arguments.add_argument("--wasmtime", type=path, required=True)
    arguments.add_argument("--moleculer", type=path, required=True, help="its folder, installed")
    arguments.add_argument("--nameko", type=path, required=True)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--seconds", type=int, default=4)
    arguments.add_argument("--only", default="", help="only servers whose name contains one of these, between semicolons")
    arguments.add_argument("--parts", default="times,throughput,thousand", help="which of the tables")
    options = arguments.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        programs = Programs(options.programs / "funcatron", options.programs, pathlib.Path(folder))
        if "times" in options.parts:
            dev.print_times(programs.funcatron, programs.scratch)
        if "throughput" in options.parts:
            print("\nHTTP, `wrk -t1`; a ratio to itself where the peer was left out:\n")
            results = measure(options, programs)
            print_throughput(results)
            print_goals(results)
        if "thousand" in options.parts:
            print_thousand(options, programs)


if __name__ == "__main__":
    main()
