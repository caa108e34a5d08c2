/* SPDX-License-Identifier: GPL-2.0-only */
/* Live bytes against page states: every live byte goes to exactly one class. */
#ifndef MEMTRACE_CORRELATE_H
#define MEMTRACE_CORRELATE_H

#include <stdint.h>

#include "sample.h"

struct live_blocks;
struct span_list;

struct residency {
	uint64_t resident_bytes;
	uint64_t resident_anon_bytes;	/* the part of it that RssAnon counts */
	uint64_t state_bytes[PAGE_STATE_COUNT];
};

/* A mapping is looked at when live bytes lie in it. */
bool correlate_wants(const struct live_blocks *live, const struct span_list *mappings,
		     const struct vma *vma);

/*
 * Classes of the bytes of `live` (may be NULL) and `mappings`. The sample's ranges must cover the
 * mappings that correlate_wants(); live bytes outside any mapping are absent.
 */
void correlate(const struct live_blocks *live, const struct span_list *mappings,
	       const struct sample *sample, struct residency *residency);

#endif
