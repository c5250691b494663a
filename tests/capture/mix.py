"""Requests of every kind: binary, UTF-8, JSON, empty, 1 MB, repeated headers, every method."""

import dataclasses
import hashlib
import json
import random

NUMBER = "x-sequence"
# Frontends let nobody pass with TRACE and CONNECT.
METHODS = ["POST", "PUT", "PATCH", "POST", "DELETE", "GET", "HEAD", "OPTIONS"]
WITHOUT_BODY = ("GET", "HEAD")
LARGE = 1_000_000


@dataclasses.dataclass
class Request:
    number: str
    method: str
    path: str
    headers: list
    body: bytes


def requests(base_path: str, count: int) -> list:
    """The same ones each time."""
    chance = random.Random(20)
    return [request(base_path, number, chance) for number in range(count)]


def request(base_path: str, number: int, chance: random.Random) -> Request:
    method = METHODS[number % len(METHODS)]
    kind, content = body(number, chance)
    if method in WITHOUT_BODY:
        content = b""
    headers = [(NUMBER, str(number)), ("x-twice", "b"), ("x-twice", "a"), ("X-Case", " spaced  out "), ("x-twice", "b")]
    if kind:
        headers.insert(number % 3, ("content-type", kind))
    query = f"?n={number}&t=%C3%A9+%2f&t&empty=" if number % 4 == 0 else ""
    return Request(str(number), method, f"{base_path}/{query}", headers, content)


def body(number: int, chance: random.Random) -> tuple:
    if number % 100 == 3:
        return "application/octet-stream", chance.randbytes(LARGE)
    match number % 5:
        case 0:
            return "application/octet-stream", chance.randbytes(chance.randrange(1, 4096))
        case 1:
            text = "".join(chance.choice("aé漢😀\n\r\t\"\\\0\u2028 ") for _ in range(chance.randrange(1, 500)))
            return "text/plain; charset=utf-8", text.encode()
        case 2:
            value = {"a": 1.0, "é": [None, chance.random()], "n": chance.randrange(1 << 60)}
            return "application/json", json.dumps(value, ensure_ascii=number % 2 == 0, indent=number % 3 or None).encode()
        case 3:
            return "application/json", b'{ "a": 1.50, "a":2e3,"b" :"\\u00e9" }'
        case _:
            return "application/octet-stream", b""


def raw(one: Request, host: str) -> bytes:
    """A request as it goes over the wire."""
    headers = [("host", host), *one.headers]
    if one.body or one.method not in WITHOUT_BODY:
        headers.append(("content-length", str(len(one.body))))
    lines = [f"{one.method} {one.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode() + one.body


def differences(sent: Request, kept: dict) -> list:
    """What of a request is not as it was sent."""
    path, _, query = sent.path.partition("?")
    expected = {
        "method": sent.method,
        "path": path,
        "query": query,
        "body": {"length": len(sent.body), "sha256": hashlib.sha256(sent.body).hexdigest(), "stored": len(sent.body) > 256 << 10},
    }
    found = {name: kept.get(name, "") for name in expected}
    wrong = [f"{name}: sent {value!r}, kept {found[name]!r}" for name, value in expected.items() if found[name] != value]
    for name in {name.lower() for name, _ in sent.headers}:
        # What surrounds a value is not part of it, and headers have an order among those of their name.
        values = [value.strip() for own, value in sent.headers if own.lower() == name]
        own = [value for own, value in kept["headers"] if own == name]
        if own != values:
            wrong.append(f"{name}: sent {values}, kept {own}")
    return wrong
