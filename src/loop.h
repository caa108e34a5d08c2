/* SPDX-License-Identifier: GPL-2.0-only */
/* The one epoll loop: ring timer, interval timer, signals, the target's end. */
#ifndef MEMTRACE_LOOP_H
#define MEMTRACE_LOOP_H

#include <stdint.h>

struct collector;
struct loop;

enum loop_end {
	LOOP_SIGNAL,		/* SIGINT, SIGTERM or SIGHUP */
	LOOP_DURATION,
	LOOP_TARGET,		/* has ended */
};

/*
 * Blocks the signals that it will read, so make it before anything that they should not
 * interrupt. pidfd is borrowed. duration_ns 0: no limit. NULL with errno.
 */
struct loop *loop__new(uint64_t interval_ns, uint64_t duration_ns);
void loop__free(struct loop *loop);

/*
 * Drains and ticks the started collector until something ends it; the last, partial interval is
 * the caller's. 0 and *end, or a negative errno from the collector.
 */
int loop__run(struct loop *loop, struct collector *collector, enum loop_end *end);

#endif
