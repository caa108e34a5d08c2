# SPDX-License-Identifier: GPL-2.0-only
"""Coming and going: the target is never worse for it."""

import os
import random
import shutil
import signal
import subprocess
import time

import footprint

from harness import (
    KIB, MEMTRACE, PROGRAMS, PYTHON, Skip, check, end_process, equal, near, run_memtrace, within,
)


def wait_clean(pid, seconds=5):
    """Until no probed byte is left in the target's libc."""
    deadline = time.monotonic() + seconds
    while True:
        left = footprint.changed(pid)
        if not left:
            return
        check(time.monotonic() < deadline, f"probes are left in {', '.join(left)}")
        time.sleep(0.02)


def rate_of(program):
    """Median of five."""
    return sorted(program.do("rate", 60)["rate"] for _ in range(5))[2]


def start_spinning(program):
    program.send("run")
    program.wait_for("running")


def stop_spinning(program):
    return program.do("stop")["pairs"]


def test_hundred_rounds(t):
    program = t.program("spin")
    before = rate_of(program)
    attach, detach = [], []
    start_spinning(program)
    for round_number in range(100):
        mt = t.memtrace(program.pid, "-q", interval=0.1)
        if round_number % 10 == 0:
            check(footprint.changed(program.pid), "test: no probe is seen while it is attached")
            mt.wait_rows(1)
            check(mt.rows[-1]["malloc_calls"] > 0, "no malloc_calls of a busy target")
        mt.finish()
        attach.append(mt.attach_seconds)
        detach.append(mt.detach_seconds)
        shutil.rmtree(mt.directory)
        check(program.is_alive(), f"the target died in round {round_number}")
    wait_clean(program.pid)
    check(stop_spinning(program) > 0, "the target did nothing")
    after = rate_of(program)
    attach.sort()
    detach.sort()
    t.note(
        f"attach {attach[50]:.3f} s (worst {attach[-1]:.3f}), "
        f"detach {detach[50]:.3f} s (worst {detach[-1]:.3f}), "
        f"pairs/s {before} before, {after} after"
    )
    check(attach[50] < 1, f"median attach takes {attach[50]:.3f} s")
    check(detach[50] < 1, f"median detach takes {detach[50]:.3f} s")
    check(after > before / 2, f"{after} pairs/s after a hundred rounds, {before} before")


def test_killed_in_the_middle(t):
    """SIGKILL at any time, also half-attached: no breakpoint stays."""
    program = t.program("spin")
    before = rate_of(program)
    start_spinning(program)
    dice = random.Random(1)
    caught = 0
    for round_number in range(25):
        mt = t.memtrace(program.pid, "-q", attach=round_number % 5 == 0, interval=0.1)
        time.sleep(dice.uniform(0, 0.35))
        mt.poll_rows()
        caught += bool(mt.rows)
        os.kill(mt.process.pid, signal.SIGKILL)
        mt.process.wait()
        check(program.is_alive(), f"the target died in round {round_number}")
        wait_clean(program.pid)
    stop_spinning(program)
    after = rate_of(program)
    t.note(f"{caught} of 25 were attached; pairs/s {before} before, {after} after")
    check(after > before / 2, f"{after} pairs/s after SIGKILLs, {before} before")
    mt = t.memtrace(program.pid, interval=0.1)
    program.do("rate", 10)
    mt.wait_rows(2)
    check(mt.total("malloc_calls") > 0, "a new memtrace sees nothing")
    mt.finish()


def test_killed_while_attaching(t):
    """The kernel must not be cut off with half of the breakpoints set."""
    program = t.program("spin")
    start_spinning(program)
    dice = random.Random(2)
    attached = 0
    for round_number in range(30):
        mt = t.memtrace(program.pid, "-q", attach=False, interval=0.1)
        time.sleep(dice.uniform(0.02, 0.07))
        mt.poll_rows()
        attached += bool(mt.rows)
        os.kill(mt.process.pid, signal.SIGKILL)
        mt.process.wait()
        wait_clean(program.pid)
        check(program.is_alive(), f"the target died in round {round_number}")
    stop_spinning(program)
    t.note(f"{attached} of 30 were attached already")


