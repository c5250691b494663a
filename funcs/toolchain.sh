#!/usr/bin/env bash
# Sets up what compiles a Rust Func to a WebAssembly component, in one directory of the project, and
# leaves a wrapper `cargo-wasm` there:
#
#   funcs/toolchain.sh [DIR]                       # default: funcs/target/toolchain
#   funcs/target/toolchain/cargo-wasm build --release
#
# A rustup toolchain that has the wasm32-wasip2 target is used as it is. Elsewhere the standard library
# is built once, from Debian's compiler and its own source, into a private sysroot: nothing outside DIR
# is written but the Debian packages. Running it again costs nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${1:-$here/target/toolchain}
packages=(rustc-web cargo-web rust-web-src wasi-libc)
target=wasm32-wasip1

say() { printf 'toolchain: %s\n' "$*"; }
die() { say "$*" >&2; exit 1; }

rustup_has_wasm() {
    [ -z "${FUNCATRON_TOOLCHAIN_DEBIAN:-}" ] &&
        (cd "$here" && ls "$(rustc --print sysroot)"/lib/rustlib/wasm32-wasip2/lib/libstd-*.rlib) >/dev/null 2>&1
}

# The linkers live in the rustup toolchain, which the project needs anyway (rust-toolchain.toml).
rustup_bin() {
    (cd "$here" && echo "$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin")
}

install_packages() {
    dpkg -s "${packages[@]}" >/dev/null 2>&1 && return
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        die "this machine lacks a Rust compiler with a WebAssembly standard library; either
  rustup target add wasm32-wasip2
or, on Debian as root,
  apt-get update && apt-get install --no-install-recommends ${packages[*]}
and run this script again"
    fi
    say "installing ${packages[*]}"
    apt-get update -qq >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
}

write_wrapper_for_rustup() {
    cat >"$dir/cargo-wasm" <<'WRAPPER'
#!/usr/bin/env bash
# Cargo for Funcs: the rustup toolchain, for wasm32-wasip2.
export CARGO_BUILD_TARGET=wasm32-wasip2
exec cargo "$@"
WRAPPER
    chmod +x "$dir/cargo-wasm"
    echo wasm32-wasip2 >"$dir/target"
}

# A sysroot of links to Debian's, with a place of our own for the one target that Debian does not ship.
make_sysroot() {
    local rustlib=$dir/sysroot/lib/rustlib entry
    rm -rf "$dir/sysroot"
    mkdir -p "$rustlib/$target/lib/self-contained"
    for entry in /usr/lib/rustlib/*; do
        [ "$(basename "$entry")" = $target ] || ln -s "$entry" "$rustlib/"
    done
}

# rustc for the private sysroot. Paths of this machine are kept out of what it compiles here, and not in
# cargo's flags, so that the same source gives the same bytes on every machine.
write_rustc() {
    cat >"$dir/rustc" <<'WRAPPER'
#!/usr/bin/env bash
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
remap=("--remap-path-prefix=$PWD=." "--remap-path-prefix=${CARGO_TARGET_DIR:-$PWD/target}=target")
for source in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
    remap+=("--remap-path-prefix=$source=crates")
done
for source in "$here/sysroot/lib/rustlib/src/rust" /usr/lib/rustlib/src/rust /usr/src/rustc-*; do
    remap+=("--remap-path-prefix=$source=rust")
done
exec /usr/bin/rustc --sysroot "$here/sysroot" "${remap[@]}" "$@"
WRAPPER
    chmod +x "$dir/rustc"
}

# Bitcode in the standard library is what lets a Func be built with lto = true.
build_std() {
    local work=$dir/std lib=$dir/sysroot/lib/rustlib/$target/lib
    mkdir -p "$work/src"
    : >"$work/src/lib.rs"
    printf '[package]\nname = "stdseed"\nversion = "0.0.0"\nedition = "2024"\n[profile.release]\npanic = "abort"\n[workspace]\n' >"$work/Cargo.toml"
    say "building the standard library for $target (about half a minute)"
    (cd "$work" && env -u CARGO_ENCODED_RUSTFLAGS RUSTFLAGS="-C embed-bitcode=yes" RUSTC_BOOTSTRAP=1 RUSTC="$dir/rustc" \
        CARGO_TARGET_DIR="$work/target" /usr/bin/cargo build --quiet --release --target $target \
        -Zbuild-std=std,panic_abort -Zbuild-std-features=)
    cp "$work/target/$target/release/deps/"*.rlib "$lib/"
    rm -f "$lib"/libstdseed*
    cp /usr/lib/wasm32-wasi/{crt1-command.o,crt1-reactor.o,libc.a} "$lib/self-contained/"
    rm -rf "$work"
}

write_wrapper_for_debian() {
    cat >"$dir/cargo-wasm" <<'WRAPPER'
#!/usr/bin/env bash
# Cargo for Funcs: Debian's compiler with the private sysroot beside this file; the linker makes the
# core module a component by way of the wasi:http/proxy adapter.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
linkers=$(cat "$here/linkers")
export PATH="$linkers/gcc-ld:$PATH" RUSTC="$here/rustc" CARGO_BUILD_TARGET=wasm32-wasip1
export CARGO_TARGET_WASM32_WASIP1_LINKER=$linkers/wasm-component-ld
unset RUSTUP_TOOLCHAIN RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
: "${CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS=-C link-arg=--wasi-adapter=proxy}"
export CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS
exec /usr/bin/cargo "$@"
WRAPPER
    chmod +x "$dir/cargo-wasm"
    echo $target >"$dir/target"
}

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
if rustup_has_wasm; then
    write_wrapper_for_rustup
else
    install_packages
    linkers=$(rustup_bin)
    [ -x "$linkers/wasm-component-ld" ] || die "no wasm-component-ld in $linkers: install the rustup toolchain that rust-toolchain.toml names"
    echo "$linkers" >"$dir/linkers"
    write_rustc
    write_wrapper_for_debian
    version=$(/usr/bin/rustc --version)
    if [ "$(cat "$dir/version" 2>/dev/null)" != "$version" ]; then
        make_sysroot
        build_std
        echo "$version" >"$dir/version"
    fi
fi
say "ready: $dir/cargo-wasm build --release"
say "components land in \$CARGO_TARGET_DIR (else the workspace's target)/$(cat "$dir/target")/release/NAME.wasm"
