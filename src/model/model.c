// SPDX-License-Identifier: GPL-2.0-only
/* Applies events, closes intervals. See model.h. */
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "correlate.h"
#include "live.h"
#include "parked.h"
#include "span.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/* Read faults whose mapping the last tick did not know; more than this are not told apart. */
#define UNPLACED_FAULTS_MAX 65536

/* A power of two, and more than threads that free at the same time. */
#define LAST_FREES 256

struct last_free {
	uint32_t tid;
	uint64_t addr;
};

/*
 * Ranges whose unmap is still to come, see clear_chosen_range(). A range may be there several
 * times, once for each thread that is late: each time in a layer of its own. The flags of a span
 * are the tick that it dates from.
 */
#define OVERTAKEN_LAYERS 8

struct overtaken {
	struct span_list layers[OVERTAKEN_LAYERS];
	uint32_t tick;
};

/* Of the interval under way. */
struct interval {
	uint64_t malloc_calls;
	uint64_t free_calls;
	uint64_t allocated_bytes;
	uint64_t freed_bytes;
	uint64_t mmap_calls;
	uint64_t munmap_calls;
	uint64_t mapped_bytes;
	uint64_t unmapped_bytes;
	uint64_t zero_page_faults;
	uint64_t unmatched_frees;
	uint64_t dropped_events;	/* addresses no process can have */
};

struct model {
	uint32_t scope;		/* of the last sample */
	uint64_t page_mask;
	struct live_blocks *live;
	struct parked_blocks parked;
	struct last_free last_frees[LAST_FREES];
	struct span_list mappings;	/* of the program itself, anonymous */
	struct overtaken overtaken;
	struct interval interval;

	/* Of the last tick. */
	bool ticked;
	struct kernel_counters counters;
	struct proc_stat stat;
	struct vma_list vmas;
	struct page_range_list swapped;

	uint64_t *unplaced_faults;
	size_t unplaced_count;
};

struct model *model__new(uint32_t page_size)
{
	struct model *model;

	model = calloc(1, sizeof(*model));
	if (!model)
		return NULL;
	model->page_mask = page_size - 1;
	model->live = live_blocks__new(page_size);
	model->unplaced_faults = calloc(UNPLACED_FAULTS_MAX, sizeof(uint64_t));
	if (!model->live || !model->unplaced_faults) {
		model__free(model);
		errno = ENOMEM;
		return NULL;
	}
	return model;
}

void model__free(struct model *model)
{
	int i;

	if (!model)
		return;
	live_blocks__free(model->live);
	parked_blocks__free(&model->parked);
	span_list__free(&model->mappings);
	for (i = 0; i < OVERTAKEN_LAYERS; i++)
		span_list__free(&model->overtaken.layers[i]);
	vma_list__free(&model->vmas);
	page_range_list__free(&model->swapped);
	free(model->unplaced_faults);
	free(model);
}

static int apply_alloc(struct model *model, uint64_t addr, uint64_t size)
{
	int err;

	model->interval.malloc_calls++;
	model->interval.allocated_bytes += size;
	err = live_blocks__add(model->live, addr, size);
	if (err != -ERANGE)
		return err;
	model->interval.dropped_events++;
	return 0;
}

/*
 * jemalloc's operator delete ends in its free, and both are probed. Nothing on the stack tells the
 * second hit from a call of its own, but here it shows: the same thread gives back what it has
 * just given back.
 */
static bool is_nested_free(struct model *model, const struct event_rec *rec)
{
	struct last_free *last = &model->last_frees[event_tid(rec) & (LAST_FREES - 1)];
	bool again = last->tid == event_tid(rec) && last->addr == rec->addr;

	last->tid = event_tid(rec);
	last->addr = rec->addr;
	return again;
}

static void apply_free(struct model *model, const struct event_rec *rec)
{
	bool again = is_nested_free(model, rec);
	uint64_t size;

	if (live_blocks__remove(model->live, rec->addr, &size)) {
		model->interval.free_calls++;
		model->interval.freed_bytes += size;
	} else if (!again) {
		model->interval.free_calls++;
		model->interval.unmatched_frees++;
	}
}

