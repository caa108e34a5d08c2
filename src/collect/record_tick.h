/* SPDX-License-Identifier: GPL-2.0-only */
/* The fixed part of a recorded sample; between record.c and replay.c. */
#ifndef MEMTRACE_RECORD_TICK_H
#define MEMTRACE_RECORD_TICK_H

#include "model/sample.h"

struct record_tick {
	int64_t time_s;
	int64_t time_ns;
	uint64_t elapsed_ns;
	uint32_t tgid;
	uint32_t scope;
	uint32_t has_status;
	uint32_t has_pages;
	uint32_t has_faults;
	uint32_t pad;
	struct proc_status status;
	struct proc_stat stat;
	struct kernel_counters counters;
	uint64_t vma_count;
	uint64_t range_count;
};

#endif
