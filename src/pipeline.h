/* SPDX-License-Identifier: GPL-2.0-only */
/* What a source pushes into: the model, the recorder if any, the outputs and the summary. */
#ifndef MEMTRACE_PIPELINE_H
#define MEMTRACE_PIPELINE_H

#include "collect/source.h"
#include "sink/summary.h"

struct model;
struct output;
struct recorder;

/* Borrows all but the summary. recorder may be NULL. */
struct pipeline {
	struct model *model;
	struct output *output;
	struct recorder *recorder;
	struct summary summary;
};

/* The handler that feeds this pipeline, which must outlive it. */
struct source_handler pipeline__handler(struct pipeline *pipeline);

#endif
