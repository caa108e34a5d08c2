// SPDX-License-Identifier: GPL-2.0-only
/* The live table against a plain array of blocks. */
#include "model/live.h"

#include <errno.h>
#include <stdlib.h>

#include "test.h"

#define PAGE 4096u
#define MIB (1ull << 20)
#define BLOCKS 4000

struct plain_block {
	uint64_t addr;
	uint64_t size;
};

static uint64_t seed = 7;

static uint64_t next_random(uint64_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % below;
}

static uint64_t plain_bytes_in(const struct plain_block *blocks, uint64_t start, uint64_t end)
{
	uint64_t bytes = 0;
	int i;

	for (i = 0; i < BLOCKS; i++) {
		uint64_t from = blocks[i].addr > start ? blocks[i].addr : start;
		uint64_t to = blocks[i].addr + blocks[i].size;

		if (to > end)
			to = end;
		if (blocks[i].addr && from < to)
			bytes += to - from;
	}
	return bytes;
}

TEST(adds_and_removes)
{
	struct live_blocks *live = live_blocks__new(PAGE);
	uint64_t size;

	CHECK(live);
	CHECK(!live_blocks__add(live, 0x10010, 100));
	CHECK(!live_blocks__add(live, 0x20000, 0));
	CHECK_U64(live_blocks__count(live), 2);
	CHECK_U64(live_blocks__bytes(live), 100);
	CHECK(!live_blocks__remove(live, 0x10011, &size));
	CHECK(live_blocks__remove(live, 0x10010, &size));
	CHECK_U64(size, 100);
	CHECK(!live_blocks__remove(live, 0x10010, &size));
	CHECK(live_blocks__remove(live, 0x20000, &size));
	CHECK_U64(size, 0);
	CHECK_U64(live_blocks__count(live), 0);
	live_blocks__free(live);
}

TEST(second_block_at_an_address_replaces_the_first)
{
	struct live_blocks *live = live_blocks__new(PAGE);

	CHECK(!live_blocks__add(live, 0x10000, 100));
	CHECK(!live_blocks__add(live, 0x10000, 300));
	CHECK_U64(live_blocks__count(live), 1);
	CHECK_U64(live_blocks__bytes(live), 300);
	CHECK_U64(live_blocks__bytes_in(live, 0x10000, 0x11000), 300);
	/* The same for large ones, which may overlap in other ways too. */
	CHECK(!live_blocks__add(live, 1ull << 32, 64 * MIB));
	CHECK(!live_blocks__add(live, (1ull << 32) + MIB, 64 * MIB));
	CHECK_U64(live_blocks__count(live), 2);
	CHECK_U64(live_blocks__bytes(live), 300 + 64 * MIB);
	live_blocks__free(live);
}

TEST(block_across_chunks_counts_on_its_pages)
{
	struct live_blocks *live = live_blocks__new(PAGE);
	uint64_t addr = 2 * MIB - 100, size;

	CHECK(!live_blocks__add(live, addr, 5 * MIB));
	CHECK_U64(live_blocks__bytes_in(live, 0, 2 * MIB), 100);
	CHECK_U64(live_blocks__bytes_in(live, 2 * MIB, 4 * MIB), 2 * MIB);
	CHECK_U64(live_blocks__bytes_in(live, 2 * MIB, 2 * MIB + PAGE), PAGE);
	CHECK_U64(live_blocks__bytes_in(live, 0, 1ull << 48), 5 * MIB);
	CHECK(live_blocks__remove(live, addr, &size));
	CHECK_U64(live_blocks__bytes_in(live, 0, 1ull << 48), 0);
	live_blocks__free(live);
}

TEST(huge_block_is_a_range)
{
	struct live_blocks *live = live_blocks__new(PAGE);
	uint64_t addr = 0x7f0000000010, size;

	CHECK(!live_blocks__add(live, addr, 50ull << 30));
	CHECK_U64(live_blocks__bytes_in(live, 0x7f0000000000, 0x7f0000001000), PAGE - 16);
	CHECK(live_blocks__remove(live, addr, &size));
	CHECK_U64(size, 50ull << 30);
	live_blocks__free(live);
}

TEST(refuses_impossible_addresses)
{
	struct live_blocks *live = live_blocks__new(PAGE);

	CHECK(live_blocks__add(live, 1ull << 48, 16) == -ERANGE);
	CHECK(live_blocks__add(live, 4096, UINT64_MAX) == -ERANGE);
	CHECK(live_blocks__add(live, (1ull << 48) - 16, 32) == -ERANGE);
	CHECK_U64(live_blocks__count(live), 0);
	live_blocks__free(live);
}

TEST(cover_counts_pages_only)
{
	struct live_blocks *live = live_blocks__new(PAGE);

	CHECK(!live_blocks__cover(live, 0x10000, 100));
	CHECK(!live_blocks__cover(live, 1ull << 40, 64 * MIB));
	CHECK_U64(live_blocks__count(live), 0);
	CHECK_U64(live_blocks__bytes(live), 0);
	CHECK_U64(live_blocks__bytes_in(live, 0, 1ull << 48), 100 + 64 * MIB);
	live_blocks__uncover(live, 0x10000, 100);
	live_blocks__uncover(live, 1ull << 40, 64 * MIB);
	CHECK_U64(live_blocks__bytes_in(live, 0, 1ull << 48), 0);
	live_blocks__free(live);
}

/* Blocks in disjoint places of 64 KiB; sizes from nothing to more than a chunk of its own. */
TEST(agrees_with_a_plain_array)
{
	static struct plain_block blocks[BLOCKS];
	struct live_blocks *live = live_blocks__new(PAGE);
	uint64_t bytes = 0, count = 0, size;
	int round;

	for (round = 0; round < 200000; round++) {
		uint64_t i = next_random(BLOCKS);
		struct plain_block *block = &blocks[i];

		if (block->addr) {
			CHECK(live_blocks__remove(live, block->addr, &size));
			CHECK_U64(size, block->size);
			bytes -= size;
			count--;
			block->addr = 0;
		} else {
			block->addr = 0x7f1234560000 + i * 65536 + 16 * next_random(2048);
			block->size = next_random(32768);
			CHECK(!live_blocks__add(live, block->addr, block->size));
			bytes += block->size;
			count++;
		}
		if (round % 1000 == 0) {
			uint64_t start = 0x7f1234560000 + PAGE * next_random(60000);
			uint64_t end = start + PAGE * next_random(60000);

			CHECK_U64(live_blocks__bytes_in(live, start, end),
				  plain_bytes_in(blocks, start, end));
		}
	}
	CHECK_U64(live_blocks__count(live), count);
	CHECK_U64(live_blocks__bytes(live), bytes);
	live_blocks__free(live);
}

/* 64 KiB pages, as some arm64 kernels have. */
TEST(large_pages)
{
	struct live_blocks *live = live_blocks__new(65536);

	CHECK(!live_blocks__add(live, 65536 - 8, 16));
	CHECK_U64(live_blocks__bytes_in(live, 0, 65536), 8);
	CHECK_U64(live_blocks__bytes_in(live, 65536, 131072), 8);
	live_blocks__free(live);
}

int main(void)
{
	RUN(adds_and_removes);
	RUN(second_block_at_an_address_replaces_the_first);
	RUN(block_across_chunks_counts_on_its_pages);
	RUN(huge_block_is_a_range);
	RUN(refuses_impossible_addresses);
	RUN(cover_counts_pages_only);
	RUN(agrees_with_a_plain_array);
	RUN(large_pages);
	return test_status();
}
