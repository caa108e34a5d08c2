# SPDX-License-Identifier: GPL-2.0-only
"""Swap space for the length of a case: zram, else a file."""

import os
import shutil
import subprocess

from procfs import read_text
from verdict import Skip


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "(nothing)"


def run_tool(*argv):
    """Whether the tool did it, and what it said."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    return done.returncode == 0, last_line(done.stderr)


def tool(name):
    return shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin") or name


def write_sysfs(path, text):
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    except OSError as error:
        return str(error)
    return ""


def swap_off(device):
    run_tool(tool("swapoff"), device)


def make_zram(t, size):
    """A reason why not, or "" and swap is on."""
    sysfs = "/sys/block/zram0"
    if not os.path.isdir(sysfs):
        run_tool(tool("modprobe"), "zram")
    if not os.path.isdir(sysfs):
        return "no zram device"
    if read_text(f"{sysfs}/disksize").strip() != "0":
        return "zram0 is in use"
    error = write_sysfs(f"{sysfs}/disksize", str(size))
    if error:
        return f"zram0: {error}"
    t.cleanup(write_sysfs, f"{sysfs}/reset", "1")
    for command in ("mkswap", "swapon"):
        good, said = run_tool(tool(command), "/dev/zram0")
        if not good:
            return f"{command} /dev/zram0: {said}"
        if command == "swapon":
            t.cleanup(swap_off, "/dev/zram0")
    return ""


def make_swap_file(t, size):
    path = f"/var/tmp/memtrace-test-swap.{os.getpid()}"
    t.cleanup(lambda: os.path.exists(path) and os.unlink(path))
    try:
        with open(path, "wb") as file:
            os.chmod(path, 0o600)
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        return f"swap file: {error}"
    for command in ("mkswap", "swapon"):
        good, said = run_tool(tool(command), path)
        if not good:
            return f"{command} of a file: {said}"
    t.cleanup(swap_off, path)
    return ""


def make_swap(t, size):
    """Returns zram, file or present; Skip with the reasons if there can be no swap."""
    if len(read_text("/proc/swaps").splitlines()) > 1:
        return "present"
    zram = make_zram(t, size)
    if not zram:
        return "zram"
    file = make_swap_file(t, size)
    if not file:
        return "file"
    raise Skip(f"cannot make swap: {zram}; {file}")
