# SPDX-License-Identifier: GPL-2.0-only
"""The first bytes of functions in another process: a breakpoint left behind shows there."""

import ctypes
import re

from harness import check, read_text

FUNCTIONS = "malloc calloc realloc free posix_memalign mmap munmap mremap".split()
LENGTH = 96


def libc_text(pid):
    """(path, [(start, end, file offset)]) of libc's executable mappings."""
    found = []
    path = None
    for line in read_text(f"/proc/{pid}/maps").splitlines():
        match = re.match(r"(\w+)-(\w+) r-xp (\w+) \S+ \d+\s+(\S*/libc\.so\.6)$", line)
        if match:
            start, end, offset = (int(match.group(i), 16) for i in (1, 2, 3))
            found.append((start, end, offset))
            path = match.group(4)
    check(found, f"test: no libc in process {pid}")
    return path, found


def offsets():
    """{function: offset in libc's file}, from this process's own libc."""
    libc = ctypes.CDLL("libc.so.6")
    _, texts = libc_text("self")
    result = {}
    for name in FUNCTIONS:
        address = ctypes.cast(getattr(libc, name), ctypes.c_void_p).value
        for start, end, offset in texts:
            if start <= address < end:
                result[name] = address - start + offset
    return result


def read_functions(pid):
    """{function: its first bytes as process pid sees them}."""
    _, texts = libc_text(pid)
    result = {}
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for name, at in offsets().items():
            for start, end, offset in texts:
                if offset <= at < offset + (end - start):
                    memory.seek(start + at - offset)
                    result[name] = memory.read(LENGTH)
    return result


def from_file(pid):
    """The same bytes as the file on disk has them."""
    path, _ = libc_text(pid)
    with open(f"/proc/{pid}/root{path}", "rb") as file:
        data = file.read()
    return {name: data[at : at + LENGTH] for name, at in offsets().items()}


def changed(pid):
    """Names of the functions whose bytes differ from the file."""
    original = from_file(pid)
    return sorted(name for name, text in read_functions(pid).items() if text != original[name])
