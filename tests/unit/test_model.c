// SPDX-License-Identifier: GPL-2.0-only
/* Events and samples in, figures out: each case is a short story of one target. */
#include "model/model.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "test.h"

#define PAGE 4096u
#define HEAP 0x555555000000ull
#define AREA 0x7f0000000000ull
#define TGID 100

struct story {
	struct model *model;
	struct sample sample;
	struct snapshot row;
};

static void begin(struct story *story, uint32_t scope)
{
	*story = (struct story){ .model = model__new(PAGE) };
	story->sample.scope = scope;
	story->sample.tgid = TGID;
	story->sample.has_status = true;
	story->sample.has_pages = true;
	story->sample.has_faults = true;
	story->sample.status.rss_anon_bytes = 1 << 30;
	strcpy(story->sample.stat.comm, "story");
}

static void end(struct story *story)
{
	model__free(story->model);
	vma_list__free(&story->sample.vmas);
	page_range_list__free(&story->sample.ranges);
}

static void add_vma(struct story *story, uint64_t start, uint64_t bytes, uint32_t flags)
{
	struct vma vma = { .start = start, .end = start + bytes, .flags = flags };

	vma_list__push(&story->sample.vmas, &vma);
}

static int send(struct story *story, enum event_type type, uint32_t tid, uint32_t flags,
		uint64_t addr, uint64_t size)
{
	struct event_rec rec = {
		.addr = addr,
		.size = size,
		.tgid = TGID,
		.tid_type = EVENT_TID_TYPE(tid, flags, type),
	};

	return model__apply(story->model, &rec, sizeof(rec));
}

static int send_map(struct story *story, struct mapping_rec rec, enum event_type type,
		    uint32_t flags)
{
	rec.head.tgid = TGID;
	rec.head.tid_type = EVENT_TID_TYPE(1, flags, type);
	return model__apply(story->model, &rec.head, sizeof(rec));
}

static int map(struct story *story, uint64_t addr, uint64_t size)
{
	struct mapping_rec rec = {
		.head = { .addr = addr, .size = size }, .flags = MAP_PRIVATE | MAP_ANONYMOUS,
	};

	return send_map(story, rec, EVENT_MMAP, 0);
}

static int unmap(struct story *story, uint64_t addr, uint64_t size)
{
	return send_map(story, (struct mapping_rec){ .head = { .addr = addr, .size = size } },
			EVENT_MUNMAP, 0);
}

static int tick(struct story *story)
{
	story->sample.elapsed_ns += 1000000000;
	return model__tick(story->model, &story->sample, &story->row);
}

static uint64_t sum_of_classes(const struct snapshot *row)
{
	return row->live_resident_bytes + row->live_zero_bytes + row->live_swapped_bytes +
	       row->live_untouched_bytes;
}

TEST(first_row_is_all_zero)
{
	struct story story;

	begin(&story, MODEL_HEAP | MODEL_MAPPINGS);
	story.sample.stat.minor_faults = 1234;
	story.sample.counters.user_faults = 99;
	CHECK(!tick(&story));
	CHECK_U64(story.row.malloc_calls, 0);
	CHECK_U64(story.row.minor_faults, 0);
	CHECK_U64(story.row.user_faults, 0);
	CHECK_U64(story.row.live_bytes, 0);
	CHECK_U64(sum_of_classes(&story.row), 0);
	CHECK_U64(story.row.unattributed_bytes, 1 << 30);
	CHECK_STR(story.row.comm, "story");
	end(&story);
}

TEST(counts_are_per_interval)
{
	struct story story;

	begin(&story, MODEL_HEAP | MODEL_MAPPINGS);
	add_vma(&story, HEAP, 1 << 20, 0);
	CHECK(!tick(&story));
	CHECK(!send(&story, EVENT_ALLOC, 1, 0, HEAP + 16, 100));
	CHECK(!send(&story, EVENT_ALLOC, 2, 0, HEAP + 256, 50));
	CHECK(!send(&story, EVENT_FREE, 2, 0, HEAP + 16, 0));
	CHECK(!send(&story, EVENT_FREE, 2, 0, HEAP + 9999, 0));
	CHECK(!tick(&story));
	CHECK_U64(story.row.malloc_calls, 2);
	CHECK_U64(story.row.free_calls, 2);
	CHECK_U64(story.row.allocated_bytes, 150);
	CHECK_U64(story.row.freed_bytes, 100);
	CHECK_U64(story.row.unmatched_frees, 1);
	CHECK_U64(story.row.live_blocks, 1);
	CHECK_U64(story.row.live_bytes, 50);
	CHECK_U64(story.row.live_resident_bytes, 50);
	CHECK(!tick(&story));
	CHECK_U64(story.row.malloc_calls, 0);
	CHECK_U64(story.row.unmatched_frees, 0);
	CHECK_U64(story.row.live_bytes, 50);
	end(&story);
}

