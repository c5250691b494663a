"""The HTTP side of nameko: asks the service over RabbitMQ."""

import json

from nameko.rpc import RpcProxy
from nameko.web.handlers import http


class Gateway:
    name = "gateway"
    greeter = RpcProxy("greeter")

    @http("GET", "/hello")
    def hello(self, request):
        return 200, {"content-type": "application/json"}, json.dumps(self.greeter.hello())
