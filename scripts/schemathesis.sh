#!/usr/bin/env bash
# Runs schemathesis, with all its default checks, against the Petstore as `funcatron dev` serves it.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=target/schemathesis
[ -x "$venv/bin/schemathesis" ] || { python3 -m venv "$venv" && "$venv/bin/pip" install -q 'schemathesis==4.32.5'; }

# As the tests build it: with the features of a plain build, all that it stands on would be built once more.
cargo test --workspace --locked --test platform --no-run
state=$(mktemp -d)
target/debug/funcatron dev funcs/petstore --port 0 --admin-port 0 --state "$state" >"$state/out" 2>"$state/err" &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$state"' EXIT

url=
for _ in $(seq 100); do
  url=$(grep -o 'http://127\.0\.0\.1:[0-9]*' "$state/out" | head -1 || true)
  [ -n "$url" ] && break
  kill -0 "$server" || { cat "$state/err" >&2; exit 1; }
  sleep 0.1
done
[ -n "$url" ] || { echo "no URL was printed" >&2; cat "$state/err" >&2; exit 1; }

# It leaves its findings in the current directory.
root=$PWD
cd "$state"
"$root/$venv/bin/schemathesis" run "$root/funcs/petstore/funcatron.yaml" --url "$url/api/v3" \
  --header 'api_key: special-key' --header 'Authorization: Bearer special-token' \
  --max-examples "${EXAMPLES:-50}" --seed "${SEED:-1}" --no-color