TEST(realloc_moves_and_counts_both_ways)
{
	struct story story;

	begin(&story, MODEL_HEAP);
	CHECK(!tick(&story));
	CHECK(!send(&story, EVENT_ALLOC, 1, 0, HEAP, 100));
	CHECK(!send(&story, EVENT_LEAVE, 1, 0, HEAP, 0));
	/* Another thread already gets the old address. */
	CHECK(!send(&story, EVENT_ALLOC, 2, 0, HEAP, 64));
	CHECK(!send(&story, EVENT_ENTER, 1, EVENT_FLAG_HAD_OLD, HEAP + 4096, 200));
	CHECK(!tick(&story));
	CHECK_U64(story.row.malloc_calls, 3);
	CHECK_U64(story.row.free_calls, 1);
	CHECK_U64(story.row.freed_bytes, 100);
	CHECK_U64(story.row.live_blocks, 2);
	CHECK_U64(story.row.live_bytes, 264);
	end(&story);
}

/* operator delete → free, both probed: one call. A block that came in between makes it two. */
TEST(free_inside_free_counts_once)
{
	struct story story;

	begin(&story, MODEL_HEAP);
	CHECK(!tick(&story));
	CHECK(!send(&story, EVENT_ALLOC, 1, 0, HEAP, 100));
	CHECK(!send(&story, EVENT_FREE, 1, 0, HEAP, 0));
	CHECK(!send(&story, EVENT_FREE, 1, 0, HEAP, 0));
	CHECK(!send(&story, EVENT_ALLOC, 1, 0, HEAP, 100));
	CHECK(!send(&story, EVENT_FREE, 1, 0, HEAP, 0));
	CHECK(!send(&story, EVENT_FREE, 2, 0, HEAP, 0));
	CHECK(!tick(&story));
	CHECK_U64(story.row.free_calls, 3);
	CHECK_U64(story.row.freed_bytes, 200);
	CHECK_U64(story.row.unmatched_frees, 1);
	end(&story);
}

TEST(failed_realloc_frees_nothing)
{
	struct story story;

	begin(&story, MODEL_HEAP);
	CHECK(!tick(&story));
	CHECK(!send(&story, EVENT_ALLOC, 1, 0, HEAP, 100));
	CHECK(!send(&story, EVENT_LEAVE, 1, 0, HEAP, 0));
	CHECK(!send(&story, EVENT_ENTER, 1, EVENT_FLAG_HAD_OLD, 0, 1ull << 60));
	CHECK(!tick(&story));
	CHECK_U64(story.row.malloc_calls, 1);
	CHECK_U64(story.row.free_calls, 0);
	CHECK_U64(story.row.live_bytes, 100);
	end(&story);
}

TEST(realloc_to_nothing_frees)
{
	struct story story;

	begin(&story, MODEL_HEAP);
	CHECK(!tick(&story));
	CHECK(!send(&story, EVENT_ALLOC, 1, 0, HEAP, 100));
	CHECK(!send(&story, EVENT_LEAVE, 1, 0, HEAP, 0));
	CHECK(!send(&story, EVENT_ENTER, 1, EVENT_FLAG_HAD_OLD, 0, 0));
	CHECK(!tick(&story));
	CHECK_U64(story.row.free_calls, 1);
	CHECK_U64(story.row.freed_bytes, 100);
	CHECK_U64(story.row.live_blocks, 0);
	end(&story);
}

