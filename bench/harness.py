"""Starts processes, loads them with wrk and reads what it cost them."""

import contextlib
import dataclasses
import http.client
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import time

# A server without a document has nothing to tell the Func its operation by, so the client does; Funcatron drops it.
OPERATION = ("x-funcatron-operation", "getHello")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Server:
    """What is measured: where it answers, and whose processor time it costs."""

    port: int
    path: str
    pids: dict[str, int]
    name: str = ""


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


def wait_for(port: int, path: str, accept=lambda status, _: status == 200, deadline: float = 30.0) -> float:
    """Asks until an answer is accepted; returns the seconds since the call."""
    begun = time.perf_counter()
    while time.perf_counter() - begun < deadline:
        try:
            if accept(*get(port, path)):
                return time.perf_counter() - begun
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.001)
    raise SystemExit(f"no acceptable answer from {path} within {deadline} s")


@contextlib.contextmanager
def process(command: list, log: pathlib.Path | None = None, **options):
    """Runs a command for as long as the block; what it prints goes to the log, if there is one."""
    with open(log or os.devnull, "ab") as out:
        started = subprocess.Popen(command, stdout=out, stderr=out, **options)
        try:
            yield started
        finally:
            started.send_signal(signal.SIGTERM)
            try:
                started.wait(timeout=20)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


def cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def resident_mib(pid: int) -> float:
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024


def load(server: Server, connections: int, seconds: float) -> dict:
    """One run of wrk: requests per second, latencies, and microseconds of each process per request."""
    before = {role: cpu_seconds(pid) for role, pid in server.pids.items()}
    out = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-H", ": ".join(OPERATION),
         f"http://127.0.0.1:{server.port}{server.path}"],
        check=True, capture_output=True, text=True,
    ).stdout
    cpu = {role: cpu_seconds(pid) - before[role] for role, pid in server.pids.items()}
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    if requests == 0:
        raise SystemExit(f"{server.name} answers nothing: {out}")
    return {
        "failed": failed(out),
        "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
        "p50": percentile(50, out),
        "p99": percentile(99, out),
        **{f"cpu {role}": used / requests * 1e6 for role, used in cpu.items()},
    }


def failed(out: str) -> int:
    """Responses that were no 200, connections that broke and requests that took too long for wrk."""
    responses = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    sockets = re.search(r"Socket errors: (.*)", out)
    return sum(int(count) for found in (responses, sockets) if found for count in re.findall(r"\d+", found.group(1)))


def percentile(number: int, out: str) -> float:
    """In milliseconds."""
    text = re.search(rf"^ +{number}% +(\S+) *$", out, re.MULTILINE).group(1)
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(value) * {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 60e3}[unit]


def median(runs: list, key: str) -> float:
    return statistics.median(run[key] for run in runs)


def progress(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=os.sys.stderr, flush=True)
