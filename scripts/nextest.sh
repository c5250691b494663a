#!/usr/bin/env bash
# Runs the Rust tests with cargo-nextest where it is installed, else with cargo test, beside a RabbitMQ node
# of their own (or the one that FUNCATRON_TEST_BROKER and FUNCATRON_TEST_BROKER_API name).
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${FUNCATRON_TEST_BROKER:-}" ]; then
  node=$(mktemp -d)
  trap 'scripts/rabbitmq.sh stop "$node"; rm -rf "$node"' EXIT
  broker=$(scripts/rabbitmq.sh start "$node")
  eval "$broker"
fi
if cargo nextest --version >/dev/null 2>&1; then
  cargo nextest run --workspace --locked --no-fail-fast
  cargo test --workspace --locked --doc
else
  cargo test --workspace --locked
fi
