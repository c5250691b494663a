#!/usr/bin/env bash
# Runs the Rust tests with cargo-nextest where it is installed, else with cargo test.
set -euo pipefail
if cargo nextest --version >/dev/null 2>&1; then
  cargo nextest run --workspace --locked --no-fail-fast
  exec cargo test --workspace --locked --doc
fi
exec cargo test --workspace --locked
