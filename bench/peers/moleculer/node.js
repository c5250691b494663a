// `node.js URL gateway PORT` and `node.js URL service`: a gateway and a service of Moleculer, each a process.
"use strict";
const { ServiceBroker } = require("moleculer");
const ApiGateway = require("moleculer-web");

const [url, role, port] = process.argv.slice(2);
const broker = new ServiceBroker({
  nodeID: role,
  // Of its own accord it takes one message at a time, which is several times slower, and lets the kernel
  // hold back small writes, which costs 40 ms a call at one connection.
  transporter: { type: "AMQP", options: { url, prefetch: 512, socketOptions: { noDelay: true } } },
  logger: false,
});
if (role === "gateway") {
  broker.createService({
    mixins: [ApiGateway],
    settings: { ip: "127.0.0.1", port, routes: [{ path: "/", aliases: { "GET /hello": "greeter.hello" } }] },
  });
} else {
  broker.createService({ name: "greeter", actions: { hello: () => ({ message: "hello" }) } });
}
broker.start();
