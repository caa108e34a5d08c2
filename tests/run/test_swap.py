# SPDX-License-Identifier: GPL-2.0-only
"""Swapped-out pages, to the page: by the program's own wish and by a memory limit."""

import os
import time

from harness import MIB, PAGE, Skip, check, equal, smaps_sum, within, write_sysfs

AT = 0x620000000000


def test_pageout(t):
    t.swap()
    program = t.program("pages")
    mt = t.memtrace(program.pid, interval=0.1)
    size = 32 * MIB
    program.do("map", AT, size)
    program.do("write", AT, size // 2)
    s0 = mt.at_rest(program)
    program.do("advise", AT, size // 4, "pageout")
    with mt.settled(program) as s1:
        s1.check_classes([(AT, size)], "paged out")
        swapped = smaps_sum(program.pid, AT, size, "Swap")
        check(swapped, "test: MADV_PAGEOUT wrote nothing out")
        equal(s1["live_swapped_bytes"], swapped, "live_swapped_bytes against smaps")
        equal(
            s1["swap_bytes"] - s0["swap_bytes"],
            s1["live_swapped_bytes"] - s0["live_swapped_bytes"],
            "growth of VmSwap against that of live_swapped_bytes",
        )
    program.do("read", AT, size // 8)
    with mt.settled(program) as s2:
        s2.check_classes([(AT, size)], "partly back")
        check(s2["live_swapped_bytes"] < s1["live_swapped_bytes"], "nothing came back")
        check(mt.total("major_faults", s1, s2) > 0, "no major fault")
    program.do("unmap", AT, size)
    with mt.settled(program) as s3:
        equal(s3["live_bytes"], 0, "live_bytes after munmap")
        equal(s3["live_swapped_bytes"], 0, "live_swapped_bytes after munmap")
    mt.finish()


def test_heap_pageout(t):
    """Blocks of part of a page that are swapped out."""
    t.swap()
    program = t.program("pages")
    mt = t.memtrace(program.pid, interval=0.1)
    program.do("blocks", 3000, 100, 9000, 7)
    blocks = [tuple(int(word) for word in line.split()[1:]) for line in program.lines]
    low = min(at for at, _ in blocks) // PAGE * PAGE
    high = max(at + size for at, size in blocks) // PAGE * PAGE
    s0 = mt.at_rest(program)
    program.do("advise", low, (high - low) // 2 // PAGE * PAGE, "pageout")
    with mt.settled(program) as s1:
        s1.check_classes(blocks, "heap paged out")
        check(s1["live_swapped_bytes"] > 0, "test: nothing was written out")
        within(
            s1["live_swapped_bytes"], 1, s1["swap_bytes"], "live_swapped_bytes against VmSwap"
        )
        equal(s1["live_bytes"], s0["live_bytes"], "live_bytes")
    mt.finish()


def make_group(t, limit):
    """A memory cgroup with that limit: (its cgroup.procs, version)."""
    name = f"memtrace-test-{os.getpid()}"
    for root, version, knob in (
        ("/sys/fs/cgroup/memory", 1, "memory.limit_in_bytes"),
        ("/sys/fs/cgroup", 2, "memory.max"),
    ):
        if version == 2 and not os.path.exists(f"{root}/cgroup.controllers"):
            continue
        path = f"{root}/{name}"
        try:
            os.mkdir(path)
        except OSError as error:
            why = str(error)
            continue
        t.cleanup(remove_group, path)
        if version == 2:
            write_sysfs(f"{root}/cgroup.subtree_control", "+memory")
        why = write_sysfs(f"{path}/{knob}", str(limit))
        if not why:
            return path
    raise Skip(f"no memory cgroup: {why}")


def remove_group(path):
    for _ in range(100):
        try:
            os.rmdir(path)
            return
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.05)
    raise OSError(f"{path} cannot be removed")


def test_memory_limit(t):
    t.swap()
    group = make_group(t, 32 * MIB)
    program = t.program("pages")
    error = write_sysfs(f"{group}/cgroup.procs", str(program.pid))
    if error:
        raise Skip(f"cannot move a process into a cgroup: {error}")
    mt = t.memtrace(program.pid, interval=0.1)
    size = 96 * MIB
    program.do("map", AT, size)
    program.do("write", AT, size, seconds=240)
    with mt.settled(program) as s1:
        s1.check_classes([(AT, size)], "over the limit")
        check(s1["live_swapped_bytes"] >= 48 * MIB, "test: the limit pushed little out")
        equal(
            s1["live_swapped_bytes"], smaps_sum(program.pid, AT, size, "Swap"),
            "live_swapped_bytes against smaps",
        )
        equal(
            s1["live_resident_bytes"] + s1["live_swapped_bytes"], size,
            "resident and swapped of memory that was written",
        )
    mt.finish()
    program.quit()