static void drop_parked(struct model *model, const struct parked_block *block)
{
	if (block->known)
		model->interval.freed_bytes += block->size;
	else
		model->interval.unmatched_frees++;
}

static int apply_leave(struct model *model, const struct event_rec *rec)
{
	struct parked_block block = { .tid = event_tid(rec), .addr = rec->addr }, stale;

	/* Its ENTER was lost; most reallocs succeed. */
	if (parked_blocks__take(&model->parked, block.tid, &stale))
		drop_parked(model, &stale);
	block.known = live_blocks__remove(model->live, block.addr, &block.size);
	return parked_blocks__put(&model->parked, &block);
}

static int apply_enter(struct model *model, const struct event_rec *rec)
{
	struct parked_block block;
	bool parked = parked_blocks__take(&model->parked, event_tid(rec), &block);
	bool succeeded = rec->addr || !rec->size;

	if (event_flags(rec) & EVENT_FLAG_HAD_OLD && succeeded) {
		model->interval.free_calls++;
		if (parked)
			drop_parked(model, &block);
	} else if (parked && block.known) {
		int err = live_blocks__add(model->live, block.addr, block.size);

		if (err)
			return err;
	}
	return rec->addr ? apply_alloc(model, rec->addr, rec->size) : 0;
}

static uint64_t page_align(const struct model *model, uint64_t size)
{
	return (size + model->page_mask) & ~model->page_mask;
}

/* The end of a range that came from outside, without wrapping around. */
static uint64_t range_end(const struct model *model, uint64_t start, uint64_t size)
{
	uint64_t end = start + page_align(model, size);

	return end < start ? UINT64_MAX & ~model->page_mask : end;
}

static int cut_mapping(struct model *model, uint64_t start, uint64_t end, uint64_t *removed)
{
	int err = span_list__cut(&model->mappings, start, end, removed);

	if (!err)
		model->interval.unmapped_bytes += *removed;
	return err;
}

static int add_overtaken(struct model *model, uint64_t start, uint64_t end)
{
	struct span_list *layer = model->overtaken.layers;
	int err;

	while (layer < &model->overtaken.layers[OVERTAKEN_LAYERS - 1] &&
	       span_list__first_overlap(layer, start, end))
		layer++;
	err = span_list__cut(layer, start, end, NULL);
	return err ? err : span_list__join(layer, start, end, model->overtaken.tick);
}

/*
 * The mmap family is seen behind the system call, so a thread may get a range and report it before
 * the thread that has just unmapped it has reported that. But where the kernel chose the address,
 * nothing was mapped there: what we think is, has been unmapped, and the report is on its way.
 * Take it out now, and remember the range until its unmap has come.
 */
static int clear_chosen_range(struct model *model, uint64_t start, uint64_t end)
{
	const struct span *stale;
	uint64_t removed;
	int err;

	while ((stale = span_list__first_overlap(&model->mappings, start, end))) {
		uint64_t from = stale->start > start ? stale->start : start;
		uint64_t to = stale->end < end ? stale->end : end;

		err = add_overtaken(model, from, to);
		if (!err)
			err = cut_mapping(model, from, to, &removed);
		if (err)
			return err;
	}
	return 0;
}

/* The layer with the first range in [start, end) whose unmap was overtaken, or NULL. */
static struct span_list *first_overtaken(struct model *model, uint64_t start, uint64_t end,
					 struct span *range)
{
	struct span_list *found = NULL;
	int i;

