"""Reads what a capture publishes, as anybody can who speaks AMQP: with a client, a queue and a parser of its own."""

import base64
import hashlib
import json
import threading

import pika

EXCHANGE = "funcatron.capture"
DECODER = json.JSONDecoder()


def spans(text: str, at: int) -> dict:
    """The members of the object at this place, each as where its value begins and ends."""
    members = {}
    assert text[at] == "{", text[at : at + 20]
    at += 1
    while text[at] != "}":
        name, at = DECODER.raw_decode(text, at)
        assert text[at] == ":"
        _, end = DECODER.raw_decode(text, at + 1)
        members[name] = (at + 1, end)
        at = end + (text[end] == ",")
    return members


def body(text: str, span: tuple | None) -> dict:
    """What a body is: how long, and which SHA-256 it has. JSON counts as it is written there."""
    if span is None:
        content = b""
    else:
        form = json.loads(text[slice(*span)])
        if "ref" in form:
            return {"length": form["len"], "sha256": form["sha256"], "stored": True}
        if "json" in form:
            content = text[slice(*spans(text, span[0])["json"])].encode()
        elif "text" in form:
            content = form["text"].encode()
        else:
            content = base64.b64decode(form["base64"], validate=True)
    return {"length": len(content), "sha256": hashlib.sha256(content).hexdigest(), "stored": False}


class Reader(threading.Thread):
    """Counts the calls of every capture, by the value of one of their headers."""

    def __init__(self, url: str, header: str):
        super().__init__(daemon=True)
        self.header = header
        self.connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel = self.connection.channel()
        queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.queue_bind(queue, EXCHANGE, "capture.#")
        self.channel.basic_qos(prefetch_count=64)
        self.channel.basic_consume(queue, self.take)
        self.calls: dict[str, list] = {}
        self.messages = 0
        self.bytes_max = 0
        self.seen = threading.Condition()

    def stop(self):
        """Reads no more, and leaves no queue behind."""
        self.connection.add_callback_threadsafe(self.channel.stop_consuming)
        self.join()
        self.connection.close()

    def run(self):
        try:
            self.channel.start_consuming()
        except pika.exceptions.AMQPError:
            pass

    def take(self, channel, method, _properties, payload: bytes):
        lines = [line for line in payload.decode().split("\n") if line]
        with self.seen:
            self.messages += 1
            if len(lines) > 1:
                self.bytes_max = max(self.bytes_max, len(payload))
            for line in lines:
                self.add(line)
            self.seen.notify_all()
        channel.basic_ack(method.delivery_tag)

    def add(self, line: str):
        invoke = spans(line, spans(line, 0)["invoke"][0])
        head = {name: json.loads(line[slice(*span)]) for name, span in invoke.items() if name != "body"}
        head["body"] = body(line, invoke.get("body"))
        entry = json.loads(line)
        head["status"] = entry["answer"]["status"]
        head["redacted"] = entry.get("redacted", [])
        number = next((value for name, value in head["headers"] if name == self.header), None)
        self.calls.setdefault(number, []).append(head)

    def wait(self, is_enough, seconds: float) -> bool:
        with self.seen:
            return self.seen.wait_for(is_enough, seconds)
