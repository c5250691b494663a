#!/usr/bin/env bash
# Looks at the console of a running `funcatron dev` with a real browser: tests/console. Pictures of every view are left
# in target/console.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=target/console-venv
[ -x "$venv/bin/python" ] && "$venv/bin/python" -c 'import websockets' 2>/dev/null \
  || { python3 -m venv "$venv" && "$venv/bin/pip" install -q 'websockets==17.4'; }

# As the tests build it: with the features of a plain build, all that it stands on would be built once more.
cargo test --workspace --locked --test platform --no-run
state=$(mktemp -d)
cp -r funcs/hello-js funcs/petstore tests/console/funcs/markup "$state"
target/debug/funcatron dev "$state"/{hello-js,petstore,markup} --port 0 --admin-port 0 --state "$state/state" \
  >"$state/out" 2>"$state/err" &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$state"' EXIT

for _ in $(seq 100); do
  grep -q /console/ "$state/out" && break
  kill -0 "$server" || { cat "$state/err" >&2; exit 1; }
  sleep 0.1
done
urls=$(grep -o 'http://127\.0\.0\.1:[0-9]*' "$state/out" | awk '!seen[$0]++' | head -2)
[ -n "$urls" ] || { echo "no URL was printed" >&2; cat "$state/err" >&2; exit 1; }

mkdir -p target/console
# shellcheck disable=SC2086
"$venv/bin/python" tests/console/check.py $urls "$(cat "$state/state/token")" "$state/markup" target/console
