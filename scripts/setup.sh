#!/usr/bin/env bash
# setup.sh - installs the Debian packages that building needs, if any is missing.
#
#   scripts/setup.sh          what ./run needs
#   scripts/setup.sh --test   what ./test needs besides
set -euo pipefail

packages=(
  g++ cmake ninja-build ccache pkg-config python3
  libcli11-dev libspdlog-dev libfmt-dev nlohmann-json3-dev
  libsndfile1-dev libkissfft-dev libpng-dev libxxhash-dev
  libboost1.81-dev # big integers of compat/picklingtools
  alsa-utils # real recordings, in /usr/share/sounds/alsa
  libgtest-dev libgmock-dev
)
test_packages=(clang-19 clang-format-14 libclang-rt-19-dev git spin)

case "${1:-}" in
  "") ;;
  --test) packages+=("${test_packages[@]}") ;;
  *)
    sed -n '2,5p' "$0" >&2
    exit 2
    ;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "setup: this is not Debian; please install the equivalents of: ${packages[*]}" >&2
  exit 0
fi

installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "${packages[@]}" 2>/dev/null |
  sed -n 's/^.i *//p' || true)
missing=()
for package in "${packages[@]}"; do
  grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: these packages are missing, and without root or sudo I cannot install them:" >&2
    echo "  apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "setup: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  # An unattended machine may run its own update at this moment: wait for its lock.
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=300 -y "$@" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "setup: apt-get $* failed" >&2
    exit 1
  fi
}
apt update
apt install --no-install-recommends "${missing[@]}"
