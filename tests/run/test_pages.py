# SPDX-License-Identifier: GPL-2.0-only
"""What the program pages does to its memory, to the page: against what it was told to do, against
smaps, and against the page tables."""

import itertools
import os

from harness import GIB, KIB, MIB, PAGE, Skip, check, equal, near, read_text, within
from harness import smaps_sum, write_sysfs

BASE = 0x610000000000
OWN = 8 * PAGE  # of the program's own stack and data that a step may touch
addresses = itertools.count(BASE, 4 * GIB)


def start(t, *options):
    program = t.program("pages")
    mt = t.memtrace(program.pid, *options, interval=0.1)
    return program, mt


def map_at(program, length, kind="", at=None):
    at = next(addresses) if at is None else at
    answer = program.do("map", at, length, kind)
    check(answer["addr"], f"test: mmap fails: {os.strerror(answer['error'])}")
    return answer["addr"]


def expect(state, what, blocks=None, **classes):
    """The classes as named, in bytes; others 0. And the same from the page tables."""
    want = {"resident": 0, "zero": 0, "swapped": 0, "untouched": 0, **classes}
    equal(state.classes(), want, f"{what}: the four classes")
    equal(state["live_bytes"], sum(want.values()), f"{what}: live_bytes")
    if blocks is not None:
        state.check_classes(blocks, what)


def expect_unattributed(state, what):
    """All live memory being private and anonymous."""
    equal(
        state["unattributed_bytes"],
        state.status["RssAnon"] - state["live_resident_bytes"],
        f"{what}: unattributed_bytes",
    )


def mapping_life(t, *options):
    program, mt = start(t, *options)
    size, half = 64 * MIB, 32 * MIB
    with mt.settled(program) as s0:
        expect(s0, "before")
    at = map_at(program, size)
    with mt.settled(program) as s1:
        expect(s1, "mapped", [(at, size)], untouched=size)
        equal(
            mt.totals(["mmap_calls", "munmap_calls", "mapped_bytes", "unmapped_bytes"], s0, s1),
            {"mmap_calls": 1, "munmap_calls": 0, "mapped_bytes": size, "unmapped_bytes": 0},
            "counters of one mmap",
        )
        equal(s1["mmap_live_bytes"], size, "mmap_live_bytes")
        equal(s1["live_blocks"], 0, "live_blocks: of the malloc family only")
        grown = s1["rss_anon_bytes"] - s0["rss_anon_bytes"]
        within(grown, 0, OWN, "growth of rss_anon_bytes by an untouched mapping")
    program.do("read", at, half)
    with mt.settled(program) as s2:
        expect(s2, "half read", [(at, size)], zero=half, untouched=half)
        equal(smaps_sum(program.pid, at, size, "Rss"), 0, "test: smaps Rss of the zero page")
        grown = s2["rss_anon_bytes"] - s1["rss_anon_bytes"]
        within(grown, 0, OWN, "growth of rss_anon_bytes by reading")
    program.do("write", at, 16 * MIB)
    with mt.settled(program) as s3:
        expect(
            s3, "quarter written", [(at, size)],
            resident=16 * MIB, zero=16 * MIB, untouched=half,
        )
        equal(smaps_sum(program.pid, at, size, "Rss"), 16 * MIB, "test: smaps Rss")
        grown = s3["rss_anon_bytes"] - s2["rss_anon_bytes"]
        within(grown, 16 * MIB, 16 * MIB + OWN, "growth of rss_anon_bytes by writing")
        expect_unattributed(s3, "quarter written")
    program.do("write", at + half, half)
    with mt.settled(program) as s4:
        expect(s4, "end written", [(at, size)], resident=48 * MIB, zero=16 * MIB)
        equal(smaps_sum(program.pid, at, size, "Anonymous"), 48 * MIB, "test: smaps Anonymous")
    program.do("advise", at, 8 * MIB, "dontneed")
    with mt.settled(program) as s5:
        expect(
            s5, "dropped by MADV_DONTNEED", [(at, size)],
            resident=40 * MIB, zero=16 * MIB, untouched=8 * MIB,
        )
        equal(
            mt.totals(["mapped_bytes", "unmapped_bytes"], s1, s5),
            {"mapped_bytes": 0, "unmapped_bytes": 0},
            "counters without mmap and munmap",
        )
    program.do("unmap", at, size)
    with mt.settled(program) as s6:
        expect(s6, "unmapped")
        equal(
            mt.totals(["mmap_calls", "munmap_calls", "mapped_bytes", "unmapped_bytes"], s5, s6),
            {"mmap_calls": 0, "munmap_calls": 1, "mapped_bytes": 0, "unmapped_bytes": size},
            "counters of one munmap",
        )
    mt.finish()


