#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Builds what the bench needs and runs it: all sections, or those named.
# usage: bench.sh [SECTION...]; BENCH_QUICK=1 for small sizes and few rounds.
set -eu

here=$(dirname "$0")
make -s -C "$here"
exec "${PYTHON:-/usr/bin/python3}" -B "$here/bench.py" "$@"
