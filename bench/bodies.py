"""Sends a large body to a Func that echoes it, and takes it back: SHA-256, sizes of messages, memory.

    bench/bodies.py --funcatron target/release/funcatron             all in one process (funcatron dev)
    bench/bodies.py --funcatron target/release/funcatron --cluster   frontend, Tron and runner over RabbitMQ
    ... --cluster --through-tron                                     with a runner that has no store but Tron's

Prints one table, and fails if the bytes differ, a message is over 1 MiB, or a process that must not hold bodies
grows by more than GROWTH_MAX.
"""

import argparse
import base64
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
PIECE = 1 << 20
MESSAGE_MAX = 1 << 20
# A transfer holds some pieces of 1 MiB both ways, and the allocator keeps some more.
GROWTH_MAX = 32 << 20
SAMPLE_EVERY = 0.01
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
TOKEN = "a-token-for-one-run"
EXCHANGES = [f"funcatron.{name}" for name in
             ("requests", "calls", "replies", "dead", "control", "heartbeats", "activations")]


def megabytes(count: float) -> str:
    return f"{count / (1 << 20):8.1f}"


class Watched:
    """A process of ours and the memory that it has."""

    def __init__(self, name: str, command: list, folder: pathlib.Path, environment: dict):
        self.name = name
        self.output = open(folder / f"{name}.log", "w+")
        self.process = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment},
                                        stdout=self.output, stderr=subprocess.STDOUT)

    def urls(self, count: int) -> list:
        """The first addresses that it says it listens on."""
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            said = (pathlib.Path(self.output.name)).read_text()
            found = list(dict.fromkeys(re.findall(r"http://[0-9.]+:[0-9]+", said)))
            if len(found) >= count:
                return found[:count]
            time.sleep(0.02)
        raise SystemExit(f"{self.name} does not say where it listens:\n{pathlib.Path(self.output.name).read_text()}")

    def rss(self) -> int:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def cpu(self) -> float:
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.output.close()


class Sampler(threading.Thread):
    """Looks at the memory and the processor time of processes while something happens."""

    def __init__(self, watched: list):
        super().__init__(daemon=True)
        self.watched, self.done = watched, threading.Event()
        self.before = {one.name: one.rss() for one in watched}
        self.peak, self.samples = dict(self.before), 0
        self.cpu = {one.name: -one.cpu() for one in watched}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()
        for one in self.watched:
            self.cpu[one.name] += one.cpu()

    def run(self):
        while not self.done.wait(SAMPLE_EVERY):
            self.samples += 1
            for one in self.watched:
                self.peak[one.name] = max(self.peak[one.name], one.rss())