def test_hundred_objects(t):
    source, first = t.path("tiny.c"), t.path("tiny.so")
    with open(source, "w", encoding="ascii") as file:
        file.write("int tiny(int x) { return x + 1; }\nvoid *other(void) { return tiny; }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", first, source], check=True)
    paths = [t.path(f"tiny{i}.so") for i in range(100)]
    for path in paths:
        shutil.copy(first, path)
    program = t.program("objects", *paths)
    times = []
    for _ in range(5):
        mt = t.memtrace(program.pid, interval=0.1)
        program.do("rate", 20)
        mt.wait_rows(2)
        check(mt.total("malloc_calls") > 0, "no malloc_calls")
        mt.finish()
        times.append((mt.attach_seconds, mt.detach_seconds))
    attach, detach = (sorted(column)[2] for column in zip(*times))
    t.note(f"100 objects: attach {attach:.3f} s, detach {detach:.3f} s")
    check(attach < 1 and detach < 1, f"attach takes {attach:.3f} s, detach {detach:.3f} s")


def test_three_thousand_threads(t):
    program = t.program("threads", 3000)
    mt = t.memtrace(program.pid)
    program.do("rate", 100)
    program.do("churn", 200)
    s = mt.at_rest(program)
    check(mt.total("malloc_calls") > 200, "no malloc_calls")
    equal(mt.total("mmap_calls"), 0, "mmap_calls: stacks are libc's")
    equal(mt.total("lost_events"), 0, "lost_events")
    mt.finish()
    t.note(f"attach {mt.attach_seconds:.3f} s, detach {mt.detach_seconds:.3f} s, rows {s.index}")
    program.do("churn", 10)
    wait_clean(program.pid)


def exec_self(t, *options):
    program = t.program("exec_self")
    mt = t.memtrace(program.pid, *options)
    program.do("hold", 500, 2000)
    s0 = mt.at_rest(program)
    equal(s0["live_blocks"], 500, "live_blocks before the exec")
    equal(s0["live_bytes"], 1_000_000, "live_bytes before the exec")
    said = len(mt.stderr())
    for round_number in range(3):
        program.send("exec")
        program.wait_for("ready")
        time.sleep(1.5)
        s1 = mt.at_rest(program)
        check(s1["live_bytes"] < 100 * KIB, f"old blocks are live: {s1['live_bytes']} bytes")
        truth = program.do("hold", 300, 3000)
        with mt.settled(program) as s2:
            equal(s2["live_blocks"] - s1["live_blocks"], 300, "growth of live_blocks")
            equal(s2["live_bytes"] - s1["live_bytes"], truth["live_bytes"], "growth of live_bytes")
            equal(mt.total("malloc_calls", s1, s2), 300, "malloc_calls")
        check(program.is_alive(), f"the target died in round {round_number}")
    program.do("drop")
    s3 = mt.at_rest(program)
    equal(s3["live_bytes"], s1["live_bytes"], "live_bytes after dropping all")
    news = mt.stderr()[said:]
    check("exec" in news, f"nothing on stderr tells of the exec: {news!r}")
    mt.finish()
    program.do("hold", 1, 1)
    wait_clean(program.pid)


def test_exec_self(t):
    """The old blocks are gone with the old image; the new one's are seen."""
    exec_self(t)


def test_exec_without_its_tracepoint(t):
    """Seen at the next tick, by the stack."""
    exec_self(t, "--without", "exec-tracepoint")


def test_exec_from_a_thread(t):
    program = t.program("exec_self")
    mt = t.memtrace(program.pid)
    program.do("hold", 500, 2000)
    mt.at_rest(program)
    program.send("exec_thread")
    program.wait_for("ready")
    time.sleep(1.5)
    s1 = mt.at_rest(program)
    check(s1["live_bytes"] < 100 * KIB, f"old blocks are live: {s1['live_bytes']} bytes")
    program.do("hold", 300, 3000)
    s2 = mt.at_rest(program)
    equal(s2["live_blocks"] - s1["live_blocks"], 300, "growth of live_blocks")
    mt.finish()


