/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sink turns snapshots into output. It never opens procfs, never sorts the model's data and
 * knows no BPF. Adding one is a file and a line in sink.c.
 */
#ifndef MEMTRACE_SINK_H
#define MEMTRACE_SINK_H

#include <stdio.h>

struct snapshot;

struct sink;

struct sink_ops {
	const char *name;
	/* Each returns 0 or a negative errno (-EPIPE: the reader is gone, -ENOSPC: disk full). */
	int (*begin)(FILE *out);				/* header */
	int (*row)(FILE *out, const struct snapshot *snapshot, unsigned int row_number);
};

extern const struct sink_ops csv_sink;		/* one header line, integers in bytes */
extern const struct sink_ops table_sink;	/* aligned KiB/MiB/GiB for a terminal */

/* Every row is flushed before row() returns, so that the output is whole to the last row. */
struct sink *sink__new(const struct sink_ops *ops, FILE *out);	/* borrows out; NULL: errno */
int sink__begin(struct sink *sink);
int sink__row(struct sink *sink, const struct snapshot *snapshot);
void sink__free(struct sink *sink);	/* does not close out */

#endif
