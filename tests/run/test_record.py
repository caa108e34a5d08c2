# SPDX-License-Identifier: GPL-2.0-only
"""A recording replayed gives the rows that were printed when it was made."""

import os
import shutil

from harness import MEMTRACE, MIB, check, equal, read_text, run_memtrace


def replay_equals(t, mt, recording):
    result = run_memtrace("--replay", recording)
    equal(result.status, 0, f"exit status of --replay ({result.stderr!r})")
    written = read_text(mt.csv_path).splitlines()
    replayed = result.stdout.splitlines()
    equal(len(replayed), len(written), "lines of the replay")
    for number, (got, want) in enumerate(zip(replayed, written)):
        equal(got, want, f"line {number + 1} of the replay")
    t.note(f"{len(written) - 1} rows, {os.path.getsize(recording)} bytes")


def test_heap_and_pages(t):
    program = t.program("pages")
    recording = t.path("recording")
    mt = t.memtrace(program.pid, "--record", recording, interval=0.1)
    blocks = program.do("blocks", 3000, 10, 9000, 1)
    equal(blocks["blocks"], 3000, "test: blocks")
    at = program.do("map", 0, 16 * MIB)["addr"]
    program.do("write", at, 4 * MIB)
    program.do("read", at, 8 * MIB)
    mt.wait_rows(2)
    program.do("thin")
    program.do("unmap", at + MIB, 8 * MIB)
    program.do("remap", at + 9 * MIB, 7 * MIB, 30 * MIB)
    mt.wait_rows(2)
    mt.finish()
    replay_equals(t, mt, recording)


def test_busy_threads(t):
    program = t.program("storm", 300_000, 4)
    recording = t.path("recording")
    mt = t.memtrace(program.pid, "--record", recording, interval=0.1)
    program.do("go")
    program.do("drain")
    mt.wait_rows(2)
    mt.finish()
    equal(mt.total("lost_events"), 0, "lost_events")
    replay_equals(t, mt, recording)


def test_exec_and_end(t):
    program = t.program("exec_self")
    recording = t.path("recording")
    mt = t.memtrace(program.pid, "--record", recording, interval=0.1)
    program.do("hold", 100, 1000)
    program.send("exec")
    program.wait_for("ready")
    mt.wait_rows(12)
    program.do("hold", 10, 10)
    program.quit()
    equal(mt.wait_end(), 0, "exit status")
    replay_equals(t, mt, recording)


def test_replay_needs_no_root(t):
    program = t.program("pages")
    recording = t.path("recording")
    mt = t.memtrace(program.pid, "--record", recording, interval=0.1)
    program.do("malloc", 100)
    mt.wait_rows(2)
    mt.finish()
    os.chmod(recording, 0o644)
    binary = t.path("memtrace")
    shutil.copy(MEMTRACE, binary)
    os.chmod(binary, 0o755)

    def become_nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    result = run_memtrace("--replay", recording, memtrace=binary, preexec=become_nobody)
    equal(result.status, 0, f"exit status ({result.stderr!r})")
    equal(result.stdout, read_text(mt.csv_path), "rows")


def test_bad_recordings(t):
    """Missing, empty, foreign or cut: said, status 1; a cut one gives its whole rows first."""
    program = t.program("pages")
    recording = t.path("recording")
    mt = t.memtrace(program.pid, "--record", recording, interval=0.1)
    mt.wait_rows(3)
    mt.finish()
    with open(recording, "rb") as file:
        data = file.read()
    for what, content in {
        "empty": b"",
        "foreign": b"\x7fELF" + bytes(1000),
        "cut in its head": data[:5],
        "cut": data[: len(data) * 2 // 3],
    }.items():
        path = t.path("bad")
        with open(path, "wb") as file:
            file.write(content)
        result = run_memtrace("--replay", path)
        equal(result.status, 1, f"{what}: exit status ({result.stderr!r})")
        check(result.stderr.startswith("memtrace: "), f"{what}: stderr says {result.stderr!r}")
    result = run_memtrace("--replay", t.path("missing"))
    equal(result.status, 1, "exit status of a missing recording")
