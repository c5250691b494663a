"""Measures what a user feels, beside `wasmtime serve` in the same run, and prints one table.

Each throughput run alternates between the two servers, so that both see the same machine; figures
are medians. CPU is what the server's processes used (user + system), divided by the requests.
"""

import argparse
import contextlib
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# wasmtime serve has no document to tell the Func its operation by, so the client does; Funcatron drops it.
OPERATION = ("x-funcatron-operation", "getHello")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=dict([OPERATION]))
        response = connection.getresponse()
        return response.status, response.read()


def wait_for(port: int, path: str, accept, deadline: float = 30.0) -> float:
    """Asks until an answer is accepted; returns the seconds since the call."""
    begun = time.perf_counter()
    while time.perf_counter() - begun < deadline:
        try:
            if accept(*get(port, path)):
                return time.perf_counter() - begun
        except OSError:
            pass
        time.sleep(0.001)
    raise SystemExit(f"no acceptable answer from {path} within {deadline} s")


@contextlib.contextmanager
def process(command: list, ready_port: int, ready_path: str, **options):
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        wait_for(ready_port, ready_path, lambda status, _: status == 200)
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(timeout=20)


def dev(binary: pathlib.Path, folder: pathlib.Path, port: int, state: pathlib.Path) -> list:
    return [binary, "dev", folder, "--port", str(port), "--admin-port", "0", "--state", state]


def cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def load(pid: int, port: int, path: str, connections: int, seconds: int) -> dict:
    before = cpu_seconds(pid)
    out = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-H", ": ".join(OPERATION),
         f"http://127.0.0.1:{port}{path}"],
        check=True, capture_output=True, text=True,
    ).stdout
    used = cpu_seconds(pid) - before
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    if failures := re.search(r"Non-2xx or 3xx responses: (\d+)", out):
        raise SystemExit(f"{failures.group(1)} of {requests} requests failed")
    return {
        "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
        "cpu": used / requests * 1e6,
        "p50": milliseconds(re.search(r"50%\s+(\S+)", out).group(1)),
        "p99": milliseconds(re.search(r"99%\s+(\S+)", out).group(1)),
    }


def milliseconds(text: str) -> float:
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


def median(runs: list, key: str) -> float:
    return statistics.median(run[key] for run in runs)


def copy_func(name: str, to: pathlib.Path) -> pathlib.Path:
    to.mkdir(parents=True)
    for part in ("funcatron.yaml", "index.js", "func.wasm"):
        source = ROOT / "funcs" / name / part
        if source.exists():
            shutil.copy(source, to / part)
    return to


def start_times(binary: pathlib.Path, scratch: pathlib.Path, repeats: int) -> dict:
    """Process start to first 200, with nothing cached and with the cache of an earlier start."""
    folder = copy_func("hello-js", scratch / "start" / "hello-js")
    times = {"first start": [], "later start": []}
    for run in range(repeats):
        state = scratch / f"state-start-{run}"
        environment = {**os.environ, "XDG_CACHE_HOME": str(scratch / f"cache-{run}")}
        for name in times:
            port = free_port()
            begun = time.perf_counter()
            with process(dev(binary, folder, port, state), port, "/hello/bench", env=environment):
                times[name].append(time.perf_counter() - begun)
    return times


def save_times(binary: pathlib.Path, scratch: pathlib.Path, repeats: int) -> list:
    """From the save of index.js to the first response that has the change."""
    folder = copy_func("hello-js", scratch / "save" / "hello-js")
    source = (folder / "index.js").read_text()
    port = free_port()
    times = []
    with process(dev(binary, folder, port, scratch / "state-save"), port, "/hello/bench"):
        for run in range(repeats):
            mark = f"Changed{run}"
            edited = source.replace("Hello", mark)
            assert edited != source, "hello-js no longer says Hello"
            (folder / "index.js").write_text(edited)
            times.append(wait_for(port, "/hello/bench", lambda _, body, mark=mark: mark.encode() in body))
    return times


def first_request_times(binary: pathlib.Path, scratch: pathlib.Path, repeats: int) -> list:
    """The first request that a deployed, never-called Rust Func gets."""
    folder = copy_func("hello-rust", scratch / "first" / "hello-rust")
    copy_func("hello-js", scratch / "first" / "hello-js")
    times = []
    for run in range(repeats):
        port = free_port()
        with process(dev(binary, scratch / "first", port, scratch / f"state-first-{run}"), port, "/hello/bench"):
            begun = time.perf_counter()
            status, _ = get(port, "/hello-rust")
            times.append(time.perf_counter() - begun)
            assert status == 200, status
    return times


def throughput(binary: pathlib.Path, peer: pathlib.Path, scratch: pathlib.Path, runs: int, seconds: int) -> dict:
    folder = copy_func("hello-rust", scratch / "load" / "hello-rust")
    ours, theirs = free_port(), free_port()
    funcatron = dev(binary, folder, ours, scratch / "state-load")
    serve = [peer, "serve", "-S", "cli=y", "--addr", f"127.0.0.1:{theirs}", folder / "func.wasm"]
    results = {}
    with process(funcatron, ours, "/hello-rust") as us, process(serve, theirs, "/hello-rust") as them:
        for connections in (1, 32, 128):
            pairs = {"funcatron": [], "wasmtime": []}
            for _ in range(runs):
                pairs["wasmtime"].append(load(them.pid, theirs, "/hello-rust", connections, seconds))
                pairs["funcatron"].append(load(us.pid, ours, "/hello-rust", connections, seconds))
            results[connections] = pairs
    return results


def print_limit(what: str, times: list, limit: float) -> None:
    value = statistics.median(times)
    print(f"| {what} | {value * 1e3:.1f} ms | {max(times) * 1e3:.1f} ms | {limit * 1e3:.0f} ms | {value / limit:.2f} |")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--funcatron", type=pathlib.Path, required=True)
    arguments.add_argument("--peer", type=pathlib.Path, required=True, help="the wasmtime binary")
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--seconds", type=int, default=10)
    options = arguments.parse_args()
    binary = options.funcatron.resolve()

    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        starts = start_times(binary, scratch, 5)
        print("| time | median | worst | limit | median / limit |\n|---|---|---|---|---|")
        print_limit("`dev` start to first 200, nothing cached", starts["first start"], 0.5)
        print_limit("`dev` start to first 200", starts["later start"], 0.5)
        print_limit("save of index.js to new response", save_times(binary, scratch, 20), 0.15)
        print_limit("first request of a never-called Rust Func", first_request_times(binary, scratch, 5), 0.010)
        print("\nThe same hello component, `wrk -t1`:\n")
        print("| connections | server | req/s | ratio | CPU us/req | ratio | p50 ms | p99 ms |\n|---|---|---|---|---|---|---|---|")
        for connections, pairs in throughput(binary, options.peer, scratch, options.runs, options.seconds).items():
            base = pairs["wasmtime"]
            for name in ("wasmtime", "funcatron"):
                runs = pairs[name]
                print(f"| {connections} | {name} | {median(runs, 'rps'):.0f} | {median(runs, 'rps') / median(base, 'rps'):.2f} "
                      f"| {median(runs, 'cpu'):.1f} | {median(runs, 'cpu') / median(base, 'cpu'):.2f} "
                      f"| {median(runs, 'p50'):.2f} | {median(runs, 'p99'):.2f} |")


if __name__ == "__main__":
    main()
