#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The Python program that the bench traces: "j COUNT" builds a dictionary, dumps it to JSON, loads
it back and sorts it, COUNT times, and answers "= CPU_NS WALL_NS" as workload.c does."""

import json
import sys
import time

KEYS = 50000


def run():
    table = {"key %d" % i: [i, i * 0.5, "value %d" % i] for i in range(KEYS)}
    loaded = json.loads(json.dumps(table))
    ordered = sorted(loaded.items(), key=lambda item: item[1][1], reverse=True)
    return len(ordered)


for line in sys.stdin:
    count = int(line.split()[1])
    wall, cpu = time.monotonic_ns(), time.thread_time_ns()
    for _ in range(count):
        run()
    print("=", time.thread_time_ns() - cpu, time.monotonic_ns() - wall, flush=True)
