# SPDX-License-Identifier: GPL-2.0-only
"""The CSV, the table on a terminal, and what is said on stderr."""

import csv
import io
import os
import re
import time

from harness import COLUMNS, check, equal, parse_csv, read_text, run_memtrace


def test_csv_on_stdout(t):
    program = t.program("pages")
    for options in ([], ["-o", "-"]):
        result = run_memtrace("-p", program.pid, "-d", "1", "-i", "0.25", *options)
        equal(result.status, 0, f"exit status ({result.stderr!r})")
        equal(result.stdout.splitlines()[0], ",".join(COLUMNS), "header")
        rows = parse_csv(result.stdout)
        check(4 <= len(rows) <= 6, f"{len(rows)} rows in 1 s at -i 0.25")
        equal(rows[0]["elapsed_s"], 0.0, "elapsed_s of the row at attach")
        for column in COLUMNS:
            if column.endswith(("_calls", "_faults", "_events")) or column == "unmatched_frees":
                equal(rows[0][column], 0, f"{column} of the row at attach")
        for row in rows:
            equal(row["pid"], program.pid, "pid")
            equal(row["comm"], "pages", "comm")
            check(abs(row["time"] - time.time()) < 60, f"time {row['time']} is not now")
    check(not os.path.exists("-"), "a file called - was made")


def test_comm_of_any_bytes(t):
    """A name with commas and quotes stays one field; a newline in it breaks no row."""
    program = t.program("pages")
    program.do("comm", 'a,"b"')
    rows = parse_csv(run_memtrace("-p", program.pid, "-d", "0.3", "-q").stdout)
    equal(rows[-1]["comm"], 'a,"b"', "comm")
    other = t.program("pages")
    other.do("comm", "x\ty\x1b[31m\udcff\r")
    text = run_memtrace("-p", other.pid, "-d", "0.3", "-q").stdout
    for line in text.splitlines():
        equal(len(next(csv.reader(io.StringIO(line)))), len(COLUMNS), f"fields of {line!r}")
    check("\x1b" not in text, "an escape sequence of the target's choosing is printed")


def test_quiet_and_not(t):
    program = t.program("pages")
    result = run_memtrace("-p", program.pid, "-d", "0.5", "-q")
    equal(result.stderr, "", "stderr with -q")
    result = run_memtrace("-p", program.pid, "-d", "0.5")
    lines = result.stderr.splitlines()
    check(all(line.startswith("memtrace: ") for line in lines), f"stderr says {result.stderr!r}")
    for word in ("libc", "probe", "emulated"):
        check(word in lines[0], f"no {word!r} in the line at attach: {lines[0]!r}")
    rest = "\n".join(lines[1:]).lower()
    for word in ("duration", "peak", "rss", "resident", "zero", "swapped", "untouched", "lost",
                 "cpu"):
        check(word in rest, f"no {word!r} in the summary {rest!r}")


def test_verbose_tells_each_probe(t):
    program = t.program("pages")
    result = run_memtrace("-p", program.pid, "-d", "0.3", "-v")
    for name in ("malloc", "calloc", "realloc", "free", "posix_memalign", "mmap", "munmap",
                 "mremap"):
        instruction = "push|j[a-z]+|call|nop|mov|test|cmp|sub|lea"
        found = re.search(
            rf"^memtrace: .*\b{name}\+(0x)?[0-9a-f]+\b.*\b({instruction})\b", result.stderr, re.M
        )
        check(found, f"no line with symbol, offset and instruction of {name}")
    t.note(next(line for line in result.stderr.splitlines() if re.search(r"\bfree\+", line)))


def table_of(text):
    """(header lines, rows) of the table; rows are lists of words."""
    lines = [line for line in text.splitlines() if line.strip()]
    headers = [line for line in lines if "live" in line and "rss" in line.lower()]
    rows = [line.split() for line in lines if line not in headers]
    return headers, rows


