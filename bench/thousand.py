"""A thousand deployed Funcs: what they cost to declare and to hold, and whether the busy one among them notices."""

import contextlib
import time

from harness import Server, load, median, progress, resident_mib
from node import Node, node
from systems import PATH, Cluster, Programs

FUNCS = 1_000
CONNECTIONS = 32
WARM_UP_SECONDS = 2


def print_thousand(options, programs: Programs) -> None:
    """One Func alone, then a thousand, then the one alone again, so that a machine that drifts is seen to."""
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(node(programs.scratch / "rabbitmq-thousand"))
        print("\n| Funcs | deployed one by one s | all declared s | all consumed s "
              "| frontend MiB | tron MiB | runner MiB | rabbitmq MiB |")
        print("|---|---|---|---|---|---|---|---|")
        one = start(stack, programs, broker, 1)
        alone = busy(one, options)
        with contextlib.ExitStack() as many:
            thousand = start(many, programs, broker, FUNCS)
            among = busy(thousand, options)
        alone += busy(one, options)
        print_busy(alone, among)


def start(stack: contextlib.ExitStack, programs: Programs, broker: Node, count: int) -> Server:
    """A cluster with so many Funcs; prints what that took."""
    progress(f"deploying {count} Funcs")
    cluster = Cluster(stack, programs, broker, f"funcs-{count}", native=False)
    begun = time.perf_counter()
    cluster.deploy([PATH, *(f"/func-{number}" for number in range(1, count))])
    deployed = time.perf_counter() - begun
    declared, consumed = cluster.begin_anew(count)
    server = cluster.frontend("tron")
    load(server, CONNECTIONS, WARM_UP_SECONDS)
    roles = ("frontend", "tron", "runner", "rabbitmq")
    memory = " | ".join(f"{resident_mib(server.pids[role]):.0f}" for role in roles)
    print(f"| {count} | {deployed:.1f} | {declared:.1f} | {consumed:.1f} | {memory} |")
    return server


def busy(server: Server, options) -> list[dict]:
    progress("loading one Func")
    return [load(server, CONNECTIONS, options.seconds) for _ in range(options.runs)]


def print_busy(alone: list[dict], among: list[dict]) -> None:
    print(f"\n| Funcs | req/s of the busy one, {CONNECTIONS} connections | ratio | p50 ms | p99 ms | failed |")
    print("|---|---|---|---|---|---|")
    for count, runs in ((1, alone), (FUNCS, among)):
        rps = median(runs, "rps")
        failed = sum(run["failed"] for run in runs)
        print(f"| {count} | {rps:.0f} | {rps / median(alone, 'rps'):.2f} | {median(runs, 'p50'):.2f} "
              f"| {median(runs, 'p99'):.2f} | {failed} |")
