// SPDX-License-Identifier: GPL-2.0-only
/* A hash table of at most one block per thread. See parked.h. */
#include "parked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void parked_blocks__free(struct parked_blocks *parked)
{
	free(parked->slots);
	*parked = (struct parked_blocks){ 0 };
}

void parked_blocks__clear(struct parked_blocks *parked)
{
	if (parked->room)
		memset(parked->slots, 0, parked->room * sizeof(*parked->slots));
	parked->count = 0;
}

static size_t home_of(const struct parked_blocks *parked, uint32_t tid)
{
	return (tid * 0x9e3779b1u) & (parked->room - 1);
}

static void place(struct parked_blocks *parked, const struct parked_block *block)
{
	size_t i = home_of(parked, block->tid);

	while (parked->slots[i].addr)
		i = (i + 1) & (parked->room - 1);
	parked->slots[i] = *block;
	parked->count++;
}

static int grow(struct parked_blocks *parked)
{
	struct parked_blocks grown = { .room = parked->room ? parked->room * 2 : 16 };
	size_t i;

	grown.slots = calloc(grown.room, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (i = 0; i < parked->room; i++)
		if (parked->slots[i].addr)
			place(&grown, &parked->slots[i]);
	free(parked->slots);
	*parked = grown;
	return 0;
}

int parked_blocks__put(struct parked_blocks *parked, const struct parked_block *block)
{
	int err;

	if ((parked->count + 1) * 2 > parked->room) {
		err = grow(parked);
		if (err)
			return err;
	}
	place(parked, block);
	return 0;
}

bool parked_blocks__take(struct parked_blocks *parked, uint32_t tid, struct parked_block *block)
{
	size_t mask = parked->room - 1, hole, i;

	if (!parked->count)
		return false;
	for (i = home_of(parked, tid); parked->slots[i].addr; i = (i + 1) & mask)
		if (parked->slots[i].tid == tid)
			break;
	if (!parked->slots[i].addr)
		return false;
	*block = parked->slots[i];
	parked->count--;
	/* Backward-shift deletion. */
	for (hole = i, i = (i + 1) & mask; parked->slots[i].addr; i = (i + 1) & mask) {
		size_t home = home_of(parked, parked->slots[i].tid);

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			parked->slots[hole] = parked->slots[i];
			hole = i;
		}
	}
	parked->slots[hole].addr = 0;
	return true;
}
