# SPDX-License-Identifier: GPL-2.0-only
"""python3 and numpy, whose arrays are what people ask about."""

from harness import MIB, check, equal, near, within

SIZE = 256 * MIB
ONE_PERCENT = SIZE // 100
GAUGES = [f"live_{name}_bytes" for name in "resident zero swapped untouched".split()]
GAUGES += ["live_bytes", "rss_bytes", "rss_anon_bytes", "swap_bytes"]


def expect_change(before, after, what, **changes):
    """Each gauge, in bytes within one percent of the array; those not named do not change."""
    for gauge in GAUGES:
        want = changes.get(gauge.removesuffix("_bytes"), 0)
        near(after[gauge] - before[gauge], want, ONE_PERCENT, f"{what}: change of {gauge}")


def test_ones(t):
    program = t.python()
    mt = t.memtrace(program.pid)
    s0 = mt.at_rest(program)
    program.do(f"a = np.ones({SIZE // 8})")
    s1 = mt.at_rest(program)
    expect_change(
        s0, s1, "np.ones", live=SIZE, live_resident=SIZE, rss=SIZE, rss_anon=SIZE
    )
    program.do("del a")
    s2 = mt.at_rest(program)
    expect_change(s0, s2, "del")
    mt.finish()


def test_zeros_read_written(t):
    program = t.python()
    mt = t.memtrace(program.pid)
    s0 = mt.at_rest(program)
    program.do(f"a = np.zeros({SIZE // 8}); answer['at'] = a.ctypes.data")
    s1 = mt.at_rest(program)
    expect_change(s0, s1, "np.zeros", live=SIZE, live_untouched=SIZE)
    program.do("a.sum()")
    s2 = mt.at_rest(program)
    expect_change(s1, s2, "sum()", live_untouched=-SIZE, live_zero=SIZE)
    program.do("a[:len(a) // 2] = 1")
    s3 = mt.at_rest(program)
    expect_change(
        s2, s3, "writing half",
        live_zero=-SIZE // 2, live_resident=SIZE // 2, rss=SIZE // 2, rss_anon=SIZE // 2,
    )
    program.do("del a")
    s4 = mt.at_rest(program)
    expect_change(s0, s4, "del")
    equal(mt.total("lost_events"), 0, "lost_events")
    mt.finish()


def test_swapped_and_back(t):
    kind = t.swap()
    program = t.python()
    mt = t.memtrace(program.pid)
    program.do(f"a = np.zeros({SIZE // 8}); a[:] = 1")
    s0 = mt.at_rest(program)
    program.do("advise(a, MADV_PAGEOUT)", seconds=120)
    s1 = mt.at_rest(program)
    gone = s1["swap_bytes"] - s0["swap_bytes"]
    near(gone, SIZE, ONE_PERCENT, "growth of VmSwap")
    near(
        s1["live_swapped_bytes"] - s0["live_swapped_bytes"], gone, MIB,
        "growth of live_swapped_bytes against that of VmSwap",
    )
    expect_change(
        s0, s1, "MADV_PAGEOUT",
        live_resident=-SIZE, live_swapped=SIZE, rss=-SIZE, rss_anon=-SIZE, swap=SIZE,
    )
    program.do("a.sum()", seconds=240)
    s2 = mt.at_rest(program)
    expect_change(
        s1, s2, "touching",
        live_resident=SIZE, live_swapped=-SIZE, rss=SIZE, rss_anon=SIZE, swap=-SIZE,
    )
    majors = mt.total("major_faults", s1, s2)
    check(majors > 0, "no major fault at the swap-in")
    t.note(f"{kind}: {majors} major faults for {SIZE // 4096} pages")
    program.do("advise(a, MADV_PAGEOUT)", seconds=120)
    program.do("del a")
    s3 = mt.at_rest(program)
    within(s3["live_swapped_bytes"], 0, MIB, "live_swapped_bytes after del")
    near(s3["live_bytes"], s0["live_bytes"] - SIZE, ONE_PERCENT, "live_bytes after del")
    mt.finish()


def test_many_small_arrays(t):
    """Ten thousand arrays of 8 kB: a block of the heap each for the data, one for the shape."""
    program = t.python()
    mt = t.memtrace(program.pid)
    s0 = mt.at_rest(program)
    program.do("l = [np.ones(1000) for _ in range(10000)]")
    s1 = mt.at_rest(program)
    payload = 10000 * 8000
    within(s1["live_bytes"] - s0["live_bytes"], payload, payload * 1.1, "growth of live_bytes")
    within(s1["live_blocks"] - s0["live_blocks"], 10000, 20500, "growth of live_blocks")
    near(
        s1["live_resident_bytes"] - s0["live_resident_bytes"],
        s1["live_bytes"] - s0["live_bytes"], MIB, "growth of live_resident_bytes",
    )
    program.do("del l")
    s2 = mt.at_rest(program)
    near(s2["live_bytes"], s0["live_bytes"], 4 * MIB, "live_bytes after del")
    mt.finish()


def test_python_objects(t):
    """CPython maps its arenas itself: a dictionary is mostly mmap_live_bytes."""
    program = t.python()
    mt = t.memtrace(program.pid)
    s0 = mt.at_rest(program)
    program.do("d = {i: (i, str(i)) for i in range(300000)}")
    s1 = mt.at_rest(program)
    check(s1["mmap_live_bytes"] - s0["mmap_live_bytes"] > 20 * MIB, "no arenas in mmap_live_bytes")
    check(mt.total("mmap_calls", s0, s1) >= 20, "fewer than 20 arenas were mapped")
    near(
        s1["rss_anon_bytes"] - s0["rss_anon_bytes"],
        s1["live_resident_bytes"] - s0["live_resident_bytes"], 4 * MIB,
        "growth of RssAnon against that of live_resident_bytes",
    )
    mt.finish()


def test_psutil_agrees(t):
    import psutil

    program = t.python()
    mt = t.memtrace(program.pid)
    program.do(f"a = np.ones({16 * MIB // 8})")
    with mt.settled(program) as s:
        process = psutil.Process(program.pid)
        memory = process.memory_full_info()
        equal(s["vm_bytes"], memory.vms, "vm_bytes against psutil's vms")
        equal(s["rss_bytes"], memory.rss, "rss_bytes against psutil's rss")
        equal(s["swap_bytes"], memory.swap, "swap_bytes against psutil's swap")
        equal(s["comm"], process.name()[:15], "comm against psutil's name")
        equal(s["pid"], program.pid, "pid")
    mt.finish()