def test_mapping_life(t):
    mapping_life(t)


def test_mapping_life_without_scan(t):
    """Before 6.7: pagemap is read, the zero page known by its frame."""
    mapping_life(t, "--without", "pagemap-scan")


def test_populate_and_reserve(t):
    program, mt = start(t)
    full = map_at(program, 8 * MIB, "populate")
    empty = map_at(program, GIB, "none")
    with mt.settled(program) as s:
        expect(
            s, "populated and reserved", [(full, 8 * MIB), (empty, GIB)],
            resident=8 * MIB, untouched=GIB,
        )
        expect_unattributed(s, "populated and reserved")
    mt.finish()


def test_mremap(t):
    program, mt = start(t)
    at = map_at(program, 8 * MIB)
    program.do("write", at, 8 * MIB)
    s0 = mt.at_rest(program)

    def step(what, *words, **classes):
        nonlocal at, s0
        answer = program.do(*words)
        check(answer["addr"], f"test: {what} fails: {os.strerror(answer['error'])}")
        at = answer["addr"]
        with mt.settled(program) as s1:
            expect(s1, what, [(at, sum(classes.values()))], **classes)
            equal(
                mt.total("mapped_bytes", s0, s1) - mt.total("unmapped_bytes", s0, s1),
                s1["live_bytes"] - s0["live_bytes"],
                f"{what}: mapped_bytes - unmapped_bytes",
            )
        s0 = s1

    step("grown in place", "remap", at, 8 * MIB, 24 * MIB, resident=8 * MIB, untouched=16 * MIB)
    barrier = map_at(program, PAGE, at=at + 24 * MIB)
    program.do("unmap", barrier, PAGE)
    s0 = mt.at_rest(program)
    target = next(addresses)
    step(
        "moved", "remap", at, 24 * MIB, 24 * MIB, target, resident=8 * MIB, untouched=16 * MIB
    )
    equal(at, target, "test: address after the move")
    target = next(addresses)
    step(
        "moved and grown", "remap", at, 24 * MIB, 32 * MIB, target,
        resident=8 * MIB, untouched=24 * MIB,
    )
    step("shrunk", "remap", at, 32 * MIB, 4 * MIB, resident=4 * MIB)
    other = map_at(program, 8 * MIB)
    program.do("write", other, 4 * MIB)
    s0 = mt.at_rest(program)
    step("moved over another", "remap", at, 4 * MIB, 8 * MIB, other, resident=4 * MIB,
         untouched=4 * MIB)
    answer = program.do("remap", at, 8 * MIB, 1 << 50)
    equal(answer["addr"], 0, "test: result of an impossible mremap")
    with mt.settled(program) as s:
        expect(s, "after a failed mremap", [(at, 8 * MIB)], resident=4 * MIB, untouched=4 * MIB)
    mt.finish()


