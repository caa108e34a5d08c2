/* SPDX-License-Identifier: GPL-2.0-only */
/* What is said on stderr when a run is over. */
#ifndef MEMTRACE_SUMMARY_H
#define MEMTRACE_SUMMARY_H

#include <stdint.h>
#include <stdio.h>

struct snapshot;

/*
 * Zero-initialise, give every row to summary__update(), fill the last three fields, print. What
 * no row knew is SNAPSHOT_UNKNOWN.
 */
struct summary {
	uint64_t row_count;
	uint64_t duration_ns;
	uint64_t peak_live_bytes;
	uint64_t peak_rss_bytes;

	/* The classes of the last row that knew them. */
	uint64_t live_resident_bytes;
	uint64_t live_zero_bytes;
	uint64_t live_swapped_bytes;
	uint64_t live_untouched_bytes;

	uint64_t lost_events;		/* sums over all rows */
	uint64_t unmatched_frees;

	uint64_t own_cpu_ns;		/* of memtrace itself, user and system */
	uint64_t own_rss_bytes;
	const char *end_reason;		/* "the target has ended"; borrowed, NULL: not said */
};

void summary__update(struct summary *summary, const struct snapshot *snapshot);
void summary__print(const struct summary *summary, FILE *err);

#endif
