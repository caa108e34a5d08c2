/* SPDX-License-Identifier: GPL-2.0-only */
/* Tells the user, once, when the malloc probes cost the target more than a tenth of a core. */
#ifndef MEMTRACE_COST_H
#define MEMTRACE_COST_H

#include <stdbool.h>
#include <stdint.h>

#include "memtrace/map.h"

struct attachment;

/* Zero-initialise. */
struct cost_watch {
	uint64_t hits[HIT_KIND_COUNT];	/* up to the last look */
	uint64_t elapsed_ns;
	double ns_per_hit[HIT_KIND_COUNT];
	bool measured[HIT_KIND_COUNT];
	bool told;
};

/* hits: all so far; elapsed_ns: since attach. Measures the cost of a hit when it may matter. */
void cost_watch__look(struct cost_watch *watch, struct attachment *attachment,
		      const uint64_t hits[HIT_KIND_COUNT], uint64_t elapsed_ns);

#endif
