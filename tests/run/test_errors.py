# SPDX-License-Identifier: GPL-2.0-only
"""Bad input: one clear line, the right exit status, nothing left behind."""

import os
import shutil
import signal
import subprocess
import time

from harness import COLUMNS, MEMTRACE, PAGE, PROGRAMS, Skip, check, end_process, equal, parse_csv
from harness import read_text, run_memtrace, state_of


def expect_refusal(t, what, *options, status=1, words=(), **run):
    """The status, a message in memtrace's manner with all the words in it, and no output file."""
    out = t.path("refused.csv")
    if status != 2 and "-o" not in options:
        options += ("-o", out)
    result = run_memtrace(*options, **run)
    statuses = status if isinstance(status, tuple) else (status,)
    check(
        result.status in statuses,
        f"{what}: exit status {result.status}, want {status}: {result.stderr!r}",
    )
    check(result.stderr, f"{what}: nothing on stderr")
    for line in result.stderr.splitlines():
        check(line.startswith("memtrace: "), f"{what}: stderr says {line!r}")
    for word in words:
        check(word in result.stderr, f"{what}: no {word!r} in {result.stderr!r}")
    equal(result.stdout, "", f"{what}: stdout")
    check(not os.path.exists(out), f"{what}: an output file is left")
    return result


def test_usage(t):
    program = t.program("pages")
    pid = program.pid
    for what, options in {
        "no option at all": [],
        "option without its argument": ["-p"],
        "unknown option": ["-p", pid, "-x"],
        "unknown long option": ["-p", pid, "--frobnicate"],
        "interval 0": ["-p", pid, "-i", "0"],
        "interval below the minimum": ["-p", pid, "-i", "0.05"],
        "negative interval": ["-p", pid, "-i", "-1"],
        "interval that is no number": ["-p", pid, "-i", "1s"],
        "interval nan": ["-p", pid, "-i", "nan"],
        "empty interval": ["-p", pid, "-i", ""],
        "duration that is no number": ["-p", pid, "-d", "soon"],
        "negative duration": ["-p", pid, "-d", "-3"],
        "unknown level": ["-p", pid, "-l", "everything"],
        "operand": ["-p", pid, "stray"],
        "two PIDs": ["-p", pid, "-p", pid],
        "unknown feature": ["-p", pid, "--without", "nothing"],
    }.items():
        expect_refusal(t, what, *options, status=2)
    check(program.is_alive(), "the target died")


def test_pids(t):
    for text in ("abc", "12x", "", "-1", "0", "1.5", "99999999999999999999"):
        expect_refusal(t, f"PID {text!r}", "-p", text, status=(1, 2))
    dead = t.spawn(["/bin/true"])
    dead.wait()
    expect_refusal(t, "dead process", "-p", dead.pid, words=[str(dead.pid)])
    zombie = t.spawn(["/bin/true"])
    deadline = time.monotonic() + 5
    while state_of(zombie.pid) != "Z":
        check(time.monotonic() < deadline, "test: no zombie")
        time.sleep(0.01)
    expect_refusal(t, "zombie", "-p", zombie.pid, words=["zombie"])


def test_kernel_thread(t):
    try:
        thread = read_text("/proc/2/comm").strip()
    except OSError:
        raise Skip("no kernel thread can be seen here") from None
    equal(thread, "kthreadd", "test: name of process 2")
    expect_refusal(t, "kernel thread", "-p", 2, words=["kernel thread"])


def test_itself(t):
    out = t.path("self.csv")
    result = subprocess.run(
        ["/bin/sh", "-c", f"exec {MEMTRACE} -p $$ -o {out}"],
        capture_output=True, text=True, timeout=20, check=False,
    )
    equal(result.returncode, 1, f"exit status (stderr {result.stderr!r})")
    check(result.stderr.startswith("memtrace: "), f"stderr says {result.stderr!r}")
    check("itself" in result.stderr, f"stderr says {result.stderr!r}")
    check(not os.path.exists(out), "an output file is left")


