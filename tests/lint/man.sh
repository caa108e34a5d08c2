#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The manual is clean mdoc. That it is complete, tests/unit/test_man.c checks.
set -u
cd "$(dirname "$0")/../.." || exit 1

if ! command -v mandoc >/dev/null; then
	echo 'skip man: mandoc is not installed'
	exit 0
fi
# That the pages it refers to are not installed or indexed here is no fault of the page.
complaints=$(mandoc -T lint -W style src/man/memtrace.8 2>&1 |
	grep -v -e 'referenced manual not found' -e 'mandoc.db')
if [ -n "$complaints" ]; then
	echo "$complaints"
	echo 'not ok man: mandoc complains'
	exit 1
fi
echo 'ok man'