TEST(block_inside_realloc_is_live_and_on_its_pages)
{
	struct story story;

	begin(&story, MODEL_HEAP);
	add_vma(&story, HEAP, 1 << 20, 0);
	CHECK(!tick(&story));
	CHECK(!send(&story, EVENT_ALLOC, 1, 0, HEAP, 3 * PAGE));
	CHECK(!send(&story, EVENT_LEAVE, 1, 0, HEAP, 0));
	CHECK(model__wants(story.model, MODEL_HEAP, &story.sample.vmas.items[0]));
	CHECK(!page_range_list__push(&story.sample.ranges, HEAP + PAGE, HEAP + 2 * PAGE,
				     PAGE_SWAPPED));
	CHECK(!tick(&story));
	CHECK_U64(story.row.live_blocks, 1);
	CHECK_U64(story.row.live_bytes, 3 * PAGE);
	CHECK_U64(story.row.live_swapped_bytes, PAGE);
	CHECK_U64(story.row.live_resident_bytes, 2 * PAGE);
	end(&story);
}

TEST(classes_follow_the_pages)
{
	struct story story;

	begin(&story, MODEL_HEAP | MODEL_MAPPINGS);
	add_vma(&story, HEAP, 16 * PAGE, 0);
	add_vma(&story, AREA, 16 * PAGE, 0);
	CHECK(!tick(&story));
	CHECK(!send(&story, EVENT_ALLOC, 1, 0, HEAP + 100, PAGE));
	CHECK(!map(&story, AREA, 10 * PAGE));
	CHECK(!page_range_list__push(&story.sample.ranges, HEAP, HEAP + PAGE, PAGE_ABSENT));
	CHECK(!page_range_list__push(&story.sample.ranges, AREA, AREA + 2 * PAGE, PAGE_ZERO));
	CHECK(!page_range_list__push(&story.sample.ranges, AREA + 2 * PAGE, AREA + 5 * PAGE,
				     PAGE_SWAPPED));
	CHECK(!page_range_list__push(&story.sample.ranges, AREA + 9 * PAGE, AREA + 16 * PAGE,
				     PAGE_ABSENT));
	CHECK(!tick(&story));
	CHECK_U64(story.row.live_bytes, 11 * PAGE);
	CHECK_U64(story.row.live_zero_bytes, 2 * PAGE);
	CHECK_U64(story.row.live_swapped_bytes, 3 * PAGE);
	CHECK_U64(story.row.live_untouched_bytes, PAGE + PAGE - 100);
	CHECK_U64(story.row.live_resident_bytes, 4 * PAGE + 100);
	CHECK_U64(story.row.unattributed_bytes, (1 << 30) - 4 * PAGE - 100);
	end(&story);
}

TEST(live_bytes_outside_any_mapping_are_untouched)
{
	struct story story;

	begin(&story, MODEL_HEAP | MODEL_MAPPINGS);
	CHECK(!tick(&story));
	CHECK(!map(&story, AREA, PAGE));
	CHECK(!tick(&story));
	CHECK_U64(story.row.live_untouched_bytes, PAGE);
	CHECK_U64(sum_of_classes(&story.row), story.row.live_bytes);
	end(&story);
}

TEST(shared_memory_is_not_in_rss_anon)
{
	struct mapping_rec rec = {
		.head = { .addr = AREA, .size = 4 * PAGE }, .flags = MAP_SHARED | MAP_ANONYMOUS,
	};
	struct story story;

	begin(&story, MODEL_MAPPINGS);
	add_vma(&story, AREA, 4 * PAGE, VMA_SHARED | VMA_FILE);
	story.sample.status.rss_anon_bytes = 7 * PAGE;
	CHECK(!tick(&story));
	CHECK(!send_map(&story, rec, EVENT_MMAP, 0));
	CHECK(!tick(&story));
	CHECK_U64(story.row.live_resident_bytes, 4 * PAGE);
	CHECK_U64(story.row.unattributed_bytes, 7 * PAGE);
	CHECK_U64(story.row.live_blocks, SNAPSHOT_UNKNOWN);
	CHECK_U64(story.row.heap_live_bytes, SNAPSHOT_UNKNOWN);
	end(&story);
}

TEST(partial_unmap_and_map_fixed)
{
	struct mapping_rec file = { .head = { .addr = AREA, .size = 1 }, .flags = MAP_FIXED };
	struct story story;

	begin(&story, MODEL_MAPPINGS);
	CHECK(!tick(&story));
	CHECK(!map(&story, AREA, 8 * PAGE - 5));
	CHECK(!unmap(&story, AREA + 2 * PAGE, 2 * PAGE));
	CHECK(!unmap(&story, AREA + (1ull << 32), PAGE));
	CHECK(!send_map(&story, file, EVENT_MMAP, 0));
	CHECK(!tick(&story));
	CHECK_U64(story.row.mmap_calls, 1);
	CHECK_U64(story.row.munmap_calls, 1);
	CHECK_U64(story.row.mapped_bytes, 8 * PAGE);
	CHECK_U64(story.row.unmapped_bytes, 3 * PAGE);
	CHECK_U64(story.row.mmap_live_bytes, 5 * PAGE);
	end(&story);
}

