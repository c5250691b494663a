#!/usr/bin/env bash
# Builds the image from a binary that is there already, with no registry: FROM scratch.
#   scripts/image.sh [TAG] [BINARY]
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${1:-funcatron} binary=${2:-target/release/funcatron}
[ -x "$binary" ] || { echo "there is no $binary: run 'make build'" >&2; exit 1; }

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
scripts/rootfs.sh "$binary" "$context/rootfs"
# The last stage of the Dockerfile, with the folder in place of the stage that builds.
sed -n '/^FROM scratch/,$p' Dockerfile | sed 's/^COPY --from=build /COPY /; s#^\(COPY.* \)/rootfs/#\1rootfs/#' >"$context/Dockerfile"
# BuildKit is not everywhere; the older builder says so on every run.
DOCKER_BUILDKIT=0 docker build --quiet --tag "$tag" "$context" 2> >(grep -v -e DEPRECATED -e BuildKit -e environment-variable -e "^$" >&2)
