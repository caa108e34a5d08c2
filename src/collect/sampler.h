/* SPDX-License-Identifier: GPL-2.0-only */
/* The procfs side of a sample: status, stat, mappings and page tables of one instant. */
#ifndef MEMTRACE_SAMPLER_H
#define MEMTRACE_SAMPLER_H

#include <stdbool.h>

#include "proc/pagemap.h"
#include "proc/proc.h"
#include "source.h"

struct sampler;

/* proc_fd is borrowed. METHOD_NONE: do without page states. NULL with errno. */
struct sampler *sampler__new(int proc_fd, enum pagemap_method method);
void sampler__free(struct sampler *sampler);

/* The target has a new address space: what was opened of the old one is closed. */
void sampler__renew(struct sampler *sampler);

/*
 * Fills the status, stat, vmas and ranges of the sample, and has_status and has_pages. Ranges are
 * of the mappings that handler->wants(). visit and ctx: as in proc_read_maps(). A target that is
 * gone is no error. 0 or a negative errno.
 */
int sampler__take(struct sampler *sampler, const struct source_handler *handler,
		  proc_vma_visit visit, void *ctx, struct sample *sample);

#endif
