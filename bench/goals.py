"""What this project set itself, and whether a run came up to it."""

import dataclasses
from collections.abc import Callable

from harness import median

WASMTIME, RPC, MOLECULER, NAMEKO = "wasmtime serve", "lapin RPC, 3 hops", "moleculer", "nameko"
HELLO, NO_OP = "hello, through Tron", "no-op, through Tron"


@dataclasses.dataclass
class Goal:
    """That `ours` has so many times the figure of `peer`."""

    ours: str
    peer: str
    connections: int
    key: str
    wanted: float
    met: Callable[[float, float], bool]

    def row(self, results: dict) -> str:
        value = median(results[self.connections, self.ours], self.key) / median(results[self.connections, self.peer], self.key)
        bound = "at least" if self.met is at_least else "at most"
        verdict = "met" if self.met(value, self.wanted) else "**missed**"
        return f"| {self.ours} : {self.peer} | {self.connections} | {self.key} | {bound} {self.wanted} | {value:.2f} | {verdict} |"


def at_least(value: float, wanted: float) -> bool:
    return value >= wanted


def at_most(value: float, wanted: float) -> bool:
    return value <= wanted


GOALS = [
    Goal(HELLO, WASMTIME, 32, "rps", 1.5, at_least),
    Goal(HELLO, WASMTIME, 128, "rps", 1.5, at_least),
    Goal(NO_OP, RPC, 32, "rps", 2, at_least),
    Goal(NO_OP, RPC, 128, "rps", 3, at_least),
    *(Goal(NO_OP, MOLECULER, connections, "rps", 3, at_least) for connections in (32, 128)),
    *(Goal(NO_OP, NAMEKO, connections, "rps", 20, at_least) for connections in (32, 128)),
    Goal(NO_OP, RPC, 1, "p50", 1.3, at_most),
]


def print_goals(results: dict) -> None:
    measured = [goal for goal in GOALS if all((goal.connections, name) in results for name in (goal.ours, goal.peer))]
    if not measured:
        return
    print("\n| goal | connections | of | wanted | measured | |\n|---|---|---|---|---|---|")
    for goal in measured:
        print(goal.row(results))
