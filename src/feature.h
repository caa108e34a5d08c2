/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel features memtrace can use, by name; what the running kernel answers is collect/'s. */
#ifndef MEMTRACE_FEATURE_H
#define MEMTRACE_FEATURE_H

#include <stdint.h>

enum feature {
	FEATURE_BTF,
	FEATURE_RING_BUFFER,
	FEATURE_ATTACH_COOKIE,
	FEATURE_TASK_STORAGE,
	FEATURE_UPROBE_MULTI,
	FEATURE_UPROBE_SESSION,
	FEATURE_FAULT_TRACEPOINTS,
	FEATURE_EXEC_TRACEPOINT,
	FEATURE_PAGEMAP_SCAN,
	FEATURE_PAGEMAP_GUARD,
	FEATURE_COUNT
};

/* One row per feature: the only place where its name, history and price of absence are written. */
struct feature_info {
	const char *name;	/* as in --without NAME */
	const char *since;	/* kernel version that brought it, for people */
	const char *use;	/* what memtrace does with it */
	const char *absence;	/* what its absence costs */
	int required;		/* memtrace cannot probe without it */
};

extern const struct feature_info feature_table[FEATURE_COUNT];

/* The feature of that name, or FEATURE_COUNT. */
enum feature feature_by_name(const char *name);

#endif
