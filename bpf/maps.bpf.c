// SPDX-License-Identifier: GPL-2.0-only
/* The one definition of each map and configuration variable. */
#include "maps.bpf.h"

/* Records, written by all programs, read and dropped by the loader. Full: counted as lost. */
struct event_ring events SEC(".maps");

/* 0 → this CPU's counters; written by all programs, read by the loader, never deleted. */
struct counter_array counters SEC(".maps");

/* Thread → its outermost pending call; written at entry, read at return, dies with the thread. */
struct pending_storage pending_calls SEC(".maps");

const volatile __u32 cfg_tgid = 0;

__u32 armed = 0;
__u64 alloc_sites[SITE_BITMAP_WORDS] = {};

char LICENSE[] SEC("license") = "GPL";
