#!/usr/bin/env bash
# Breaks a cluster of processes over a RabbitMQ of its own, under load, and says how that went.
#   scripts/chaos.sh [--fleet process|docker|swarm] [--short] [--only NAME] [--seed N] [--rate N] [--list] [--help]
set -euo pipefail
cd "$(dirname "$0")/.."
# The same selection of packages as the other tests, so that nothing is compiled twice.
chaos=(cargo test --workspace --locked --quiet --test chaos)
"${chaos[@]}" --no-run
log=${CHAOS_LOG:-target/chaos.log}
"${chaos[@]}" -- "$@" 2>"$log" || { echo "what its processes logged is in $log" >&2 && exit 1; }
