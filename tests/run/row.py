# SPDX-License-Identifier: GPL-2.0-only
"""The CSV as it is promised: columns, their order, what is true in every row."""

import csv
import datetime
import io

from verdict import check, equal, within

COLUMNS = """
time elapsed_s pid comm malloc_calls free_calls allocated_bytes freed_bytes mmap_calls
munmap_calls mapped_bytes unmapped_bytes live_blocks live_bytes heap_live_bytes mmap_live_bytes
live_resident_bytes live_zero_bytes live_swapped_bytes live_untouched_bytes vm_bytes rss_bytes
rss_anon_bytes rss_file_bytes rss_shmem_bytes swap_bytes unattributed_bytes minor_faults
major_faults user_faults kernel_faults write_faults zero_page_faults cow_faults lost_events
unmatched_frees
""".split()
MALLOC_COLUMNS = "malloc_calls free_calls allocated_bytes freed_bytes".split()
MMAP_COLUMNS = "mmap_calls munmap_calls mapped_bytes unmapped_bytes".split()
CLASSES = "resident zero swapped untouched".split()
STATUS_COLUMNS = {
    "vm_bytes": "VmSize",
    "rss_bytes": "VmRSS",
    "rss_anon_bytes": "RssAnon",
    "rss_file_bytes": "RssFile",
    "rss_shmem_bytes": "RssShmem",
    "swap_bytes": "VmSwap",
}


def parse_row(fields):
    equal(len(fields), len(COLUMNS), f"number of fields of row {fields}")
    row = dict(zip(COLUMNS, fields))
    for name in COLUMNS:
        text = row[name]
        if name == "time":
            stamp = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
            check(len(text) == 24, f"time {text!r} has no milliseconds")
            row[name] = stamp.replace(tzinfo=datetime.timezone.utc).timestamp()
        elif name == "elapsed_s":
            check(len(text.partition(".")[2]) == 3, f"elapsed_s {text!r} has not 3 decimals")
            row[name] = float(text)
        elif name != "comm":
            check(text == "" or text.isdigit(), f"{name} is {text!r}")
            row[name] = int(text) if text else None
    check_row(row)
    return row


def check_row(row):
    """What must be true in every row of every run."""
    classes = [row[f"live_{name}_bytes"] for name in CLASSES]
    if None in classes:
        check(classes == [None] * 4, f"only some of the four classes are known: {classes}")
    else:
        equal(sum(classes), row["live_bytes"], f"sum of the four classes {classes}")
    if None not in (row["heap_live_bytes"], row["mmap_live_bytes"]):
        equal(row["live_bytes"], row["heap_live_bytes"] + row["mmap_live_bytes"], "live_bytes")
    kinds = [row[f"rss_{name}_bytes"] for name in ("anon", "file", "shmem")]
    if None not in kinds:
        equal(row["rss_bytes"], sum(kinds), f"rss_bytes against anon + file + shmem {kinds}")
    if row["unattributed_bytes"] is not None:
        check(row["rss_anon_bytes"] is not None, "unattributed_bytes without rss_anon_bytes")
        within(row["unattributed_bytes"], 0, row["rss_anon_bytes"], "unattributed_bytes")
    for name, value in row.items():
        if isinstance(value, int):
            check(value < 1 << 60, f"{name} is {value}: less than nothing?")


def parse_csv(text):
    """The rows of a whole CSV."""
    lines = list(csv.reader(io.StringIO(text)))
    check(lines, "the CSV is empty")
    equal(lines[0], COLUMNS, "header")
    return [parse_row(fields) for fields in lines[1:]]