def test_partial_unmap(t):
    program, mt = start(t)
    at = map_at(program, 16 * MIB)
    program.do("write", at, 8 * MIB)
    s0 = mt.at_rest(program)
    program.do("unmap", at + 4 * MIB, 8 * MIB)
    holes = [(at, 4 * MIB), (at + 12 * MIB, 4 * MIB)]
    with mt.settled(program) as s1:
        expect(s1, "hole in the middle", holes, resident=4 * MIB, untouched=4 * MIB)
        equal(mt.total("unmapped_bytes", s0, s1), 8 * MIB, "unmapped_bytes")
        equal(mt.total("munmap_calls", s0, s1), 1, "munmap_calls")
    program.do("unmap", at, 16 * MIB)
    with mt.settled(program) as s2:
        expect(s2, "rest and hole unmapped at once")
        equal(mt.total("unmapped_bytes", s1, s2), 8 * MIB, "unmapped_bytes: what was still live")
    many = [map_at(program, MIB, at=at + i * MIB) for i in range(16)]
    program.do("unmap", at + PAGE, 16 * MIB - 2 * PAGE)
    with mt.settled(program) as s3:
        expect(
            s3, "sixteen neighbours but two pages",
            [(many[0], PAGE), (at + 16 * MIB - PAGE, PAGE)], untouched=2 * PAGE,
        )
    mt.finish()


def test_failed_unmap_drops_nothing(t):
    program, mt = start(t)
    at = map_at(program, MIB)
    check(program.do("unmap", at + 1, MIB)["error"], "test: munmap of an odd address succeeds")
    with mt.settled(program) as s:
        expect(s, "after a failed munmap", [(at, MIB)], untouched=MIB)
        equal(mt.total("unmapped_bytes"), 0, "unmapped_bytes")
    mt.finish()


def test_map_fixed_over(t):
    program, mt = start(t)
    at = map_at(program, 16 * MIB)
    program.do("write", at, 16 * MIB)
    s0 = mt.at_rest(program)
    program.do("mapfixed", at + 4 * MIB, 4 * MIB)
    with mt.settled(program) as s1:
        expect(s1, "MAP_FIXED inside", [(at, 16 * MIB)], resident=12 * MIB, untouched=4 * MIB)
        equal(
            mt.totals(["mmap_calls", "mapped_bytes", "unmapped_bytes"], s0, s1),
            {"mmap_calls": 1, "mapped_bytes": 4 * MIB, "unmapped_bytes": 4 * MIB},
            "counters of MAP_FIXED over a live mapping",
        )
    program.do("mapfixed", at + 12 * MIB, 8 * MIB)
    with mt.settled(program) as s2:
        expect(s2, "over its end", [(at, 20 * MIB)], resident=8 * MIB, untouched=12 * MIB)
        equal(mt.total("unmapped_bytes", s1, s2), 4 * MIB, "unmapped_bytes of the overlap")
    mt.finish()


def test_shared_anonymous(t):
    program, mt = start(t)
    s0 = mt.at_rest(program)
    at = map_at(program, 8 * MIB, "shared")
    program.do("write", at, 4 * MIB)
    with mt.settled(program) as s1:
        equal(s1["mmap_live_bytes"], 8 * MIB, "mmap_live_bytes")
        equal(mt.total("mapped_bytes", s0, s1), 8 * MIB, "mapped_bytes")
        expect(s1, "half written", [(at, 8 * MIB)], resident=4 * MIB, untouched=4 * MIB)
        equal(s1["rss_shmem_bytes"] - s0["rss_shmem_bytes"], 4 * MIB, "growth of rss_shmem_bytes")
        equal(
            s1["unattributed_bytes"], s1["rss_anon_bytes"],
            "unattributed_bytes: shared pages are not in RssAnon",
        )
    program.do("unmap", at, 8 * MIB)
    with mt.settled(program) as s2:
        expect(s2, "unmapped")
    mt.finish()


