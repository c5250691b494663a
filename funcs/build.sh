#!/usr/bin/env bash
# Builds the Rust Funcs of this workspace and puts each component into its folder as func.wasm:
#
#   funcs/build.sh                # all of them, and the JavaScript engine
#   funcs/build.sh echo petstore  # only these
#
# OUT=DIR puts them there instead (DIR/echo/func.wasm, DIR/js.wasm): to compare with what is committed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
rust=(hello-rust echo petstore hostile stream)
toolchain=$here/target/toolchain

folder() {
    if [ -n "${OUT:-}" ]; then echo "$OUT/$1"
    elif [ "$1" = hostile ] || [ "$1" = stream ]; then echo "$root/tests/funcs/$1"
    else echo "$here/$1"; fi
}

# The linked paths must not tell where they were built.
refuse_host_paths() {
    if grep -aqE "$here|${CARGO_HOME:-$HOME/.cargo}|/usr/(lib|src)/" "$1"; then
        echo "build: $1 has paths of this machine in it" >&2
        exit 1
    fi
}

build_rust() {
    local out=$here/target/$(cat "$toolchain/target")/release name=$1 to
    (cd "$here" && CARGO_TARGET_DIR="$here/target" "$toolchain/cargo-wasm" build --quiet --locked --release -p "$name")
    to=$(folder "$name")
    mkdir -p "$to"
    refuse_host_paths "$out/${name//-/_}.wasm"
    cp "$out/${name//-/_}.wasm" "$to/func.wasm"
    echo "build: $name, $(stat -c %s "$to/func.wasm") bytes"
}

"$here/toolchain.sh" >/dev/null
chosen=("$@")
[ $# -gt 0 ] || chosen=("${rust[@]}" js-engine)
for name in "${chosen[@]}"; do
    if [ "$name" = js-engine ]; then
        "$here/js-engine/build.sh" ${OUT:+"$OUT/js.wasm"}
    else
        build_rust "$name"
    fi
done
