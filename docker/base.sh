#!/usr/bin/env bash
# Builds the image's base without a registry, from what this machine has: the pinned Node of node_modules, the libraries that it is linked
# with, and a static busybox. Usage: docker/base.sh [TAG]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
tag=${1:-lictor-base}
node=$(readlink -f "$root"/node_modules/.bin/node)
busybox=$(command -v busybox) || { echo "docker/base.sh needs busybox (Debian: busybox-static)" >&2; exit 1; }
if ldd "$busybox" >/dev/null 2>&1; then echo "docker/base.sh needs a static busybox (Debian: busybox-static)" >&2; exit 1; fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder"/{bin,etc,lib,root,tmp,usr/bin,usr/local/bin,var,proc,sys,dev}
chmod 1777 "$folder/tmp"
cp "$node" "$folder/usr/local/bin/node"
cp "$busybox" "$folder/bin/busybox"
for applet in $("$busybox" --list | grep -vx busybox); do ln -s busybox "$folder/bin/$applet"; done
ln -s /bin/env "$folder/usr/bin/env"

# The linker itself, what Node names, and what glibc loads by name to look up hosts and users.
libraries=$(ldd "$node" | grep -oE '/[^ ]+' | sort -u)
libc=$(dirname "$(echo "$libraries" | grep '/libc\.so')")
for library in $libraries "$libc"/libnss_{files,dns}.so.2 "$libc"/libresolv.so.2; do
  mkdir -p "$folder$(dirname "$library")"
  cp -L "$library" "$folder$library"
done
echo 'root:x:0:0:root:/root:/bin/sh' >"$folder/etc/passwd"
echo 'root:x:0:' >"$folder/etc/group"
echo 'hosts: files dns' >"$folder/etc/nsswitch.conf"

tar -C "$folder" -c . | docker import \
  --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin' - "$tag" >/dev/null
echo "built $tag: node $("$node" --version)"
