#!/usr/bin/env bash
# fetch-consul.sh [FOLDER]: puts the real Consul 1.8.7, to compare and interoperate with, at FOLDER/consul and prints its path. FOLDER is
# node_modules/.cache/consul-1.8.7 without the argument. It comes from the Debian mirror that apt is configured with (suite bullseye, in a
# private apt configuration: nothing is installed), signature checked.
set -euo pipefail

VERSION=1.8.7
SUITE=bullseye
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

cd "$(dirname "$0")/.."
folder=${1:-node_modules/.cache/consul-$VERSION}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

fail() {
  echo "fetch-consul: $*" >&2
  exit 1
}

is_right() {
  local said
  [ -x "$1" ] && said=$("$1" version 2>/dev/null) && grep -q "^Consul v\?$VERSION\b" <<<"$said"
}

# The mirrors of main, from both forms of apt's source lists; those of security updates hold no consul.
mirrors() {
  cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs:[[:space:]]*//p' | tr ' ' '\n'
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -nE 's/^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+).*/\2/p'
}

# download MIRROR FOLDER: the package, through apt with lists and cache of its own.
download() {
  local state=$2 trust="signed-by=$KEYRING"
  mkdir -p "$state"/{lists/partial,cache/archives/partial}
  echo "deb [$trust] $1 $SUITE main" >"$state/sources.list"
  local options=(-o "Dir::Etc::SourceList=$state/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$state/lists"
    -o "Dir::Cache=$state/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none)
  (cd "$state" && apt-get "${options[@]}" update -qq && apt-get "${options[@]}" download -qq "consul=$VERSION*") >"$state/log" 2>&1
}

if is_right "$folder/consul"; then
  echo "$folder/consul"
  exit 0
fi
for program in apt-get dpkg-deb; do
  command -v "$program" >/dev/null || fail "needs $program (a Debian machine); elsewhere put Consul $VERSION at $folder/consul yourself"
done
[ -r "$KEYRING" ] || fail "needs $KEYRING (Debian's debian-archive-keyring) to check the package's signature"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0
while read -r mirror; do
  number=$((number + 1))
  state=$scratch/$number
  download "$mirror" "$state" || continue
  dpkg-deb -x "$state"/consul_*.deb "$state/unpacked"
  is_right "$state/unpacked/usr/bin/consul" || fail "the package's consul is not $VERSION (or does not run on $(uname -m))"
  # Into place by a rename: whoever looks meanwhile sees no file or all of it.
  cp "$state/unpacked/usr/bin/consul" "$folder/consul.new"
  mv "$folder/consul.new" "$folder/consul"
  echo "$folder/consul"
  exit 0
done < <(mirrors | grep -v -e security -e nodesource | sort -u)

cat "$scratch"/*/log >&2 2>/dev/null || true
fail "no mirror of apt's configuration has consul $VERSION in its suite $SUITE (above: what apt said)"
