// SPDX-License-Identifier: GPL-2.0-only
/* See mappings.h. */
#include "mappings.h"

#include <stdbool.h>
#include <sys/mman.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

void mappings__init(struct mappings *mappings, uint32_t page_size)
{
	*mappings = (struct mappings){ .page_mask = page_size - 1 };
}

void mappings__free(struct mappings *mappings)
{
	int i;

	span_list__free(&mappings->live);
	for (i = 0; i < OVERTAKEN_LAYERS; i++)
		span_list__free(&mappings->overtaken[i]);
}

void mappings__clear(struct mappings *mappings)
{
	int i;

	span_list__clear(&mappings->live);
	for (i = 0; i < OVERTAKEN_LAYERS; i++)
		span_list__clear(&mappings->overtaken[i]);
}

static uint64_t page_align(const struct mappings *mappings, uint64_t size)
{
	return (size + mappings->page_mask) & ~mappings->page_mask;
}

/* The end of a range that came from outside, without wrapping around. */
static uint64_t range_end(const struct mappings *mappings, uint64_t start, uint64_t size)
{
	uint64_t end = start + page_align(mappings, size);

	return end < start ? UINT64_MAX & ~mappings->page_mask : end;
}

static int cut_mapping(struct mappings *mappings, uint64_t start, uint64_t end, uint64_t *removed)
{
	int err = span_list__cut(&mappings->live, start, end, removed);

	if (!err)
		mappings->unmapped_bytes += *removed;
	return err;
}

static int add_overtaken(struct mappings *mappings, uint64_t start, uint64_t end)
{
	struct span_list *layer = mappings->overtaken;
	int err;

	while (layer < &mappings->overtaken[OVERTAKEN_LAYERS - 1] &&
	       span_list__first_overlap(layer, start, end))
		layer++;
	err = span_list__cut(layer, start, end, NULL);
	return err ? err : span_list__join(layer, start, end, mappings->tick);
}

/* The kernel chose this range, so nothing of ours is there any more: see mappings.h. */
static int clear_chosen_range(struct mappings *mappings, uint64_t start, uint64_t end)
{
	const struct span *stale;
	uint64_t removed;
	int err;

	while ((stale = span_list__first_overlap(&mappings->live, start, end))) {
		uint64_t from = stale->start > start ? stale->start : start;
		uint64_t to = stale->end < end ? stale->end : end;

		err = add_overtaken(mappings, from, to);
		if (!err)
			err = cut_mapping(mappings, from, to, &removed);
		if (err)
			return err;
	}
	return 0;
}

/* The layer with the first range in [start, end) whose unmap was overtaken, or NULL. */
static struct span_list *first_overtaken(struct mappings *mappings, uint64_t start, uint64_t end,
					 struct span *range)
{
	struct span_list *found = NULL;
	int i;

	for (i = 0; i < OVERTAKEN_LAYERS; i++) {
		struct span_list *layer = &mappings->overtaken[i];
		const struct span *span = span_list__first_overlap(layer, start, end);

		if (span && (!found || span->start < range->start)) {
			found = layer;
			*range = *span;
		}
	}
	return found;
}

/*
 * Drops [start, end) on its unmap. What was overtaken has been taken out already, and what lies
 * there now is somebody else's.
 */
static int drop_range(struct mappings *mappings, uint64_t start, uint64_t end, bool *was_ours)
{
	uint64_t removed;
	int err = 0;

	*was_ours = false;
	while (!err && start < end) {
		struct span range = { .start = end, .end = end };
		struct span_list *layer = first_overtaken(mappings, start, end, &range);
		uint64_t stop = range.end < end ? range.end : end;

		if (range.start > start) {
			err = cut_mapping(mappings, start, range.start, &removed);
			*was_ours |= removed > 0;
			start = range.start;
		}
		if (!err && layer) {
			*was_ours = true;
			err = span_list__cut(layer, start, stop, NULL);
		}
		start = stop;
	}
	return err;
}

