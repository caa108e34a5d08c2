# SPDX-License-Identifier: GPL-2.0-only
"""demo_rows.py MEMTRACE SCRIPT: runs the script under memtrace; rows and steps in one table."""

import csv
import queue
import signal
import subprocess
import sys
import threading

COLUMNS = {
    "elapsed_s": "elapsed",
    "live_bytes": "live",
    "live_resident_bytes": "resident",
    "live_zero_bytes": "zero page",
    "live_untouched_bytes": "untouched",
    "rss_bytes": "rss",
}
WIDTH = 12
EXPLANATION = """
live is what the program holds allocated; resident, zero page and untouched (with swapped, none
here) always sum to it. See: np.ones makes live and rss grow together, np.zeros makes only live
grow, reading turns untouched into zero page without any rss, and only writing takes memory.
"""


def cell(name, text):
    if name == "elapsed_s":
        return f"{float(text):.1f} s"
    return f"{int(text) / 2**20:.1f} MiB" if text else "-"


def show(cells, step=""):
    line = "".join(f"{text:>{WIDTH}}" for text in cells)
    print(f"{line}   {step}".rstrip(), flush=True)


def read_lines(name, stream, lines):
    for line in stream:
        lines.put((name, line))
    lines.put((name, None))


def run(memtrace, script):
    """Rows as they come, each beside the step that its interval saw begin."""
    lines = queue.Queue()
    target = subprocess.Popen(
        [sys.executable, "-B", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    tracer = None
    try:
        target.stdout.readline()  # ready
        tracer = subprocess.Popen(
            [memtrace, "-p", str(target.pid), "-o", "-"], stdout=subprocess.PIPE, text=True
        )
        for name, stream in (("step", target.stdout), ("row", tracer.stdout)):
            threading.Thread(target=read_lines, args=(name, stream, lines), daemon=True).start()
        header, step = None, ""
        while True:
            name, line = lines.get()
            if name == "row" and line is None:
                break
            if line is None:
                target.wait()
                continue
            if name == "step":
                step = "<- " + line.strip()
                continue
            fields = next(csv.reader([line]))
            if header is None:
                header = fields
                show(COLUMNS.values())
                continue
            row = dict(zip(header, fields))
            show([cell(column, row[column]) for column in COLUMNS], step)
            step = ""
            if not target.stdin.closed:
                target.stdin.write("go\n")
                target.stdin.close()
        return tracer.wait()
    finally:
        for process in (tracer, target):
            if process and process.poll() is None:
                process.send_signal(signal.SIGINT if process is tracer else signal.SIGKILL)
                process.wait()


def main():
    try:
        status = run(sys.argv[1], sys.argv[2])
    except KeyboardInterrupt:
        return 130
    if status == 0:
        print(EXPLANATION.rstrip(), flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
