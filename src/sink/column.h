/* SPDX-License-Identifier: GPL-2.0-only */
/* Every output column, once: name, kind, where it is in the snapshot, what it means. */
#ifndef MEMTRACE_COLUMN_H
#define MEMTRACE_COLUMN_H

#include <stddef.h>

enum column_kind {
	COLUMN_TIME,		/* struct timespec: RFC 3339 UTC, milliseconds */
	COLUMN_ELAPSED,		/* uint64_t ns, shown as seconds with 3 decimals */
	COLUMN_PID,		/* pid_t */
	COLUMN_TEXT,		/* char[], bytes of the target's choosing */
	COLUMN_COUNT_NUMBER,	/* uint64_t events or blocks */
	COLUMN_BYTES,		/* uint64_t bytes */
};

struct column {
	const char *name;	/* of the CSV; keeps its meaning once released */
	const char *title;	/* short head in the table; NULL: not shown there */
	enum column_kind kind;
	size_t offset;		/* in struct snapshot */
	const char *help;	/* one line, for the manual and --help */
};

extern const struct column columns[];
extern const size_t column_count;

#endif