def test_huge_pages(t):
    if "[never]" in read_text("/sys/kernel/mm/transparent_hugepage/enabled"):
        raise Skip("transparent huge pages are switched off")
    program, mt = start(t)
    size = 16 * MIB
    at = map_at(program, size, "huge")
    program.do("write", at, PAGE)
    with mt.settled(program) as s1:
        huge = smaps_sum(program.pid, at, size, "AnonHugePages")
        if not huge:
            raise Skip("the kernel had no huge page to give")
        expect(s1, "one byte written", [(at, size)], resident=huge, untouched=size - huge)
    program.do("read", at + 4 * MIB, PAGE)
    with mt.settled(program) as s2:
        s2.check_classes([(at, size)], "huge zero page")
        check(s2["live_zero_bytes"] >= PAGE, "live_zero_bytes does not show the huge zero page")
    program.do("advise", at + 4 * PAGE, PAGE, "dontneed")
    program.do("write", at + 8 * MIB, 3 * MIB)
    with mt.settled(program) as s3:
        s3.check_classes([(at, size)], "split")
        equal(
            smaps_sum(program.pid, at, size, "Rss"), s3["live_resident_bytes"], "smaps Rss"
        )
        expect_unattributed(s3, "huge pages")
    mt.finish()


def test_file_mappings_do_not_count(t):
    program, mt = start(t)
    path = t.path("file")
    with open(path, "wb") as file:
        file.write(b"x" * 4 * MIB)
    s0 = mt.at_rest(program)
    at = program.do("mapfile", path, next(addresses), 4 * MIB)["addr"]
    program.do("read", at, 4 * MIB)
    program.do("write", at, 2 * MIB)
    with mt.settled(program) as s1:
        expect(s1, "private file mapping")
        equal(
            mt.totals(["mmap_calls", "mapped_bytes"], s0, s1),
            {"mmap_calls": 0, "mapped_bytes": 0},
            "counters",
        )
        grown = s1["unattributed_bytes"] - s0["unattributed_bytes"]
        within(grown, 2 * MIB, 2 * MIB + OWN, "growth of unattributed_bytes by its written pages")
    program.do("unmap", at, 4 * MIB)
    with mt.settled(program) as s2:
        equal(
            mt.totals(["munmap_calls", "unmapped_bytes"], s1, s2),
            {"munmap_calls": 0, "unmapped_bytes": 0},
            "counters of its munmap",
        )
    mt.finish()


def test_file_mapping_over_anonymous(t):
    """A file mapped over live memory by MAP_FIXED takes its place."""
    program, mt = start(t)
    path = t.path("file")
    with open(path, "wb") as file:
        file.write(b"x" * MIB)
    at = map_at(program, 4 * MIB)
    s0 = mt.at_rest(program)
    program.do("mapfile", path, at + MIB, MIB)
    program.do("read", at, 4 * MIB)
    with mt.settled(program) as s1:
        expect(s1, "around a file", [(at, MIB), (at + 2 * MIB, 2 * MIB)], zero=3 * MIB)
        equal(
            mt.totals(["mmap_calls", "mapped_bytes", "unmapped_bytes"], s0, s1),
            {"mmap_calls": 0, "mapped_bytes": 0, "unmapped_bytes": MIB},
            "counters of a file mapped over live memory",
        )
    program.do("unmap", at, 4 * MIB)
    with mt.settled(program) as s2:
        expect(s2, "all unmapped")
        equal(mt.total("unmapped_bytes", s1, s2), 3 * MIB, "unmapped_bytes of the rest")
    mt.finish()


def test_guard_pages(t):
    """MADV_GUARD_INSTALL (6.13): no swap, though the page table resembles it."""
    program, mt = start(t)
    at = map_at(program, 4 * MIB)
    program.do("write", at, 2 * MIB)
    if program.do("advise", at + MIB, 2 * MIB, "guard")["error"]:
        raise Skip("the kernel knows no guard pages")
    with mt.settled(program) as s:
        expect(s, "guarded", [(at, 4 * MIB)], resident=MIB, untouched=3 * MIB)
        equal(s["swap_bytes"], 0, "swap_bytes")
    mt.finish()


