/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recordings: the stream of events and samples that a source pushed, in a file. They need no root
 * to be read back, which makes them tests and bug reports. The layout is that of this machine's
 * structs; a header with their sizes refuses others.
 */
#ifndef MEMTRACE_RECORD_H
#define MEMTRACE_RECORD_H

#include <stdint.h>
#include <stdio.h>

#include "source.h"

#define RECORD_MAGIC "MEMTRACE"
#define RECORD_VERSION 1

enum record_kind {
	RECORD_EVENT = 1,	/* struct event_rec or mapping_rec */
	RECORD_TICK = 2,	/* struct record_tick, then its mappings, then its ranges */
};

struct record_header {
	char magic[8];
	uint32_t version;
	uint32_t page_size;
	uint32_t tick_size;	/* sizeof(struct record_tick) */
	uint32_t vma_size;
};

struct record_item {
	uint32_t kind;		/* enum record_kind */
	uint32_t size;		/* of what follows, bytes */
};

struct recorder;

/* Borrows out, whose header it writes. NULL with errno. */
struct recorder *recorder__new(FILE *out, uint32_t page_size);
void recorder__free(struct recorder *recorder);

/* 0 or a negative errno. A tick flushes. */
int recorder__event(struct recorder *recorder, const struct event_rec *rec, size_t size);
int recorder__tick(struct recorder *recorder, const struct sample *sample);

/* Reads the header. 0, -EINVAL for something else than a recording of this version, or -errno. */
int replay__open(FILE *in, uint32_t *page_size);

/* Pushes all items after the header. 0, -EINVAL when damaged, or what the handler returned. */
int replay__run(FILE *in, const struct source_handler *handler);

#endif
