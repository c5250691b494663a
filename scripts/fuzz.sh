#!/usr/bin/env bash
# Runs every fuzz target for the given number of seconds. The sanitizer needs compiler flags that
# stable Rust hides, hence RUSTC_BOOTSTRAP.
set -euo pipefail
seconds=${1:?seconds per target}
cd "$(dirname "$0")/.."
export RUSTC_BOOTSTRAP=1

# Something to start from: the documents that we have, and a bundle of one of them.
mkdir -p fuzz/corpus/document fuzz/corpus/bundle
for document in funcs/*/funcatron.yaml tron/openapi.yaml; do
  cp "$document" "fuzz/corpus/document/$(basename "$(dirname "$document")").yaml"
done
rm -f fuzz/corpus/bundle/hello.zip
python3 -m zipfile -c fuzz/corpus/bundle/hello.zip funcs/hello-js/funcatron.yaml funcs/hello-js/index.js

for target in $(cargo fuzz list); do
  echo "== $target"
  cargo fuzz run "$target" -- -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=20
done