def test_table_on_a_terminal(t):
    program = t.program("pages")
    at = program.do("map", 0, 64 << 20)["addr"]
    terminal = t.terminal("-p", program.pid, "-i", "0.1", "-q")
    terminal.read(1.5)
    at = program.do("map", 0, 300 << 20)["addr"]
    program.do("write", at, 10 << 20)
    terminal.read(3)
    headers, rows = table_of(terminal.finish())
    check(len(rows) >= 25, f"{len(rows)} rows in 4.5 s at -i 0.1")
    check(len(headers) >= 2, f"{len(headers)} header in {len(rows)} rows")
    check(rows[-1] != rows[0], "all rows are equal")
    text = " ".join(rows[-1])
    check(re.search(r"\b300(\.0+)? ?M", text), f"no 300 MiB in {text!r}")
    check(re.search(r"\b10(\.0+)? ?M", text), f"no 10 MiB in {text!r}")
    width = len(headers[0].split())
    for row in rows:
        equal(len(row), width, f"words of the row {' '.join(row)!r}")
    equal(terminal.process.returncode, 0, "exit status")


def test_table_and_file(t):
    program = t.program("pages")
    path = t.path("both.csv")
    terminal = t.terminal("-p", program.pid, "-i", "0.2", "-o", path)
    terminal.read(1.5)
    headers, rows = table_of(terminal.finish())
    check(headers and len(rows) >= 4, f"{len(rows)} rows on the terminal")
    written = parse_csv(read_text(path))
    equal(len(written), len(rows), "rows in the file, against the terminal's")


def test_csv_on_a_terminal(t):
    program = t.program("pages")
    terminal = t.terminal("-p", program.pid, "-i", "0.2", "-o", "-", "-q")
    terminal.read(1)
    check(len(parse_csv(terminal.finish())) >= 3, "too few rows")


def test_csv_is_whole_at_any_time(t):
    """Each row is in the file when its interval ends, not when a buffer is full."""
    program = t.program("pages")
    mt = t.memtrace(program.pid, interval=0.2)
    mt.wait_rows(3, seconds=3)
    check(read_text(mt.csv_path).endswith("\n"), "half a row in the file")
    mt.finish()


def test_features(t):
    result = run_memtrace("--features")
    equal(result.status, 0, f"exit status ({result.stderr!r})")
    lines = result.stdout.splitlines()
    check(len(lines) >= 8, f"{len(lines)} lines of features")
    for word in ("btf", "ring", "uprobe", "session", "fault", "pagemap"):
        check(word in result.stdout.lower(), f"no {word!r} among the features")


def test_version_and_help(t):
    for option in ("-V", "--version"):
        result = run_memtrace(option)
        equal(result.status, 0, f"exit status of {option}")
        check(re.match(r"memtrace \d+\.\d+\.\d+\n$", result.stdout), f"{option}: {result.stdout!r}")
    for option in ("-h", "--help"):
        result = run_memtrace(option)
        equal(result.status, 0, f"exit status of {option}")
        for word in ("sage", "-p", "-i", "-d", "-o", "-f", "--level", "--features"):
            check(word in result.stdout, f"no {word!r} in {option}")


def test_long_options(t):
    program = t.program("pages")
    path = t.path("long.csv")
    result = run_memtrace(
        "--pid", program.pid, "--interval", "0.1", "--duration=0.3", "--output", path, "--quiet"
    )
    equal(result.status, 0, f"exit status ({result.stderr!r})")
    check(len(parse_csv(read_text(path))) >= 3, "too few rows")


def test_odd_locale(t):
    """A decimal comma in the user's language changes neither options nor the CSV."""
    program = t.program("pages")
    env = {**os.environ, "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "TZ": "Asia/Tokyo"}
    result = run_memtrace("-p", program.pid, "-d", "0.5", "-i", "0.25", "-q", env=env)
    equal(result.status, 0, f"exit status ({result.stderr!r})")
    rows = parse_csv(result.stdout)
    check(abs(rows[-1]["time"] - time.time()) < 60, "time is not UTC")
