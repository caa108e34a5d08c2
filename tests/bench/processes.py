# SPDX-License-Identifier: GPL-2.0-only
"""The processes of a measurement: targets, which do something to memory on request, and tracers,
which watch one target between attach() and detach()."""

import os
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build"
PROBES = BUILD / "bench" / "probes"
MEMTRACE = Path(os.environ.get("MEMTRACE", BUILD / "memtrace"))
CPUS = sorted(os.sched_getaffinity(0))
TARGET_CPU, TRACER_CPU = CPUS[-1], CPUS[0]
ATTACH_TIMEOUT_S = 20


class MeasureError(Exception):
    pass


def spawn(argv, cpu, **options):
    """Starts argv on one CPU, with SIGINT at its default: from a background shell it would be
    inherited as ignored, and tracers could not be stopped."""

    def prepare():
        os.sched_setaffinity(0, {cpu})
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    return subprocess.Popen([str(arg) for arg in argv], preexec_fn=prepare, **options)


def wait_until(condition, what, timeout=ATTACH_TIMEOUT_S):
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise MeasureError(what + " took too long")
        time.sleep(0.01)


def cpu_ns(pid):
    """CPU time of all threads, to the nanosecond; /proc/PID/stat counts in ticks of 10 ms."""
    tasks = Path("/proc/%d/task" % pid).iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def interrupt(process):
    """Ends a tracer as Ctrl-C does. bpftrace misses a signal that comes outside its epoll_wait()."""
    for _ in range(5):
        process.send_signal(signal.SIGINT)
        try:
            return process.wait(5)
        except subprocess.TimeoutExpired:
            pass
    process.kill()
    process.wait()
    raise MeasureError("%s does not end on SIGINT" % process.args[0])


def status_bytes(pid, field):
    text = Path("/proc/%d/status" % pid).read_text()
    return int(re.search(r"^%s:\s+(\d+) kB" % field, text, re.M).group(1)) * 1024


def private_libc():
    return dict(os.environ, LD_LIBRARY_PATH=str(BUILD / "bench" / "lib"))


class Target:
    """A program that answers "= CPU_NS WALL_NS" to "LETTER ARGUMENT"."""

    object_name = "libc.so"

    def __init__(self, argv=None, under=()):
        argv = argv or [BUILD / "bench" / "workload"]
        self.folder = tempfile.TemporaryDirectory(prefix="memtrace-bench-")
        self.process = spawn(
            [*under, *argv], TARGET_CPU, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env=private_libc(), cwd=self.folder.name)
        self.pid = self.process.pid

    def command(self, letter, argument):
        self.process.stdin.write("%s %s\n" % (letter, argument))
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("= "):
                cpu, wall = line.split()[1:]
                return int(cpu), int(wall)
        raise MeasureError("the target has gone")

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()


def python_target(under=()):
    return Target(["/usr/bin/python3", HERE / "workload.py"], under)


class Redis:
    """redis-server on one CPU, under redis-benchmark on the other."""

    object_name = "jemalloc"

    def __init__(self, under=()):
        self.folder = tempfile.TemporaryDirectory(prefix="memtrace-bench-")
        self.socket = os.path.join(self.folder.name, "redis.sock")
        self.process = spawn(
            [*under, "redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "",
             "--appendonly", "no", "--dir", self.folder.name], TARGET_CPU,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder.name)
        wait_until(lambda: self.ask("ping") == "PONG", "start of redis-server")
        self.pid = int(re.search(r"process_id:(\d+)", self.ask("info", "server")).group(1))

    def ask(self, *words):
        return subprocess.run(["redis-cli", "-s", self.socket, *words], text=True,
                              capture_output=True).stdout.strip()

    def command(self, _letter, requests):
        start, cpu = time.monotonic_ns(), cpu_ns(self.pid)
        client = spawn(["redis-benchmark", "-s", self.socket, "-n", requests, "-q",
                        "-t", "set,get"], TRACER_CPU, stdout=subprocess.DEVNULL)
        if client.wait(300):
            raise MeasureError("redis-benchmark failed")
        return cpu_ns(self.pid) - cpu, time.monotonic_ns() - start

    def close(self):
        self.ask("shutdown", "nosave")
        self.process.wait(20)
        self.folder.cleanup()


