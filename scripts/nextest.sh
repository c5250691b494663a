#!/usr/bin/env bash
# Runs the Rust tests with cargo-nextest where it is installed, else with cargo test, beside a RabbitMQ node and a
# Docker Engine of their own (or those that FUNCATRON_TEST_BROKER and FUNCATRON_TEST_BROKER_API, and
# FUNCATRON_TEST_DOCKER name: the engine has to manage a Swarm).
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
finish() {
  scripts/rabbitmq.sh stop "$work/broker"
  scripts/docker.sh stop "$work/engine"
  rm -rf "$work"
}
trap finish EXIT
if [ -z "${FUNCATRON_TEST_BROKER:-}" ]; then
  broker=$(scripts/rabbitmq.sh start "$work/broker")
  eval "$broker"
fi
if [ -z "${FUNCATRON_TEST_DOCKER:-}" ]; then
  engine=$(scripts/docker.sh own "$work/engine")
  eval "$engine"
fi
if cargo nextest --version >/dev/null 2>&1; then
  cargo nextest run --workspace --locked --no-fail-fast
  cargo test --workspace --locked --doc
else
  cargo test --workspace --locked
fi
