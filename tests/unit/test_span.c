// SPDX-License-Identifier: GPL-2.0-only
/* Spans against the plainest model there is: an array of bits, one per unit of address. */
#include "model/span.h"

#include <stdlib.h>

#include "test.h"

#define UNITS 256

static uint64_t seed = 42;

static uint64_t next_random(uint64_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % below;
}

static uint64_t count_bits(const bool *bits, size_t from, size_t to)
{
	uint64_t count = 0;

	for (; from < to; from++)
		count += bits[from];
	return count;
}

TEST(join_makes_one_of_neighbours)
{
	struct span_list list = { 0 };

	CHECK(!span_list__join(&list, 100, 200, 0));
	CHECK(!span_list__join(&list, 300, 400, 0));
	CHECK_U64(list.count, 2);
	CHECK(!span_list__join(&list, 200, 300, 0));
	CHECK_U64(list.count, 1);
	CHECK_U64(list.bytes, 300);
	CHECK(!span_list__join(&list, 400, 500, SPAN_NOT_ANON));
	CHECK_U64(list.count, 2);
	span_list__free(&list);
}

TEST(cut_leaves_both_sides)
{
	struct span_list list = { 0 };
	uint64_t removed;

	CHECK(!span_list__join(&list, 100, 400, 0));
	CHECK(!span_list__cut(&list, 200, 300, &removed));
	CHECK_U64(removed, 100);
	CHECK_U64(list.count, 2);
	CHECK(span_list__find(&list, 199));
	CHECK(!span_list__find(&list, 200));
	CHECK(!span_list__find(&list, 299));
	CHECK(span_list__find(&list, 300));
	CHECK(!span_list__cut(&list, 0, 50, &removed));
	CHECK_U64(removed, 0);
	CHECK(!span_list__cut(&list, 300, 300, &removed));
	CHECK_U64(removed, 0);
	span_list__free(&list);
}

TEST(bytes_in_tells_anonymous_apart)
{
	struct span_list list = { 0 };
	uint64_t not_anon = 0;

	CHECK(!span_list__join(&list, 100, 200, 0));
	CHECK(!span_list__join(&list, 200, 300, SPAN_NOT_ANON));
	CHECK_U64(span_list__bytes_in(&list, 150, 250, &not_anon), 100);
	CHECK_U64(not_anon, 50);
	CHECK(span_list__first_overlap(&list, 299, 1000));
	CHECK(!span_list__first_overlap(&list, 300, 1000));
	span_list__free(&list);
}

TEST(list_keeps_starts)
{
	struct span_list list = { 0 };
	struct span taken;

	CHECK(!span_list__insert(&list, 200, 300, 0));
	CHECK(!span_list__insert(&list, 100, 200, 0));
	CHECK_U64(list.count, 2);
	CHECK(!span_list__take(&list, 150, &taken));
	CHECK(span_list__take(&list, 100, &taken));
	CHECK_U64(taken.end, 200);
	CHECK_U64(list.bytes, 100);
	span_list__free(&list);
}

/* Random cuts and joins, after each of which every query must agree with the bits. */
TEST(agrees_with_bits)
{
	struct span_list list = { 0 };
	bool bits[UNITS] = { false };
	int round;

	for (round = 0; round < 20000; round++) {
		size_t from = next_random(UNITS), to = from + next_random(UNITS - from + 1), i;
		size_t query = next_random(UNITS), query_end = query + next_random(UNITS - query + 1);
		uint64_t removed, not_anon = 0;

		CHECK(!span_list__cut(&list, from, to, &removed));
		CHECK_U64(removed, count_bits(bits, from, to));
		for (i = from; i < to; i++)
			bits[i] = false;
		if (from < to && next_random(2)) {
			CHECK(!span_list__join(&list, from, to, 0));
			for (i = from; i < to; i++)
				bits[i] = true;
		}
		CHECK_U64(list.bytes, count_bits(bits, 0, UNITS));
		CHECK_U64(span_list__bytes_in(&list, query, query_end, &not_anon),
			  count_bits(bits, query, query_end));
		for (i = 1; i < list.count; i++)
			CHECK(list.items[i - 1].end < list.items[i].start);
	}
	span_list__free(&list);
}

int main(void)
{
	RUN(join_makes_one_of_neighbours);
	RUN(cut_leaves_both_sides);
	RUN(bytes_in_tells_anonymous_apart);
	RUN(list_keeps_starts);
	RUN(agrees_with_bits);
	return test_status();
}
