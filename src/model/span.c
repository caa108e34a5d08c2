// SPDX-License-Identifier: GPL-2.0-only
/* Sorted ranges in one array: few of them, read far more often than changed. */
#include "span.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void span_list__free(struct span_list *list)
{
	free(list->items);
	*list = (struct span_list){ 0 };
}

void span_list__clear(struct span_list *list)
{
	list->count = 0;
	list->bytes = 0;
}

/* Index of the first range that ends after addr. */
static size_t first_ending_after(const struct span_list *list, uint64_t addr)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (list->items[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int open_gap(struct span_list *list, size_t at)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 16;
		struct span *grown = reallocarray(list->items, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		list->items = grown;
		list->room = room;
	}
	memmove(list->items + at + 1, list->items + at,
		(list->count - at) * sizeof(*list->items));
	list->count++;
	return 0;
}

static void close_gap(struct span_list *list, size_t from, size_t to)
{
	memmove(list->items + from, list->items + to, (list->count - to) * sizeof(*list->items));
	list->count -= to - from;
}

int span_list__insert(struct span_list *list, uint64_t start, uint64_t end, uint32_t flags)
{
	size_t at = first_ending_after(list, start);
	int err;

	err = open_gap(list, at);
	if (err)
		return err;
	list->items[at] = (struct span){ .start = start, .end = end, .flags = flags };
	list->bytes += end - start;
	return 0;
}

int span_list__join(struct span_list *list, uint64_t start, uint64_t end, uint32_t flags)
{
	size_t at = first_ending_after(list, start);
	struct span *before = at ? &list->items[at - 1] : NULL;
	struct span *after = at < list->count ? &list->items[at] : NULL;
	bool joins_before = before && before->end == start && before->flags == flags;
	bool joins_after = after && after->start == end && after->flags == flags;

	if (!joins_before && !joins_after)
		return span_list__insert(list, start, end, flags);
	list->bytes += end - start;
	if (joins_before && joins_after) {
		before->end = after->end;
		close_gap(list, at, at + 1);
	} else if (joins_before) {
		before->end = end;
	} else {
		after->start = start;
	}
	return 0;
}

/* [start, end) lies inside one range with something left on both sides. */
static int cut_hole(struct span_list *list, size_t at, uint64_t start, uint64_t end)
{
	int err;

	err = open_gap(list, at);
	if (err)
		return err;
	list->items[at] = list->items[at + 1];
	list->items[at].end = start;
	list->items[at + 1].start = end;
	list->bytes -= end - start;
	return 0;
}

int span_list__cut(struct span_list *list, uint64_t start, uint64_t end, uint64_t *removed)
{
	uint64_t before = list->bytes;
	size_t from, to;
	int err = 0;

	if (removed)
		*removed = 0;
	from = first_ending_after(list, start);
	if (from == list->count || start >= end || list->items[from].start >= end)
		return 0;
	if (list->items[from].start < start && list->items[from].end > end) {
		err = cut_hole(list, from, start, end);
		goto out;
	}
	if (list->items[from].start < start) {
		list->bytes -= list->items[from].end - start;
		list->items[from].end = start;
		from++;
	}
	for (to = from; to < list->count && list->items[to].end <= end; to++)
		list->bytes -= list->items[to].end - list->items[to].start;
	if (to < list->count && list->items[to].start < end) {
		list->bytes -= end - list->items[to].start;
		list->items[to].start = end;
	}
	close_gap(list, from, to);
out:
	if (removed)
		*removed = before - list->bytes;
	return err;
}

bool span_list__take(struct span_list *list, uint64_t start, struct span *taken)
{
	size_t at = first_ending_after(list, start);

	if (at == list->count || list->items[at].start != start)
		return false;
	*taken = list->items[at];
	list->bytes -= taken->end - taken->start;
	close_gap(list, at, at + 1);
	return true;
}

const struct span *span_list__find(const struct span_list *list, uint64_t addr)
{
	size_t at = first_ending_after(list, addr);

	if (at == list->count || list->items[at].start > addr)
		return NULL;
	return &list->items[at];
}

uint64_t span_list__bytes_in(const struct span_list *list, uint64_t start, uint64_t end,
			     uint64_t *not_anon)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = first_ending_after(list, start); i < list->count; i++) {
		const struct span *span = &list->items[i];
		uint64_t from, to;

		if (span->start >= end)
			break;
		from = span->start > start ? span->start : start;
		to = span->end < end ? span->end : end;
		bytes += to - from;
		if (span->flags & SPAN_NOT_ANON)
			*not_anon += to - from;
	}
	return bytes;
}

const struct span *span_list__first_overlap(const struct span_list *list, uint64_t start,
					    uint64_t end)
{
	size_t at = first_ending_after(list, start);

	return at < list->count && list->items[at].start < end ? &list->items[at] : NULL;
}
