# SPDX-License-Identifier: GPL-2.0-only
"""What demo.sh traces: a program that takes memory in the ways that are easily confused.

Prints "ready", waits for a line, then prints one line a step as it begins.
"""

import sys
import time

import numpy as np

COUNT = 256 * 2**20 // 8
PAUSE = 2


def main():
    print("ready", flush=True)
    sys.stdin.readline()

    def say(text):
        time.sleep(PAUSE)
        print(text, flush=True)

    say("a = np.ones: 256 MiB allocated and written")
    a = np.ones(COUNT)
    say("b = np.zeros: 256 MiB allocated, not touched")
    b = np.zeros(COUNT)
    say("b.sum(): 256 MiB read, still no memory behind them")
    b.sum()
    say("b[:half] = 1: 128 MiB of it written")
    b[: COUNT // 2] = 1
    say("del a")
    del a
    say("del b")
    del b
    say("end")


if __name__ == "__main__":
    main()
