"""The RabbitMQ node that everything in a run shares; each system has a virtual host of its own."""

import contextlib
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "scripts" / "rabbitmq.sh"


class Node:
    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        out = subprocess.run(
            [SCRIPT, "start", folder], env={**os.environ, "PLUGINS": ""}, check=True, capture_output=True, text=True
        ).stdout
        self.url = re.search(r"FUNCATRON_TEST_BROKER=(\S+)", out).group(1)
        self.pid = int((folder / "pid").read_text())

    def virtual_host(self, name: str) -> str:
        """The URL of a new, empty virtual host."""
        user = re.search(r"//([^:]+):", self.url).group(1)
        self.ctl("add_vhost", name)
        self.ctl("set_permissions", "-p", name, user, ".*", ".*", ".*")
        return f"{self.url}/{name}"

    def ctl(self, *arguments: str) -> str:
        command = [SCRIPT, "ctl", self.folder, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def stop(self) -> None:
        subprocess.run([SCRIPT, "stop", self.folder], check=True)


@contextlib.contextmanager
def node(folder: pathlib.Path):
    started = Node(folder)
    try:
        yield started
    finally:
        started.stop()