def test_hugetlb_pages(t):
    """Pages of hugetlb are in no Rss: live, resident, and not in unattributed_bytes."""
    knob = "/proc/sys/vm/nr_hugepages"
    try:
        before = read_text(knob)
    except OSError:
        raise Skip("the kernel has no hugetlb pages") from None
    error = write_sysfs(knob, str(int(before) + 4))
    t.cleanup(write_sysfs, knob, before)
    if error or int(read_text(knob)) < int(before) + 4:
        raise Skip(f"no hugetlb pages: {error or 'memory is fragmented'}")
    program, mt = start(t)
    at = map_at(program, 8 * MIB, "hugetlb")
    program.do("write", at, 4 * MIB)
    with mt.settled(program) as s1:
        expect(s1, "half written", [(at, 8 * MIB)], resident=4 * MIB, untouched=4 * MIB)
        equal(
            s1["unattributed_bytes"], s1["rss_anon_bytes"],
            "unattributed_bytes: these pages are not in RssAnon",
        )
    program.do("unmap", at, 8 * MIB)
    with mt.settled(program) as s2:
        expect(s2, "unmapped")
    mt.finish()


def test_sbrk_does_not_count(t):
    program, mt = start(t)
    s0 = mt.at_rest(program)
    at = program.do("sbrk", 4 * MIB)["addr"]
    program.do("write", at, 4 * MIB)
    with mt.settled(program) as s1:
        expect(s1, "sbrk")
        equal(mt.total("mmap_calls", s0, s1), 0, "mmap_calls")
        within(
            s1["unattributed_bytes"] - s0["unattributed_bytes"], 4 * MIB, 4 * MIB + OWN,
            "growth of unattributed_bytes",
        )
    mt.finish()