def test_children_exec(t):
    """Programs that the target starts, by vfork and exec, are no exec of the target."""
    script = (
        "import subprocess,sys\n"
        "blocks = []\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "blocks.append(bytearray(50 << 20))\n"
        "for i in range(100):\n"
        "    subprocess.run(['/bin/true'], check=True)\n"
        "print('done', flush=True)\n"
        "sys.stdin.readline()\n"
    )
    process = t.spawn(
        [PYTHON, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    equal(process.stdout.readline().strip(), "ready", "test: first line")
    mt = t.memtrace(process.pid)
    process.stdin.write("go\n")
    process.stdin.flush()
    equal(process.stdout.readline().strip(), "done", "last line of the target")
    mt.wait_rows(2)
    check(mt.rows[-1]["live_bytes"] >= 50 << 20, "the target's own blocks are gone")
    check("exec" not in mt.stderr(), f"stderr tells of an exec: {mt.stderr()!r}")
    equal({row["comm"] for row in mt.rows}, {"python3"}, "comm")
    mt.finish()


def test_first_thread_leaves(t):
    """The process lives on without its first thread, and so does the trace."""
    program = t.program("threads", 3)
    mt = t.memtrace(program.pid)
    program.do("leave")
    mt.wait_rows(2)
    calls = mt.total("malloc_calls")
    program.do("rate", 20)
    mt.wait_rows(2)
    check(mt.total("malloc_calls") > calls, "no malloc_calls after the first thread has left")
    t.note(f"rss_bytes {mt.rows[-1]['rss_bytes']}, live_bytes {mt.rows[-1]['live_bytes']}")
    check(mt.process.poll() is None, "memtrace has ended")
    program.process.stdin.close()
    equal(mt.wait_end(), 0, "exit status")
    late = t.program("threads", 3)
    late.do("leave")
    result = run_memtrace("-p", late.pid, "-d", "0.5", "-i", "0.1")
    check(result.status in (0, 1), f"exit status {result.status}: {result.stderr!r}")
    t.note(f"attached after it had left: status {result.status}, {result.stderr.splitlines()[0]}")


def test_exec_into_another_allocator(t):
    """By way of a shell: the last image's allocator is the one that counts."""
    if subprocess.run(
        ["/bin/true"], env={"LD_PRELOAD": "libjemalloc.so.2"}, capture_output=True, check=False
    ).stderr:
        raise Skip("libjemalloc.so.2 is not installed")
    script = t.path("start")
    with open(script, "w", encoding="ascii") as file:
        path = os.path.join(PROGRAMS, "exec_self")
        file.write(f"#!/bin/sh\nLD_PRELOAD=libjemalloc.so.2 exec {path}\n")
    os.chmod(script, 0o755)
    program = t.program("exec_self")
    mt = t.memtrace(program.pid)
    program.do("hold", 500, 2000)
    program.send(f"exec {script} -")
    program.wait_for("ready")
    time.sleep(2)
    s1 = mt.at_rest(program)
    program.do("hold", 300, 3000)
    s2 = mt.at_rest(program)
    equal(s2["live_blocks"] - s1["live_blocks"], 300, "growth of live_blocks")
    equal(s2["live_bytes"] - s1["live_bytes"], 900_000, "growth of live_bytes")
    equal(mt.total("malloc_calls", s1, s2), 300, "malloc_calls")
    equal(mt.total("mmap_calls", s1, s2), 0, "mmap_calls: jemalloc's own")
    mt.finish()


def test_exec_other(t):
    """Into a program without malloc of its own making, which then ends."""
    program = t.program("exec_self")
    mt = t.memtrace(program.pid)
    program.do("hold", 500, 2000)
    program.send("exec /bin/sleep 1.5")
    equal(mt.wait_end(), 0, "exit status of memtrace")
    equal(mt.rows[-1]["pid"], program.pid, "pid")
    check("sleep" in [row["comm"] for row in mt.rows], "comm never is sleep")
    equal(program.process.wait(10), 0, "exit status of sleep")


def test_target_exits(t):
    program = t.program("pages")
    mt = t.memtrace(program.pid, interval=5)
    at = program.do("malloc", 1234567)["addr"]
    check(at, "test: malloc failed")
    start = time.monotonic()
    program.send("quit 3")
    equal(mt.wait_end(), 0, "exit status of memtrace")
    within(time.monotonic() - start, 0, 3, "seconds until memtrace noticed")
    equal(len(mt.rows), 2, "rows: at attach and at the end")
    equal(mt.total("malloc_calls"), 1, "malloc_calls")
    equal(mt.total("allocated_bytes"), 1234567, "allocated_bytes")
    equal(program.process.wait(10), 3, "exit status of the target")
    check(mt.stderr().count("\n") >= 2, f"no summary: {mt.stderr()!r}")


def test_target_killed(t):
    program = t.program("spin")
    mt = t.memtrace(program.pid)
    start_spinning(program)
    mt.wait_rows(3)
    os.kill(program.pid, signal.SIGKILL)
    equal(mt.wait_end(), 0, "exit status of memtrace")
    check(mt.total("malloc_calls") > 0, "no malloc_calls")


def test_target_ends_in_mid_attach(t):
    """Whenever it happens: an end in good order, 0 or 1, and no partial file with 1."""
    dice = random.Random(2)
    statuses = []
    for i in range(20):
        program = t.program("spin")
        mt = t.memtrace(program.pid, attach=False)
        time.sleep(dice.uniform(0, 0.3))
        program.end()
        status = mt.wait_end()
        check(status in (0, 1), f"exit status {status}: {mt.stderr()!r}")
        if status == 1:
            check(mt.stderr().startswith("memtrace: "), f"stderr says {mt.stderr()!r}")
            check(not os.path.exists(mt.csv_path), "an output file is left after status 1")
        else:
            check(mt.rows, "no row with status 0")
        statuses.append(status)
    t.note(f"{statuses.count(1)} of {len(statuses)} ended before the attach")


def test_duration(t):
    program = t.program("spin")
    mt = t.memtrace(program.pid, "-d", "1.25", interval=0.5)
    equal(mt.wait_end(), 0, "exit status")
    elapsed = [row["elapsed_s"] for row in mt.rows]
    equal(len(elapsed), 4, f"rows at 0, 0.5, 1 and the partial one, not {elapsed}")
    near(elapsed[-1], 1.25, 0.2, "elapsed_s of the last row")
    check(elapsed == sorted(set(elapsed)), f"elapsed_s does not grow: {elapsed}")
    check(program.is_alive(), "the target died")


def test_tenth_of_a_second(t):
    program = t.program("spin")
    mt = t.memtrace(program.pid, "-d", "3", interval=0.1)
    equal(mt.wait_end(), 0, "exit status")
    within(len(mt.rows), 20, 32, "rows in 3 s at -i 0.1")
    times = [row["time"] for row in mt.rows]
    check(times == sorted(times), "time goes backwards")


def test_signals_write_the_last_row(t):
    for sig in (signal.SIGINT, signal.SIGTERM):
        program = t.program("pages")
        mt = t.memtrace(program.pid, interval=30)
        equal(len(mt.rows), 1, "test: rows before the signal")
        program.do("malloc", 5000)
        time.sleep(0.3)
        mt.finish(sig)
        equal(len(mt.rows), 2, f"rows after {sig.name}")
        equal(mt.rows[1]["malloc_calls"], 1, f"malloc_calls of the last row after {sig.name}")
        check(0 < mt.rows[1]["elapsed_s"] < 10, f"elapsed_s {mt.rows[1]['elapsed_s']}")
        program.do("malloc", 1)
        wait_clean(program.pid)


def test_stopped_target(t):
    """Attach to and detach from a target that runs not at all."""
    program = t.program("spin")
    program.stop()
    mt = t.memtrace(program.pid)
    mt.wait_rows(2)
    mt.finish()
    wait_clean(program.pid)
    program.go_on()
    check(program.do("rate", 20)["pairs"] > 0, "the target does not go on")


def test_fork_storm(t):
    """A target that forks all the time can; its children end well."""
    script = (
        "import os,sys,time\n"
        "print('ready', flush=True)\n"
        "end = time.monotonic() + 3\n"
        "n = bad = 0\n"
        "while time.monotonic() < end:\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        l = [bytearray(5000) for _ in range(20)]\n"
        "        os._exit(0)\n"
        "    bad += os.waitpid(pid, 0)[1] != 0\n"
        "    n += 1\n"
        "print('done', n, bad, flush=True)\n"
    )
    process = t.spawn([PYTHON, "-c", script], stdout=subprocess.PIPE, text=True)
    equal(process.stdout.readline().strip(), "ready", "test: first line")
    mt = t.memtrace(process.pid)
    word, count, bad = process.stdout.readline().split()
    equal((word, bad), ("done", "0"), "last line: done, children that died")
    check(int(count) > 50, f"only {count} forks in 3 s")
    equal(mt.wait_end(), 0, "exit status of memtrace")


def test_two_at_once(t):
    """Two memtraces on one target each see all of it."""
    program = t.program("pages")
    first, second = t.memtrace(program.pid), t.memtrace(program.pid)
    program.do("blocks", 1000, 10, 1000, 1)
    for mt in (first, second):
        s = mt.at_rest(program)
        equal(s["live_blocks"], 1000, "live_blocks")
        equal(mt.total("malloc_calls"), 1000, "malloc_calls")
    first.finish()
    program.do("thin")
    s = second.at_rest(program)
    equal(s["live_blocks"], 500, "live_blocks of the second after the first has gone")
    second.finish()
    wait_clean(program.pid)


def test_foreign_libc(t):
    """A target that loads a private copy of libc is probed there."""
    libc = footprint.libc_text("self")[0]
    directory = t.path("lib")
    os.mkdir(directory)
    shutil.copy(libc, os.path.join(directory, "libc.so.6"))
    program = t.program("pages", env={**os.environ, "LD_LIBRARY_PATH": directory})
    if not footprint.libc_text(program.pid)[0].startswith(directory):
        raise Skip("the loader did not take the copy")
    mt = t.memtrace(program.pid)
    program.do("blocks", 100, 10, 1000, 1)
    s = mt.at_rest(program)
    equal(s["live_blocks"], 100, "live_blocks")
    mt.finish()


def test_libc_in_a_mount_namespace(t):
    """As in a container: the path that the target has is not there for memtrace."""
    libc = footprint.libc_text("self")[0]
    directory = t.path("lib")
    os.mkdir(directory)
    program = t.program(
        "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
        'mount -t tmpfs memtrace-test "$1" && cp "$2" "$1" && LD_LIBRARY_PATH=$1 exec "$3"',
        "sh", directory, libc, os.path.join(PROGRAMS, "pages"),
    )
    check(footprint.libc_text(program.pid)[0].startswith(directory), "test: libc is another")
    check(not os.listdir(directory), "test: the namespace is not private")
    mt = t.memtrace(program.pid)
    program.do("blocks", 100, 10, 1000, 1)
    s = mt.at_rest(program)
    equal(s["live_blocks"], 100, "live_blocks")
    mt.finish()
    wait_clean(program.pid)


def test_deleted_libc(t):
    """As after an upgrade under a running program: seen, or said."""
    libc = footprint.libc_text("self")[0]
    directory = t.path("lib")
    os.mkdir(directory)
    copy = os.path.join(directory, "libc.so.6")
    shutil.copy(libc, copy)
    program = t.program("pages", env={**os.environ, "LD_LIBRARY_PATH": directory})
    os.unlink(copy)
    mt = t.memtrace(program.pid)
    program.do("blocks", 100, 10, 1000, 1)
    s = mt.at_rest(program)
    if s["live_blocks"] != 100:
        equal(s["malloc_calls"], None, "malloc_calls of a target whose libc cannot be probed")
        check(mt.stderr().strip(), "nothing is said about it")
    t.note(f"live_blocks {s['live_blocks']}")
    mt.finish()


def test_closed_standard_files(t):
    """Started with stdin and stdout closed, as by some supervisors."""
    program = t.program("spin")
    process = subprocess.Popen(
        ["/bin/sh", "-c", 'exec "$0" "$@" <&- >&-', MEMTRACE, "-p", str(program.pid),
         "-o", t.path("a.csv"), "-d", "0.5", "-q"],
        stderr=subprocess.PIPE,
    )
    t.cleanup(end_process, process)
    process.communicate(timeout=20)
    equal(process.returncode, 0, "exit status")
    result = run_memtrace("-p", program.pid, "-d", "0.3")
    equal(result.status, 0, "exit status of the run after it")