TEST(mremap_is_a_drop_and_a_make)
{
	struct mapping_rec grow = {
		.head = { .addr = AREA + (1 << 30), .size = 6 * PAGE },
		.old_addr = AREA, .old_size = 4 * PAGE, .flags = MREMAP_MAYMOVE,
	};
	struct mapping_rec foreign = {
		.head = { .addr = AREA + (2ull << 30), .size = PAGE },
		.old_addr = HEAP, .old_size = PAGE,
	};
	struct story story;

	begin(&story, MODEL_MAPPINGS);
	CHECK(!tick(&story));
	CHECK(!map(&story, AREA, 4 * PAGE));
	CHECK(!send_map(&story, grow, EVENT_MREMAP, 0));
	CHECK(!send_map(&story, foreign, EVENT_MREMAP, 0));
	CHECK(!tick(&story));
	CHECK_U64(story.row.mmap_live_bytes, 6 * PAGE);
	CHECK_U64(story.row.mapped_bytes, 10 * PAGE);
	CHECK_U64(story.row.unmapped_bytes, 4 * PAGE);
	CHECK_U64(story.row.munmap_calls, 1);
	end(&story);
}

/* Thread A unmaps, thread B gets the range and is seen first: the kernel chose it, so it was free. */
TEST(unmap_overtaken_by_the_next_map)
{
	struct story story;

	begin(&story, MODEL_MAPPINGS);
	CHECK(!tick(&story));
	CHECK(!map(&story, AREA, 8 * PAGE));
	CHECK(!map(&story, AREA + 2 * PAGE, 4 * PAGE));
	CHECK(!unmap(&story, AREA, 8 * PAGE));
	CHECK(!tick(&story));
	CHECK_U64(story.row.mmap_calls, 2);
	CHECK_U64(story.row.munmap_calls, 1);
	CHECK_U64(story.row.mapped_bytes, 12 * PAGE);
	CHECK_U64(story.row.unmapped_bytes, 8 * PAGE);
	CHECK_U64(story.row.mmap_live_bytes, 4 * PAGE);
	CHECK(!unmap(&story, AREA + 2 * PAGE, 4 * PAGE));
	CHECK(!tick(&story));
	CHECK_U64(story.row.munmap_calls, 1);
	CHECK_U64(story.row.mmap_live_bytes, 0);
	end(&story);
}

/* Two threads late with the same range, while a third already has it. */
TEST(unmaps_overtaken_twice)
{
	struct story story;

	begin(&story, MODEL_MAPPINGS);
	CHECK(!tick(&story));
	CHECK(!map(&story, AREA, 4 * PAGE));
	CHECK(!map(&story, AREA, 4 * PAGE));
	CHECK(!map(&story, AREA, 4 * PAGE));
	CHECK(!unmap(&story, AREA, 4 * PAGE));
	CHECK(!unmap(&story, AREA, 4 * PAGE));
	CHECK(!tick(&story));
	CHECK_U64(story.row.mmap_calls, 3);
	CHECK_U64(story.row.munmap_calls, 2);
	CHECK_U64(story.row.mmap_live_bytes, 4 * PAGE);
	end(&story);
}

/* An unmap that never comes, lost with the ring, does not eat a later one for ever. */
TEST(overtaken_unmap_is_forgotten)
{
	struct story story;

	begin(&story, MODEL_MAPPINGS);
	CHECK(!tick(&story));
	CHECK(!map(&story, AREA, 4 * PAGE));
	CHECK(!map(&story, AREA, 4 * PAGE));
	CHECK(!tick(&story));
	CHECK(!tick(&story));
	CHECK(!unmap(&story, AREA, 4 * PAGE));
	CHECK(!tick(&story));
	CHECK_U64(story.row.mmap_live_bytes, 0);
	end(&story);
}

