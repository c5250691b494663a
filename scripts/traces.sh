#!/usr/bin/env bash
# Tests traces against a collector that reads them by the definitions of OpenTelemetry: as processes over RabbitMQ (a node
# of its own, or the one that FUNCATRON_TEST_BROKER and FUNCATRON_TEST_BROKER_API name) and in `funcatron dev`.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$PWD/target/otlp-venv
"$venv/bin/python" -c 'import opentelemetry.proto' 2>/dev/null \
  || { python3 -m venv "$venv" && "$venv/bin/pip" install -q 'opentelemetry-proto==1.45.2'; }
export FUNCATRON_TEST_PYTHON=$venv/bin/python
work=$(mktemp -d)
trap 'scripts/rabbitmq.sh stop "$work/broker"; rm -rf "$work"' EXIT
if [ -z "${FUNCATRON_TEST_BROKER:-}" ]; then
  broker=$(scripts/rabbitmq.sh start "$work/broker")
  eval "$broker"
fi
cargo test --workspace --locked --test cluster --test platform -- --ignored traces::