def test_thread_id(t):
    """A TID is not a PID: refused, or the whole process is traced; the row says which."""
    program = t.program("threads", 2)
    tid = max(int(name) for name in os.listdir(f"/proc/{program.pid}/task"))
    check(tid != program.pid, "test: no second thread")
    result = run_memtrace("-p", tid, "-d", "0.3")
    check(result.status in (0, 1), f"exit status {result.status}")
    if result.status == 0:
        equal(parse_csv(result.stdout)[0]["pid"], program.pid, "pid column")
    else:
        check(str(program.pid) in result.stderr, f"no hint at the process: {result.stderr!r}")


def test_not_root(t):
    program = t.program("spin")
    binary = t.path("memtrace")
    shutil.copy(MEMTRACE, binary)
    os.chmod(binary, 0o755)

    def become_nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    result = run_memtrace("-p", program.pid, memtrace=binary, preexec=become_nobody)
    equal(result.status, 1, f"exit status (stderr {result.stderr!r})")
    check(result.stderr.startswith("memtrace: "), f"stderr says {result.stderr!r}")
    check(
        "root" in result.stderr or "CAP_" in result.stderr,
        f"neither root nor a capability is named: {result.stderr!r}",
    )
    equal(result.stdout, "", "stdout")


def test_missing_capability(t):
    """Root without CAP_BPF and CAP_SYS_ADMIN: they are named."""
    program = t.program("spin")
    if not shutil.which("setpriv"):
        raise Skip("setpriv is not installed")
    result = subprocess.run(
        ["setpriv", "--bounding-set=-sys_admin,-bpf,-perfmon", "--inh-caps=-all",
         MEMTRACE, "-p", str(program.pid), "-d", "0.5"],
        capture_output=True, text=True, timeout=20, check=False,
    )
    equal(result.returncode, 1, f"exit status (stderr {result.stderr!r})")
    check("CAP_" in result.stderr, f"no capability is named: {result.stderr!r}")


def build_static(t, *flags):
    path = t.path("static")
    done = subprocess.run(
        ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-fno-builtin", "-static", *flags, "-o",
         path, os.path.join(os.path.dirname(PROGRAMS), "..", "tests/programs/pages.c"), "-pthread"],
        capture_output=True, text=True, check=False,
    )
    if done.returncode:
        raise Skip("cannot link a static program: " + " ".join(done.stderr.split())[-100:])
    return path


def test_static_stripped(t):
    """Says that it finds no allocator, and goes on with what is left."""
    program = t.program(build_static(t, "-s"))
    mt = t.memtrace(program.pid)
    text = mt.stderr()
    check("allocator" in text, f"nothing is said of the missing allocator: {text!r}")
    s0 = mt.at_rest(program)
    at = program.do("map", 0, 512 * PAGE)["addr"]
    program.do("write", at, 512 * PAGE)
    s1 = mt.at_rest(program)
    equal(s1["malloc_calls"], None, "malloc_calls")
    check(mt.total("user_faults", s0, s1) >= 512, "fewer user_faults than pages")
    check(s1["rss_anon_bytes"] - s0["rss_anon_bytes"] >= 512 * PAGE, "rss_anon_bytes did not grow")
    mt.finish()
    check(program.is_alive(), "the target died")
    program.quit()


def test_static_with_symbols(t):
    """As any other target, or said as of a stripped one."""
    program = t.program(build_static(t))
    mt = t.memtrace(program.pid)
    program.do("blocks", 100, 10, 1000, 1)
    s = mt.at_rest(program)
    if s["malloc_calls"] is None:
        check("allocator" in mt.stderr(), f"nothing is said: {mt.stderr()!r}")
    else:
        equal(s["live_blocks"], 100, "live_blocks")
    t.note(f"live_blocks {s['live_blocks']}")
    mt.finish()
    program.quit()


def test_output_folder_missing(t):
    program = t.program("spin")
    path = t.path("no/such/folder.csv")
    expect_refusal(t, "missing folder", "-p", program.pid, "-o", path, words=[path])


