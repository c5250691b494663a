"""The service behind the gateway of nameko."""

from nameko.rpc import rpc


class Greeter:
    name = "greeter"

    @rpc
    def hello(self):
        return {"message": "hello"}
