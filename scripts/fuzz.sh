#!/usr/bin/env bash
# Runs every fuzz target for the given number of seconds. The sanitizer needs compiler flags that
# stable Rust hides, hence RUSTC_BOOTSTRAP.
set -euo pipefail
seconds=${1:?seconds per target}
cd "$(dirname "$0")/.."
export RUSTC_BOOTSTRAP=1
for target in $(cargo fuzz list); do
  echo "== $target"
  cargo fuzz run "$target" -- -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=20
done
