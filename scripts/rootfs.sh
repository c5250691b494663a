#!/usr/bin/env bash
# Lays a file system of the binary and what it links into a folder: all that an image needs.
#   scripts/rootfs.sh BINARY FOLDER
set -euo pipefail
binary=${1:?the binary} folder=${2:?a folder that is not there yet}

mkdir -p "$folder/system/bin" "$folder/system/etc"
cp "$binary" "$folder/system/bin/funcatron"
# Each library where the binary looks for it: "name => path (address)", and the loader as "path (address)".
ldd "$binary" | grep -o '/[^ ]*' | sort -u | while read -r library; do
  mkdir -p "$folder/system$(dirname "$library")"
  cp -L "$library" "$folder/system$library"
done
echo 'hosts: files dns' >"$folder/system/etc/nsswitch.conf"
printf 'root:x:0:0::/:/\nfuncatron:x:65532:65532::/var/lib/funcatron:/\n' >"$folder/system/etc/passwd"

# What every Func in JavaScript runs in, compiled: a runner that starts would take seconds for it.
XDG_CACHE_HOME="$folder/cache" "$binary" validate "$(dirname "$0")/../funcs/hello-js" >&2
install -D --mode 644 --target-directory "$folder/system/lib/funcatron" "$folder"/cache/funcatron/*.cwasm
rm -r "$folder/cache"

# What the process may write: compiled code, the store, and files for a moment.
mkdir -p "$folder/state/var/lib/funcatron" "$folder/state/var/cache/funcatron" "$folder/state/tmp"
chmod 700 "$folder/state/var/lib/funcatron" "$folder/state/var/cache/funcatron"
chmod 1777 "$folder/state/tmp"
