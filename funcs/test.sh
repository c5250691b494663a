#!/usr/bin/env bash
# Tests the Funcs: natively, and that what is committed is what the sources give.
#
#   funcs/test.sh            # native tests only: needs cargo, and node for hello-js
#   funcs/test.sh --rebuild  # also builds every component again and holds the committed ones to that
#
# The same compiler gives the same bytes, and then there is nothing left to test. Where the compiler has
# moved on, the rebuilt components stand in for the committed ones while the platform's tests run.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")

(cd "$here" && cargo test --quiet --locked)
if command -v node >/dev/null; then
    (cd "$here/hello-js" && node --test)
else
    echo "test: no node here, so hello-js is tested on the platform alone"
fi
[ "${1:-}" = --rebuild ] || exit 0

out=$(mktemp -d)
different=()
restore() {
    for committed in ${different[@]+"${different[@]}"}; do
        cp "$out/committed/${committed#"$root/"}" "$committed"
    done
    rm -rf "$out"
}
trap restore EXIT

# Puts a rebuilt component in the committed one's place when they differ.
compare() {
    local rebuilt=$1 committed=$2
    if cmp -s "$rebuilt" "$committed"; then return; fi
    echo "test: ${committed#"$root/"} differs from its rebuild"
    mkdir -p "$out/committed/$(dirname "${committed#"$root/"}")"
    cp "$committed" "$out/committed/${committed#"$root/"}"
    different+=("$committed")
    cp "$rebuilt" "$committed"
}

OUT=$out "$here/build.sh"
for name in hello-rust echo petstore; do compare "$out/$name/func.wasm" "$here/$name/func.wasm"; done
for name in hostile stream; do compare "$out/$name/func.wasm" "$root/tests/funcs/$name/func.wasm"; done
compare "$out/js.wasm" "$root/runner/engine/js.wasm"

if [ ${#different[@]} -eq 0 ]; then
    echo "test: every rebuilt component is byte for byte the committed one"
else
    (cd "$root" && cargo test --locked -p funcatron --test platform)
fi
