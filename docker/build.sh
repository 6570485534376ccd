#!/usr/bin/env bash
# Builds the image out of packages/cli/dist/bundle. Usage: docker/build.sh [TAG]
#   BASE   the image to build on; without it docker/Dockerfile's default, which comes from a registry
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
tag=${1:-lictor:dev}
cli=$root/packages/cli
[ -e "$cli/dist/bundle/lictor.js" ] || "$root/node_modules/.bin/node" "$root/scripts/bundle.mjs"

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
mkdir -p "$context/lictor/dist"
cp -r "$cli/bin" "$cli/package.json" "$context/lictor/"
cp -r "$cli/dist/bundle" "$context/lictor/dist/"
# Addons of other systems.
rm -rf "$context"/lictor/dist/bundle/native/classic-level/prebuilds/{darwin,win32}*
cp "$root"/docker/{entrypoint.sh,healthcheck.mjs} "$context/lictor/"
cp "$root/docker/Dockerfile" "$context/"
cp "$root/LICENSE" "$context/lictor/"
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$cli/package.json")
docker build --build-arg "VERSION=$version" ${BASE:+--build-arg "BASE=$BASE"} --tag "$tag" "$context"
