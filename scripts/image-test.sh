#!/usr/bin/env bash
# Builds the image with a real Docker Engine and calls a Func in a container of it: read-only, without
# capabilities, as nobody.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${1:-target/debug/funcatron}
# As the tests build it: with the features of a plain build, all that it stands on would be built once more.
[ $# -gt 0 ] || cargo test --workspace --locked --test platform --no-run

work=$(mktemp -d)
tag=funcatron-test:$$
container=
finish() {
  [ -z "$container" ] || docker rm --force "$container" >/dev/null
  docker rmi --force "$tag" >/dev/null 2>&1 || true
  scripts/docker.sh stop "$work/engine"
  rm -rf "$work"
}
trap finish EXIT
engine=$(scripts/docker.sh start "$work/engine")
eval "$engine"

scripts/image.sh "$tag" "$binary"
docker run --rm "$tag" --version
container=$(docker run --detach --read-only --cap-drop ALL --security-opt no-new-privileges --network host \
  --tmpfs /tmp --tmpfs /var/lib/funcatron:uid=65532 --tmpfs /var/cache/funcatron:uid=65532 \
  --volume "$PWD/funcs/hello-rust:/hello:ro" "$tag" dev /hello --port 0 --admin-port 0)
for _ in $(seq 300); do
  url=$(docker logs "$container" 2>/dev/null | grep -o 'http://127\.0\.0\.1:[0-9]*' | head -1 || true)
  [ -z "$url" ] || break
  [ "$(docker inspect --format '{{.State.Running}}' "$container")" = true ] || break
  sleep 0.1
done
[ -n "$url" ] || { echo "the container does not serve:" >&2; docker logs "$container" >&2; exit 1; }
answer=$(python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=30).read().decode())' "$url/hello-rust")
echo "$answer"
[[ $answer == *hello* ]] || { echo "not the Func's answer" >&2; exit 1; }
