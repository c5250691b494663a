"""Calls a Func that is given secrets in every place, and searches all that is left of it for them."""

import base64
import contextlib
import http.server
import json
import pathlib
import re
import secrets
import threading
import urllib.parse

import pika

import cluster

CALLS = 50
FUNC = pathlib.Path(__file__).with_name("vault")
QUEUE = "kept-for-the-search"
# What may be half a secret, wherever it begins, and what may be base64, as Basic has it.
WORD = re.compile(rb"(?=([0-9a-f]{12}))")
BASE64 = re.compile(rb"[A-Za-z0-9+/]{24,}")


class Canaries:
    """Texts that nobody else has. However they are written, their halves stay as they are, but for base64."""

    def __init__(self):
        self.places: dict[bytes, str] = {}

    def __call__(self, place: str) -> str:
        halves = [secrets.token_hex(6) for _ in range(2)]
        self.places |= {half.encode(): place for half in halves}
        return "/+".join(halves)

    def found(self, content: bytes) -> set:
        """The places of those that stand in this."""
        decoded = [base64.b64decode(one[: len(one) // 4 * 4]) for one in BASE64.findall(content)]
        words = {word for text in [content, *decoded] for word in WORD.findall(text)}
        return {self.places[word] for word in words & self.places.keys()}


class Up(http.server.BaseHTTPRequestHandler):
    """Whom the Func asks."""

    def do_POST(self):
        given = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("set-cookie", f"up={self.headers['x-api-key']}")
        self.send_header("content-length", str(len(given)))
        self.end_headers()
        self.wfile.write(given)

    def log_message(self, *_):
        pass


def check(parts: cluster.Cluster, broker_data: pathlib.Path | None):
    """Secrets of captured calls are in no file, queue, log or answer of the admin API, unless a capture is to keep them."""
    with serving() as up, queue_of_captures(parts) as queued:
        route = parts.deploy(FUNC, "/vault", f"--prop=up=http://{up}", f"--outbound={up}")
        parts.ask("PUT", f"/levels/{route}", {"level": "debug", "for_seconds": 600})
        canaries = Canaries()
        export = captured(parts, route, canaries, {})
        places = {"the export": export, "the queue": queued(), **answers(parts), **files(parts.folder)}
        if broker_data:
            places |= files(broker_data)
        found = {where: canaries.found(content) for where, content in places.items()}
        found = {where: one for where, one in found.items() if one}
        if found:
            raise SystemExit(f"secrets were found: {found}")
        if b"visible" not in export or b"POST http://" not in places["/logs"]:
            raise SystemExit("nothing was searched")
        kept = Canaries()
        whole = kept.found(captured(parts, route, kept, {"secrets": True}))
        if len(whole) < len(set(kept.places.values())):
            raise SystemExit(f"the search does not find what is there, only {sorted(whole)}")
        size = sum(map(len, places.values()))
        print(f"{CALLS} calls with {len(set(canaries.places.values()))} kinds of secrets: none found in {len(places)} files, queues "
              f"and answers of {size:,} bytes; all of them in a capture that was to keep them")


@contextlib.contextmanager
def serving():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Up)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def queue_of_captures(parts: cluster.Cluster):
    """A queue of one's own on the disk of the broker; what is in it stays there until it is read."""
    connection = pika.BlockingConnection(pika.URLParameters(parts.broker))
    channel = connection.channel()
    channel.queue_declare(QUEUE, durable=True)
    channel.queue_bind(QUEUE, "funcatron.capture", "capture.#")

    def content() -> bytes:
        contents = []
        while (got := channel.basic_get(QUEUE))[0]:
            contents.append(got[2])
        return b"".join(contents)

    try:
        yield content
    finally:
        channel.queue_delete(QUEUE)
        connection.close()


def captured(parts: cluster.Cluster, route: str, canaries: Canaries, wanted: dict) -> bytes:
    """The file of a capture of some calls."""
    asked = {"route": route, "for_seconds": 600, "bytes_max": 1 << 30} | wanted
    capture = f"/captures/{parts.ask('POST', '/captures', asked)['capture']['id']}"
    # Until runners have heard of it, nothing is kept.
    parts.until("the capture begins", lambda: call(parts, canaries, 0) and parts.ask("GET", capture)["entries"] > 0)
    before = parts.ask("GET", capture)["entries"]
    for number in range(CALLS):
        call(parts, canaries, number)
    parts.until("all of them are kept", lambda: parts.ask("GET", capture)["entries"] >= before + CALLS)
    parts.ask("POST", f"{capture}/stop")
    return parts.read(f"{capture}/export")


def call(parts: cluster.Cluster, canaries: Canaries, number: int) -> bool:
    basic = base64.b64encode(f"ada:{canaries('a basic password')}".encode()).decode()
    headers = {
        "authorization": f"Basic {basic}" if number % 2 else f"Bearer {canaries('a bearer token')}",
        "cookie": f"theme=dark; session={canaries('a cookie')}",
        "x-vault-key": canaries("an API key"),
        "x-pin": canaries("a header"),
    }
    body = {"name": "visible", "password": canaries("a password")}
    if number % 3:
        body["cards"] = [{"pin": canaries("a member of a list")}]
        headers["content-type"], content = "application/json", json.dumps(body)
    else:
        headers["content-type"], content = "application/x-www-form-urlencoded", urllib.parse.urlencode(body)
    code, pin, key = (urllib.parse.quote(canaries(place), safe="") for place in ("a path", "a query", "a key in a query"))
    path = f"/vault/login/{code}?pin={pin}&vault_key={key}"
    status, answer = cluster.send(parts.url, "POST", path, headers, content.encode())
    if status != 200:
        raise SystemExit(f"the Func answered {status}: {answer.decode()}")
    return True


def answers(parts: cluster.Cluster) -> dict:
    """What the admin API says of these calls."""
    return {path: parts.read(path) for path in ("/logs", "/activations", "/stats", "/captures", "/deployments")}


def files(folder: pathlib.Path) -> dict:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
