# SPDX-License-Identifier: GPL-2.0-only
"""Other processes: not counted, not probed, not harmed."""

import footprint

from harness import MIB, check, equal


def test_not_counted(t):
    """A target at rest beside programs that allocate, map and fault."""
    target = t.program("pages")
    spin, python, pages = t.program("spin"), t.python(), t.program("pages")
    mt = t.memtrace(target.pid)
    s0 = mt.at_rest(target)
    spin.do("rate", 300)
    python.do("l = [np.ones(1000) for _ in range(5000)]; a = np.zeros(1 << 22); a.sum()")
    at = pages.do("map", 0, 16 * MIB)["addr"]
    pages.do("write", at, 16 * MIB)
    with mt.settled(target) as s1:
        for column in ("malloc_calls", "free_calls", "mmap_calls", "munmap_calls", "lost_events",
                       "unmatched_frees"):
            equal(mt.total(column, s0, s1), 0, f"{column} of a target at rest")
        for column in ("user_faults", "kernel_faults", "write_faults", "zero_page_faults"):
            check(
                mt.total(column, s0, s1) < 100,
                f"{column} of a target at rest: {mt.total(column, s0, s1)}",
            )
        equal(s1["live_bytes"], 0, "live_bytes")
    mt.finish()


def test_not_probed(t):
    """No breakpoint in a process that is not the target, started before or after the attach."""
    before = t.program("spin")
    target = t.program("spin")
    mt = t.memtrace(target.pid)
    after = t.program("spin")
    check(footprint.changed(target.pid), "test: the target shows no probe")
    for program in (before, after):
        equal(footprint.changed(program.pid), [], "functions with probes in another process")
    mt.finish()


def test_not_slowed(t):
    target, other = t.program("spin"), t.program("spin")
    untraced = other.do("rate", 200)["rate"]
    mt = t.memtrace(target.pid)
    during = other.do("rate", 200)["rate"]
    mt.finish()
    t.note(f"another process: {untraced} pairs/s before, {during} while a target is traced")
    check(during > untraced / 2, f"another process: {untraced} pairs/s before, {during} during")


def test_child_after_detach(t):
    """A child forked under trace lives on at full speed once memtrace has gone."""
    target = t.program("pages")
    mt = t.memtrace(target.pid)
    target.do("fork")
    if not target.lines:
        target.wait_for("child")
    mt.finish()
    equal(target.do("reap")["status"], 0, "status of the child")