def test_big_blocks(t):
    """Blocks that glibc maps one by one: its mappings are heap, not the program's."""
    program, mt = start(t)
    s0 = mt.at_rest(program)
    size = 64 * MIB
    at = program.do("calloc", 1, size)["addr"]
    head = PAGE - at % PAGE
    with mt.settled(program) as s1:
        expect(s1, "calloc", [(at, size)], resident=head, untouched=size - head)
        equal(
            mt.totals(["malloc_calls", "allocated_bytes", "mmap_calls", "mapped_bytes"], s0, s1),
            {"malloc_calls": 1, "allocated_bytes": size, "mmap_calls": 0, "mapped_bytes": 0},
            "counters of a big calloc",
        )
        equal(s1["live_blocks"], 1, "live_blocks")
        equal(s1["heap_live_bytes"], size, "heap_live_bytes")
        equal(s1["mmap_live_bytes"], 0, "mmap_live_bytes")
    program.do("write", at, size // 2)
    with mt.settled(program) as s2:
        s2.check_classes([(at, size)], "half written")
        near(s2["live_resident_bytes"], size // 2, PAGE, "live_resident_bytes")
    new = program.do("realloc", at, 2 * size + 123)["addr"]
    with mt.settled(program) as s3:
        equal(s3["live_bytes"], 2 * size + 123, "live_bytes after realloc")
        equal(s3["live_blocks"], 1, "live_blocks after realloc")
        s3.check_classes([(new, 2 * size + 123)], "after realloc")
        equal(
            mt.totals(["malloc_calls", "free_calls", "allocated_bytes", "freed_bytes"], s2, s3),
            {
                "malloc_calls": 1, "free_calls": 1,
                "allocated_bytes": 2 * size + 123, "freed_bytes": size,
            },
            "counters of realloc",
        )
        equal(mt.total("mmap_calls", s2, s3), 0, "mmap_calls of realloc's own mremap")
    equal(program.do("realloc", new, 1 << 60)["addr"], 0, "test: result of an impossible realloc")
    with mt.settled(program) as s4:
        equal(s4["live_bytes"], 2 * size + 123, "live_bytes after a failed realloc")
        equal(mt.total("free_calls", s3, s4), 0, "free_calls of a failed realloc")
        equal(mt.total("malloc_calls", s3, s4), 0, "malloc_calls of a failed realloc")
    program.do("free", new)
    with mt.settled(program) as s5:
        expect(s5, "freed")
        equal(mt.total("freed_bytes", s4, s5), 2 * size + 123, "freed_bytes")
        equal(mt.total("munmap_calls", s0, s5), 0, "munmap_calls: free's own munmap")
    mt.finish()


def make_blocks(program, *words):
    program.do("blocks", *words)
    return [tuple(int(word) for word in line.split()[1:]) for line in program.lines]


def test_small_blocks(t):
    """Blocks of part of a page, some written, take the state of the pages under their bytes."""
    program, mt = start(t)
    blocks = []
    for words in ((4000, 1, 200, 1), (3000, 500, 6000, 2), (400, 5000, 40000, 3)):
        blocks += make_blocks(program, *words)
    total = sum(size for _, size in blocks)
    with mt.settled(program) as s1:
        equal(s1["live_blocks"], len(blocks), "live_blocks")
        equal(s1["live_bytes"], total, "live_bytes")
        s1.check_classes(blocks, "blocks")
        check(s1["live_untouched_bytes"] > MIB, "test: no untouched byte in the blocks")
        expect_unattributed(s1, "blocks")
    freed = program.do("thin")
    rest = blocks[1::2]
    with mt.settled(program) as s2:
        equal(mt.total("free_calls", s1, s2), freed["freed"], "free_calls")
        equal(mt.total("freed_bytes", s1, s2), freed["bytes"], "freed_bytes")
        equal(s2["live_blocks"], len(rest), "live_blocks after thinning")
        s2.check_classes(rest, "thinned")
        expect_unattributed(s2, "thinned")
    mt.finish()


def test_threads_do_not_count(t):
    """Stacks of threads are libc's mappings."""
    program, mt = start(t)
    s0 = mt.at_rest(program)
    program.do("threads", 20)
    with mt.settled(program) as s1:
        equal(
            mt.totals(["mmap_calls", "mapped_bytes"], s0, s1),
            {"mmap_calls": 0, "mapped_bytes": 0},
            "counters of 20 new threads",
        )
        equal(s1["mmap_live_bytes"], 0, "mmap_live_bytes")
    mt.finish()


def test_fork(t):
    """A child's memory is not the target's; writing what both share is a copy-on-write fault."""
    program, mt = start(t)
    size = 4 * MIB
    at = map_at(program, size)
    program.do("write", at, size)
    s0 = mt.at_rest(program)
    program.do("fork")
    if not any(line.startswith("child") for line in program.lines):
        program.wait_for("child")
    with mt.settled(program) as s1:
        for column in ("malloc_calls", "free_calls", "mmap_calls"):
            equal(mt.total(column, s0, s1), 0, f"{column} of the child in the target's row")
        expect(s1, "forked", [(at, size)], resident=size)
    program.do("write", at, size)
    with mt.settled(program) as s2:
        pages = size // PAGE
        within(mt.total("cow_faults", s1, s2), pages, pages + 100, "cow_faults")
        expect(s2, "rewritten", [(at, size)], resident=size)
    equal(program.do("reap")["status"], 0, "status of the child")
    mt.finish()


def test_faults(t):
    program, mt = start(t)
    pages = 2048
    size = pages * PAGE
    a, b, c = (map_at(program, size) for _ in range(3))
    slack = 32  # the program's own stack, text and data

    def step(what, words, **faults):
        s0 = mt.at_rest(program)
        program.do(*words)
        s1 = mt.at_rest(program)
        for name in "user kernel write zero_page cow".split():
            got = mt.total(f"{name}_faults", s0, s1)
            want = faults.get(name, 0)
            within(got, want, want + slack, f"{name}_faults of {what}")
        within(mt.total("minor_faults", s0, s1), pages, pages + 2 * slack, "minor_faults")
        equal(mt.total("major_faults", s0, s1), 0, f"major_faults of {what}")

    step("first writes", ("write", a, size), user=pages, write=pages)
    step("reads", ("read", b, size), user=pages, zero_page=pages)
    step("writes to the zero page", ("write", b, size), user=pages, cow=pages)
    step("read(2) into fresh memory", ("fill", c, size), kernel=pages, write=pages)
    mt.finish()


def test_memory_from_before(t):
    """Not live, whatever becomes of it, and never less than nothing."""
    program = t.program("pages")
    at = map_at(program, 16 * MIB)
    program.do("write", at, 16 * MIB)
    big = program.do("malloc", 8 * MIB)["addr"]
    small = program.do("malloc", 100)["addr"]
    program.do("write", big, 8 * MIB)
    mt = t.memtrace(program.pid, interval=0.1)
    with mt.settled(program) as s0:
        expect(s0, "before")
        check(s0["unattributed_bytes"] >= 24 * MIB, "unattributed_bytes lacks older memory")
    program.do("unmap", at, 4 * MIB)
    moved = program.do("remap", at + 4 * MIB, 12 * MIB, 16 * MIB, next(addresses))["addr"]
    program.do("free", big)
    grown = program.do("realloc", small, 1000)["addr"]
    with mt.settled(program) as s1:
        equal(s1["live_blocks"], 1, "live_blocks: the block that realloc made")
        equal(s1["heap_live_bytes"], 1000, "heap_live_bytes")
        equal(mt.total("unmatched_frees", s0, s1), 2, "unmatched_frees: free and realloc")
        equal(mt.total("freed_bytes", s0, s1), 0, "freed_bytes of unknown sizes")
        t.note(
            f"mremap of an older mapping counts {s1['mmap_live_bytes']} bytes live, "
            f"free_calls {mt.total('free_calls', s0, s1)}"
        )
    program.do("free", grown)
    program.do("unmap", moved, 16 * MIB)
    with mt.settled(program) as s2:
        expect(s2, "after all")
    mt.finish()


def test_page_release_by_madv_free(t):
    """Pages under MADV_FREE stay resident until the kernel wants them."""
    program, mt = start(t)
    at = map_at(program, 8 * MIB)
    program.do("write", at, 8 * MIB)
    program.do("advise", at, 8 * MIB, "free")
    with mt.settled(program) as s:
        s.check_classes([(at, 8 * MIB)], "MADV_FREE")
    mt.finish()


def test_many_mappings(t):
    """Four thousand, every second dropped."""
    program, mt = start(t)
    base = next(addresses)
    s0 = mt.at_rest(program)
    count = 4000
    for i in range(count):
        program.do("map", base + 2 * i * 64 * KIB, 64 * KIB)
    for i in range(0, count, 2):
        program.do("unmap", base + 2 * i * 64 * KIB, 64 * KIB)
    with mt.settled(program) as s1:
        expect(s1, "many mappings", untouched=count // 2 * 64 * KIB)
        equal(mt.total("mmap_calls", s0, s1), count, "mmap_calls")
        equal(mt.total("munmap_calls", s0, s1), count // 2, "munmap_calls")
    mt.finish()


def test_without_pagemap_scan(t):
    """Before 6.7 the pages are read one by one, and the zero page is found by its frame."""
    program, mt = start(t, "--without", "pagemap-scan")
    at, huge = map_at(program, 8 * MIB), map_at(program, 8 * MIB, "huge")
    program.do("read", at, 4 * MIB)
    program.do("write", at, 2 * MIB)
    program.do("write", huge, PAGE)
    program.do("read", huge + 4 * MIB, PAGE)
    blocks = make_blocks(program, 2000, 500, 6000, 2)
    with mt.settled(program) as s:
        s.check_classes([(at, 8 * MIB), (huge, 8 * MIB), *blocks], "without PAGEMAP_SCAN")
        check(s["live_zero_bytes"] >= 2 * MIB, "test: no zero page")
        expect_unattributed(s, "without PAGEMAP_SCAN")
    mt.finish()


def test_without_fault_tracepoints(t):
    program, mt = start(t, "--without", "fault-tracepoints")
    at = map_at(program, 4 * MIB)
    s0 = mt.at_rest(program)
    program.do("write", at, 4 * MIB)
    s1 = mt.at_rest(program)
    expect(s1, "without tracepoints", resident=4 * MIB)
    for name in "user kernel write zero_page cow".split():
        equal(s1[f"{name}_faults"], None, f"{name}_faults")
    within(mt.total("minor_faults", s0, s1), 1024, 1100, "minor_faults")
    mt.finish()