TEST(runtime_unmap_leaves_the_program_alone)
{
	struct mapping_rec rec = { .head = { .addr = AREA, .size = PAGE } };
	struct story story;

	begin(&story, MODEL_MAPPINGS);
	CHECK(!tick(&story));
	CHECK(!map(&story, AREA, PAGE));
	CHECK(!send_map(&story, rec, EVENT_MUNMAP, EVENT_FLAG_RUNTIME));
	CHECK(!tick(&story));
	CHECK_U64(story.row.munmap_calls, 0);
	CHECK_U64(story.row.mmap_live_bytes, PAGE);
	end(&story);
}

TEST(runtime_mappings_are_not_counted)
{
	struct mapping_rec rec = {
		.head = { .addr = AREA, .size = PAGE }, .flags = MAP_PRIVATE | MAP_ANONYMOUS,
	};
	struct story story;

	begin(&story, MODEL_MAPPINGS);
	CHECK(!tick(&story));
	CHECK(!send_map(&story, rec, EVENT_MMAP, EVENT_FLAG_RUNTIME));
	CHECK(!tick(&story));
	CHECK_U64(story.row.mmap_calls, 0);
	CHECK_U64(story.row.mmap_live_bytes, 0);
	end(&story);
}

TEST(read_faults_on_anonymous_memory_map_the_zero_page)
{
	struct story story;

	begin(&story, MODEL_MAPPINGS);
	add_vma(&story, HEAP, 4 * PAGE, 0);
	add_vma(&story, AREA, 4 * PAGE, VMA_FILE);
	CHECK(!page_range_list__push(&story.sample.ranges, HEAP, HEAP + PAGE, PAGE_SWAPPED));
	CHECK(!tick(&story));
	CHECK(!send(&story, EVENT_READ_FAULT, 1, 0, HEAP + 5000, 0));
	CHECK(!send(&story, EVENT_READ_FAULT, 1, 0, HEAP + 5, 0));	/* swapped */
	CHECK(!send(&story, EVENT_READ_FAULT, 1, 0, AREA + 5, 0));	/* a file */
	CHECK(!map(&story, AREA, 4 * PAGE));				/* now anonymous */
	CHECK(!send(&story, EVENT_READ_FAULT, 1, 0, AREA + 5, 0));
	CHECK(!send(&story, EVENT_READ_FAULT, 1, 0, AREA * 2, 0));	/* made since: */
	add_vma(&story, AREA * 2, PAGE, 0);				/* known at the tick */
	CHECK(!tick(&story));
	CHECK_U64(story.row.zero_page_faults, 3);
	end(&story);
}

TEST(exec_forgets_everything)
{
	struct story story;

	begin(&story, MODEL_HEAP | MODEL_MAPPINGS);
	CHECK(!tick(&story));
	CHECK(!send(&story, EVENT_ALLOC, 1, 0, HEAP, 100));
	CHECK(!send(&story, EVENT_LEAVE, 1, 0, HEAP, 0));
	CHECK(!map(&story, AREA, PAGE));
	CHECK(!send(&story, EVENT_EXEC, 1, 0, 0, 0));
	CHECK(!tick(&story));
	CHECK_U64(story.row.live_bytes, 0);
	CHECK_U64(story.row.malloc_calls, 1);
	end(&story);
}

TEST(losses_keep_totals)
{
	struct story story;

	begin(&story, MODEL_HEAP);
	CHECK(!tick(&story));
	CHECK(!send(&story, EVENT_ALLOC, 1, 0, HEAP, 100));
	story.sample.counters.lost_events = 3;
	story.sample.counters.lost_allocs = 2;
	story.sample.counters.lost_alloc_bytes = 500;
	story.sample.counters.lost_frees = 1;
	CHECK(!tick(&story));
	CHECK_U64(story.row.lost_events, 3);
	CHECK_U64(story.row.malloc_calls, 3);
	CHECK_U64(story.row.allocated_bytes, 600);
	CHECK_U64(story.row.free_calls, 1);
	end(&story);
}

