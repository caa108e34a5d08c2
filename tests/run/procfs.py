# SPDX-License-Identifier: GPL-2.0-only
"""/proc as the oracle: what the kernel itself says of a process."""

import os
import struct

from row import CLASSES, STATUS_COLUMNS
from verdict import KIB, MIB, PAGE, check, equal


def read_text(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def status_of(pid):
    """The byte figures of /proc/PID/status that memtrace shows."""
    figures = {}
    for line in read_text(f"/proc/{pid}/status").splitlines():
        name, _, value = line.partition(":")
        if name in STATUS_COLUMNS.values():
            figures[name] = int(value.split()[0]) * KIB
    return figures


def state_of(pid):
    """R, S, T, Z…, or None when there is no such process."""
    try:
        return read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return None


def all_stopped(pid):
    for tid in os.listdir(f"/proc/{pid}/task"):
        if read_text(f"/proc/{pid}/task/{tid}/stat").rpartition(")")[2].split()[0] not in "Tt":
            return False
    return True


def smaps_of(pid):
    """[(start, end, {name: bytes})] of every mapping."""
    mappings = []
    for line in read_text(f"/proc/{pid}/smaps").splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            start, end = (int(x, 16) for x in words[0].split("-"))
            mappings.append((start, end, {}))
        elif len(words) == 3 and words[2] == "kB":
            mappings[-1][2][words[0][:-1]] = int(words[1]) * KIB
    return mappings


def smaps_sum(pid, start, length, name):
    """Of the mappings inside the range; they must tile it."""
    total = covered = 0
    for low, high, figures in smaps_of(pid):
        if high <= start or low >= start + length:
            continue
        check(
            low >= start and high <= start + length,
            f"test: mapping {low:x}-{high:x} reaches beyond {start:x}+{length:x}",
        )
        covered += high - low
        total += figures.get(name, 0)
    equal(covered, length, "test: bytes mapped in the range")
    return total


KPF_ZERO_PAGE = 1 << 24


def byte_states(pid, blocks):
    """{class: bytes} of the (address, size) blocks, from pagemap and kpageflags."""
    sums = dict.fromkeys(CLASSES, 0)
    zero_pfns = {}
    with open(f"/proc/{pid}/pagemap", "rb", 0) as pagemap, open(
        "/proc/kpageflags", "rb", 0
    ) as kpageflags:

        def is_zero_page(pfn):
            if pfn not in zero_pfns:
                flags = struct.unpack("=Q", os.pread(kpageflags.fileno(), 8, pfn * 8))[0]
                zero_pfns[pfn] = bool(flags & KPF_ZERO_PAGE)
            return zero_pfns[pfn]

        for address, size in blocks:
            if not size:
                continue
            first, last = address // PAGE, (address + size - 1) // PAGE
            entries = b""
            while len(entries) < (last - first + 1) * 8:
                part = os.pread(
                    pagemap.fileno(),
                    min((last - first + 1) * 8 - len(entries), MIB),
                    first * 8 + len(entries),
                )
                check(part, "test: pagemap ends early")
                entries += part
            for i, (entry,) in enumerate(struct.iter_unpack("=Q", entries)):
                low = max(address, (first + i) * PAGE)
                high = min(address + size, (first + i + 1) * PAGE)
                if entry >> 58 & 1:  # a guard page
                    name = "untouched"
                elif entry >> 63 & 1:
                    pfn = entry & ((1 << 55) - 1)
                    check(pfn, "test: pagemap hides page frame numbers")
                    name = "zero" if is_zero_page(pfn) else "resident"
                elif entry >> 62 & 1:
                    name = "swapped"
                else:
                    name = "untouched"
                sums[name] += high - low
    return sums
