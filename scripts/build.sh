#!/usr/bin/env bash
# build.sh - configures a preset when needed, and builds targets of it.
#
#   scripts/build.sh PRESET [TARGET...]
#
# The output is shown when something fails, or when TARN_VERBOSE is set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=$1
shift
targets=()
[ $# -eq 0 ] || targets=(--target "$@")

log=build/$preset.log
mkdir -p build
steps() {
  # Ninja configures again by itself when a CMake file changes; the presets it does not know.
  if [ ! -f "build/$preset/build.ninja" ] ||
    [ CMakePresets.json -nt "build/$preset/CMakeCache.txt" ]; then
    cmake --preset "$preset" || return
  fi
  cmake --build --preset "$preset" -j "$(nproc)" "${targets[@]}"
}

first=
[ -f "build/$preset/build.ninja" ] || first=" (a few minutes, the first time; the log is $log)"
echo "building $preset${*:+ $*}$first"
if [ -n "${TARN_VERBOSE:-}" ]; then
  steps
elif ! steps >"$log" 2>&1; then
  grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)|^-- ' "$log" | tail -n 100 >&2
  echo "build.sh: building $preset failed; the whole output is in $log" >&2
  exit 1
fi
