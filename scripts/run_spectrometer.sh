#!/usr/bin/env bash
# run_spectrometer.sh - runs the spectrometer example as three processes in a domain of its own.
#
#   scripts/run_spectrometer.sh --bin DIR --picture FILE [--once] [SOUND...]
#
# Leaves nothing behind but the picture, however it ends. Exit status: that of the first program
# that fails, else 0.
set -euo pipefail

bin=build/release/bin
picture=build/spectrogram.png
once=false
sounds=()
live=
while [ $# -gt 0 ]; do
  case "$1" in
    --bin) bin=$2 && shift ;;
    --picture) picture=$2 && shift ;;
    --once) once=true ;;
    -*)
      echo "run_spectrometer: no such option: $1" >&2
      exit 2
      ;;
    *) sounds+=("$1") ;;
  esac
  shift
done
if [ "${#sounds[@]}" -eq 0 ]; then
  sounds=(/usr/share/sounds/alsa/*.wav)
fi
for sound in "${sounds[@]}"; do
  [ -r "$sound" ] || { echo "run_spectrometer: cannot read $sound" >&2; exit 1; }
done

export PATH="$bin:$PATH"
is_running() { "$bin/tarn" status >/dev/null 2>&1; }
if [ -z "${TARN_APPLICATION:-}" ]; then
  # Another one may be at work: its domain is its own.
  export TARN_APPLICATION=spectrometer
  ! is_running || TARN_APPLICATION=spectrometer-$$
elif is_running; then
  echo "run_spectrometer: the domain '$TARN_APPLICATION' is in use" >&2
  exit 1
fi

# The arguments of the three programs, the sink first so that it is ready for the first spectrum.
start_programs() {
  start spectrometer-sink --picture "$picture"
  start spectrometer-transformer
  start spectrometer-source "${sounds[@]}"
}

declare -A program_of=() # process id -> program, of those that still run
start() {
  # In the background a program ignores Ctrl-C, so that it is this script that ends it.
  "$bin/$1" "${@:2}" &
  program_of[$!]=$1
}

stop_everything() {
  trap - EXIT INT TERM
  if [ "${#program_of[@]}" -gt 0 ]; then
    kill "${!program_of[@]}" 2>/dev/null || true
    wait "${!program_of[@]}" 2>/dev/null || true
  fi
  "$bin/tarn" down >/dev/null 2>&1 || true
  [ -z "$live" ] || rm -rf "$live"
}
trap stop_everything EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Waits until all programs have ended; at the first failure the others are stopped (by the trap).
wait_for_programs() {
  local ended status
  while [ "${#program_of[@]}" -gt 0 ]; do
    status=0
    wait -n -p ended "${!program_of[@]}" || status=$?
    if [ "$status" -ne 0 ]; then
      echo "run_spectrometer: ${program_of[$ended]} failed with status $status" >&2
      unset "program_of[$ended]"
      exit "$status"
    fi
    unset "program_of[$ended]"
  done
}

"$bin/tarn" up
start_programs
wait_for_programs
echo "The spectrogram is in $picture"
if ! $once; then
  echo "Now the same sound in real time, over and over; Ctrl-C ends it."
  trap 'exit 0' INT
  live=$(mktemp -d)
  start spectrometer-sink --picture "$live/spectrogram.png" >/dev/null
  start spectrometer-transformer
  start spectrometer-source --realtime --repeat 0 "${sounds[@]}"
  "$bin/tarn" top || true
fi