static int make_mapping(struct mappings *mappings, uint64_t start, uint64_t end, uint32_t flags)
{
	mappings->mmap_calls++;
	mappings->mapped_bytes += end - start;
	return span_list__join(&mappings->live, start, end, flags);
}

static int apply_mmap(struct mappings *mappings, const struct mapping_rec *rec)
{
	uint64_t start = rec->head.addr, end = range_end(mappings, start, rec->head.size), removed;
	bool by_runtime = event_flags(&rec->head) & EVENT_FLAG_RUNTIME;
	uint32_t flags = 0;
	int err;

	/* Whatever lies there now, what was there before is gone. */
	err = rec->flags & MAP_FIXED ? cut_mapping(mappings, start, end, &removed) :
				       clear_chosen_range(mappings, start, end);
	if (err || by_runtime || !(rec->flags & MAP_ANONYMOUS))
		return err;
	if ((rec->flags & MAP_TYPE) != MAP_PRIVATE || rec->flags & MAP_HUGETLB)
		flags |= SPAN_NOT_ANON;
	return make_mapping(mappings, start, end, flags);
}

static int apply_munmap(struct mappings *mappings, const struct mapping_rec *rec)
{
	uint64_t start = rec->head.addr, end = range_end(mappings, start, rec->head.size);
	bool was_ours;
	int err;

	/* The runtime unmaps what it mapped; the range may be the program's by now. */
	if (event_flags(&rec->head) & EVENT_FLAG_RUNTIME)
		return 0;
	err = drop_range(mappings, start, end, &was_ours);
	if (!err && was_ours)
		mappings->munmap_calls++;
	return err;
}

/* As realloc: one mapping is dropped, one is made. */
static int apply_mremap(struct mappings *mappings, const struct mapping_rec *rec)
{
	uint64_t old_start = rec->old_addr, old_end = range_end(mappings, old_start, rec->old_size);
	uint64_t start = rec->head.addr, end = range_end(mappings, start, rec->head.size), removed;
	const struct span *old = span_list__find(&mappings->live, old_start);
	uint32_t flags = old ? old->flags : 0;
	bool was_ours = old;
	int err = 0;

	if (event_flags(&rec->head) & EVENT_FLAG_RUNTIME)
		return 0;
	if (!(rec->flags & MREMAP_DONTUNMAP)) {
		err = drop_range(mappings, old_start, old_end, &was_ours);
		mappings->munmap_calls += was_ours;
	}
	if (!err)
		err = rec->flags & MREMAP_FIXED ? cut_mapping(mappings, start, end, &removed) :
						  clear_chosen_range(mappings, start, end);
	if (err || !was_ours)
		return err;
	return make_mapping(mappings, start, end, flags);
}

int mappings__apply(struct mappings *mappings, const struct mapping_rec *rec)
{
	switch (event_type(&rec->head)) {
	case EVENT_MMAP:
		return apply_mmap(mappings, rec);
	case EVENT_MUNMAP:
		return apply_munmap(mappings, rec);
	default:
		return apply_mremap(mappings, rec);
	}
}

/* An unmap that has not come for a whole interval was lost, and must not eat another. */
static int drop_lost_unmaps(struct mappings *mappings)
{
	size_t i, j;
	int err;

	for (i = 0; i < OVERTAKEN_LAYERS; i++) {
		struct span_list *layer = &mappings->overtaken[i];

		for (j = layer->count; j-- > 0;) {
			struct span *span = &layer->items[j];

			if (span->flags == mappings->tick)
				continue;
			err = span_list__cut(layer, span->start, span->end, NULL);
			if (err)
				return err;
		}
	}
	return 0;
}

int mappings__next_interval(struct mappings *mappings)
{
	int err = drop_lost_unmaps(mappings);

	mappings->tick++;
	mappings->mmap_calls = 0;
	mappings->munmap_calls = 0;
	mappings->mapped_bytes = 0;
	mappings->unmapped_bytes = 0;
	return err;
}
