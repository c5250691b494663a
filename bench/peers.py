"""What Funcatron is measured against. Each starts on an ExitStack and says where it answers."""

import contextlib
import dataclasses
import pathlib

from harness import Server, free_port, process, wait_for
from node import Node

PEERS = pathlib.Path(__file__).resolve().parent / "peers"
# As many greenlets as wrk has connections at most: its own ten would be its bound.
NAMEKO_WORKERS = 128


@dataclasses.dataclass
class Peers:
    """Where their programs lie."""

    stack: contextlib.ExitStack
    node: Node
    programs: pathlib.Path
    wasmtime: pathlib.Path
    moleculer_folder: pathlib.Path
    nameko_program: pathlib.Path
    scratch: pathlib.Path

    def start(self, name: str, *command, **options) -> int:
        return self.stack.enter_context(process(list(command), self.scratch / f"{name}.log", **options)).pid

    def hyper(self) -> Server:
        port = free_port()
        return self.ready(port, "/", {"server": self.start("hyper", self.programs / "hello", str(port))})

    def rpc(self, hops: int) -> Server:
        name, port = f"lapin RPC, {hops} hops", free_port()
        rpc, url = self.programs / "rpc", self.node.virtual_host(f"rpc{hops}")
        queues = [f"hop{hop}" for hop in range(1, hops)]
        pids = {"runner": self.start(name, rpc, url, "worker", queues[-1])}
        if hops == 3:
            pids["tron"] = self.start(name, rpc, url, "relay", *queues)
        pids["frontend"] = self.start(name, rpc, url, "front", str(port), queues[0])
        return self.ready(port, "/", {**pids, "rabbitmq": self.node.pid})

    def serve(self, component: pathlib.Path) -> Server:
        port = free_port()
        command = (self.wasmtime, "serve", "-S", "cli=y", "--addr", f"127.0.0.1:{port}", component)
        return self.ready(port, "/hello-rust", {"server": self.start("wasmtime", *command)})

    def moleculer(self) -> Server:
        port, url = free_port(), self.node.virtual_host("moleculer")
        command = ("node", self.moleculer_folder / "node.js", url)
        pids = {
            "runner": self.start("moleculer", *command, "service"),
            "frontend": self.start("moleculer", *command, "gateway", str(port)),
            "rabbitmq": self.node.pid,
        }
        return self.ready(port, "/hello", pids)

    def nameko(self) -> Server:
        port, config = free_port(), self.scratch / "nameko.yaml"
        config.write_text(
            f"AMQP_URI: {self.node.virtual_host('nameko')}\nWEB_SERVER_ADDRESS: 127.0.0.1:{port}\n"
            f"max_workers: {NAMEKO_WORKERS}\n"
        )
        command = (self.nameko_program, "run", "--config", config)
        pids = {
            "runner": self.start("nameko", *command, "greeter", cwd=PEERS / "nameko"),
            "frontend": self.start("nameko", *command, "gateway", cwd=PEERS / "nameko"),
            "rabbitmq": self.node.pid,
        }
        return self.ready(port, "/hello", pids)

    def ready(self, port: int, path: str, pids: dict) -> Server:
        wait_for(port, path)
        return Server(port, path, pids)
