# SPDX-License-Identifier: GPL-2.0-only
"""Figures of the bench: medians over rounds, the limit each must keep, and their table."""

import os
import platform
import subprocess
from dataclasses import dataclass
from statistics import median


@dataclass
class Figure:
    section: str
    what: str
    values: list		# one per round
    unit: str			# "x": a ratio
    limit: float = None		# at most
    note: str = ""


def format_value(value, unit):
    if unit == "x":
        return "%.3f" % value if value < 2 else "%.2f" % value
    if abs(value) >= 100:
        return "%.0f" % value
    return "%.1f" % value if abs(value) >= 10 else "%.3f" % value


class Report:
    """Prints each figure as soon as it is known: a whole run takes a quarter of an hour."""

    line = "%-9s %-50s %10s %-6s %19s %8s  %s"

    def __init__(self):
        self.over = 0
        self.failed = 0

    def print_head(self):
        print("# %s" % machine())
        print(self.line % ("section", "what", "median", "unit", "lowest..highest", "limit", ""),
              flush=True)

    def add(self, section, what, values, unit, limit=None, note=""):
        figure = Figure(section, what, list(values), unit, limit, note)
        verdict = note
        if limit is not None:
            kept = median(figure.values) <= limit
            self.over += not kept
            verdict = ("ok" if kept else "OVER") + (": " + note if note else "")
        spread = "%s..%s" % (format_value(min(figure.values), unit),
                             format_value(max(figure.values), unit))
        print((self.line % (
            section, what, format_value(median(figure.values), unit), unit,
            spread if len(figure.values) > 1 else "",
            "" if limit is None else format_value(limit, unit), verdict)).rstrip(), flush=True)
        return median(figure.values)

    def skip(self, section, what, reason):
        print((self.line % (section, what, "-", "", "", "", reason)).rstrip(), flush=True)

    def fail(self, section, reason):
        self.failed += 1
        print(self.line % (section, "FAILED", "-", "", "", "", reason), flush=True)


def machine():
    """One line that says where the figures come from."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    libc = os.confstr("CS_GNU_LIBC_VERSION")
    guest = subprocess.run(["systemd-detect-virt"], capture_output=True, text=True).stdout.strip() \
        if os.path.exists("/usr/bin/systemd-detect-virt") else ""
    return "Linux %s, %d x %s%s, %s, load %.2f" % (
        platform.release(), len(names), names[0] if names else platform.machine(),
        " (%s)" % guest if guest and guest != "none" else "", libc, os.getloadavg()[0])
