// SPDX-License-Identifier: GPL-2.0-only
/* Chunks of 2 MiB, each with its blocks and a tally per page. See live.h. */
#include "live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "span.h"

#define CHUNK_SHIFT 21
#define CHUNK_BYTES (1ULL << CHUNK_SHIFT)
#define ADDRESS_BITS 48		/* user space, x86-64 with 4 levels and arm64 */
#define LEAF_BITS 13
#define ROOT_BITS (ADDRESS_BITS - CHUNK_SHIFT - LEAF_BITS)
#define HUGE_BYTES (8ULL << 20)

#define SLOT_SIZE_BITS 32
#define SLOTS_MIN_BITS 3

/*
 * A slot is (offset in the chunk + 1) << 32 | size; 0 is free. The offset takes 22 bits and the
 * size 23, so that a call site of up to 19 bits would still fit beside them.
 */
struct chunk {
	uint64_t *slots;
	uint32_t slot_bits;
	uint32_t count;		/* blocks that start here */
	uint64_t bytes;		/* live bytes on the pages of this chunk */
	uint32_t page_bytes[];	/* the same for each page */
};

struct chunk_leaf {
	struct chunk *chunks[1 << LEAF_BITS];
};

struct live_blocks {
	uint32_t page_shift;
	uint64_t count;
	uint64_t bytes;
	struct span_list huge;
	struct span_list huge_covers;	/* of live_blocks__cover() */
	struct chunk_leaf *leaves[1 << ROOT_BITS];
};

struct live_blocks *live_blocks__new(uint32_t page_size)
{
	struct live_blocks *live;

	live = calloc(1, sizeof(*live));
	if (!live)
		return NULL;
	live->page_shift = (uint32_t)__builtin_ctz(page_size);
	return live;
}

static void free_leaf(struct chunk_leaf *leaf)
{
	size_t i;

	if (!leaf)
		return;
	for (i = 0; i < 1 << LEAF_BITS; i++) {
		if (leaf->chunks[i])
			free(leaf->chunks[i]->slots);
		free(leaf->chunks[i]);
	}
	free(leaf);
}

void live_blocks__clear(struct live_blocks *live)
{
	size_t i;

	for (i = 0; i < 1 << ROOT_BITS; i++) {
		free_leaf(live->leaves[i]);
		live->leaves[i] = NULL;
	}
	span_list__clear(&live->huge);
	span_list__clear(&live->huge_covers);
	live->count = 0;
	live->bytes = 0;
}

void live_blocks__free(struct live_blocks *live)
{
	if (!live)
		return;
	live_blocks__clear(live);
	span_list__free(&live->huge);
	span_list__free(&live->huge_covers);
	free(live);
}

uint64_t live_blocks__count(const struct live_blocks *live)
{
	return live->count;
}

uint64_t live_blocks__bytes(const struct live_blocks *live)
{
	return live->bytes;
}

static struct chunk *find_chunk(const struct live_blocks *live, uint64_t addr)
{
	uint64_t number = addr >> CHUNK_SHIFT;
	const struct chunk_leaf *leaf;

	if (addr >> ADDRESS_BITS)
		return NULL;
	leaf = live->leaves[number >> LEAF_BITS];
	return leaf ? leaf->chunks[number & ((1 << LEAF_BITS) - 1)] : NULL;
}

static struct chunk *make_chunk(struct live_blocks *live, uint64_t addr)
{
	uint64_t number = addr >> CHUNK_SHIFT;
	struct chunk_leaf **leaf = &live->leaves[number >> LEAF_BITS];
	size_t pages = CHUNK_BYTES >> live->page_shift;
	struct chunk **chunk;

	if (!*leaf)
		*leaf = calloc(1, sizeof(**leaf));
	if (!*leaf)
		return NULL;
	chunk = &(*leaf)->chunks[number & ((1 << LEAF_BITS) - 1)];
	if (!*chunk)
		*chunk = calloc(1, sizeof(**chunk) + pages * sizeof((*chunk)->page_bytes[0]));
	return *chunk;
}

static uint64_t chunk_offset(uint64_t addr)
{
	return addr & (CHUNK_BYTES - 1);
}

static uint64_t slot_key(uint64_t slot)
{
	return slot >> SLOT_SIZE_BITS;
}

static uint32_t home_of(uint64_t key, uint32_t bits)
{
	return (uint32_t)(key * 0x9e3779b97f4a7c15ULL >> (64 - bits));
}

