/* SPDX-License-Identifier: GPL-2.0-only */
/* Every map and configuration variable, declared here and defined in maps.bpf.c. */
#ifndef MEMTRACE_MAPS_BPF_H
#define MEMTRACE_MAPS_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "memtrace/event.h"
#include "memtrace/limits.h"
#include "memtrace/map.h"
#include "memtrace/shape.h"

/* What the entry of a call leaves for its return, where a session cookie does not hold it all. */
struct pending_call {
	__u64 call;		/* size and flags of the call; 0: none is pending */
	__u64 sp;		/* stack pointer at its entry */
	__u64 args[4];		/* posix_memalign: where the address goes; mmap family: all */
	__u64 caller;		/* mmap family: return address of the wrapper */
};

struct event_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
};

struct counter_array {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counters_val);
};

struct pending_storage {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pending_call);
};

extern struct event_ring events SEC(".maps");
extern struct counter_array counters SEC(".maps");
extern struct pending_storage pending_calls SEC(".maps");

extern const volatile __u32 cfg_tgid;	/* the target, as the initial PID namespace numbers it */

extern __u32 armed;			/* raised last, lowered first: 0 means be silent */
extern __u64 alloc_sites[SITE_BITMAP_WORDS];	/* low 12 bits of our call probes' addresses */

#endif
