#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""run.py [SUBSTRING]: the run tests, or those whose name contains SUBSTRING. Needs root.

One line a case: ok NAME | not ok NAME: why | skip NAME: reason. Lines with # are for people.
MEMTRACE=PATH tests another build than build/memtrace.
"""

import sys

sys.dont_write_bytecode = True

import harness

if __name__ == "__main__":
    sys.exit(harness.run_all(sys.argv[1] if len(sys.argv) > 1 else ""))
