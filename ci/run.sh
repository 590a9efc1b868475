#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What continuous integration runs: from a fresh clone, without a terminal and without input, set the machine up, build,
# check the sources, run the tests. It needs git and make, and fetches make itself where it can.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

if ! command -v make >/dev/null; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" apt-get install --yes -qq --no-install-recommends make
fi

jobs=$(nproc)
status=0
make -j"$jobs"
make -j"$jobs" -k check || status=1
# tests/run sees to it that suites which watch time have a processor to themselves.
make -j"$jobs" test-build
make test || status=1
[ "$status" -eq 0 ] && echo "ci: passed" || echo "ci: FAILED"
exit "$status"