class Tracer:
    """Nothing attached: also the base of those that attach something. It waits as long as memtrace
    takes to come and go, because the idle pages that a virtual machine gives back to its host
    meanwhile cost the next run more."""

    name = "untraced"
    preload = ()	# what the target must be started under
    process = None

    def attach(self, target):
        time.sleep(0.2)

    def detach(self):
        pass

    def kill(self):
        """After an attach() that failed."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def missing(self):
        return None


class Memtrace(Tracer):
    """Rows are collected as they come, because the first one says that memtrace is attached."""

    lost_events = 0
    unclean_ends = 0

    def __init__(self, level=None, interval=None):
        self.name = "memtrace --level " + level if level else "memtrace"
        self.options = (["--level", level] if level else []) + (
            ["-i", str(interval)] if interval else [])

    def missing(self):
        return None if MEMTRACE.exists() else "%s not built" % MEMTRACE

    def attach(self, target):
        started = time.monotonic()
        self.lines = queue.Queue()
        self.process = spawn([MEMTRACE, "-p", target.pid, "-q", "-o", "-", *self.options],
                             TRACER_CPU, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read_rows, daemon=True)
        self.reader.start()
        self.columns = self.next_line(ATTACH_TIMEOUT_S).split(",")
        self.next_row(ATTACH_TIMEOUT_S)
        self.attach_s = time.monotonic() - started
        self.pid = self.process.pid

    def read_rows(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def next_line(self, timeout):
        try:
            line = self.lines.get(timeout=timeout)
        except queue.Empty:
            raise MeasureError("memtrace wrote no row in %g s" % timeout) from None
        if line is None:
            raise MeasureError("memtrace ended: " + self.process.stderr.read().strip())
        return line

    def next_row(self, timeout=10):
        self.row = dict(zip(self.columns, self.next_line(timeout).split(",")))
        Memtrace.lost_events += int(self.row["lost_events"] or 0)
        return self.row

    def skip_rows(self):
        while not self.lines.empty():
            self.next_row()

    def detach(self):
        started = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.detach_s = time.monotonic() - started
        self.reader.join()
        while True:
            line = self.lines.get()
            if line is None:
                break
            row = dict(zip(self.columns, line.split(",")))
            Memtrace.lost_events += int(row["lost_events"] or 0)
        self.process.stdout.close()
        self.process.stderr.close()
        Memtrace.unclean_ends += status != 0


class Probes(Tracer):
    def __init__(self, mode, name):
        self.mode, self.name = mode, name

    def attach(self, target):
        self.process = spawn([PROBES, self.mode, target.pid, target.object_name], TRACER_CPU,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "attached\n":
            raise MeasureError("probes %s did not attach" % self.mode)

    def detach(self):
        self.process.communicate(timeout=30)


class Bpftrace(Tracer):
    name = "bpftrace one-liner"
    script = (
        "uprobe:%(lib)s:malloc /pid == %(pid)d/ { @size[tid] = arg0; } "
        "uretprobe:%(lib)s:malloc /pid == %(pid)d && @size[tid]/ "
        "{ @calls = count(); @bytes = sum(@size[tid]); delete(@size[tid]); } "
        "uprobe:%(lib)s:free /pid == %(pid)d/ { @frees = count(); }")

    def missing(self):
        return None if shutil.which("bpftrace") else "not installed"

    def attach(self, target):
        library = mapped_path(target.pid, target.object_name)
        self.process = spawn(
            ["bpftrace", "-e", self.script % {"lib": library, "pid": target.pid}], TRACER_CPU,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        sites = malloc_sites(target)
        wait_until(lambda: all(read_byte(target.pid, site) == 0xCC for site in sites),
                   "bpftrace's attaching")

    def detach(self):
        interrupt(self.process)


class Ltrace(Tracer):
    """On the target's CPU: one of the two always waits for the other, and waking another CPU of a
    virtual machine makes that ten times slower still."""

    name = "ltrace -e malloc+free"

    def missing(self):
        return None if shutil.which("ltrace") else "not installed"

    def attach(self, target):
        self.process = spawn(["ltrace", "-e", "malloc+free", "-o", "/dev/null", "-p", target.pid],
                             TARGET_CPU, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        status = Path("/proc/%d/status" % target.pid)
        wait_until(lambda: "TracerPid:\t0\n" not in status.read_text(), "ltrace's attaching")
        time.sleep(0.5)		# it goes on to place its breakpoints

    def detach(self):
        interrupt(self.process)


class Heaptrack(Tracer):
    """Watches from the target's start; attaching to a running one needs a debugger."""

    name = "heaptrack"
    preload = ("heaptrack", "-o", "recording")

    def missing(self):
        return None if shutil.which("heaptrack") else "not installed"


def mapped_path(pid, part):
    for line in Path("/proc/%d/maps" % pid).read_text().splitlines():
        fields = line.split(None, 5)
        if len(fields) == 6 and "x" in fields[1] and part in fields[5]:
            return fields[5]
    raise MeasureError("process %d maps no %s" % (pid, part))


def malloc_sites(target):
    """Addresses of the first bytes of malloc and free in the target."""
    text = subprocess.run([PROBES, "sites", str(target.pid), target.object_name], text=True,
                          capture_output=True, check=True).stdout
    return [int(line.split()[1], 16) for line in text.splitlines()]


def read_byte(pid, address):
    with open("/proc/%d/mem" % pid, "rb") as memory:
        memory.seek(address)
        return memory.read(1)[0]
