/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every source of events offers to the right of it: the live collector and a recording push
 * through the same two calls, so the model cannot tell them apart.
 */
#ifndef MEMTRACE_SOURCE_H
#define MEMTRACE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_rec;
struct sample;
struct vma;

struct source_handler {
	void *ctx;
	/* One record in order. Returns 0 or a negative errno, which ends the source. */
	int (*event)(void *ctx, const struct event_rec *rec, size_t size);
	/* The end of an interval. The sample is the source's. */
	int (*tick)(void *ctx, const struct sample *sample);
	/* Live sources only: must the pages of this mapping be looked at? */
	bool (*wants)(void *ctx, uint32_t scope, const struct vma *vma);
};

#endif
