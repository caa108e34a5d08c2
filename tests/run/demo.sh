#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# demo.sh MEMTRACE: traces a python3 + numpy program through the ways of taking memory and prints
# the rows beside what the program does. On a terminal or not, the same; leaves nothing behind.
set -eu

here=$(dirname "$0")
memtrace=${1:?usage: demo.sh MEMTRACE}
exec "${PYTHON:-/usr/bin/python3}" -B "$here/demo_rows.py" "$memtrace" "$here/demo.py"
