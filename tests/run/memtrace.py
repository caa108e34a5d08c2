# SPDX-License-Identifier: GPL-2.0-only
"""memtrace itself at work: its rows as they come, its end, its talk."""

import contextlib
import csv
import io
import os
import pty
import select
import signal
import subprocess
import tempfile
import time

from procfs import byte_states, read_text, status_of
from program import end_process, set_parent_death_signal
from row import CLASSES, COLUMNS, STATUS_COLUMNS, parse_row
from verdict import MEMTRACE, Failure, Skip, check, equal


class Settled:
    """A target at rest: a row of it, and its status that did not change around the row."""

    def __init__(self, row, index, status, pid):
        self.row = row
        self.index = index
        self.status = status
        self.pid = pid

    def __getitem__(self, name):
        return self.row[name]

    def classes(self):
        return {name: self.row[f"live_{name}_bytes"] for name in CLASSES}

    def check_classes(self, blocks, what):
        """The four classes against the page tables, to the byte."""
        equal(self.classes(), byte_states(self.pid, blocks), f"{what}: the four classes")


class Memtrace:
    """memtrace at work, its CSV in a file that is read as it grows."""

    def __init__(self, t, pid, *options, interval=0.2, csv_file=True, env=None):
        self.pid = pid
        self.interval = interval
        self.directory = tempfile.mkdtemp(dir=t.directory)
        self.csv_path = os.path.join(self.directory, "out.csv")
        self.stderr_path = os.path.join(self.directory, "stderr")
        argv = [MEMTRACE, "-p", str(pid), "-i", str(interval), *map(str, options)]
        if csv_file:
            argv += ["-o", self.csv_path]
        self.started = time.monotonic()
        with open(self.stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                preexec_fn=set_parent_death_signal,
                env=env,
            )
        t.cleanup(end_process, self.process)
        self.rows = []
        self.header = None
        self.parsed = 0
        self.attach_seconds = None

    def stderr(self):
        return read_text(self.stderr_path)

    def poll_rows(self):
        try:
            with open(self.csv_path, "rb") as file:
                file.seek(self.parsed)
                data = file.read()
        except FileNotFoundError:
            return
        # A name in the comm column may hold a newline inside its quotes.
        end = data.rfind(b"\n") + 1
        while end and data[:end].count(b'"') % 2:
            end = data.rfind(b"\n", 0, end - 1) + 1
        self.parsed += end
        for fields in csv.reader(io.StringIO(data[:end].decode(errors="replace"), newline="")):
            if self.header is None:
                self.header = fields
                equal(fields, COLUMNS, "header")
            else:
                self.rows.append(parse_row(fields))

    def wait_until(self, condition, what, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            self.poll_rows()
            if condition():
                return
            if self.process.poll() is not None:
                self.poll_rows()
                if condition():
                    return
                raise Failure(
                    f"memtrace ended with status {self.process.returncode} while the test "
                    f"waited for {what}: {self.stderr().strip()!r}"
                )
            check(
                time.monotonic() < deadline,
                f"no {what} within {seconds} s; memtrace says {self.stderr().strip()!r}",
            )
            time.sleep(0.005)

    def attached(self, seconds=30):
        """Returns once the row at attach is written; then probes are armed."""
        self.wait_until(lambda: self.rows, "row at attach", seconds)
        self.attach_seconds = time.monotonic() - self.started
        equal(self.rows[0]["elapsed_s"], 0.0, "elapsed_s of the first row")
        return self

    def wait_rows(self, count, seconds=30):
        target = len(self.rows) + count
        self.wait_until(lambda: len(self.rows) >= target, f"{count} rows", seconds)

    @contextlib.contextmanager
    def settled(self, program):
        """The target stopped, with a row of that state that equals its status."""
        for _ in range(8):
            program.stop()
            try:
                before = status_of(self.pid)
                stopped = time.time()
                self.wait_until(
                    lambda: len([r for r in self.rows[-4:] if r["time"] > stopped + 0.001]) >= 2,
                    "rows of the stopped target",
                )
                index = len(self.rows) - 1
                row = self.rows[index]
                if before != status_of(self.pid):
                    continue
                for column, name in STATUS_COLUMNS.items():
                    equal(row[column], before[name], f"{column} against {name} of status")
                yield Settled(row, index, before, self.pid)
                return
            finally:
                program.go_on()
        raise Skip("the machine changes the memory of a stopped process all the time")

    def at_rest(self, program):
        """As settled(), for when the target may go on afterwards."""
        with self.settled(program) as state:
            return state

    def total(self, column, after=None, until=None):
        """Sum of a counter over the rows between two settled states."""
        first = after.index + 1 if after else 0
        last = until.index + 1 if until else len(self.rows)
        values = [row[column] for row in self.rows[first:last]]
        check(None not in values, f"{column} is unknown in some row")
        return sum(values)

    def totals(self, columns, after=None, until=None):
        return {column: self.total(column, after, until) for column in columns}

    def wait_end(self, seconds=20):
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"memtrace has not ended within {seconds} s") from None
        self.poll_rows()
        return self.process.returncode

    def finish(self, sig=signal.SIGINT, seconds=20):
        """Ctrl-C; memtrace must end well, with its CSV whole."""
        os.kill(self.process.pid, sig)
        start = time.monotonic()
        status = self.wait_end(seconds)
        self.detach_seconds = time.monotonic() - start
        equal(status, 0, f"exit status (stderr {self.stderr().strip()!r})")
        text = read_text(self.csv_path)
        check(text.endswith("\n"), "the CSV ends in the middle of a line")
        check(len(self.rows) >= 1, "no row at all")
        return self.rows


class Result:
    def __init__(self, status, stdout, stderr):
        self.status = status
        self.stdout = stdout
        self.stderr = stderr


def run_memtrace(
    *options, seconds=30, memtrace=None, stdout=subprocess.PIPE, preexec=None, **popen
):
    """memtrace to its end. stdout and stderr as text."""

    def prepare():
        set_parent_death_signal()
        if preexec:
            preexec()

    process = subprocess.Popen(
        [memtrace or MEMTRACE, *map(str, options)],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        preexec_fn=prepare,
        **popen,
    )
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=5)
        raise Failure(f"memtrace {' '.join(map(str, options))} does not end") from None
    finally:
        end_process(process)
    return Result(process.returncode, (out or b"").decode(), err.decode(errors="replace"))


class Terminal:
    """memtrace with its stdout on a terminal of our own."""

    def __init__(self, t, *options):
        self.master, slave = pty.openpty()
        self.text = b""
        self.stderr_path = t.path("stderr.tty")
        with open(self.stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(
                [MEMTRACE, *map(str, options)],
                stdin=subprocess.DEVNULL,
                stdout=slave,
                stderr=stderr,
                preexec_fn=set_parent_death_signal,
            )
        os.close(slave)
        t.cleanup(self.end)

    def read(self, seconds):
        """What comes for that long, or until memtrace ends."""
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                break
            try:
                part = os.read(self.master, 1 << 16)
            except OSError:  # EIO: the other side is closed
                break
            if not part:
                break
            self.text += part
        return self.text.decode(errors="replace").replace("\r\n", "\n")

    def finish(self):
        os.kill(self.process.pid, signal.SIGINT)
        text = self.read(20)
        self.process.wait(20)
        return text

    def end(self):
        end_process(self.process)
        with contextlib.suppress(OSError):
            os.close(self.master)
