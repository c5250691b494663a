#!/usr/bin/env bash
# Tests the Funcs: natively, and that what is committed is what the sources give.
#
#   funcs/test.sh            # native tests only: needs cargo, and node for hello-js
#   funcs/test.sh --rebuild  # also builds every component again into a temporary place and compares
#
# The same compiler gives the same bytes. Where Debian's compiler has moved on they differ without being
# wrong; then compare what they do: run the platform's tests over both, with each OUT/NAME/func.wasm copied
# over the committed one.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")

(cd "$here" && cargo test --quiet --locked)
if command -v node >/dev/null; then
    (cd "$here/hello-js" && node --test)
fi

if [ "${1:-}" = --rebuild ]; then
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
    OUT=$out "$here/build.sh"
    different=0
    compare() {
        cmp -s "$1" "$2" || { echo "test: $2 is not what its source gives here"; different=1; }
    }
    for name in hello-rust echo petstore; do compare "$out/$name/func.wasm" "$here/$name/func.wasm"; done
    compare "$out/hostile/func.wasm" "$root/tests/funcs/hostile/func.wasm"
    compare "$out/js.wasm" "$root/runner/engine/js.wasm"
    exit $different
fi
