"""Takes OTLP over HTTP as a collector does, by the official definitions, and prints each span as a line of JSON.

A GET of anything else is answered with the headers that it came with.
"""
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1 import trace_pb2


def values(attributes):
    def value(any_value):
        return getattr(any_value, any_value.WhichOneof("value"))

    return {attribute.key: value(attribute.value) for attribute in attributes}


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path != "/v1/traces" or self.headers["content-type"] != "application/x-protobuf":
            return self.answer(404, b"")
        request = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
        for of_resource in request.resource_spans:
            resource = values(of_resource.resource.attributes)
            for of_scope in of_resource.scope_spans:
                for span in of_scope.spans:
                    self.tell(resource, span)
        self.answer(200, trace_service_pb2.ExportTraceServiceResponse().SerializeToString())

    def tell(self, resource, span):
        told = {
            "resource": resource,
            "trace": span.trace_id.hex(),
            "span": span.span_id.hex(),
            "parent": span.parent_span_id.hex(),
            "name": span.name,
            "kind": trace_pb2.Span.SpanKind.Name(span.kind),
            "began": span.start_time_unix_nano,
            "ended": span.end_time_unix_nano,
            "attributes": values(span.attributes),
            "status": trace_pb2.Status.StatusCode.Name(span.status.code),
        }
        # In one write: several connections are served at once.
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()

    def do_GET(self):
        self.answer(200, json.dumps({name.lower(): value for name, value in self.headers.items()}).encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
server.serve_forever()
