"""Funcatron as processes over RabbitMQ, for as long as a block."""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import secrets
import subprocess
import time
import urllib.parse

PATIENCE = 60.0


class Cluster:
    def __init__(self, program: str, broker: str, api: str, folder: pathlib.Path, runners: int):
        self.program, self.folder, self.token = program, folder, secrets.token_hex(8)
        self.api, name = urllib.parse.urlsplit(api), f"capture-{os.getpid()}"
        self.broker = f"{broker.rstrip('/')}/{name}"
        self.manage("PUT", f"/vhosts/{name}")
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.manage("PUT", f"/permissions/{name}/{self.api.username}", everything)
        self.vhost, self.runners = name, runners

    @contextlib.contextmanager
    def running(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self.manage, "DELETE", f"/vhosts/{self.vhost}")
            start = lambda *arguments: stack.enter_context(self.process(*arguments))
            tron, frontend = start("tron", "--listen=127.0.0.1:0"), start("frontend", "--listen=127.0.0.1:0")
            for _ in range(self.runners):
                start("runner")
            self.admin, self.url = self.address(tron), self.address(frontend)
            self.until("runners are there", lambda: len(self.members("runner")) == self.runners)
            yield self

    @contextlib.contextmanager
    def process(self, role: str, *arguments: str):
        log = self.folder / f"{role}-{secrets.token_hex(4)}.log"
        environment = os.environ | {
            "FUNCATRON_BROKER": self.broker,
            "FUNCATRON_STORE": f"file://{self.folder}/store",
            "FUNCATRON_TOKEN": self.token,
        }
        with open(log, "wb") as out:
            command = [self.program, role, *arguments, "--log-format=json"]
            started = subprocess.Popen(command, stderr=out, cwd=self.folder, env=environment)
        try:
            yield log
        finally:
            started.terminate()
            try:
                started.wait(timeout=20)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()

    def address(self, log: pathlib.Path) -> str:
        """Where a process says that it answers."""
        # What stands behind the last line break is a line that is being written.
        lines = lambda: map(json.loads, log.read_text().split("\n")[:-1])
        url = lambda: next((line["url"] for line in lines() if "url" in line), None)
        self.until(f"{log.name} says where it answers", lambda: url() is not None)
        return urllib.parse.urlsplit(url()).netloc

    def until(self, what: str, is_so):
        begun = time.monotonic()
        while not is_so():
            if time.monotonic() - begun > PATIENCE:
                raise SystemExit(f"it never came that {what}")
            time.sleep(0.02)

    def members(self, role: str) -> list:
        try:
            return [member for member in self.ask("GET", "/members") if member["role"] == role]
        except (OSError, RuntimeError):
            return []

    def ask(self, method: str, path: str, content=None, kind: str = "application/json"):
        """A call of the admin API."""
        content = None if content is None else json.dumps(content).encode()
        answer = self.read(path, method, content)
        return json.loads(answer) if answer else None

    def read(self, path: str, method: str = "GET", content: bytes | None = None) -> bytes:
        """The same, whatever its answer is."""
        headers = {"authorization": f"Bearer {self.token}"} | ({"content-type": "application/json"} if content else {})
        status, answer = send(self.admin, method, f"/api/v1{path}", headers, content)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer.decode()}")
        return answer

    def deploy(self, func: pathlib.Path, base_path: str, *options: str) -> str:
        """Deploys a folder; the id of its route."""
        environment = os.environ | {"FUNCATRON_URL": f"http://{self.admin}", "FUNCATRON_TOKEN": self.token}
        command = [self.program, "deploy", str(func), *options]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, env=environment)
        if done.returncode:
            raise SystemExit(done.stderr)
        return next(route["id"] for route in self.ask("GET", "/routes") if route["base_path"] == base_path)

    def manage(self, method: str, path: str, content=None):
        credentials = f"{self.api.username}:{self.api.password}".encode()
        headers = {"authorization": "Basic " + base64.b64encode(credentials).decode(), "content-type": "application/json"}
        status, answer = send(f"{self.api.hostname}:{self.api.port}", method, f"/api{path}", headers, json.dumps(content or {}).encode())
        if status >= 300 and status != 404:
            raise RuntimeError(f"{method} {path}: {status} {answer.decode()}")


def send(address: str, method: str, path: str, headers: dict, content: bytes | None) -> tuple:
    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request(method, path, body=content, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
