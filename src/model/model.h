/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The picture of one target: events change it, a tick turns it into a snapshot. Knows no libbpf, no
 * files and no printing; it cannot tell a live target from a recording.
 */
#ifndef MEMTRACE_MODEL_H
#define MEMTRACE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "memtrace/event.h"
#include "sample.h"
#include "snapshot.h"

/* What the events of this run can tell; the columns of the rest are unknown. */
enum model_scope {
	MODEL_HEAP = 1 << 0,		/* malloc-family events come */
	MODEL_MAPPINGS = 1 << 1,	/* mmap-family events come */
	MODEL_ALL_ANON = 1 << 2,	/* none come: live means every private anonymous mapping */
};

struct model;

/* NULL with errno. page_size: of the target's machine, bytes. */
struct model *model__new(uint32_t scope, uint32_t page_size);
void model__free(struct model *model);

/* From now on the events of these kinds come (or no longer do): an exec may change it. */
void model__set_scope(struct model *model, uint32_t scope);

/*
 * One record of `size` bytes; mapping types need a whole struct mapping_rec. 0, -EINVAL for a
 * record that is none, or -ENOMEM.
 */
int model__apply(struct model *model, const struct event_rec *rec, size_t size);

/* Must the pages of this mapping be looked at for the next tick? */
bool model__wants(const struct model *model, const struct vma *vma);

/*
 * Closes the interval. The first tick is the attach: its counters are 0 and the base of later
 * ones. 0 or -ENOMEM.
 */
int model__tick(struct model *model, const struct sample *sample, struct snapshot *snapshot);

#endif
