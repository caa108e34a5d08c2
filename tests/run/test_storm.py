# SPDX-License-Identifier: GPL-2.0-only
"""Ten million calls of the whole malloc family from eight threads: equal to the byte."""

from harness import MALLOC_COLUMNS, check, equal

LIVE = ["live_blocks", "live_bytes"]


def compare(mt, state, truth):
    for column in MALLOC_COLUMNS:
        equal(mt.total(column, until=state), truth[column], f"sum of {column}")
    for column in LIVE:
        equal(state[column], truth[column], column)
    equal(state["heap_live_bytes"], truth["live_bytes"], "heap_live_bytes")
    equal(state["mmap_live_bytes"], 0, "mmap_live_bytes")
    for column in ("lost_events", "unmatched_frees", "mmap_calls", "munmap_calls", "mapped_bytes"):
        equal(mt.total(column, until=state), 0, f"sum of {column}")


def storm(t, operations, threads, *options):
    program = t.program("storm", operations, threads)
    mt = t.memtrace(program.pid, *options, interval=0.5)
    for command in ("go", "drain"):
        truth = program.do(command, seconds=240)
        equal(truth["corrupt"], 0, f"blocks that the storm found damaged after {command}")
        compare(mt, mt.at_rest(program), truth)
    mt.finish()
    check(program.is_alive(), "the storm died at the detach")
    equal(program.do("count"), truth, "the counts of the program that went on")


def test_ten_million_from_eight_threads(t):
    storm(t, 10_000_000, 8)


def test_one_thread(t):
    storm(t, 300_000, 1)


def test_attach_in_the_middle(t):
    """What was there before is unmatched when it goes, and live never falls below nothing."""
    program = t.program("storm", 2_000_000, 4)
    before = program.do("go")
    mt = t.memtrace(program.pid)
    after = program.do("drain")
    state = mt.at_rest(program)
    freed = after["free_calls"] - before["free_calls"]
    equal(freed, before["live_blocks"], "test: blocks given back")
    equal(mt.total("unmatched_frees"), freed, "sum of unmatched_frees")
    equal(mt.total("malloc_calls"), 0, "sum of malloc_calls")
    equal(mt.total("freed_bytes"), 0, "sum of freed_bytes: their sizes are unknown")
    for column in ("live_blocks", "live_bytes", "heap_live_bytes"):
        equal(state[column], 0, column)
    t.note(f"free_calls {mt.total('free_calls')} of {freed} unmatched frees")
    mt.finish()


def test_without_sessions(t):
    """6.6 to 6.12: entry and return apart, task storage between them."""
    storm(t, 300_000, 8, "--without", "uprobe-session")


def test_without_uprobe_multi(t):
    """Before 6.6: one perf event a probe."""
    storm(t, 300_000, 8, "--without", "uprobe-multi")
