/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From skeleton to armed probes and back: which programs to load for what the kernel has, the
 * links that hang them on the sites of objects, and the order of it all.
 */
#ifndef MEMTRACE_ATTACH_H
#define MEMTRACE_ATTACH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "memtrace/map.h"
#include "model/sample.h"

struct memtrace_bpf;
struct object;

/* How uprobes reach the kernel, best first. */
enum attach_method {
	ATTACH_SESSION,		/* uprobe_multi, entry and return in one */
	ATTACH_MULTI,		/* uprobe_multi, entry and return apart */
	ATTACH_PERF,		/* one perf event per probe */
	ATTACH_METHOD_COUNT
};

struct attachment;

struct attachment_stats {
	enum attach_method method;
	unsigned int probes;
	unsigned int emulated;
	bool faults;		/* the fault tracepoints are on */
	bool exec;		/* the exec tracepoint is on */
};

/*
 * Loads the programs. features: 1 << enum feature, what may be used. NULL with errno, after a
 * message.
 */
struct attachment *attachment__new(pid_t pid, uint32_t features);

/* Detaches everything, in the reverse order, and frees it. */
void attachment__free(struct attachment *attachment);

/* Probes on the object's sites; once per object. 0 or a negative errno, after a message. */
int attachment__add_object(struct attachment *attachment, struct object *object);

/* Takes the probes off all objects; each can be added again. */
void attachment__drop_objects(struct attachment *attachment);

/* The tracepoints of faults and exec. Those that cannot be had are only noted in the stats. */
void attachment__add_tracepoints(struct attachment *attachment);

/* Events flow, or stop. */
void attachment__arm(struct attachment *attachment, bool armed);

int attachment__ring_fd(const struct attachment *attachment);
void attachment__get_stats(const struct attachment *attachment, struct attachment_stats *stats);

/* Sums over all CPUs. silent_hits (may be NULL): of malloc-family probes, without a record. */
int attachment__read_counters(const struct attachment *attachment,
			      struct kernel_counters *counters, uint64_t silent_hits[HIT_KIND_COUNT]);

/* ns that a hit of this kind costs its thread, measured now; negative errno as double < 0. */
double attachment__measure_hit(struct attachment *attachment, enum hit_kind kind);

#endif
