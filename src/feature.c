// SPDX-License-Identifier: GPL-2.0-only
/* The table behind --features and --without. Versions are for people: code asks the kernel. */
#include "feature.h"

#include <string.h>

/* clang-format off */
const struct feature_info feature_table[FEATURE_COUNT] = {
	[FEATURE_BTF] = {
		.name = "btf",
		.since = "5.2",
		.use = "fits the BPF programs to this kernel (CONFIG_DEBUG_INFO_BTF)",
		.absence = "no probes: only --level pages",
		.required = 1,
	},
	[FEATURE_RING_BUFFER] = {
		.name = "ring-buffer",
		.since = "5.8",
		.use = "carries the events to memtrace in their order",
		.absence = "no probes: only --level pages",
		.required = 1,
	},
	[FEATURE_ATTACH_COOKIE] = {
		.name = "attach-cookie",
		.since = "5.15",
		.use = "tells a BPF program which probe was hit",
		.absence = "no probes: only --level pages",
		.required = 1,
	},
	[FEATURE_TASK_STORAGE] = {
		.name = "task-storage",
		.since = "5.12",
		.use = "keeps each thread's call between its entry and its return",
		.absence = "no probes: only --level pages",
		.required = 1,
	},
	[FEATURE_UPROBE_MULTI] = {
		.name = "uprobe-multi",
		.since = "6.6",
		.use = "sets all probes by one link, for one process",
		.absence = "one perf event per probe; detaching takes about 0.1 s per probe",
	},
	[FEATURE_UPROBE_SESSION] = {
		.name = "uprobe-session",
		.since = "6.13",
		.use = "entry and return of a call by one probe",
		.absence = "entry and return probes with task storage, about 10 % dearer",
	},
	[FEATURE_FAULT_TRACEPOINTS] = {
		.name = "fault-tracepoints",
		.since = "5.5 (x86)",
		.use = "counts page faults by kind",
		.absence = "user, kernel, write, zero-page and COW fault columns are empty",
	},
	[FEATURE_EXEC_TRACEPOINT] = {
		.name = "exec-tracepoint",
		.since = "5.5",
		.use = "sees the target's exec in order with its allocations",
		.absence = "an exec is noticed at the next tick only",
	},
	[FEATURE_PAGEMAP_SCAN] = {
		.name = "pagemap-scan",
		.since = "6.7",
		.use = "asks for the state of pages by range, 0.75 ms per resident GiB",
		.absence = "pagemap is read entry by entry, 6.9 ms per resident GiB",
	},
	[FEATURE_PAGEMAP_GUARD] = {
		.name = "pagemap-guard",
		.since = "6.15",
		.use = "tells guard pages (MADV_GUARD_INSTALL) from swapped ones",
		.absence = "guard pages count as swapped (they exist since 6.13)",
	},
};
/* clang-format on */

enum feature feature_by_name(const char *name)
{
	int i;

	for (i = 0; i < FEATURE_COUNT; i++) {
		if (strcmp(feature_table[i].name, name) == 0)
			break;
	}
	return (enum feature)i;
}