class RabbitMq:
    """A node of our own, with a queue that gets a copy of every message."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        said = subprocess.check_output([ROOT / "scripts/rabbitmq.sh", "start", folder], text=True)
        variables = dict(re.findall(r"export (\w+)=(\S+)", said))
        self.url = variables["FUNCATRON_TEST_BROKER"]
        api = urllib.parse.urlsplit(variables["FUNCATRON_TEST_BROKER_API"])
        self.address = (api.hostname, api.port)
        credentials = base64.b64encode(f"{api.username}:{api.password}".encode()).decode()
        self.headers = {"authorization": f"Basic {credentials}", "content-type": "application/json"}

    def api(self, method: str, path: str, body=None):
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, f"/api{path}", json.dumps(body) if body is not None else None, self.headers)
            response = connection.getresponse()
            text = response.read()
            if response.status >= 300:
                raise SystemExit(f"{method} {path}: {response.status} {text!r}")
            return json.loads(text) if text else None

    def tap(self):
        self.api("PUT", "/queues/%2F/tap", {"durable": True})
        for exchange in EXCHANGES:
            self.api("POST", f"/bindings/%2F/e/{exchange}/q/tap", {"routing_key": "#"})

    def message_sizes(self) -> list:
        """The sizes of all messages since the last time."""
        sizes = []
        query = {"count": 1000, "ackmode": "ack_requeue_false", "encoding": "base64", "truncate": 1}
        while messages := self.api("POST", "/queues/%2F/tap/get", query):
            sizes += [message["payload_bytes"] for message in messages]
        return sizes

    def stop(self):
        subprocess.run([ROOT / "scripts/rabbitmq.sh", "stop", self.folder], check=True)


def exchange(url: str, count: int, pause: float = 0.0) -> tuple:
    """Sends this many pieces and takes back what comes; gives both digests, the length and the seconds."""
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=120)
    sent, got, length = hashlib.sha256(), hashlib.sha256(), 0

    def pieces():
        for _ in range(count):
            piece = os.urandom(PIECE)
            sent.update(piece)
            yield piece

    begun = time.monotonic()
    with contextlib.closing(connection):
        headers = {"content-type": "application/octet-stream", "content-length": str(count * PIECE)}
        connection.request("POST", "/stream/echo", pieces(), headers)
        response = connection.getresponse()
        if response.status != 200:
            raise SystemExit(f"{response.status}: {response.read()!r}")
        uploaded = time.monotonic() - begun
        while piece := response.read(PIECE):
            got.update(piece)
            length += len(piece)
            time.sleep(pause)
    return sent.hexdigest(), got.hexdigest(), length, uploaded, time.monotonic() - begun - uploaded


def wait_until_served(url: str):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(OSError, SystemExit):
            exchange(url, 1)
            return
        time.sleep(0.1)
    raise SystemExit("the Func is not served")


@contextlib.contextmanager
def dev(funcatron: pathlib.Path, folder: pathlib.Path):
    command = [funcatron, "dev", "funcs", "--port", "0", "--admin-port", "0", "--state", "state"]
    process = Watched("dev", command, folder, {"RUST_LOG": "warn"})
    try:
        yield process.urls(1)[0], [process], None
    finally:
        process.stop()


@contextlib.contextmanager
def cluster(funcatron: pathlib.Path, folder: pathlib.Path, through_tron: bool):
    with contextlib.ExitStack() as stack:
        broker = RabbitMq(folder / "rabbitmq")
        stack.callback(broker.stop)
        environment = {"FUNCATRON_BROKER": broker.url, "FUNCATRON_TOKEN": TOKEN,
                       "FUNCATRON_STORE": f"file://{folder}/store"}

        def start(name: str, *arguments: str, **more: str) -> Watched:
            one = Watched(name, [funcatron, name, *arguments], folder, {**environment, **more})
            stack.callback(one.stop)
            return one

        tron = start("tron", "--listen", "127.0.0.1:0")
        admin = tron.urls(1)[0]
        frontend = start("frontend", "--listen", "127.0.0.1:0")
        runner = start("runner", **({"FUNCATRON_STORE": admin} if through_tron else {}))
        url = frontend.urls(1)[0]
        subprocess.run([funcatron, "deploy", folder / "funcs/stream"], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "FUNCATRON_URL": admin, "FUNCATRON_TOKEN": TOKEN})
        broker.tap()
        yield url, [frontend, tron, runner], broker


def measure(name: str, url: str, watched: list, broker, count: int, pause: float) -> list:
    """One transfer as a line of the table; gives back what is wrong with it."""
    with Sampler(watched) as sampler:
        sent, got, length, uploaded, downloaded = exchange(url, count, pause)
    sizes = broker.message_sizes() if broker else []
    message = f"{max(sizes):,} B of {len(sizes)}" if sizes else "not seen"
    print(f"\n{name}: {length:,} bytes, sent and back in {uploaded:.1f} s + {downloaded:.1f} s")
    print(f"  sha256 sent {sent}\n  sha256 got  {got}\n  largest broker message: {message}")
    print(f"  memory in MiB, {sampler.samples} samples: {'before':>8} {'peak':>8} {'growth':>8}   processor s")
    wrong = []
    for one in watched:
        before, peak = sampler.before[one.name], sampler.peak[one.name]
        print(f"    {one.name:<24} {megabytes(before)} {megabytes(peak)} {megabytes(peak - before)}"
              f" {sampler.cpu[one.name]:8.2f}")
        if peak - before > GROWTH_MAX:
            wrong.append(f"{name}: {one.name} grew by {peak - before} bytes")
    if sent != got or length != count * PIECE:
        wrong.append(f"{name}: the bytes differ")
    if any(size >= MESSAGE_MAX for size in sizes):
        wrong.append(f"{name}: a message is over 1 MiB")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--funcatron", type=pathlib.Path, required=True)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--through-tron", action="store_true")
    options = parser.parse_args()
    funcatron = options.funcatron.resolve()
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        shutil.copytree(ROOT / "tests/funcs/stream", folder / "funcs/stream")
        system = cluster(funcatron, folder, options.through_tron) if options.cluster else dev(funcatron, folder)
        with system as (url, watched, broker):
            wait_until_served(url)
            # What is kept for good once it was needed, as the allocator and the pool of instances do.
            exchange(url, 20)
            if broker:
                broker.message_sizes()
            wrong = measure("as fast as it goes", url, watched, broker, options.megabytes, 0)
            wrong += measure("a slow reader", url, watched, broker, options.megabytes, 0.01)
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
