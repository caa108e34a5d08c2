// SPDX-License-Identifier: GPL-2.0-only
/* Passes events and samples on. See pipeline.h. */
#include "pipeline.h"

#include "collect/record.h"
#include "log.h"
#include "model/model.h"
#include "output.h"

static int on_event(void *ctx, const struct event_rec *rec, size_t size)
{
	struct pipeline *pipeline = ctx;
	int err;

	err = model__apply(pipeline->model, rec, size);
	if (err)
		return log_err(err, "cannot take in an event");
	if (!pipeline->recorder)
		return 0;
	err = recorder__event(pipeline->recorder, rec, size);
	return err ? log_err(err, "cannot write the recording") : 0;
}

static int on_tick(void *ctx, const struct sample *sample)
{
	struct pipeline *pipeline = ctx;
	struct snapshot snapshot;
	int err;

	err = model__tick(pipeline->model, sample, &snapshot);
	if (err)
		return log_err(err, "cannot take in a sample");
	if (pipeline->recorder) {
		err = recorder__tick(pipeline->recorder, sample);
		if (err)
			return log_err(err, "cannot write the recording");
	}
	err = output__row(pipeline->output, &snapshot);
	if (!err)
		summary__update(&pipeline->summary, &snapshot);
	return err;
}

static bool on_wants(void *ctx, uint32_t scope, const struct vma *vma)
{
	const struct pipeline *pipeline = ctx;

	return model__wants(pipeline->model, scope, vma);
}

struct source_handler pipeline__handler(struct pipeline *pipeline)
{
	return (struct source_handler){
		.ctx = pipeline,
		.event = on_event,
		.tick = on_tick,
		.wants = on_wants,
	};
}
