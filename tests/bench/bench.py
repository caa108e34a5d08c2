#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What memtrace costs on this machine, beside the tools that do the same by other means.

Each figure is the median over rounds; in a round every variant is measured once, in shuffled order,
and a ratio compares two measurements of the same round. The target has a CPU of its own, the tracer
another; CPU figures are the target's own time, which holds what the kernel does in its probes."""

import os
import random
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median

from processes import (BUILD, Bpftrace, Heaptrack, Ltrace, MeasureError, Memtrace, Probes, Redis,
                       Target, Tracer, cpu_ns, mapped_path, python_target, status_bytes)
from report import Report

QUICK = bool(os.environ.get("BENCH_QUICK"))
ROUNDS = 3 if QUICK else 7
STEADY_ROUNDS = 3 if QUICK else 15	# where a few per cent are to be told apart
PAGES_64_MIB = 16384
MIB = 1 << 20
FAILURES = (MeasureError, OSError, subprocess.SubprocessError)


def sized(count):
    return max(1, count // 5) if QUICK else count


@contextmanager
def attached(tracer, target):
    try:
        tracer.attach(target)
    except BaseException:
        tracer.kill()
        raise
    try:
        yield tracer
    finally:
        tracer.detach()


def measure(tracer, target, letter, count, warm):
    """CPU and wall ns for each of count operations, the tracer attached."""
    with attached(tracer, target):
        target.command(letter, warm)
        cpu, wall = target.command(letter, count)
    return cpu / count, wall / count


class Comparison:
    """One operation of one kind of target under several tracers."""

    def __init__(self, report, section, make_target, letter, variants, rounds=ROUNDS):
        """variants: (tracer, operations, operations to warm up with); the first is the base."""
        self.report, self.section, self.letter = report, section, letter
        self.variants = []
        self.cpu, self.wall = {}, {}
        for tracer, count, warm in variants:
            if tracer.missing():
                report.skip(section, tracer.name, tracer.missing())
            else:
                self.variants.append((tracer, sized(count), warm))
        with ExitStack() as stack:
            targets = {tracer.preload: stack.enter_context(closing(make_target(tracer.preload)))
                       for tracer, _, _ in self.variants}
            for _ in range(rounds):
                self.run_round(targets)

    def run_round(self, targets):
        for tracer, count, warm in random.sample(self.variants, len(self.variants)):
            if tracer.name in self.cpu and self.cpu[tracer.name] is None:
                continue
            try:
                cpu, wall = measure(tracer, targets[tracer.preload], self.letter, count, warm)
            except FAILURES as error:
                self.cpu[tracer.name] = None
                self.report.fail(self.section, "%s: %s" % (tracer.name, error))
                continue
            self.cpu.setdefault(tracer.name, []).append(cpu)
            self.wall.setdefault(tracer.name, []).append(wall)

    def names(self):
        return [tracer.name for tracer, _, _ in self.variants if self.cpu[tracer.name]]

    def ratios(self, name, base="untraced", clock="cpu"):
        figures = getattr(self, clock)
        if not self.cpu[name] or not self.cpu[base]:
            raise MeasureError("no figure of %s" % (base if self.cpu[name] else name))
        return [value / to for value, to in zip(figures[name], figures[base])]

    def add_costs(self, what, unit="ns", scale=1):
        for name in self.names():
            self.report.add(self.section, "%s, %s" % (what, name),
                            [value / scale for value in self.cpu[name]], unit)

    def add_ratios(self, what, limits):
        for name in self.names()[1:]:
            cpu, wall = self.ratios(name), self.ratios(name, clock="wall")
            note = "wall %.2f" % median(wall) if abs(
                median(wall) / median(cpu) - 1) > 0.1 else ""
            self.report.add(self.section, "%s CPU, %s" % (what, name), cpu, "x",
                            limits.get(name), note)


MMAP_LEVEL = "memtrace --level mmap"


def bench_pair(report):
    """malloc(64) and free in a tight loop."""
    empty, stock = "two empty probes", "entry+return+free at +0"
    run = Comparison(report, "pair", lambda under: Target(under=under), "p", [
        (Tracer(), 2000000, 200000), (Memtrace(), 300000, 20000),
        (Probes("empty", empty), 300000, 20000), (Probes("stock", stock), 50000, 2000)])
    run.add_costs("malloc(64)+free")
    report.add("pair", "memtrace / " + stock, run.ratios("memtrace", stock), "x", 0.16)
    report.add("pair", "memtrace / " + empty, run.ratios("memtrace", empty), "x", 1.7)


def bench_w1(report):
    """Random sizes with 10 000 live blocks."""
    run = Comparison(report, "w1", lambda under: Target(under=under), "w", [
        (Tracer(), 3000000, 300000), (Memtrace(), 500000, 30000), (Bpftrace(), 50000, 5000),
        (Heaptrack(), 500000, 30000), (Ltrace(), 3000, 300)])
    report.add("w1", "malloc+free, 16..4096 bytes, untraced", run.cpu["untraced"], "ns")
    run.add_ratios("malloc loop", {"memtrace": 22})
    run = Comparison(report, "w1", lambda under: Target(under=under), "w", [
        (Tracer(), 5000000, 1000000), (Memtrace("mmap"), 5000000, 1000000)], STEADY_ROUNDS)
    run.add_ratios("malloc loop", {MMAP_LEVEL: 1.05})


def bench_fault(report):
    """First touches of fresh pages: in the target, and in another process beside it."""
    costs = {"untraced": [], "traced": [], "other": [], "other untraced": []}
    tracer = Memtrace()
    with closing(Target()) as target, closing(Target()) as other:
        for _ in range(ROUNDS):
            costs["untraced"].append(fault_ns(target))
            costs["other untraced"].append(fault_ns(other))
            with attached(tracer, target):
                costs["traced"].append(fault_ns(target))
                costs["other"].append(fault_ns(other))
    for name in ("untraced", "traced"):
        report.add("fault", "first touch of a page, " + name, costs[name], "ns")
    report.add("fault", "added to a fault of the target", subtract(
        costs["traced"], costs["untraced"]), "ns", 150)
    report.add("fault", "added to a fault of another process", subtract(
        costs["other"], costs["other untraced"]), "ns")
    run = Comparison(report, "fault", lambda under: Target(under=under), "s", [
        (Tracer(), 16, 4), (Memtrace(), 16, 4), (Memtrace("mmap"), 16, 4)], STEADY_ROUNDS)
    run.add_ratios("storm of 64 MiB maps", {"memtrace": 1.10, MMAP_LEVEL: 1.05})


def fault_ns(target):
    """The first batches warm up: a virtual machine may have handed idle pages back to its host."""
    batches = [target.command("f", PAGES_64_MIB)[0] for _ in range(sized(12))]
    return median(batches[len(batches) // 3:]) / PAGES_64_MIB


def subtract(values, bases):
    return [value - base for value, base in zip(values, bases)]


def bench_mmap(report):
    """mmap and munmap of one page, never touched."""
    run = Comparison(report, "mmap", lambda under: Target(under=under), "m", [
        (Tracer(), 50000, 5000), (Memtrace(), 50000, 5000), (Memtrace("mmap"), 50000, 5000)])
    run.add_costs("mmap+munmap")


def bench_python(report):
    """A dictionary through JSON and back, sorted."""
    run = Comparison(report, "python", python_target, "j", [
        (Tracer(), 5, 3), (Memtrace(), 5, 3), (Memtrace("mmap"), 5, 3)], STEADY_ROUNDS)
    run.add_ratios("json and dict", {"memtrace": 1.05, MMAP_LEVEL: 1.05})
    run = Comparison(report, "python", python_target, "j", [
        (Tracer(), 5, 3), (Bpftrace(), 5, 3), (Heaptrack(), 5, 3), (Ltrace(), 5, 3)])
    run.add_ratios("json and dict", {})


def bench_redis(report):
    """SET and GET by redis-benchmark; the server allocates with jemalloc."""
    if not shutil.which("redis-server") or not shutil.which("redis-benchmark"):
        report.skip("redis", "redis-server under redis-benchmark", "not installed")
        return
    run = Comparison(report, "redis", Redis, "", [
        (Tracer(), 60000, 5000), (Memtrace(), 60000, 5000), (Memtrace("mmap"), 60000, 5000),
        (Bpftrace(), 10000, 1000), (Heaptrack(), 40000, 5000), (Ltrace(), 20000, 2000)])
    report.add("redis", "server CPU a request, untraced",
               [value / 2 for value in run.cpu["untraced"]], "ns")
    run.add_ratios("redis-server", {"memtrace": 4, MMAP_LEVEL: 1.05})


def bench_other(report):
    """The same libc in a process that is not traced."""
    ratios = []
    with closing(Target()) as target, closing(Target()) as other:
        for _ in range(STEADY_ROUNDS):
            alone, _ = measure(Tracer(), other, "p", sized(5000000), 500000)
            with attached(Memtrace(), target):
                beside, _ = measure(Tracer(), other, "p", sized(5000000), 500000)
            ratios.append(beside / alone)
    report.add("other", "malloc(64)+free of another process", ratios, "x", 1.05,
               "that is, unchanged within noise")


def bench_resident(report):
    """What a tick costs memtrace when the target is large."""
    size = sized(2048)
    with closing(Target()) as target:
        base = tick_costs(target)
    report.add("resident", "memtrace's CPU a tick, nothing resident", base, "ms")
    with closing(Target()) as target:
        target.command("r", size)
        costs = tick_costs(target)
    report.add("resident", "%d MiB resident since before the attach, added" % size,
               subtract(costs, base), "ms", 5)
    for letter, count, what in (("r", size, "in one block"),
                                ("k", size * 510, "in blocks of 16..4096 bytes")):
        with closing(Target()) as target:
            costs = tick_costs(target, lambda: target.command(letter, count))
        report.add("resident", "%d MiB %s, added" % (size, what), subtract(costs, base), "ms", 5)


def tick_costs(target, prepare=lambda: None, interval=0.1, ticks=10):
    """ms of memtrace's CPU for each tick, one value a window of ticks."""
    tracer = Memtrace(interval=interval)
    with attached(tracer, target):
        prepare()
        return watch_ticks(tracer, ticks)


def watch_ticks(tracer, ticks):
    costs = []
    tracer.skip_rows()
    tracer.next_row()
    for _ in range(ROUNDS):
        start = cpu_ns(tracer.pid)
        for _ in range(ticks):
            tracer.next_row()
        costs.append((cpu_ns(tracer.pid) - start) / ticks / 1e6)
    return costs


def bench_self(report):
    """memtrace's own CPU and memory."""
    shares = []
    with closing(Target()) as target, attached(Memtrace(), target) as tracer:
        target.command("w", 100000)
        for _ in range(ROUNDS):
            start = cpu_ns(tracer.pid)
            _, wall = target.command("a", 200000)
            shares.append((cpu_ns(tracer.pid) - start) / wall * 100)
        idle = watch_idle(tracer)
    report.add("self", "CPU beside a target that does nothing", idle, "%")
    report.add("self", "CPU at 100 000 malloc+free a second", shares, "%", 3)
    with closing(Target()) as target, attached(Memtrace(), target) as tracer:
        report.add("self", "RSS, nothing live", [status_bytes(tracer.pid, "VmRSS") / MIB], "MiB",
                   64)
        empty = status_bytes(tracer.pid, "VmRSS")
        for blocks in (sized(1000000), sized(4000000)):
            hold_blocks(report, target, tracer, blocks, empty)


def watch_idle(tracer):
    shares = []
    for _ in range(ROUNDS):
        start, began = cpu_ns(tracer.pid), time.monotonic_ns()
        time.sleep(1)
        shares.append((cpu_ns(tracer.pid) - start) / (time.monotonic_ns() - began) * 100)
    return shares


def hold_blocks(report, target, tracer, blocks, empty):
    tracer.skip_rows()
    target.command("b", blocks - int(tracer.row["live_blocks"]))
    tracer.skip_rows()
    tracer.next_row()	# of the interval in which the last block came
    while int(tracer.next_row()["live_blocks"]) < blocks:
        if not int(tracer.row["malloc_calls"]):
            raise MeasureError("%s of %d blocks live" % (tracer.row["live_blocks"], blocks))
    used = status_bytes(tracer.pid, "VmRSS")
    report.add("self", "RSS, %d blocks live" % blocks, [used / MIB], "MiB", 64 + blocks * 40 / MIB,
               "%.1f bytes a block" % ((used - empty) / blocks))
    report.add("self", "CPU a tick, %d blocks live" % blocks, watch_ticks(tracer, 1), "ms")


def bench_attach(report):
    """From the start of the program to its first row, and from SIGINT to its end."""
    for count in (0, 100):
        attaches, detaches = [], []
        with closing(Target()) as target:
            paths = object_paths(count)
            for path in paths:
                target.command("o", path)
            for _ in range(ROUNDS):
                tracer = Memtrace()
                with attached(tracer, target):
                    target.command("p", 1000)
                attaches.append(tracer.attach_s * 1000)
                detaches.append(tracer.detach_s * 1000)
        what = ", %d objects mapped beside libc" % len(paths)
        report.add("attach", "attach" + what, attaches, "ms", 300)
        report.add("attach", "detach" + what, detaches, "ms", 300)


def object_paths(count):
    """Libraries of this machine, but those that export an allocator."""
    folder = Path(mapped_path(os.getpid(), "libc.so")).parent
    others = ("alloc", "san", "libc.so", "libc_", "libmemusage", "ld-linux")
    paths = [path for path in sorted(folder.glob("lib*.so*"))
             if not path.is_symlink() and not any(part in path.name for part in others)]
    return [path for path in paths if path.open("rb").read(4) == b"\x7fELF"][:count]


SECTIONS = {
    "pair": bench_pair, "w1": bench_w1, "fault": bench_fault, "mmap": bench_mmap,
    "python": bench_python, "redis": bench_redis, "other": bench_other,
    "resident": bench_resident, "self": bench_self, "attach": bench_attach,
}


def main(names):
    unknown = [name for name in names if name not in SECTIONS]
    if unknown or os.geteuid():
        print("bench: " + ("no section %s; there are: %s" % (unknown[0], " ".join(SECTIONS))
                           if unknown else "needs root"), file=sys.stderr)
        return 2
    if Memtrace().missing():
        print("bench: %s; run make in %s first" % (Memtrace().missing(), BUILD.parent),
              file=sys.stderr)
        return 1
    report = Report()
    report.print_head()
    for name in names or SECTIONS:
        try:
            SECTIONS[name](report)
        except (*FAILURES, KeyError, ValueError) as error:
            report.fail(name, "%s: %s" % (type(error).__name__, error))
    print("# %d over their limit, %d failed; memtrace lost %d events and ended badly %d times" % (
        report.over, report.failed, Memtrace.lost_events, Memtrace.unclean_ends))
    return 1 if report.failed or Memtrace.unclean_ends else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
