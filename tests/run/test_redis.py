# SPDX-License-Identifier: GPL-2.0-only
"""redis-server on jemalloc, under load while it is traced."""

import os
import re
import shutil
import subprocess
import time

from harness import KIB, MIB, Failure, Skip, check, equal, read_text, within


class Redis:
    def __init__(self, t):
        for name in ("redis-server", "redis-cli", "redis-benchmark"):
            if not shutil.which(name):
                raise Skip(f"{name} is not installed")
        self.socket = t.path("redis.sock")
        self.process = t.spawn(
            [
                "redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "",
                "--appendonly", "no", "--enable-debug-command", "yes", "--dir", t.directory,
                "--daemonize", "no",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.pid = self.process.pid
        self.name = "redis-server"
        deadline = time.monotonic() + 20
        while not (os.path.exists(self.socket) and self.answers()):
            check(time.monotonic() < deadline, "test: redis-server does not answer")
            time.sleep(0.05)

    def cli(self, *words, seconds=60):
        done = subprocess.run(
            ["redis-cli", "-s", self.socket, *map(str, words)],
            capture_output=True, text=True, timeout=seconds, check=False,
        )
        if done.returncode:
            raise Failure(f"redis-cli {words[0]}: {done.stderr.strip() or done.returncode}")
        return done.stdout.strip()

    def answers(self):
        try:
            return self.cli("PING") == "PONG"
        except Failure:
            return False

    def used_memory(self):
        return int(re.search(r"^used_memory:(\d+)", self.cli("INFO", "memory"), re.M).group(1))

    def benchmark(self, requests, tests="set,get,lpush"):
        """Microseconds of the server's own CPU time for a request."""
        before = self.cpu_ns()
        done = subprocess.run(
            [
                "redis-benchmark", "-s", self.socket, "-n", str(requests), "-t", tests,
                "-c", "20", "-r", "10000", "-q",
            ],
            capture_output=True, text=True, timeout=120, check=False,
        )
        equal(done.returncode, 0, f"status of redis-benchmark ({done.stderr.strip()})")
        return (self.cpu_ns() - before) / 1000 / (requests * (tests.count(",") + 1))

    def cpu_ns(self):
        """Of its first thread, which does the work."""
        return int(read_text(f"/proc/{self.pid}/schedstat").split()[0])


def quiet(mt):
    """Two more rows: whatever was under way is in them."""
    mt.wait_rows(2)
    return mt.rows[-1]


def test_payload(t):
    redis = Redis(t)
    mt = t.memtrace(redis.pid)
    check("jemalloc" in mt.stderr(), f"the attach line does not name jemalloc: {mt.stderr()!r}")
    before, used_before = quiet(mt), redis.used_memory()
    keys, size = 100_000, 200
    redis.cli("DEBUG", "POPULATE", keys, "key", size)
    used = redis.used_memory() - used_before
    after = quiet(mt)
    grown = after["live_bytes"] - before["live_bytes"]
    check(grown >= keys * size, f"live_bytes grew by {grown}, less than the payload {keys * size}")
    # used_memory counts what jemalloc rounded the requests up to.
    within(grown, used * 0.75, used * 1.01, f"growth of live_bytes against used_memory's {used}")
    within(mt.total("malloc_calls"), keys * 2, keys * 12, "sum of malloc_calls")
    equal(mt.total("lost_events"), 0, "lost_events")
    redis.cli("FLUSHALL", "SYNC")
    mt.wait_until(  # a thread of its own gives the memory back
        lambda: mt.rows[-1]["live_bytes"] - before["live_bytes"] < MIB, "fall of live_bytes"
    )
    left = redis.used_memory() - used_before
    empty = quiet(mt)
    within(
        empty["live_bytes"] - before["live_bytes"], left * 0.75 - 64 * KIB, left * 1.01 + 64 * KIB,
        f"growth of live_bytes after FLUSHALL against used_memory's {left}",
    )
    mt.finish()
    check(redis.answers(), "redis-server does not answer after the detach")


def test_benchmark(t):
    redis = Redis(t)
    untraced = redis.benchmark(20_000)
    mt = t.memtrace(redis.pid)
    traced = redis.benchmark(20_000)
    quiet(mt)
    check(mt.total("malloc_calls") > 20_000, "fewer malloc_calls than requests")
    check(mt.total("free_calls") > 20_000, "fewer free_calls than requests")
    equal(mt.total("lost_events"), 0, "lost_events")
    mt.finish()
    check(redis.answers(), "redis-server does not answer after the detach")
    again = redis.benchmark(20_000)
    t.note(f"µs CPU a request: {untraced:.1f} untraced, {traced:.1f} traced, {again:.1f} after")
    check(again < 3 * untraced, f"{again:.1f} µs a request after the detach, {untraced:.1f} before")


def test_background_save(t):
    """The forked child that saves is no part of the target, and can work."""
    redis = Redis(t)
    redis.cli("DEBUG", "POPULATE", 20_000, "key", 100)
    mt = t.memtrace(redis.pid)
    saved = redis.cli("LASTSAVE")
    time.sleep(1.1)
    redis.cli("BGSAVE")
    deadline = time.monotonic() + 30
    while redis.cli("LASTSAVE") == saved:
        check(time.monotonic() < deadline, "the background save does not end")
        time.sleep(0.1)
    check("rdb_last_bgsave_status:ok" in redis.cli("INFO", "persistence"), "the save failed")
    mt.finish()
    check(read_text(f"/proc/{redis.pid}/comm").startswith("redis"), "redis-server is gone")