	for (i = 0; i < OVERTAKEN_LAYERS; i++) {
		struct span_list *layer = &model->overtaken.layers[i];
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
static int drop_range(struct model *model, uint64_t start, uint64_t end, bool *was_ours)
{
	uint64_t removed;
	int err = 0;

	*was_ours = false;
	while (!err && start < end) {
		struct span range = { .start = end, .end = end };
		struct span_list *layer = first_overtaken(model, start, end, &range);
		uint64_t stop = range.end < end ? range.end : end;

		if (range.start > start) {
			err = cut_mapping(model, start, range.start, &removed);
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

static int make_mapping(struct model *model, uint64_t start, uint64_t end, uint32_t flags)
{
	model->interval.mmap_calls++;
	model->interval.mapped_bytes += end - start;
	return span_list__join(&model->mappings, start, end, flags);
}

static int apply_mmap(struct model *model, const struct mapping_rec *rec)
{
	uint64_t start = rec->head.addr, end = range_end(model, start, rec->head.size), removed;
	bool by_runtime = event_flags(&rec->head) & EVENT_FLAG_RUNTIME;
	uint32_t flags = 0;
	int err;

	/* Whatever lies there now, what was there before is gone. */
	err = rec->flags & MAP_FIXED ? cut_mapping(model, start, end, &removed) :
				       clear_chosen_range(model, start, end);
	if (err || by_runtime || !(rec->flags & MAP_ANONYMOUS))
		return err;
	if ((rec->flags & MAP_TYPE) != MAP_PRIVATE || rec->flags & MAP_HUGETLB)
		flags |= SPAN_NOT_ANON;
	return make_mapping(model, start, end, flags);
}

static int apply_munmap(struct model *model, const struct mapping_rec *rec)
{
	uint64_t start = rec->head.addr, end = range_end(model, start, rec->head.size);
	bool was_ours;
	int err;

	/* The runtime unmaps what it mapped; the range may be the program's by now. */
	if (event_flags(&rec->head) & EVENT_FLAG_RUNTIME)
		return 0;
	err = drop_range(model, start, end, &was_ours);
	if (!err && was_ours)
		model->interval.munmap_calls++;
	return err;
}

/* As realloc: one mapping is dropped, one is made. */
static int apply_mremap(struct model *model, const struct mapping_rec *rec)
{
	uint64_t old_start = rec->old_addr, old_end = range_end(model, old_start, rec->old_size);
	uint64_t start = rec->head.addr, end = range_end(model, start, rec->head.size), removed;
	const struct span *old = span_list__find(&model->mappings, old_start);
	uint32_t flags = old ? old->flags : 0;
	bool was_ours = old;
	int err = 0;

	if (event_flags(&rec->head) & EVENT_FLAG_RUNTIME)
		return 0;
	if (!(rec->flags & MREMAP_DONTUNMAP)) {
		err = drop_range(model, old_start, old_end, &was_ours);
		model->interval.munmap_calls += was_ours;
	}
	if (!err)
		err = rec->flags & MREMAP_FIXED ? cut_mapping(model, start, end, &removed) :
						  clear_chosen_range(model, start, end);
	if (err || !was_ours)
		return err;
	return make_mapping(model, start, end, flags);
}

enum fault_place {
	FAULT_ZERO_PAGE,
	FAULT_ELSEWHERE,
	FAULT_UNPLACED,
};

static bool was_swapped(const struct model *model, uint64_t addr)
{
	const struct page_range_list *swapped = &model->swapped;
	size_t low = 0, high = swapped->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (swapped->items[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low < swapped->count && swapped->items[low].start <= addr;
}

static bool is_private_anon(const struct vma *vma)
{
	return !(vma->flags & (VMA_FILE | VMA_SHARED | VMA_SPECIAL));
}

/*
 * A read of an absent page maps the zero page where the mapping is private and anonymous, unless
 * the page was swapped out, which the last look at the page tables tells.
 */
static enum fault_place place_fault(const struct model *model, uint64_t addr)
{
	const struct span *mapping = span_list__find(&model->mappings, addr);
	const struct vma *vma;

	if (mapping && mapping->flags & SPAN_NOT_ANON)
		return FAULT_ELSEWHERE;
	if (!mapping) {
		vma = vma_list__find(&model->vmas, addr);
		if (!vma)
			return FAULT_UNPLACED;
		if (!is_private_anon(vma))
			return FAULT_ELSEWHERE;
	}
	return was_swapped(model, addr) ? FAULT_ELSEWHERE : FAULT_ZERO_PAGE;
}

static void apply_read_fault(struct model *model, uint64_t addr)
{
	switch (place_fault(model, addr)) {
	case FAULT_ZERO_PAGE:
		model->interval.zero_page_faults++;
		break;
	case FAULT_UNPLACED:
		if (model->unplaced_count < UNPLACED_FAULTS_MAX)
			model->unplaced_faults[model->unplaced_count++] = addr;
		break;
	case FAULT_ELSEWHERE:
		break;
	}
}

static void apply_exec(struct model *model)
{
	int i;

	live_blocks__clear(model->live);
	parked_blocks__clear(&model->parked);
	span_list__clear(&model->mappings);
	for (i = 0; i < OVERTAKEN_LAYERS; i++)
		span_list__clear(&model->overtaken.layers[i]);
	model->vmas.count = 0;
	model->swapped.count = 0;
	model->unplaced_count = 0;
}

static int apply_mapping(struct model *model, const struct mapping_rec *rec)
{
	switch (event_type(&rec->head)) {
	case EVENT_MMAP:
		return apply_mmap(model, rec);
	case EVENT_MUNMAP:
		return apply_munmap(model, rec);
	default:
		return apply_mremap(model, rec);
	}
}

int model__apply(struct model *model, const struct event_rec *rec, size_t size)
{
	if (size < sizeof(*rec))
		return -EINVAL;
	switch (event_type(rec)) {
	case EVENT_ALLOC:
		return apply_alloc(model, rec->addr, rec->size);
	case EVENT_FREE:
		apply_free(model, rec);
		return 0;
	case EVENT_LEAVE:
		return apply_leave(model, rec);
	case EVENT_ENTER:
		return apply_enter(model, rec);
	case EVENT_MMAP:
	case EVENT_MUNMAP:
	case EVENT_MREMAP:
		if (size < sizeof(struct mapping_rec))
			return -EINVAL;
		return apply_mapping(model, (const struct mapping_rec *)rec);
	case EVENT_READ_FAULT:
		apply_read_fault(model, rec->addr);
		return 0;
	case EVENT_EXEC:
		apply_exec(model);
		return 0;
	default:
		return -EINVAL;
	}
}

bool model__wants(const struct model *model, uint32_t scope, const struct vma *vma)
{
	if (vma->flags & VMA_SPECIAL)
		return false;
	if (scope & MODEL_ALL_ANON)
		return is_private_anon(vma);
	if (model->parked.count && is_private_anon(vma))
		return true;
	return correlate_wants(model->live, &model->mappings, vma);
}

/* Blocks inside realloc at this instant are live: lend them their pages while we look. */
static int cover_parked(struct model *model, bool cover)
{
	size_t i;
	int err;

	for (i = 0; i < model->parked.room; i++) {
		const struct parked_block *block = &model->parked.slots[i];

		if (!block->addr || !block->known)
			continue;
		if (!cover) {
			live_blocks__uncover(model->live, block->addr, block->size);
			continue;
		}
		err = live_blocks__cover(model->live, block->addr, block->size);
		if (err)
			return err;
	}
	return 0;
}

static void sum_parked(const struct model *model, uint64_t *blocks, uint64_t *bytes)
{
	size_t i;

	for (i = 0; i < model->parked.room; i++) {
		if (!model->parked.slots[i].addr || !model->parked.slots[i].known)
			continue;
		*blocks += 1;
		*bytes += model->parked.slots[i].size;
	}
}

/* Every private anonymous mapping there is now, for runs without events. */
static int take_all_anon(struct model *model, const struct vma_list *vmas)
{
	size_t i;
	int err;

	span_list__clear(&model->mappings);
	for (i = 0; i < vmas->count; i++) {
		if (!is_private_anon(&vmas->items[i]))
			continue;
		err = span_list__join(&model->mappings, vmas->items[i].start, vmas->items[i].end, 0);
		if (err)
			return err;
	}
	return 0;
}

static void fill_live(const struct model *model, struct snapshot *snapshot)
{
	uint64_t blocks = live_blocks__count(model->live), bytes = live_blocks__bytes(model->live);

	snapshot->live_bytes = 0;
	if (model->scope & MODEL_HEAP) {
		sum_parked(model, &blocks, &bytes);
		snapshot->live_blocks = blocks;
		snapshot->heap_live_bytes = bytes;
		snapshot->live_bytes += bytes;
	}
	if (model->scope & (MODEL_MAPPINGS | MODEL_ALL_ANON)) {
		snapshot->mmap_live_bytes = model->mappings.bytes;
		snapshot->live_bytes += model->mappings.bytes;
	}
	if (!model->scope)
		snapshot->live_bytes = SNAPSHOT_UNKNOWN;
}

/* RssAnon and the page tables are read a moment apart; a running target may differ by as much. */
static uint64_t saturating_sub(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static int fill_residency(struct model *model, const struct sample *sample,
			  struct snapshot *snapshot)
{
	struct residency residency;
	int err;

	if (!sample->has_pages || !model->scope)
		return 0;
	err = cover_parked(model, true);
	if (err)
		return err;
	correlate(model->live, &model->mappings, sample, &residency);
	cover_parked(model, false);
	snapshot->live_zero_bytes = residency.state_bytes[PAGE_ZERO];
	snapshot->live_swapped_bytes = residency.state_bytes[PAGE_SWAPPED];
	snapshot->live_resident_bytes = residency.resident_bytes;
	snapshot->live_untouched_bytes = snapshot->live_bytes - residency.resident_bytes -
					 snapshot->live_zero_bytes - snapshot->live_swapped_bytes;
	if (snapshot->rss_anon_bytes != SNAPSHOT_UNKNOWN)
		snapshot->unattributed_bytes =
			saturating_sub(snapshot->rss_anon_bytes, residency.resident_anon_bytes);
	return 0;
}

static void fill_calls(const struct model *model, const struct kernel_counters *now,
		       struct snapshot *snapshot)
{
	const struct interval *interval = &model->interval;
	const struct kernel_counters *last = &model->counters;

	if (model->scope & MODEL_HEAP) {
		/* What the ring lost is counted in BPF, so totals hold where details do not. */
		snapshot->malloc_calls =
			interval->malloc_calls + now->lost_allocs - last->lost_allocs;
		snapshot->free_calls = interval->free_calls + now->lost_frees - last->lost_frees;
		snapshot->allocated_bytes = interval->allocated_bytes + now->lost_alloc_bytes -
					    last->lost_alloc_bytes;
		snapshot->freed_bytes = interval->freed_bytes;
		snapshot->unmatched_frees = interval->unmatched_frees;
	}
	if (model->scope & MODEL_MAPPINGS) {
		snapshot->mmap_calls = interval->mmap_calls;
		snapshot->munmap_calls = interval->munmap_calls;
		snapshot->mapped_bytes = interval->mapped_bytes;
		snapshot->unmapped_bytes = interval->unmapped_bytes;
	}
	snapshot->lost_events =
		now->lost_events - last->lost_events + interval->dropped_events;
}

static void fill_faults(const struct model *model, const struct sample *sample,
			struct snapshot *snapshot)
{
	const struct kernel_counters *now = &sample->counters, *last = &model->counters;

	if (sample->has_status) {
		snapshot->minor_faults = sample->stat.minor_faults - model->stat.minor_faults;
		snapshot->major_faults = sample->stat.major_faults - model->stat.major_faults;
	}
	if (!sample->has_faults)
		return;
	snapshot->user_faults = now->user_faults - last->user_faults;
	snapshot->kernel_faults = now->kernel_faults - last->kernel_faults;
	snapshot->write_faults = now->write_faults - last->write_faults;
	snapshot->cow_faults = now->cow_faults - last->cow_faults;
	snapshot->zero_page_faults = model->interval.zero_page_faults;
}

static void fill_process(const struct model *model, const struct sample *sample,
			 struct snapshot *snapshot)
{
	snapshot->time = sample->time;
	snapshot->elapsed_ns = sample->elapsed_ns;
	snapshot->tgid = sample->tgid;
	/* A process that is gone keeps the name it had. */
	memcpy(snapshot->comm, sample->has_status ? sample->stat.comm : model->stat.comm,
	       sizeof(snapshot->comm));
	if (!sample->has_status)
		return;
	snapshot->vm_bytes = sample->status.vm_bytes;
	snapshot->rss_bytes = sample->status.rss_bytes;
	snapshot->rss_anon_bytes = sample->status.rss_anon_bytes;
	snapshot->rss_file_bytes = sample->status.rss_file_bytes;
	snapshot->rss_shmem_bytes = sample->status.rss_shmem_bytes;
	snapshot->swap_bytes = sample->status.swap_bytes;
}

static int keep_swapped(struct model *model, const struct page_range_list *ranges)
{
	size_t i;
	int err;

	model->swapped.count = 0;
	for (i = 0; i < ranges->count; i++) {
		const struct page_range *range = &ranges->items[i];

		if (range->state != PAGE_SWAPPED)
			continue;
		err = page_range_list__push(&model->swapped, range->start, range->end, PAGE_SWAPPED);
		if (err)
			return err;
	}
	return 0;
}

static int keep_vmas(struct model *model, const struct vma_list *vmas)
{
	size_t i;
	int err;

	model->vmas.count = 0;
	for (i = 0; i < vmas->count; i++) {
		err = vma_list__push(&model->vmas, &vmas->items[i]);
		if (err)
			return err;
	}
	return 0;
}

/* Mappings made since the last tick are known now; swapped pages still are those of the last. */
static int take_mappings(struct model *model, const struct sample *sample)
{
	size_t i;
	int err;

	err = keep_vmas(model, &sample->vmas);
	if (err)
		return err;
	for (i = 0; i < model->unplaced_count; i++)
		if (place_fault(model, model->unplaced_faults[i]) == FAULT_ZERO_PAGE)
			model->interval.zero_page_faults++;
	model->unplaced_count = 0;
	err = keep_swapped(model, &sample->ranges);
	if (err)
		return err;
	return model->scope & MODEL_ALL_ANON ? take_all_anon(model, &sample->vmas) : 0;
}

static void mark_unknown(struct snapshot *snapshot)
{
	memset(snapshot, 0xff, sizeof(*snapshot));	/* SNAPSHOT_UNKNOWN everywhere */
}

/* An unmap that has not come for a whole interval was lost, and must not eat another. */
static int age_overtaken(struct model *model)
{
	size_t i, j;
	int err;

	for (i = 0; i < OVERTAKEN_LAYERS; i++) {
		struct span_list *layer = &model->overtaken.layers[i];

		for (j = layer->count; j-- > 0;) {
			struct span *span = &layer->items[j];

			if (span->flags == model->overtaken.tick)
				continue;
			err = span_list__cut(layer, span->start, span->end, NULL);
			if (err)
				return err;
		}
	}
	model->overtaken.tick++;
	return 0;
}

int model__tick(struct model *model, const struct sample *sample, struct snapshot *snapshot)
{
	int err;

	if (!model->ticked) {
		model->counters = sample->counters;
		model->stat = sample->stat;
		model->interval = (struct interval){ 0 };
		model->ticked = true;
	}
	model->scope = sample->scope;
	if (sample->has_pages) {
		err = take_mappings(model, sample);
		if (err)
			return err;
	}
	mark_unknown(snapshot);
	fill_process(model, sample, snapshot);
	fill_live(model, snapshot);
	err = fill_residency(model, sample, snapshot);
	if (err)
		return err;
	fill_calls(model, &sample->counters, snapshot);
	fill_faults(model, sample, snapshot);

	model->counters = sample->counters;
	if (sample->has_status)
		model->stat = sample->stat;
	model->interval = (struct interval){ 0 };
	return age_overtaken(model);
}
