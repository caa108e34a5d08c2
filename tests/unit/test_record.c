// SPDX-License-Identifier: GPL-2.0-only
/* What a recording hands back is what was pushed into it; what is damaged is refused. */
#include "collect/record.h"

#include <errno.h>
#include <stdlib.h>

#include "memtrace/event.h"
#include "model/sample.h"
#include "test.h"

#define PAGE 4096u

struct pushed {
	unsigned int events;
	unsigned int ticks;
	uint64_t sum;		/* of all that came, so that a difference shows */
	bool in_order;
};

static int push_event(void *ctx, const struct event_rec *rec, size_t size)
{
	struct pushed *pushed = ctx;

	pushed->events++;
	pushed->sum += rec->addr + rec->size + event_tid(rec) + size;
	return 0;
}

static int push_tick(void *ctx, const struct sample *sample)
{
	struct pushed *pushed = ctx;
	size_t i;

	pushed->ticks++;
	pushed->sum += sample->elapsed_ns + sample->status.rss_bytes + sample->counters.user_faults +
		       sample->scope + (uint64_t)sample->time.tv_sec;
	for (i = 0; i < sample->vmas.count; i++)
		pushed->sum += sample->vmas.items[i].start + sample->vmas.items[i].inode;
	for (i = 0; i < sample->ranges.count; i++)
		pushed->sum += sample->ranges.items[i].end + sample->ranges.items[i].state;
	pushed->in_order = !strcmp(sample->stat.comm, "recorded");
	return 0;
}

static struct source_handler handler_of(struct pushed *pushed)
{
	return (struct source_handler){ .ctx = pushed, .event = push_event, .tick = push_tick };
}

static void fill_sample(struct sample *sample)
{
	struct vma vma = { .start = 0x1000, .end = 0x9000, .inode = 77 };

	*sample = (struct sample){ .has_status = true, .has_pages = true, .scope = 3 };
	sample->time.tv_sec = 1700000000;
	sample->elapsed_ns = 12345;
	sample->status.rss_bytes = 4711;
	sample->counters.user_faults = 5;
	strcpy(sample->stat.comm, "recorded");
	vma_list__push(&sample->vmas, &vma);
	page_range_list__push(&sample->ranges, 0x1000, 0x2000, PAGE_ZERO);
	page_range_list__push(&sample->ranges, 0x3000, 0x4000, PAGE_SWAPPED);
}

/* Writes two events and a tick; the bytes are the caller's. */
static char *make_recording(size_t *size, struct pushed *pushed)
{
	struct mapping_rec mapping = { .head = { .addr = 1, .size = 2 }, .caller = 3 };
	struct event_rec event = { .addr = 4, .size = 5 };
	struct recorder *recorder;
	struct sample sample;
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, size);

	mapping.head.tid_type = EVENT_TID_TYPE(6, 0, EVENT_MMAP);
	event.tid_type = EVENT_TID_TYPE(7, 0, EVENT_ALLOC);
	fill_sample(&sample);
	recorder = recorder__new(out, PAGE);
	recorder__event(recorder, &mapping.head, sizeof(mapping));
	recorder__event(recorder, &event, sizeof(event));
	recorder__tick(recorder, &sample);
	recorder__free(recorder);
	fclose(out);
	push_event(pushed, &mapping.head, sizeof(mapping));
	push_event(pushed, &event, sizeof(event));
	push_tick(pushed, &sample);
	vma_list__free(&sample.vmas);
	page_range_list__free(&sample.ranges);
	return bytes;
}

static int replay(char *bytes, size_t size, struct pushed *pushed)
{
	struct source_handler handler = handler_of(pushed);
	uint32_t page_size;
	FILE *in;
	int err;

	in = fmemopen(bytes, size ? size : 1, "r");
	err = replay__open(in, &page_size);
	if (!err)
		err = page_size == PAGE ? replay__run(in, &handler) : -EPROTO;
	fclose(in);
	return err;
}

TEST(comes_back_as_it_went_in)
{
	struct pushed before = { 0 }, after = { 0 };
	size_t size = 0;
	char *bytes = make_recording(&size, &before);

	CHECK(!replay(bytes, size, &after));
	CHECK_U64(after.events, 2);
	CHECK_U64(after.ticks, 1);
	CHECK_U64(after.sum, before.sum);
	CHECK(after.in_order);
	free(bytes);
}

TEST(cut_anywhere_is_refused_or_shorter)
{
	struct pushed before = { 0 };
	size_t size = 0, cut;
	char *bytes = make_recording(&size, &before);

	for (cut = 1; cut < size; cut++) {
		struct pushed after = { 0 };
		int err = replay(bytes, cut, &after);

		CHECK(err == -EINVAL || (!err && after.ticks == 0));
	}
	free(bytes);
}

TEST(other_files_are_refused)
{
	char text[] = "#!/bin/sh\necho this is no recording, but it is long enough to be one\n";
	struct pushed after = { 0 };

	CHECK(replay(text, sizeof(text), &after) == -EINVAL);
	CHECK_U64(after.events + after.ticks, 0);
}

TEST(damage_never_crashes)
{
	struct pushed before = { 0 };
	uint64_t seed = 3;
	size_t size = 0;
	char *bytes = make_recording(&size, &before), *copy = malloc(size);
	int round, refused = 0;

	for (round = 0; round < 20000; round++) {
		struct pushed after = { 0 };
		int flips;

		memcpy(copy, bytes, size);
		for (flips = 0; flips < 3; flips++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			copy[(seed >> 33) % size] ^= (char)(seed >> 24);
		}
		refused += replay(copy, size, &after) < 0;
	}
	CHECK(refused > 0);
	free(copy);
	free(bytes);
}

int main(void)
{
	RUN(comes_back_as_it_went_in);
	RUN(cut_anywhere_is_refused_or_shorter);
	RUN(other_files_are_refused);
	RUN(damage_never_crashes);
	return test_status();
}
