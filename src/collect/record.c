// SPDX-License-Identifier: GPL-2.0-only
/* Writes recordings. See record.h. */
#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memtrace/event.h"
#include "record_tick.h"

struct recorder {
	FILE *out;
};

static int put(struct recorder *recorder, const void *data, size_t size)
{
	errno = 0;
	if (size && fwrite(data, size, 1, recorder->out) != 1)
		return errno ? -errno : -EIO;
	return 0;
}

struct recorder *recorder__new(FILE *out, uint32_t page_size)
{
	struct record_header header = {
		.magic = RECORD_MAGIC,
		.version = RECORD_VERSION,
		.page_size = page_size,
		.tick_size = sizeof(struct record_tick),
		.vma_size = sizeof(struct vma),
	};
	struct recorder *recorder;
	int err;

	recorder = calloc(1, sizeof(*recorder));
	if (!recorder)
		return NULL;
	recorder->out = out;
	err = put(recorder, &header, sizeof(header));
	if (err) {
		free(recorder);
		errno = -err;
		return NULL;
	}
	return recorder;
}

void recorder__free(struct recorder *recorder)
{
	free(recorder);
}

static int put_item(struct recorder *recorder, enum record_kind kind, size_t size)
{
	struct record_item item = { .kind = kind, .size = (uint32_t)size };

	return put(recorder, &item, sizeof(item));
}

int recorder__event(struct recorder *recorder, const struct event_rec *rec, size_t size)
{
	int err = put_item(recorder, RECORD_EVENT, size);

	return err ? err : put(recorder, rec, size);
}

int recorder__tick(struct recorder *recorder, const struct sample *sample)
{
	struct record_tick tick;
	size_t vma_bytes, range_bytes;
	int err;

	memset(&tick, 0, sizeof(tick));
	tick.time_s = sample->time.tv_sec;
	tick.time_ns = sample->time.tv_nsec;
	tick.elapsed_ns = sample->elapsed_ns;
	tick.tgid = (uint32_t)sample->tgid;
	tick.scope = sample->scope;
	tick.has_status = sample->has_status;
	tick.has_pages = sample->has_pages;
	tick.has_faults = sample->has_faults;
	tick.status = sample->status;
	tick.stat = sample->stat;
	tick.counters = sample->counters;
	tick.vma_count = sample->has_pages ? sample->vmas.count : 0;
	tick.range_count = sample->has_pages ? sample->ranges.count : 0;
	vma_bytes = tick.vma_count * sizeof(struct vma);
	range_bytes = tick.range_count * sizeof(struct page_range);
	err = put_item(recorder, RECORD_TICK, sizeof(tick) + vma_bytes + range_bytes);
	if (!err)
		err = put(recorder, &tick, sizeof(tick));
	if (!err)
		err = put(recorder, sample->vmas.items, vma_bytes);
	if (!err)
		err = put(recorder, sample->ranges.items, range_bytes);
	if (!err && fflush(recorder->out))
		err = -errno;
	return err;
}
