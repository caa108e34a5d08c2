// SPDX-License-Identifier: GPL-2.0-only
/* Consumer side of BPF_MAP_TYPE_RINGBUF: layout and memory order are the kernel's interface. */
#include "ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PUBLISH_EVERY 256

struct ring {
	unsigned long *consumer_pos;
	const unsigned long *producer_pos;
	const uint8_t *data;	/* mapped twice in a row, so no record ever wraps */
	size_t bytes;
	size_t page_size;
};

struct ring *ring__new(int map_fd, size_t bytes)
{
	struct ring *ring;
	void *map;
	int err;

	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return NULL;
	ring->bytes = bytes;
	ring->page_size = (size_t)sysconf(_SC_PAGESIZE);
	map = mmap(NULL, ring->page_size, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (map == MAP_FAILED)
		goto fail;
	ring->consumer_pos = map;
	map = mmap(NULL, ring->page_size + 2 * bytes, PROT_READ, MAP_SHARED, map_fd,
		   (off_t)ring->page_size);
	if (map == MAP_FAILED)
		goto fail;
	ring->producer_pos = map;
	ring->data = (const uint8_t *)map + ring->page_size;
	return ring;
fail:
	err = errno;
	ring__free(ring);
	errno = err;
	return NULL;
}

void ring__free(struct ring *ring)
{
	if (!ring)
		return;
	if (ring->consumer_pos)
		munmap(ring->consumer_pos, ring->page_size);
	if (ring->producer_pos)
		munmap((void *)ring->producer_pos, ring->page_size + 2 * ring->bytes);
	free(ring);
}

static void publish(struct ring *ring, unsigned long pos)
{
	__atomic_store_n(ring->consumer_pos, pos, __ATOMIC_RELEASE);
}

long ring__drain(struct ring *ring, int (*visit)(void *ctx, const void *record, size_t size),
		 void *ctx)
{
	unsigned long pos = *ring->consumer_pos;
	unsigned long end = __atomic_load_n(ring->producer_pos, __ATOMIC_ACQUIRE);
	long records = 0;
	int err = 0;

	while (pos < end && !err) {
		const uint8_t *at = ring->data + (pos & (ring->bytes - 1));
		uint32_t head = __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
		uint32_t size = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (head & BPF_RINGBUF_BUSY_BIT)
			break;	/* reserved, being written: everything behind it must wait */
		if (!(head & BPF_RINGBUF_DISCARD_BIT))
			err = visit(ctx, at + BPF_RINGBUF_HDR_SZ, size);
		pos += (size + BPF_RINGBUF_HDR_SZ + 7) & ~7ul;
		if (++records % PUBLISH_EVERY == 0)
			publish(ring, pos);
	}
	publish(ring, pos);
	return err ? err : records;
}
