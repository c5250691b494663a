#!/usr/bin/env bash
# Runs the tests of the store in S3, against moto, which speaks S3 on a free port of this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=target/moto
[ -x "$venv/bin/moto_server" ] || { python3 -m venv "$venv" && "$venv/bin/pip" install -q 'moto[s3,server]==5.2.5'; }

cargo test --workspace --locked --test s3 --no-run
log=$(mktemp)
PYTHONUNBUFFERED=1 "$venv/bin/moto_server" -H 127.0.0.1 -p 0 >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -f "$log"' EXIT

url=
for _ in $(seq 300); do
  url=$(grep -o 'http://127\.0\.0\.1:[0-9]*' "$log" | head -1 || true)
  [ -n "$url" ] && break
  kill -0 "$server" || { cat "$log" >&2; exit 1; }
  sleep 0.1
done
[ -n "$url" ] || { echo "moto does not start:" >&2; cat "$log" >&2; exit 1; }

python3 -c 'import sys, urllib.request as u; u.urlopen(u.Request(sys.argv[1] + "/funcatron", method="PUT"))' "$url"
FUNCATRON_TEST_S3=$url cargo test --workspace --locked --test s3 -- --ignored
