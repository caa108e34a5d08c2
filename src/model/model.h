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

struct model;

/* NULL with errno. page_size: of the target's machine, bytes. */
struct model *model__new(uint32_t page_size);
void model__free(struct model *model);

/*
 * One record of `size` bytes; mapping types need a whole struct mapping_rec. 0, -EINVAL for a
 * record that is none, or -ENOMEM.
 */
int model__apply(struct model *model, const struct event_rec *rec, size_t size);

/* Must the pages of this mapping be looked at for a tick of this scope (enum model_scope)? */
bool model__wants(const struct model *model, uint32_t scope, const struct vma *vma);

/*
 * Closes the interval. The first tick is the attach: its counters are 0 and the base of later
 * ones. 0 or -ENOMEM.
 */
int model__tick(struct model *model, const struct sample *sample, struct snapshot *snapshot);

#endif
