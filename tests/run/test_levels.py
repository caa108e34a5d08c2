# SPDX-License-Identifier: GPL-2.0-only
"""--level: what is probed, what is empty then, and the word about the cost."""

import time

import footprint

from harness import MALLOC_COLUMNS, MIB, MMAP_COLUMNS, PAGE, check, equal, read_text, within


def test_mmap(t):
    program = t.program("pages")
    mt = t.memtrace(program.pid, "-l", "mmap")
    check(
        not {"malloc", "calloc", "realloc", "free"} & set(footprint.changed(program.pid)),
        f"probes in {footprint.changed(program.pid)}",
    )
    s0 = mt.at_rest(program)
    at = program.do("map", 0, 8 * MIB)["addr"]
    program.do("write", at, 2 * MIB)
    program.do("read", at, 4 * MIB)
    program.do("malloc", 64 * MIB)
    with mt.settled(program) as s1:
        for column in MALLOC_COLUMNS + ["live_blocks", "heap_live_bytes"]:
            equal(s1[column], None, column)
        equal(mt.total("mmap_calls", s0, s1), 1, "mmap_calls")
        equal(mt.total("mapped_bytes", s0, s1), 8 * MIB, "mapped_bytes")
        equal(s1["mmap_live_bytes"], 8 * MIB, "mmap_live_bytes")
        equal(s1["live_bytes"], 8 * MIB, "live_bytes: as far as known")
        s1.check_classes([(at, 8 * MIB)], "level mmap")
        check(mt.total("write_faults", s0, s1) >= 512, "write_faults are not counted")
        check(mt.total("zero_page_faults", s0, s1) >= 512, "zero_page_faults are not counted")
    mt.finish()


def private_anonymous(pid):
    """[(start, size)] of the mappings that level pages looks at: whoever made them."""
    ranges = []
    for line in read_text(f"/proc/{pid}/maps").splitlines():
        words = line.split()
        start, end = (int(word, 16) for word in words[0].split("-"))
        special = len(words) > 5 and words[5].startswith("[v")  # vvar, vdso, vsyscall
        if words[1][3] == "p" and words[4] == "0" and not special:
            ranges.append((start, end - start))
    return ranges


def test_pages(t):
    """No probe: the four classes are those of all private anonymous mappings."""
    program = t.program("pages")
    mt = t.memtrace(program.pid, "--level", "pages")
    equal(footprint.changed(program.pid), [], "functions with probes")
    s0 = mt.at_rest(program)
    at = program.do("map", 0, 8 * MIB)["addr"]
    program.do("write", at, 2 * MIB)
    program.do("read", at, 4 * MIB)
    program.do("malloc", 64 * MIB)
    with mt.settled(program) as s1:
        for column in MALLOC_COLUMNS + MMAP_COLUMNS + ["live_blocks", "heap_live_bytes"]:
            equal(s1[column], None, column)
        ranges = private_anonymous(program.pid)
        equal(s1["live_bytes"], sum(size for _, size in ranges), "live_bytes")
        s1.check_classes(ranges, "level pages")
        equal(s1["live_zero_bytes"] - s0["live_zero_bytes"], 2 * MIB, "growth of live_zero_bytes")
        within(
            mt.total("minor_faults", s0, s1), 4 * MIB // PAGE, 4 * MIB // PAGE + 100, "minor_faults"
        )
    mt.finish()


def run_busy(t, level, seconds):
    program = t.program("spin")
    mt = t.memtrace(program.pid, "-l", level, interval=0.5)
    program.send("run")
    program.wait_for("running")
    time.sleep(seconds)
    program.do("stop")
    mt.finish()
    return mt


def test_cost_is_said(t):
    """Where the probes eat a core, a line tells what they cost and how to avoid it; once."""
    mt = run_busy(t, "malloc", 4)
    lines = [line for line in mt.stderr().splitlines() if "level mmap" in line]
    check(lines, f"no line on stderr tells of --level mmap: {mt.stderr()!r}")
    check(len(lines) == 1, f"it is told {len(lines)} times")
    t.note(lines[0])


def test_no_cost_no_word(t):
    mt = run_busy(t, "mmap", 2)
    check("--level mmap" not in mt.stderr(),
          f"a cost is told at level mmap: {mt.stderr()!r}")
    idle = t.program("pages")
    mt = t.memtrace(idle.pid, interval=0.5)
    mt.wait_rows(4)
    mt.finish()
    check("--level mmap" not in mt.stderr(), f"a cost is told of an idle target: {mt.stderr()!r}")


def test_levels_keep_the_speed(t):
    """No figure of merit (that is the bench's), only: level mmap leaves malloc alone."""
    program = t.program("spin")
    before = program.do("rate", 200)["rate"]
    mt = t.memtrace(program.pid, "-l", "mmap")
    during = program.do("rate", 200)["rate"]
    mt.finish()
    t.note(f"pairs/s {before} untraced, {during} at level mmap")
    check(during > before / 2, f"{during} pairs/s at level mmap, {before} untraced")
