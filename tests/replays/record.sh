#!/bin/sh
# Makes a recording of what detectors read of a command, and the report that it gives.
#
#   tests/replays/record.sh NAME [TAILBACK OPTIONS] -- COMMAND [ARGUMENTS]
#
# BUILD is the build directory (build).
set -eu

if [ $# -lt 3 ]; then
  sed -n '2,6s/^# \{0,1\}//p' "$0"
  exit 125
fi
here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
name=$1
shift
recording=$here/recordings/$name.jsonl.gz
mkdir -p "$here/recordings"
"$build/bin/tailback" run --record-observations "$recording" "$@" || echo "the command: status $?"
# Where the sources lie is nobody's business.
root=$(cd "$here/../.." && pwd)
gzip -dc "$recording" | sed "s|$root|/tailback|g" | gzip -9n >"$recording.new"
mv "$recording.new" "$recording"
TAILBACK_WRITE=1 "$build/bin/replay_test" \
  --gtest_filter="Recordings/*/$(printf %s "$name" | tr -c 'A-Za-z0-9' _)" >/dev/null
echo "$recording: $(wc -c <"$recording") bytes. Read $name.expected before you commit it."
