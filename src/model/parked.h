/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Blocks inside realloc: out of the live table, so that another thread may already get their
 * address, but not given back until realloc has said so. At most one per thread.
 */
#ifndef MEMTRACE_PARKED_H
#define MEMTRACE_PARKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parked_block {
	uint32_t tid;
	bool known;		/* the block was in the live table, so its size is known */
	uint64_t addr;
	uint64_t size;
};

/* Open addressing by tid. Zero-initialise; free with parked_blocks__free(). */
struct parked_blocks {
	struct parked_block *slots;	/* addr 0: free */
	size_t room;			/* a power of two, or 0 */
	size_t count;
};

void parked_blocks__free(struct parked_blocks *parked);
void parked_blocks__clear(struct parked_blocks *parked);

/* 0 or -ENOMEM. The thread must have none parked. */
int parked_blocks__put(struct parked_blocks *parked, const struct parked_block *block);

/* false: the thread has none parked. */
bool parked_blocks__take(struct parked_blocks *parked, uint32_t tid, struct parked_block *block);

#endif
