# SPDX-License-Identifier: GPL-2.0-only
"""Ten million calls of the whole malloc family from eight threads: equal to the byte."""

import os
import signal
import subprocess

from harness import KIB, MALLOC_COLUMNS, MIB, RUN, Skip, check, equal, status_of, within

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


def storm(t, operations, threads, *options, **popen):
    program = t.program("storm", operations, threads, **popen)
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


def preload(t, name):
    """The environment of a program with another allocator; Skip if there is none such here."""
    env = {**os.environ, "LD_PRELOAD": name}
    done = subprocess.run(["/bin/true"], env=env, capture_output=True, text=True, check=False)
    if done.stderr:
        raise Skip(f"{name} is not installed")
    return env


def test_jemalloc(t):
    storm(t, 2_000_000, 8, env=preload(t, "libjemalloc.so.2"))


def operators(t, env=None):
    """C++ new and delete in all forms, each once, however the allocator nests them."""
    path = t.path("operators")
    source = os.path.join(RUN, "../programs/operators.cpp")
    done = subprocess.run(
        ["g++", "-std=c++17", "-O2", "-fno-builtin", "-o", path, source],
        capture_output=True, text=True, check=False,
    )
    if done.returncode:
        raise Skip("cannot build C++: " + " ".join(done.stderr.split())[:100])
    program = t.program(path, env=env)
    mt = t.memtrace(program.pid)
    truth = program.do("go", 2000)
    state = mt.at_rest(program)
    for column in ("malloc_calls", "free_calls", "allocated_bytes"):
        equal(mt.total(column), truth[column], f"sum of {column}")
    equal(state["live_blocks"], truth["live_blocks"], "live_blocks")
    equal(state["live_bytes"], 2 * truth["live_blocks"], "live_bytes")
    equal(mt.total("unmatched_frees"), 0, "unmatched_frees")
    mt.finish()


def test_operators_of_libstdcxx(t):
    operators(t)


def test_operators_of_jemalloc(t):
    operators(t, preload(t, "libjemalloc.so.2"))


def test_full_ring(t):
    """memtrace held still while the ring overflows: detail is lost and said, totals are whole."""
    program = t.program("storm", 2_000_000, 4)
    mt = t.memtrace(program.pid)
    os.kill(mt.process.pid, signal.SIGSTOP)
    truth = program.do("go", seconds=240)
    os.kill(mt.process.pid, signal.SIGCONT)
    mt.at_rest(program)
    check(mt.total("lost_events") > 0, "test: the ring did not overflow")
    for column in ("malloc_calls", "free_calls", "allocated_bytes"):
        equal(mt.total(column), truth[column], f"sum of {column}")
    program.do("drain")
    state = mt.at_rest(program)
    t.note(
        f"lost {mt.total('lost_events')}, unmatched {mt.total('unmatched_frees')}, "
        f"live {state['live_blocks']} blocks, {state['live_bytes']} bytes after all is freed"
    )
    mt.finish()


def test_own_memory(t):
    """64 MiB and 40 bytes a live block at most."""
    count = 1_000_000
    program = t.program("exec_self")
    mt = t.memtrace(program.pid, interval=0.5)
    program.do("hold", count, 24)
    state = mt.at_rest(program)
    equal(state["live_blocks"], count, "live_blocks")
    rss = status_of(mt.process.pid)["VmRSS"]
    t.note(f"memtrace holds {rss // KIB} KiB with {count} live blocks")
    within(rss, 0, 64 * MIB + 40 * count, "VmRSS of memtrace")
    mt.finish()


def mappings(t, threads):
    program = t.program("maps", 600_000, threads)
    mt = t.memtrace(program.pid, interval=0.5)
    for command in ("go", "drain"):
        truth = program.do(command, seconds=240)
        state = mt.at_rest(program)
        equal(state["mmap_live_bytes"], truth["live_bytes"], f"mmap_live_bytes after {command}")
        equal(mt.total("lost_events"), 0, "lost_events")
        equal(
            mt.total("mapped_bytes") - mt.total("unmapped_bytes"), truth["live_bytes"],
            f"mapped_bytes - unmapped_bytes after {command}",
        )
        equal(  # an mremap counts as one of each
            mt.total("munmap_calls") - mt.total("mmap_calls"),
            truth["munmap_calls"] - truth["mmap_calls"],
            f"munmap_calls - mmap_calls after {command}",
        )
    t.note(
        f"mmap_calls {mt.total('mmap_calls')} of {truth['mmap_calls']} and "
        f"{truth['mremap_calls']} mremap, munmap_calls {mt.total('munmap_calls')} of "
        f"{truth['munmap_calls']}"
    )
    mt.finish()


def test_mappings_of_one_thread(t):
    mappings(t, 1)


def test_mappings_of_four_threads(t):
    """Addresses go from thread to thread at once: what is live stays exact."""
    mappings(t, 4)


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


def test_coming_and_going(t):
    """Memtraces come and go while the storm blows: the program is right to the end."""
    program = t.program("storm", 60_000_000, 4)
    program.send("go")
    for _ in range(12):
        mt = t.memtrace(program.pid, "-q", interval=0.1)
        mt.wait_rows(2)
        equal(mt.total("lost_events"), 0, "lost_events")
        mt.finish()
        calls = mt.total("malloc_calls")
    t.note(f"malloc_calls of the last round: {calls}")
    truth = program.do("count", seconds=240)
    equal(truth["corrupt"], 0, "blocks that the storm found damaged")
    equal(
        truth["malloc_calls"] - truth["free_calls"], truth["live_blocks"], "test: the storm's sums"
    )


def test_without_sessions(t):
    """6.6 to 6.12: entry and return apart, task storage between them."""
    storm(t, 300_000, 8, "--without", "uprobe-session")


def test_without_uprobe_multi(t):
    """Before 6.6: one perf event a probe."""
    storm(t, 300_000, 8, "--without", "uprobe-multi")