TEST(target_that_is_gone_has_no_figures)
{
	struct story story;

	begin(&story, MODEL_HEAP | MODEL_MAPPINGS);
	CHECK(!tick(&story));
	CHECK(!send(&story, EVENT_ALLOC, 1, 0, HEAP, 100));
	story.sample.has_status = false;
	story.sample.has_pages = false;
	memset(&story.sample.stat, 0, sizeof(story.sample.stat));
	CHECK(!tick(&story));
	CHECK_U64(story.row.live_bytes, 100);
	CHECK_U64(story.row.malloc_calls, 1);
	CHECK_U64(story.row.live_resident_bytes, SNAPSHOT_UNKNOWN);
	CHECK_U64(story.row.rss_bytes, SNAPSHOT_UNKNOWN);
	CHECK_U64(story.row.minor_faults, SNAPSHOT_UNKNOWN);
	CHECK_STR(story.row.comm, "story");
	end(&story);
}

TEST(without_events_all_anonymous_memory_counts)
{
	struct story story;

	begin(&story, MODEL_ALL_ANON);
	add_vma(&story, HEAP, 4 * PAGE, 0);
	add_vma(&story, AREA, 4 * PAGE, VMA_FILE);
	add_vma(&story, AREA + 4 * PAGE, 2 * PAGE, VMA_SPECIAL);
	CHECK(model__wants(story.model, MODEL_ALL_ANON, &story.sample.vmas.items[0]));
	CHECK(!model__wants(story.model, MODEL_ALL_ANON, &story.sample.vmas.items[1]));
	CHECK(!page_range_list__push(&story.sample.ranges, HEAP, HEAP + PAGE, PAGE_ABSENT));
	CHECK(!tick(&story));
	CHECK_U64(story.row.live_bytes, 4 * PAGE);
	CHECK_U64(story.row.live_resident_bytes, 3 * PAGE);
	CHECK_U64(story.row.malloc_calls, SNAPSHOT_UNKNOWN);
	CHECK_U64(story.row.mmap_calls, SNAPSHOT_UNKNOWN);
	CHECK_U64(story.row.heap_live_bytes, SNAPSHOT_UNKNOWN);
	end(&story);
}

/* Whatever comes in, from a damaged recording say, nothing breaks and the classes sum up. */
TEST(survives_nonsense)
{
	struct story story;
	uint64_t seed = 1;
	int i;

	begin(&story, MODEL_HEAP | MODEL_MAPPINGS);
	add_vma(&story, HEAP, 1 << 20, 0);
	CHECK(!tick(&story));
	for (i = 0; i < 200000; i++) {
		struct mapping_rec rec = { 0 };
		int err;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		rec.head.addr = seed >> 40 & 1 ? seed : HEAP + (seed >> 30 & 0xfffff);
		rec.head.size = seed >> 41 & 7 ? seed >> 50 : seed;
		rec.head.tid_type = (uint32_t)(seed >> 29) & 0xf000000fu;
		rec.old_addr = HEAP + (seed >> 20 & 0xfffff);
		rec.old_size = seed >> 45;
		rec.flags = (uint32_t)(seed >> 13);
		err = model__apply(story.model, &rec.head, sizeof(rec));
		CHECK(!err || event_type(&rec.head) == EVENT_NONE ||
		      event_type(&rec.head) >= EVENT_TYPE_COUNT);
		if (i % 5000 == 0) {
			CHECK(!tick(&story));
			CHECK_U64(sum_of_classes(&story.row), story.row.live_bytes);
		}
	}
	end(&story);
}

int main(void)
{
	RUN(first_row_is_all_zero);
	RUN(counts_are_per_interval);
	RUN(realloc_moves_and_counts_both_ways);
	RUN(free_inside_free_counts_once);
	RUN(failed_realloc_frees_nothing);
	RUN(realloc_to_nothing_frees);
	RUN(block_inside_realloc_is_live_and_on_its_pages);
	RUN(classes_follow_the_pages);
	RUN(live_bytes_outside_any_mapping_are_untouched);
	RUN(shared_memory_is_not_in_rss_anon);
	RUN(partial_unmap_and_map_fixed);
	RUN(mremap_is_a_drop_and_a_make);
	RUN(unmap_overtaken_by_the_next_map);
	RUN(unmaps_overtaken_twice);
	RUN(overtaken_unmap_is_forgotten);
	RUN(runtime_unmap_leaves_the_program_alone);
	RUN(runtime_mappings_are_not_counted);
	RUN(read_faults_on_anonymous_memory_map_the_zero_page);
	RUN(exec_forgets_everything);
	RUN(losses_keep_totals);
	RUN(target_that_is_gone_has_no_figures);
	RUN(without_events_all_anonymous_memory_counts);
	RUN(survives_nonsense);
	return test_status();
}