def test_output_exists(t):
    program = t.program("spin")
    path = t.path("there.csv")
    with open(path, "w", encoding="ascii") as file:
        file.write("precious\n")
    expect_refusal(t, "existing file", "-p", program.pid, "-o", path, words=[path, "-f"])
    equal(read_text(path), "precious\n", "the file that was there")
    result = run_memtrace("-p", program.pid, "-o", path, "-f", "-d", "0.3", "-q")
    equal(result.status, 0, f"exit status with -f ({result.stderr!r})")
    check(len(parse_csv(read_text(path))) >= 2, "too few rows with -f")


def test_forced_output_survives_a_refusal(t):
    """-f overwrites at work, not when the target cannot be traced at all."""
    path = t.path("there.csv")
    with open(path, "w", encoding="ascii") as file:
        file.write("precious\n")
    dead = t.spawn(["/bin/true"])
    dead.wait()
    result = run_memtrace("-p", dead.pid, "-o", path, "-f")
    equal(result.status, 1, "exit status")
    equal(read_text(path), "precious\n", "the file that was there")


def test_output_is_a_folder(t):
    program = t.program("spin")
    expect_refusal(t, "folder", "-p", program.pid, "-o", t.directory, "-f", words=[t.directory])


def test_disk_full(t):
    program = t.program("spin")
    with open("/dev/full", "wb") as full:
        result = run_memtrace("-p", program.pid, "-i", "0.1", stdout=full)
    equal(result.status, 1, f"exit status (stderr {result.stderr!r})")
    lines = [line for line in result.stderr.splitlines() if "No space left" in line]
    equal(len(lines), 1, f"lines that say so in {result.stderr!r}")
    check(lines[0].startswith("memtrace: "), f"stderr says {lines[0]!r}")
    result = run_memtrace("-p", program.pid, "-i", "0.1", "-o", "/dev/full", "-f")
    equal(result.status, 1, f"exit status with -o /dev/full (stderr {result.stderr!r})")
    check("No space left" in result.stderr, f"stderr says {result.stderr!r}")
    check(os.path.exists("/dev/full"), "/dev/full was removed")
    check(program.is_alive(), "the target died")


def test_disk_fills_up(t):
    """A small file system that is full after some rows."""
    program = t.program("spin")
    folder = t.path("small")
    os.mkdir(folder)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8k", "memtrace-test", folder],
        capture_output=True, text=True, check=False,
    )
    if done.returncode:
        raise Skip(f"cannot mount: {done.stderr.strip()}")
    t.cleanup(subprocess.run, ["umount", "-l", folder])
    path = os.path.join(folder, "out.csv")
    result = run_memtrace("-p", program.pid, "-i", "0.1", "-o", path, seconds=60)
    equal(result.status, 1, f"exit status (stderr {result.stderr!r})")
    check("No space left" in result.stderr, f"stderr says {result.stderr!r}")
    program.do("rate", 10)


def test_reader_gone(t):
    """memtrace | head -1: quiet, and soon."""
    program = t.program("spin")
    process = subprocess.Popen(
        [MEMTRACE, "-p", str(program.pid), "-i", "0.1", "-q"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )
    t.cleanup(end_process, process)
    header = process.stdout.readline().decode().strip()
    equal(header, ",".join(COLUMNS), "header")
    process.stdout.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        check(False, "memtrace goes on without its reader")
    equal(process.stderr.read().decode(), "", "stderr")
    check(
        process.returncode in (0, 1, -signal.SIGPIPE), f"exit status {process.returncode}"
    )
    t.note(f"exit status {process.returncode}")
    program.do("rate", 10)
    result = subprocess.run(
        ["/bin/sh", "-c", f"{MEMTRACE} -p {program.pid} -i 0.1 -d 5 2>&1 | head -1"],
        capture_output=True, text=True, timeout=20, check=False,
    )
    equal(len(result.stdout.splitlines()), 1, "lines through head -1")


def test_target_lives_through_refusals(t):
    """Nothing of the above is left in a target: errors after the attach detach."""
    import footprint

    program = t.program("spin")
    with open("/dev/full", "wb") as full:
        run_memtrace("-p", program.pid, "-i", "0.1", stdout=full)
    deadline = time.monotonic() + 5
    while footprint.changed(program.pid):
        check(time.monotonic() < deadline, "probes are left after an error")
        time.sleep(0.05)
