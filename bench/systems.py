"""Funcatron as it is measured: in one process, and as processes over RabbitMQ."""

import contextlib
import dataclasses
import json
import pathlib
import secrets
import time
import urllib.request
import zipfile

from dev import ROOT, copy_func, dev
from harness import Server, free_port, process, wait_for
from node import Node

PATH = "/hello-rust"
# Between two looks at the queues: to look takes a whole processor for a second, which is then missed elsewhere.
PAUSE_SECONDS = 1


@dataclasses.dataclass
class Programs:
    """Where the programs lie, and where they may write."""

    funcatron: pathlib.Path
    # Those of this folder's own crate.
    own: pathlib.Path
    scratch: pathlib.Path


def embedded_native(stack: contextlib.ExitStack, programs: Programs) -> Server:
    port, scratch = free_port(), programs.scratch / "embedded-native"
    folder = copy_func("hello-rust", scratch / "func")
    command = [programs.own / "noop", "embedded", str(port), scratch / "state", folder]
    return one_process(stack, port, command, scratch)


def embedded(stack: contextlib.ExitStack, programs: Programs) -> Server:
    port, scratch = free_port(), programs.scratch / "embedded"
    folder = copy_func("hello-rust", scratch / "func")
    return one_process(stack, port, dev(programs.funcatron, folder, port, scratch / "state"), scratch)


def one_process(stack, port: int, command: list, scratch: pathlib.Path) -> Server:
    started = stack.enter_context(process(command, scratch / "log"))
    wait_for(port, PATH)
    return Server(port, PATH, {"server": started.pid})


class Cluster:
    """A Tron, a runner and frontends on a virtual host of their own."""

    def __init__(self, stack: contextlib.ExitStack, programs: Programs, node: Node, name: str, native: bool):
        self.stack, self.programs, self.name, self.native, self.node = stack, programs, name, native, node
        self.scratch = programs.scratch / name
        self.store = self.scratch / "store"
        self.store.mkdir(parents=True)
        self.broker = node.virtual_host(name)
        self.token = secrets.token_hex(16)
        self.admin = free_port()
        self.running: dict[str, contextlib.ExitStack] = {}
        self.pids = {"tron": self.start_tron(), "runner": self.start_runner()}
        wait_for(self.admin, "/", lambda status, _: status > 0)

    def start_tron(self) -> int:
        return self.start("tron", "--listen", f"127.0.0.1:{self.admin}", "--token", self.token)

    def start_runner(self) -> int:
        if self.native:
            return self.run("runner", self.programs.own / "noop", "runner", self.broker)
        return self.start("runner")

    def frontend(self, dispatch: str) -> Server:
        port = free_port()
        frontend = self.start("frontend", "--listen", f"127.0.0.1:{port}", "--dispatch", dispatch)
        pids = dict(self.pids, frontend=frontend)
        if dispatch == "direct":
            del pids["tron"]
        wait_for(port, PATH)
        return Server(port, PATH, {**pids, "rabbitmq": self.node.pid})

    def deploy(self, base_paths: list[str]) -> None:
        sha = self.post("/bundles", "application/zip", self.bundle())["sha"]
        for base_path in base_paths:
            request = json.dumps({"sha": sha, "base_path": base_path}).encode()
            deployed = self.post("/deployments", "application/json", request)
            if not deployed["ready"]:
                raise SystemExit(f"{base_path} is not ready: {deployed}")

    def bundle(self) -> bytes:
        path = self.scratch / "bundle.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for part in ("funcatron.yaml", "func.wasm"):
                archive.write(ROOT / "funcs" / "hello-rust" / part, part)
        return path.read_bytes()

    def post(self, path: str, media_type: str, body: bytes) -> dict:
        headers = {"authorization": f"Bearer {self.token}", "content-type": media_type}
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin}/api/v1{path}", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def start(self, role: str, *arguments: str) -> int:
        where = ("--broker", self.broker, "--store", f"file://{self.store}")
        return self.run(role, self.programs.funcatron, role, *where, *arguments)

    def run(self, role: str, *command) -> int:
        started = process(list(command), self.scratch / f"{role}.log")
        self.running[role] = self.stack.enter_context(contextlib.ExitStack())
        return self.running[role].enter_context(started).pid

    def begin_anew(self, funcs: int) -> tuple[float, float]:
        """Ends all but the store and the node; returns the seconds from the start of a Tron until the queues of
        so many Funcs are declared, and from the start of a runner until it consumes them."""
        for role in ("runner", "tron"):
            self.running[role].close()
        self.node.ctl("delete_vhost", self.name)
        self.broker = self.node.virtual_host(self.name)
        begun = time.perf_counter()
        self.pids["tron"] = self.start_tron()
        while len(self.consumers()) < funcs:
            time.sleep(PAUSE_SECONDS)
        declared = time.perf_counter()
        self.pids["runner"] = self.start_runner()
        while sum(count > 0 for count in self.consumers()) < funcs:
            time.sleep(PAUSE_SECONDS)
        return declared - begun, time.perf_counter() - declared

    def consumers(self) -> list[int]:
        """How many there are of each Func's queue."""
        lines = self.node.ctl("list_queues", "-q", "-p", self.name, "name", "consumers").splitlines()
        # A queue that is being declared has no number yet.
        fields = [line.split() for line in lines if line.startswith("func.")]
        return [int(consumers[0]) if consumers else 0 for _, *consumers in fields]
