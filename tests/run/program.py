# SPDX-License-Identifier: GPL-2.0-only
"""Processes of a case: the test programs and their protocol."""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import time

from procfs import all_stopped, state_of
from verdict import Failure, check


def set_parent_death_signal():
    """In a child: die with the runner."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


def end_process(process):
    """Ends a child of ours by its pid, whatever state it is in."""
    if process.poll() is None:
        with contextlib.suppress(OSError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            with contextlib.suppress(OSError):
                stream.close()


class Program:
    """A test program under the protocol of tests/programs/talk.h."""

    def __init__(self, argv, wait_ready=True, **popen):
        self.process = subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            preexec_fn=set_parent_death_signal,
            **popen,
        )
        self.pid = self.process.pid
        self.name = os.path.basename(argv[0])
        self.pending = b""
        self.lines = []
        if wait_ready:
            self.wait_for("ready")

    def read_line(self, seconds=120):
        deadline = time.monotonic() + seconds
        while b"\n" not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Failure(f"{self.name} did not answer within {seconds} s")
            part = os.read(self.process.stdout.fileno(), 1 << 16)
            if not part:
                raise Failure(f"{self.name} ended: status {self.process.wait()}")
            self.pending += part
        line, _, self.pending = self.pending.partition(b"\n")
        line = line.decode(errors="replace")
        check(not line.startswith("failed"), f"{self.name}: {line}")
        return line

    def wait_for(self, word, seconds=120):
        """The first line that begins with word; those before it are kept in .lines."""
        self.lines = []
        while True:
            line = self.read_line(seconds)
            if line.split(" ")[0] == word:
                return line
            self.lines.append(line)

    def send(self, line):
        try:
            self.process.stdin.write(line.encode(errors="surrogateescape") + b"\n")
        except BrokenPipeError:
            raise Failure(f"{self.name} ended: status {self.process.wait()}") from None

    def do(self, *words, seconds=120):
        """One step; its answer as {key: number}."""
        self.send(" ".join(str(word) for word in words))
        answer = self.wait_for("done", seconds)
        result = dict(part.split("=", 1) for part in answer.split()[1:])
        return {key: int(value) for key, value in result.items()}

    def stop(self):
        os.kill(self.pid, signal.SIGSTOP)
        deadline = time.monotonic() + 20
        while not all_stopped(self.pid):
            check(time.monotonic() < deadline, f"test: {self.name} does not stop")
            time.sleep(0.002)

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    def is_alive(self):
        return self.process.poll() is None and state_of(self.pid) not in (None, "Z")

    def quit(self):
        """Ends by end of input, as a program that is done."""
        self.process.stdin.close()
        return self.process.wait(20)

    def end(self):
        end_process(self.process)
