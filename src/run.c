// SPDX-License-Identifier: GPL-2.0-only
/* Builds a run from its parts and takes it down again. See run.h. */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "collect/collector.h"
#include "collect/record.h"
#include "log.h"
#include "loop.h"
#include "model/model.h"
#include "output.h"
#include "pipeline.h"

#define NS_PER_S 1000000000ull
#define NS_PER_US 1000ull

struct run {
	const struct options *options;
	struct pipeline pipeline;
	struct source_handler handler;
	FILE *record_file;
};

static uint64_t timeval_ns(struct timeval time)
{
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_usec * NS_PER_US;
}

static const char *end_reason(enum loop_end end)
{
	switch (end) {
	case LOOP_TARGET:
		return "the target has ended";
	case LOOP_DURATION:
		return "the duration is over";
	default:
		return "stopped by a signal";
	}
}

static void print_summary(struct summary *summary, enum loop_end end)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	summary->own_cpu_ns = timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
	summary->own_rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
	summary->end_reason = end_reason(end);
	if (log_get_level() > LOG_QUIET)
		summary__print(summary, stderr);
}

/* The right-hand side: everything an event or a tick reaches. */
static int open_pipeline(struct run *run, uint32_t page_size)
{
	struct pipeline *pipeline = &run->pipeline;
	const char *record = run->options->record;

	pipeline->model = model__new(page_size);
	if (!pipeline->model)
		return log_err(-errno, "cannot start");
	pipeline->output = output__new(run->options);
	if (!pipeline->output)
		return -errno;
	if (!record)
		return 0;
	run->record_file = output__create(record, run->options->overwrite);
	if (!run->record_file)
		return -errno;
	pipeline->recorder = recorder__new(run->record_file, page_size);
	return pipeline->recorder ? 0 : log_err(-errno, "cannot write to %s", record);
}

static int close_pipeline(struct run *run)
{
	struct pipeline *pipeline = &run->pipeline;
	int err;

	err = output__free(pipeline->output);
	recorder__free(pipeline->recorder);
	if (run->record_file && fclose(run->record_file) && !err)
		err = log_err(-errno, "cannot write to %s", run->options->record);
	model__free(pipeline->model);
	return err;
}

static int check_outputs(const struct options *options)
{
	int err = 0;

	if (options->output && strcmp(options->output, "-"))
		err = output__check(options->output, options->overwrite);
	if (!err && options->record)
		err = output__check(options->record, options->overwrite);
	return err;
}

static int trace(struct loop *loop, struct collector *collector, enum loop_end *end)
{
	int err;

	err = collector__start(collector);
	if (err)
		return err;
	err = loop__run(loop, collector, end);
	collector__stop(collector);
	return err ? err : collector__tick(collector);
}

/* A reader that has gone away has had enough, which is no failure. */
static int exit_status(int err)
{
	return !err || err == -EPIPE ? EXIT_SUCCESS : EXIT_FAILURE;
}

int run_trace(const struct options *options)
{
	struct run run = { .options = options };
	struct collector *collector = NULL;
	enum loop_end end = LOOP_SIGNAL;
	struct loop *loop;
	int err, close_err;

	err = check_outputs(options);
	if (err)
		return EXIT_FAILURE;
	loop = loop__new(options->interval_ns, options->duration_ns);
	if (!loop) {
		log_err(-errno, "cannot start");
		return EXIT_FAILURE;
	}
	/* Emptying the ring late loses events; where this is not allowed, it is a little likelier. */
	(void)setpriority(PRIO_PROCESS, 0, -20);
	run.handler = pipeline__handler(&run.pipeline);
	collector = collector__new(options, &run.handler);
	err = collector ? open_pipeline(&run, (uint32_t)sysconf(_SC_PAGESIZE)) : -errno;
	if (!err)
		err = trace(loop, collector, &end);
	collector__free(collector);
	close_err = close_pipeline(&run);
	loop__free(loop);
	if (!err)
		print_summary(&run.pipeline.summary, end);
	return exit_status(err ? err : close_err);
}

int run_replay(const struct options *options)
{
	struct run run = { .options = options };
	uint32_t page_size;
	FILE *in;
	int err;

	in = fopen(options->replay, "re");
	if (!in) {
		log_err(-errno, "cannot read %s", options->replay);
		return EXIT_FAILURE;
	}
	err = replay__open(in, &page_size);
	if (err)
		log_err(0, "cannot replay %s: not a recording of this version of memtrace",
			options->replay);
	if (!err)
		err = check_outputs(options);
	if (!err)
		err = open_pipeline(&run, page_size);
	if (!err) {
		run.handler = pipeline__handler(&run.pipeline);
		err = replay__run(in, &run.handler);
		if (err == -EINVAL)
			log_err(0, "%s is damaged or was cut off", options->replay);
	}
	close_pipeline(&run);
	fclose(in);
	return exit_status(err);
}
