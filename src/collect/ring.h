/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reader of a BPF ring buffer. libbpf's own publishes its position after every record, which makes
 * the producers' CPUs fetch that cache line again for each; this one does so every 256 records.
 */
#ifndef MEMTRACE_RING_H
#define MEMTRACE_RING_H

#include <stddef.h>

struct ring;

/* Maps the ring of map_fd (borrowed), `bytes` being its max_entries. NULL with errno. */
struct ring *ring__new(int map_fd, size_t bytes);
void ring__free(struct ring *ring);

/*
 * Hands each committed record to `visit` and frees it. Returns how many there were, or the first
 * negative value that visit returned; that record counts as read.
 */
long ring__drain(struct ring *ring, int (*visit)(void *ctx, const void *record, size_t size),
		 void *ctx);

#endif
