#!/usr/bin/env bash
# Installs what the tests need beside Rust: the wasm toolchain's packages, Python for schemathesis and what drives a browser, RabbitMQ, promtool.
set -euo pipefail

packages=(build-essential python3-venv rustc-web cargo-web rust-web-src wasi-libc rabbitmq-server openssl docker.io docker-compose chromium prometheus)

if ! command -v apt-get >/dev/null; then
  echo "This is no Debian: install a C compiler, Python 3 with venv, RabbitMQ, Chromium, and 'rustup target add wasm32-wasip2'." >&2
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
