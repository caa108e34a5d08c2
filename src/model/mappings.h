/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The anonymous mappings that the program itself made, from the events of the mmap family, and
 * what became of them in the interval under way.
 */
#ifndef MEMTRACE_MAPPINGS_H
#define MEMTRACE_MAPPINGS_H

#include <stdint.h>

#include "memtrace/event.h"
#include "span.h"

/*
 * The mmap family is seen behind the system call, so a thread may get a range and report it before
 * the thread that has just unmapped it has reported that. But where the kernel chose the address,
 * nothing was mapped there: what we think is has been unmapped, and the report is on its way. It
 * is taken out at once, and the range kept here until its unmap has come. A range may be here
 * several times, once for each thread that is late: each time in a layer of its own. The flags of a
 * span are the tick that it dates from.
 */
#define OVERTAKEN_LAYERS 8

struct mappings {
	uint64_t page_mask;		/* page size - 1 */
	struct span_list live;
	struct span_list overtaken[OVERTAKEN_LAYERS];
	uint32_t tick;

	/* Of the interval under way. */
	uint64_t mmap_calls;
	uint64_t munmap_calls;
	uint64_t mapped_bytes;
	uint64_t unmapped_bytes;
};

void mappings__init(struct mappings *mappings, uint32_t page_size);
void mappings__free(struct mappings *mappings);

/* The address space is another one. */
void mappings__clear(struct mappings *mappings);

/* One record of the mmap family. 0 or -ENOMEM. */
int mappings__apply(struct mappings *mappings, const struct mapping_rec *rec);

/* A new interval begins. 0 or -ENOMEM. */
int mappings__next_interval(struct mappings *mappings);

#endif