static void place(uint64_t *slots, uint32_t bits, uint64_t slot)
{
	uint32_t mask = (1u << bits) - 1;
	uint32_t i = home_of(slot_key(slot), bits);

	while (slots[i])
		i = (i + 1) & mask;
	slots[i] = slot;
}

static int resize(struct chunk *chunk, uint32_t bits)
{
	uint64_t *slots;
	uint32_t i;

	slots = calloc(1u << bits, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (i = 0; chunk->slots && i < 1u << chunk->slot_bits; i++)
		if (chunk->slots[i])
			place(slots, bits, chunk->slots[i]);
	free(chunk->slots);
	chunk->slots = slots;
	chunk->slot_bits = bits;
	return 0;
}

/* The slot of the block that starts at offset, or NULL. */
static uint64_t *find_slot(const struct chunk *chunk, uint64_t offset)
{
	uint32_t mask, i;

	if (!chunk->slots)
		return NULL;
	mask = (1u << chunk->slot_bits) - 1;
	for (i = home_of(offset + 1, chunk->slot_bits); chunk->slots[i]; i = (i + 1) & mask)
		if (slot_key(chunk->slots[i]) == offset + 1)
			return &chunk->slots[i];
	return NULL;
}

/* Backward-shift deletion: no tombstones, so that look-ups stay short for ever. */
static void erase_slot(struct chunk *chunk, uint64_t *slot)
{
	uint32_t mask = (1u << chunk->slot_bits) - 1;
	uint32_t hole = (uint32_t)(slot - chunk->slots);
	uint32_t i = hole;

	for (;;) {
		uint32_t home;

		i = (i + 1) & mask;
		if (!chunk->slots[i])
			break;
		home = home_of(slot_key(chunk->slots[i]), chunk->slot_bits);
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			chunk->slots[hole] = chunk->slots[i];
			hole = i;
		}
	}
	chunk->slots[hole] = 0;
	chunk->count--;
}

static int insert_slot(struct chunk *chunk, uint64_t offset, uint64_t size)
{
	uint32_t bits = chunk->slot_bits;

	if (!chunk->slots || (chunk->count + 1) * 4ULL > (3ULL << bits)) {
		int err = resize(chunk, chunk->slots ? bits + 1 : SLOTS_MIN_BITS);

		if (err)
			return err;
	}
	place(chunk->slots, chunk->slot_bits, (offset + 1) << SLOT_SIZE_BITS | size);
	chunk->count++;
	return 0;
}

/* Adds `sign` times the bytes of [addr, end) to the page tallies of one chunk. */
static void tally_in_chunk(struct chunk *chunk, uint32_t page_shift, uint64_t addr, uint64_t end,
			   int sign)
{
	uint64_t page_size = 1ULL << page_shift;

	chunk->bytes += (uint64_t)sign * (end - addr);
	while (addr < end) {
		uint64_t page_end = (addr | (page_size - 1)) + 1;
		uint64_t stop = page_end < end ? page_end : end;

		chunk->page_bytes[chunk_offset(addr) >> page_shift] +=
			(uint32_t)sign * (uint32_t)(stop - addr);
		addr = stop;
	}
}

/* All chunks must exist. */
static void tally(struct live_blocks *live, uint64_t addr, uint64_t size, int sign)
{
	uint64_t end = addr + size;

	while (addr < end) {
		uint64_t chunk_end = (addr | (CHUNK_BYTES - 1)) + 1;
		uint64_t stop = chunk_end < end ? chunk_end : end;

		tally_in_chunk(find_chunk(live, addr), live->page_shift, addr, stop, sign);
		addr = stop;
	}
}

static int make_chunks(struct live_blocks *live, uint64_t addr, uint64_t size)
{
	uint64_t last = addr + (size ? size - 1 : 0);
	uint64_t number;

	for (number = addr >> CHUNK_SHIFT; number <= last >> CHUNK_SHIFT; number++)
		if (!make_chunk(live, number << CHUNK_SHIFT))
			return -ENOMEM;
	return 0;
}

static bool is_out_of_range(uint64_t addr, uint64_t size)
{
	return addr >> ADDRESS_BITS || size >> ADDRESS_BITS || (addr + size) >> ADDRESS_BITS;
}

int live_blocks__cover(struct live_blocks *live, uint64_t addr, uint64_t size)
{
	int err;

	if (is_out_of_range(addr, size))
		return -ERANGE;
	if (size >= HUGE_BYTES)
		return span_list__insert(&live->huge_covers, addr, addr + size, 0);
	err = make_chunks(live, addr, size);
	if (err)
		return err;
	tally(live, addr, size, 1);
	return 0;
}

