#!/usr/bin/env bash
# Keeps mixed requests at load on a cluster over RabbitMQ and has an AMQP client of its own count them, to the byte.
#   REQUESTS=10000 ROUNDS=5 SECONDS_EACH=5 PROGRAM=target/release/funcatron scripts/capture.sh
# ROUNDS measures the throughput with a capture and without one as well, with wrk.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=target/capture
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -c 'import pika' 2>/dev/null || "$venv/bin/pip" install -q 'pika==1.3.2'

program=${PROGRAM:-}
if [ -z "$program" ]; then
  # As the tests build it: with the features of a plain build, all that it stands on would be built once more.
  cargo test --workspace --locked --test platform --no-run
  program=target/debug/funcatron
fi
work=$(mktemp -d) data=()
trap 'scripts/rabbitmq.sh stop "$work/broker"; rm -rf "$work"' EXIT
if [ -z "${FUNCATRON_TEST_BROKER:-}" ]; then
  broker=$(scripts/rabbitmq.sh start "$work/broker")
  eval "$broker"
  data=(--broker-data "$work/broker")
fi
"$venv/bin/python" -u tests/capture/capture.py --program "$PWD/$program" --func "$PWD/funcs/echo" \
  --broker "$FUNCATRON_TEST_BROKER" --api "$FUNCATRON_TEST_BROKER_API" \
  "${data[@]}" --requests "${REQUESTS:-1000}" --rounds "${ROUNDS:-0}" --seconds "${SECONDS_EACH:-5}" --runners "${RUNNERS:-1}"
