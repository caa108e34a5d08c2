# SPDX-License-Identifier: GPL-2.0-only
"""How a case says what it found, and the figures that all cases share."""

import os

RUN = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(RUN))
MEMTRACE = os.path.abspath(os.environ.get("MEMTRACE", os.path.join(ROOT, "build/memtrace")))
PROGRAMS = os.path.join(ROOT, "build/programs")
PYTHON = "/usr/bin/python3"
PAGE = os.sysconf("SC_PAGESIZE")
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


class Failure(Exception):
    """What the case found wrong."""


class Skip(Exception):
    """Why the case cannot be run here."""


class Timeout(BaseException):
    """The case took too long; not an Exception, so that no helper swallows it."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def equal(got, want, what):
    check(got == want, f"{what} is {got!r}, want {want!r}")


def near(got, want, tolerance, what):
    check(
        got is not None and abs(got - want) <= tolerance,
        f"{what} is {got!r}, want {want!r} ± {tolerance!r}",
    )


def within(got, low, high, what):
    check(got is not None and low <= got <= high, f"{what} is {got!r}, want {low!r} to {high!r}")
