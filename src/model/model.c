// SPDX-License-Identifier: GPL-2.0-only
/* Applies events, closes intervals. See model.h. */
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "correlate.h"
#include "live.h"
#include "mappings.h"
#include "parked.h"
#include "span.h"

/* Read faults whose mapping the last tick did not know; more than this are not told apart. */
#define UNPLACED_FAULTS_MAX 65536

/* A power of two, and more than threads that free at the same time. */
#define LAST_FREES 256

struct last_free {
	uint32_t tid;
	uint64_t addr;
};

/* Of the interval under way. */
struct interval {
	uint64_t malloc_calls;
	uint64_t free_calls;
	uint64_t allocated_bytes;
	uint64_t freed_bytes;
	uint64_t zero_page_faults;
	uint64_t unmatched_frees;
	uint64_t dropped_events;	/* addresses no process can have */
};

struct model {
	uint32_t scope;		/* of the last sample */
	struct live_blocks *live;
	struct parked_blocks parked;
	struct last_free last_frees[LAST_FREES];
	struct mappings mappings;
	struct interval interval;

	/* Of the last tick. */
	bool ticked;
	struct kernel_counters counters;
	struct proc_stat stat;
	struct vma_list vmas;
	struct span_list swapped;

	uint64_t *unplaced_faults;
	size_t unplaced_count;
};

struct model *model__new(uint32_t page_size)
{
	struct model *model;

	model = calloc(1, sizeof(*model));
	if (!model)
		return NULL;
	mappings__init(&model->mappings, page_size);
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
	if (!model)
		return;
	live_blocks__free(model->live);
	parked_blocks__free(&model->parked);
	mappings__free(&model->mappings);
	vma_list__free(&model->vmas);
	span_list__free(&model->swapped);
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

enum fault_place {
	FAULT_ZERO_PAGE,
	FAULT_ELSEWHERE,
	FAULT_UNPLACED,
};

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
	const struct span *mapping = span_list__find(&model->mappings.live, addr);
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
	return span_list__find(&model->swapped, addr) ? FAULT_ELSEWHERE : FAULT_ZERO_PAGE;
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
	live_blocks__clear(model->live);
	parked_blocks__clear(&model->parked);
	mappings__clear(&model->mappings);
	model->vmas.count = 0;
	span_list__clear(&model->swapped);
	model->unplaced_count = 0;
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
		return mappings__apply(&model->mappings, (const struct mapping_rec *)rec);
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
	return correlate_wants(model->live, &model->mappings.live, vma);
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

	span_list__clear(&model->mappings.live);
	for (i = 0; i < vmas->count; i++) {
		if (!is_private_anon(&vmas->items[i]))
			continue;
		err = span_list__join(&model->mappings.live, vmas->items[i].start, vmas->items[i].end, 0);
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
		snapshot->mmap_live_bytes = model->mappings.live.bytes;
		snapshot->live_bytes += model->mappings.live.bytes;
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
	correlate(model->live, &model->mappings.live, sample, &residency);
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
		snapshot->mmap_calls = model->mappings.mmap_calls;
		snapshot->munmap_calls = model->mappings.munmap_calls;
		snapshot->mapped_bytes = model->mappings.mapped_bytes;
		snapshot->unmapped_bytes = model->mappings.unmapped_bytes;
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

	span_list__clear(&model->swapped);
	for (i = 0; i < ranges->count; i++) {
		const struct page_range *range = &ranges->items[i];

		if (range->state != PAGE_SWAPPED)
			continue;
		err = span_list__join(&model->swapped, range->start, range->end, 0);
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
	return mappings__next_interval(&model->mappings);
}
