/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys and values of BPF maps that both sides read. */
#ifndef MEMTRACE_MAP_H
#define MEMTRACE_MAP_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* What a hit of a probe costs depends on these two things; calibrated apart. */
enum hit_kind {
	HIT_ENTRY = 0,		/* entry only */
	HIT_ENTRY_STEPPED = 1,
	HIT_CALL = 2,		/* entry and return */
	HIT_CALL_STEPPED = 3,
	HIT_KIND_COUNT
};

/* One per CPU, key 0 of map `counters`; only ever grows. */
struct counters_val {
	__u64 silent_hits[HIT_KIND_COUNT];	/* of malloc-family probes, without a record */
	__u64 user_faults;
	__u64 kernel_faults;
	__u64 write_faults;
	__u64 cow_faults;
	__u64 lost_events;
	__u64 lost_allocs;
	__u64 lost_alloc_bytes;
	__u64 lost_frees;
};

_Static_assert(sizeof(struct counters_val) == 96, "read per CPU by user space");

#endif
