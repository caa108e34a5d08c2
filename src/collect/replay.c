// SPDX-License-Identifier: GPL-2.0-only
/* Reads recordings, which anybody may have written: every count in them is checked. */
#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memtrace/event.h"
#include "record_tick.h"

#define ITEM_BYTES_MAX (256u << 20)
#define NS_PER_S 1000000000

/* -ENODATA at a clean end of file. */
static int get(FILE *in, void *data, size_t size, bool may_end)
{
	size_t got;

	errno = 0;
	got = fread(data, 1, size, in);
	if (got == size)
		return 0;
	if (ferror(in))
		return errno ? -errno : -EIO;
	return !got && may_end ? -ENODATA : -EINVAL;
}

int replay__open(FILE *in, uint32_t *page_size)
{
	struct record_header header;
	int err;

	err = get(in, &header, sizeof(header), false);
	if (err)
		return err;
	if (memcmp(header.magic, RECORD_MAGIC, sizeof(header.magic)) ||
	    header.version != RECORD_VERSION || header.tick_size != sizeof(struct record_tick) ||
	    header.vma_size != sizeof(struct vma))
		return -EINVAL;
	*page_size = header.page_size;
	if (*page_size < 4096 || *page_size > 65536 || *page_size & (*page_size - 1))
		return -EINVAL;
	return 0;
}

static int replay_event(FILE *in, size_t size, const struct source_handler *handler)
{
	struct mapping_rec rec;
	int err;

	if (size < sizeof(rec.head) || size > sizeof(rec))
		return -EINVAL;
	memset(&rec, 0, sizeof(rec));
	err = get(in, &rec, size, false);
	return err ? err : handler->event(handler->ctx, &rec.head, size);
}

static int get_vmas(FILE *in, uint64_t count, struct vma_list *list)
{
	uint64_t last_end = 0, i;
	struct vma vma;
	int err;

	for (i = 0; i < count; i++) {
		err = get(in, &vma, sizeof(vma), false);
		if (err)
			return err;
		if (vma.start < last_end || vma.end < vma.start)
			return -EINVAL;
		last_end = vma.end;
		err = vma_list__push(list, &vma);
		if (err)
			return err;
	}
	return 0;
}

static int get_ranges(FILE *in, uint64_t count, struct page_range_list *list)
{
	struct page_range range;
	uint64_t last_end = 0, i;
	int err;

	for (i = 0; i < count; i++) {
		err = get(in, &range, sizeof(range), false);
		if (err)
			return err;
		if (range.start < last_end || range.end < range.start ||
		    range.state >= PAGE_STATE_COUNT)
			return -EINVAL;
		last_end = range.end;
		err = page_range_list__push(list, range.start, range.end,
					    (enum page_state)range.state);
		if (err)
			return err;
	}
	return 0;
}

static int unpack_tick(const struct record_tick *tick, size_t size, struct sample *sample)
{
	size_t room = size - sizeof(*tick);

	if (tick->time_ns < 0 || tick->time_ns >= NS_PER_S ||
	    tick->vma_count > room / sizeof(struct vma) ||
	    tick->range_count > room / sizeof(struct page_range) ||
	    tick->vma_count * sizeof(struct vma) +
			    tick->range_count * sizeof(struct page_range) != room)
		return -EINVAL;
	sample->time.tv_sec = tick->time_s;
	sample->time.tv_nsec = tick->time_ns;
	sample->elapsed_ns = tick->elapsed_ns;
	sample->tgid = (int)tick->tgid;
	sample->scope = tick->scope;
	sample->has_status = tick->has_status;
	sample->has_pages = tick->has_pages;
	sample->has_faults = tick->has_faults;
	sample->status = tick->status;
	sample->stat = tick->stat;
	sample->stat.comm[sizeof(sample->stat.comm) - 1] = '\0';
	sample->counters = tick->counters;
	return 0;
}

static int replay_tick(FILE *in, size_t size, const struct source_handler *handler)
{
	struct sample sample = { 0 };
	struct record_tick tick;
	int err;

	if (size < sizeof(tick))
		return -EINVAL;
	err = get(in, &tick, sizeof(tick), false);
	if (!err)
		err = unpack_tick(&tick, size, &sample);
	if (!err)
		err = get_vmas(in, tick.vma_count, &sample.vmas);
	if (!err)
		err = get_ranges(in, tick.range_count, &sample.ranges);
	if (!err)
		err = handler->tick(handler->ctx, &sample);
	vma_list__free(&sample.vmas);
	page_range_list__free(&sample.ranges);
	return err;
}

int replay__run(FILE *in, const struct source_handler *handler)
{
	struct record_item item;
	int err;

	for (;;) {
		err = get(in, &item, sizeof(item), true);
		if (err)
			return err == -ENODATA ? 0 : err;
		if (item.size > ITEM_BYTES_MAX)
			return -EINVAL;
		if (item.kind == RECORD_EVENT)
			err = replay_event(in, item.size, handler);
		else if (item.kind == RECORD_TICK)
			err = replay_tick(in, item.size, handler);
		else
			err = -EINVAL;
		if (err)
			return err;
	}
}