void live_blocks__uncover(struct live_blocks *live, uint64_t addr, uint64_t size)
{
	struct span taken;

	if (size >= HUGE_BYTES)
		span_list__take(&live->huge_covers, addr, &taken);
	else
		tally(live, addr, size, -1);
}

static int add_small(struct live_blocks *live, uint64_t addr, uint64_t size)
{
	int err;

	err = make_chunks(live, addr, size);
	if (err)
		return err;
	err = insert_slot(find_chunk(live, addr), chunk_offset(addr), size);
	if (err)
		return err;
	tally(live, addr, size, 1);
	return 0;
}

/* Large blocks that a new one lies over were given back unseen. */
static int add_huge(struct live_blocks *live, uint64_t addr, uint64_t size)
{
	const struct span *stale;
	struct span taken;

	while ((stale = span_list__first_overlap(&live->huge, addr, addr + size))) {
		span_list__take(&live->huge, stale->start, &taken);
		live->count--;
		live->bytes -= taken.end - taken.start;
	}
	return span_list__insert(&live->huge, addr, addr + size, 0);
}

int live_blocks__add(struct live_blocks *live, uint64_t addr, uint64_t size)
{
	uint64_t stale_size;
	int err;

	if (is_out_of_range(addr, size))
		return -ERANGE;
	live_blocks__remove(live, addr, &stale_size);
	err = size >= HUGE_BYTES ? add_huge(live, addr, size) : add_small(live, addr, size);
	if (err)
		return err;
	live->count++;
	live->bytes += size;
	return 0;
}

static bool remove_small(struct live_blocks *live, uint64_t addr, uint64_t *size)
{
	struct chunk *chunk = find_chunk(live, addr);
	uint64_t *slot = chunk ? find_slot(chunk, chunk_offset(addr)) : NULL;

	if (!slot)
		return false;
	*size = *slot & ((1ULL << SLOT_SIZE_BITS) - 1);
	erase_slot(chunk, slot);
	tally(live, addr, *size, -1);
	/* Give memory back where most blocks are gone; failing to is no failure. */
	if (chunk->slot_bits > SLOTS_MIN_BITS + 3 && chunk->count < 1u << (chunk->slot_bits - 3))
		(void)resize(chunk, chunk->slot_bits - 1);
	return true;
}

static bool remove_huge(struct live_blocks *live, uint64_t addr, uint64_t *size)
{
	struct span taken;

	if (!live->huge.count || !span_list__take(&live->huge, addr, &taken))
		return false;
	*size = taken.end - taken.start;
	return true;
}

bool live_blocks__remove(struct live_blocks *live, uint64_t addr, uint64_t *size)
{
	if (!remove_small(live, addr, size) && !remove_huge(live, addr, size))
		return false;
	live->count--;
	live->bytes -= *size;
	return true;
}

static uint64_t chunk_bytes_in(const struct chunk *chunk, uint32_t page_shift, uint64_t start,
			       uint64_t end)
{
	uint64_t bytes = 0;
	size_t i;

	if (end - start == CHUNK_BYTES)
		return chunk->bytes;
	for (i = chunk_offset(start) >> page_shift; i < (chunk_offset(end - 1) >> page_shift) + 1; i++)
		bytes += chunk->page_bytes[i];
	return bytes;
}

static uint64_t chunks_bytes_in(const struct live_blocks *live, uint64_t start, uint64_t end)
{
	uint64_t bytes = 0;

	if (end >> ADDRESS_BITS)
		end = 1ULL << ADDRESS_BITS;
	while (start < end) {
		uint64_t leaf_end = (start | ((CHUNK_BYTES << LEAF_BITS) - 1)) + 1;
		uint64_t stop = (start | (CHUNK_BYTES - 1)) + 1;
		const struct chunk *chunk;

		if (!live->leaves[start >> (CHUNK_SHIFT + LEAF_BITS)]) {
			start = leaf_end;
			continue;
		}
		if (stop > end)
			stop = end;
		chunk = find_chunk(live, start);
		if (chunk && chunk->bytes)
			bytes += chunk_bytes_in(chunk, live->page_shift, start, stop);
		start = stop;
	}
	return bytes;
}

uint64_t live_blocks__bytes_in(const struct live_blocks *live, uint64_t start, uint64_t end)
{
	uint64_t not_anon = 0;

	return chunks_bytes_in(live, start, end) +
	       span_list__bytes_in(&live->huge, start, end, &not_anon) +
	       span_list__bytes_in(&live->huge_covers, start, end, &not_anon);
}
