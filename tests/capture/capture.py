"""Keeps mixed requests at load, has an independent AMQP reader count them, and measures what a capture costs."""

import argparse
import contextlib
import http.client
import pathlib
import re
import statistics
import subprocess
import tempfile
import threading
import time

import cluster
import mix
import reader
import vault

CLIENTS = 32
PROBE = "probe"
# Requests that wrk sends in turns, and the share of those without a body among them.
MIXED = 1_000
EMPTY = 0.5


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--program", required=True)
    options.add_argument("--broker", required=True)
    options.add_argument("--api", required=True)
    options.add_argument("--broker-data", type=pathlib.Path, help="where the broker keeps what it has")
    options.add_argument("--func", type=pathlib.Path, required=True)
    options.add_argument("--requests", type=int, default=1_000)
    options.add_argument("--runners", type=int, default=1)
    options.add_argument("--rounds", type=int, default=0, help="of wrk with a capture and without one")
    options.add_argument("--seconds", type=int, default=5)
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        parts = cluster.Cluster(options.program, options.broker, options.api, pathlib.Path(folder), options.runners)
        with parts.running():
            route = parts.deploy(options.func, "/echo")
            count(parts, route, options.requests)
            vault.check(parts, options.broker_data)
            if options.rounds:
                measure(parts, route, options.rounds, options.seconds)


def count(parts: cluster.Cluster, route: str, number: int):
    """Sends requests and compares what the reader has of them."""
    requests = mix.requests("/echo", number)
    read = reader.Reader(parts.broker, mix.NUMBER)
    read.start()
    with capturing(parts, route, lambda _: read.wait(lambda: PROBE in read.calls, 0.1)):
        begun = time.monotonic()
        send_all(parts.url, requests)
        took = time.monotonic() - begun
        read.wait(lambda: len(read.calls) > number, 60)
    read.stop()
    kept = {name: calls for name, calls in read.calls.items() if name != PROBE}
    missing = [one.number for one in requests if one.number not in kept]
    twice = [name for name, calls in kept.items() if len(calls) > 1]
    wrong = {one.number: mix.differences(one, kept[one.number][0]) for one in requests if one.number in kept}
    wrong = {name: found for name, found in wrong.items() if found}
    redacted = [name for name, calls in kept.items() if calls[0]["redacted"]]
    print(f"sent {number:,} requests in {took:.1f} s; read {len(kept):,}, each equal but for {len(wrong)}, "
          f"in {read.messages:,} messages, of more than one line up to {read.bytes_max:,} bytes")
    if missing or twice or wrong or redacted or read.bytes_max > 256 << 10:
        raise SystemExit(f"missing {missing[:5]}, twice {twice[:5]}, redacted {redacted[:5]}, wrong {dict(list(wrong.items())[:3])}")


@contextlib.contextmanager
def capturing(parts: cluster.Cluster, route: str, has_begun):
    """A capture, from when a runner heard of it. None of its calls may be missed."""
    started = parts.ask("POST", "/captures", {"route": route, "for_seconds": 600, "bytes_max": 1 << 30})
    capture = f"/captures/{started['capture']['id']}"
    probe = mix.Request(PROBE, "GET", "/echo/", [(mix.NUMBER, PROBE)], b"")

    def is_probed():
        send_all(parts.url, [probe])
        return has_begun(parts.ask("GET", capture))

    parts.until("the capture begins", is_probed)
    try:
        yield lambda: parts.ask("GET", capture)
    finally:
        parts.ask("POST", f"{capture}/stop")
    missed = parts.ask("GET", capture)["missed"]
    if missed:
        raise SystemExit(f"{missed} calls were missed")


def send_all(address: str, requests: list):
    """Sends them over some connections, one after the other on each."""
    waiting, failed = iter(requests), []
    lock = threading.Lock()

    def client():
        connection = http.client.HTTPConnection(address, timeout=cluster.PATIENCE)
        with contextlib.closing(connection):
            while True:
                with lock:
                    one = next(waiting, None)
                if one is None:
                    return
                try:
                    send(connection, one)
                except Exception as error:
                    return failed.append(f"{one.method} {one.number}: {error}")

    clients = [threading.Thread(target=client) for _ in range(min(CLIENTS, len(requests)))]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    if failed:
        raise SystemExit(f"requests failed: {failed[:5]}")


def send(connection: http.client.HTTPConnection, one: mix.Request):
    connection.putrequest(one.method, one.path, skip_accept_encoding=True)
    for name, value in one.headers:
        connection.putheader(name, value)
    if one.body or one.method not in mix.WITHOUT_BODY:
        connection.putheader("content-length", str(len(one.body)))
    connection.endheaders(one.body or None)
    response = connection.getresponse()
    response.read()
    # The Func gives an empty body back, which its document does not allow: that is a 502, and an answer.
    if response.status >= 500 and (one.body or response.status != 502):
        raise RuntimeError(f"status {response.status}")


def measure(parts: cluster.Cluster, route: str, rounds: int, seconds: int):
    """Throughput with a capture and without one, in turns. Only Tron reads what is kept then."""
    with tempfile.NamedTemporaryFile(suffix=".requests") as file:
        # wrk waits for the body of what answers a HEAD.
        mixed = [one for one in mix.requests("/echo", MIXED) if one.method != "HEAD"]
        for one in mixed:
            raw = mix.raw(one, parts.url)
            file.write(b"%d\n%s" % (len(raw), raw))
        file.flush()
        compare(parts, route, rounds, "mixed calls", lambda: wrk(parts.url, seconds, file.name))
    compare(parts, route, rounds, "empty calls", lambda: wrk(parts.url, seconds))


def compare(parts: cluster.Cluster, route: str, rounds: int, what: str, load):
    load()
    on, off = [], []
    for _ in range(rounds):
        off.append(load()[0])
        with capturing(parts, route, lambda capture: capture["entries"] > 0) as look:
            before = look()["entries"]
            rate, requests = load()
            on.append(rate)
            parts.until("all of them are kept", lambda: look()["entries"] >= before + requests)
    ratio = statistics.median(one / other for one, other in zip(on, off))
    for name, rates in (("without a capture", off), ("with a capture", on)):
        print(f"{what} {name}: {statistics.median(rates):,.0f} requests/s {[round(one) for one in rates]}")
    print(f"{what}: {ratio:.1%} with a capture of those without one, the median of the rounds")


def wrk(address: str, seconds: int, file: str | None = None) -> tuple:
    """Requests per second, and how many."""
    command = ["wrk", "-t1", "-c64", f"-d{seconds}s", f"http://{address}/echo/"]
    if file:
        command += ["-s", str(pathlib.Path(__file__).with_name("mix.lua")), "--", file]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    requests = int(re.search(r"(\d+) requests in", said).group(1))
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    # Of the mixed ones, some have no body to give back.
    if "Socket errors" in said or failed and (not file or int(failed.group(1)) > requests * EMPTY):
        raise SystemExit(said)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1)), requests


if __name__ == "__main__":
    main()
