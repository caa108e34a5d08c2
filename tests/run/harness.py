# SPDX-License-Identifier: GPL-2.0-only
"""Finds and runs the cases: functions test_NAME(t) in modules test_*.py.

A case ends, or raises Failure or Skip. Whatever it started or made through `t` is gone when it
has ended, however it ended.
"""

import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

# All that the cases import, in one place.
from memtrace import Memtrace, Terminal, run_memtrace
from procfs import byte_states, read_text, smaps_sum, state_of, status_of
from program import Program, end_process, set_parent_death_signal
from row import CLASSES, COLUMNS, MALLOC_COLUMNS, MMAP_COLUMNS, parse_csv
from swap import make_swap, write_sysfs
from verdict import GIB, KIB, MEMTRACE, MIB, PAGE, PROGRAMS, PYTHON, RUN
from verdict import Failure, Skip, Timeout, check, equal, near, within

CASE_SECONDS = 300


class Case:
    """What a test function is given."""

    def __init__(self, name):
        self.name = name
        self.undo = []
        self.directory = tempfile.mkdtemp(prefix="memtrace-test-")
        os.chmod(self.directory, 0o755)

    def cleanup(self, function, *args):
        self.undo.append((function, args))

    def path(self, name):
        return os.path.join(self.directory, name)

    def note(self, text):
        """A figure for the reader; no verdict hangs on it."""
        print(f"# {self.name}: {text}", flush=True)

    def program(self, name, *args, **popen):
        path = name if os.path.isabs(name) else os.path.join(PROGRAMS, name)
        if not os.path.exists(path):
            raise Failure(f"{path} is not built (make programs)")
        program = Program([path, *args], **popen)
        self.cleanup(program.end)
        return program

    def python(self, wait_ready=True):
        """A python3 with numpy that does what it is told (target_python.py)."""
        program = Program(
            [PYTHON, os.path.join(RUN, "target_python.py")],
            wait_ready=wait_ready,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self.cleanup(program.end)
        return program

    def spawn(self, argv, **popen):
        """Any process, ended with the case."""
        process = subprocess.Popen(argv, preexec_fn=set_parent_death_signal, **popen)
        self.cleanup(end_process, process)
        return process

    def memtrace(self, pid, *options, attach=True, **kwargs):
        mt = Memtrace(self, pid, *options, **kwargs)
        if attach:
            mt.attached()
        return mt

    def terminal(self, *options):
        return Terminal(self, *options)

    def swap(self, size=768 * MIB):
        """Swap space for the length of the case."""
        return make_swap(self, size)

    def close(self):
        while self.undo:
            function, args = self.undo.pop()
            try:
                function(*args)
            except Exception as error:  # the rest must be undone all the same
                print(f"# {self.name}: cleanup: {error}", flush=True)
        shutil.rmtree(self.directory, ignore_errors=True)


def on_alarm(_signal, _frame):
    raise Timeout


def run_case(name, function):
    """ok, not ok or skip; prints its one line."""
    t = Case(name)
    verdict, why = "ok", ""
    try:
        signal.alarm(CASE_SECONDS)
        function(t)
    except Skip as reason:
        verdict, why = "skip", str(reason)
    except Failure as failure:
        verdict, why = "not ok", str(failure)
    except Timeout:
        verdict, why = "not ok", f"not done after {CASE_SECONDS} s"
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        why = f"{type(error).__name__}: {error} ({os.path.basename(where.filename)}:{where.lineno})"
        verdict = "not ok"
    finally:
        signal.alarm(0)
        t.close()
    why = " ".join(why.split())
    print(f"{verdict} {name}" + (f": {why}" if why else ""), flush=True)
    return verdict


def run_all(pattern):
    signal.signal(signal.SIGALRM, on_alarm)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if os.geteuid() != 0:
        print("run tests need root", file=sys.stderr)
        return 2
    if not os.access(MEMTRACE, os.X_OK):
        print(f"{MEMTRACE} is not built", file=sys.stderr)
        return 2
    sys.path.insert(0, RUN)
    modules = sorted(f[:-3] for f in os.listdir(RUN) if f.startswith("test_") and f.endswith(".py"))
    failed = 0
    for module_name in modules:
        module = importlib.import_module(module_name)
        for attribute, function in list(vars(module).items()):
            if not attribute.startswith("test_") or not callable(function):
                continue
            name = f"{module_name[5:]}.{attribute[5:]}"
            if pattern in name:
                failed += run_case(name, function) == "not ok"
    return 1 if failed else 0
