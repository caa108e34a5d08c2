/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a sink may see: one immutable picture of the target per tick. Byte counts are bytes.
 * Counters are of the interval that ends here, gauges are of this instant.
 */
#ifndef MEMTRACE_SNAPSHOT_H
#define MEMTRACE_SNAPSHOT_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* A figure that could not be measured; sinks print it as an empty field, never as a number. */
#define SNAPSHOT_UNKNOWN UINT64_MAX

#define SNAPSHOT_COMM_SIZE 64	/* the kernel's 16 bytes, with room for longer kernel names */

struct snapshot {
	struct timespec time;		/* CLOCK_REALTIME */
	uint64_t elapsed_ns;		/* since attach, CLOCK_MONOTONIC */
	pid_t tgid;
	char comm[SNAPSHOT_COMM_SIZE];	/* any bytes but NUL: the target chooses them */

	/* Counters of the malloc family, unknown at --level mmap and pages. */
	uint64_t malloc_calls;
	uint64_t free_calls;
	uint64_t allocated_bytes;
	uint64_t freed_bytes;

	/* Counters of the program's own anonymous mappings, unknown at --level pages. */
	uint64_t mmap_calls;
	uint64_t munmap_calls;
	uint64_t mapped_bytes;
	uint64_t unmapped_bytes;

	/* Gauges: seen allocated since attach and not given back. */
	uint64_t live_blocks;		/* of the malloc family */
	uint64_t live_bytes;		/* heap_live_bytes + mmap_live_bytes, as far as known */
	uint64_t heap_live_bytes;
	uint64_t mmap_live_bytes;

	/* Gauges: the pages under live_bytes. The four sum to live_bytes, or all are unknown. */
	uint64_t live_resident_bytes;
	uint64_t live_zero_bytes;
	uint64_t live_swapped_bytes;
	uint64_t live_untouched_bytes;

	/* Gauges of the process, /proc/PID/status. */
	uint64_t vm_bytes;
	uint64_t rss_bytes;
	uint64_t rss_anon_bytes;
	uint64_t rss_file_bytes;
	uint64_t rss_shmem_bytes;
	uint64_t swap_bytes;
	uint64_t unattributed_bytes;	/* RssAnon under no live byte */

	/* Counters of faults: /proc/PID/stat, then the page-fault tracepoints. */
	uint64_t minor_faults;
	uint64_t major_faults;
	uint64_t user_faults;
	uint64_t kernel_faults;
	uint64_t write_faults;
	uint64_t zero_page_faults;
	uint64_t cow_faults;

	/* Counters of what memtrace itself could not see or match. */
	uint64_t lost_events;
	uint64_t unmatched_frees;
};

#endif
