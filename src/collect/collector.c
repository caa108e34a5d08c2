// SPDX-License-Identifier: GPL-2.0-only
/* Wires target, attachment, ring and sampler into one source. See collector.h. */
#include "collector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alloc/family.h"
#include "attach.h"
#include "cost.h"
#include "features.h"
#include "log.h"
#include "memtrace/event.h"
#include "memtrace/limits.h"
#include "object.h"
#include "ring.h"
#include "sampler.h"
#include "target.h"

struct collector {
	const struct source_handler *handler;
	enum trace_level level;
	struct target target;
	struct attachment *attachment;	/* NULL at level pages */
	struct attachment_stats stats;
	struct ring *ring;
	struct sampler *sampler;
	enum pagemap_method pagemap;
	struct object_list objects;
	struct cost_watch cost;
	struct sample sample;
	uint64_t start_ns;
	uint64_t silent_hits[HIT_KIND_COUNT];
	uint64_t recorded_hits[HIT_KIND_COUNT];
	bool has_allocator;
	bool has_mappings;	/* mmap wrappers were found */
	uint64_t stack_end;	/* of the main thread: chosen anew by every exec; 0: not seen */
	uint64_t known_stack_end;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static void note_object(struct collector *collector, const struct object *object)
{
	size_t i;

	for (i = 0; i < object->site_count; i++) {
		if (object->sites[i].shape >= SHAPE_MMAP)
			collector->has_mappings = true;
		else
			collector->has_allocator = true;
	}
}

/*
 * Each mapping passes here whenever maps is read: new executable files are examined and probed,
 * known ones mark their text as the runtime's where they map memory for themselves.
 */
static int visit_vma(void *ctx, struct vma *vma, const char *path)
{
	struct collector *collector = ctx;
	struct object *object;
	int err;

	if (!strcmp(path, "[stack]"))
		collector->stack_end = vma->end;
	if (!collector->attachment || !(vma->flags & VMA_EXEC) || !(vma->flags & VMA_FILE))
		return 0;
	object = object_list__get(&collector->objects, collector->target.proc_fd, vma, path,
				  collector->level == LEVEL_MALLOC);
	if (!object)
		return -errno;
	if (object->maps_for_itself)
		vma->flags |= VMA_RUNTIME;
	if (!object->site_count)
		return 0;
	if (!object->attached) {
		/* Once under way, a library that cannot be probed has been told of and is missed. */
		err = attachment__add_object(collector->attachment, object);
		if (err && (!collector->start_ns || err == -ENOMEM))
			return err;
	}
	note_object(collector, object);
	return 0;
}

static int refresh_mappings(struct collector *collector)
{
	return proc_read_maps(collector->target.proc_fd, &collector->sample.vmas, visit_vma,
			      collector);
}

/* What is watched may change with an exec, so each reading of maps finds it anew. */
static uint32_t scope_of(const struct collector *collector)
{
	uint32_t scope = 0;

	if (collector->has_allocator)
		scope |= MODEL_HEAP;
	if (collector->has_mappings)
		scope |= MODEL_MAPPINGS;
	return scope ? scope : MODEL_ALL_ANON;
}

static int attach_probes(struct collector *collector, uint32_t features)
{
	int err;

	collector->attachment = attachment__new(collector->target.pid, features);
	if (!collector->attachment)
		return -errno;
	err = refresh_mappings(collector);
	if (err == -ESRCH)
		return log_err(err, "PID %d ended while memtrace attached", collector->target.pid);
	if (err)
		return err;
	attachment__add_tracepoints(collector->attachment);
	attachment__get_stats(collector->attachment, &collector->stats);
	collector->ring = ring__new(attachment__ring_fd(collector->attachment), RING_BYTES);
	if (!collector->ring)
		return log_err(-errno, "cannot map the ring buffer");
	return 0;
}

static int check_required(uint32_t features)
{
	int i;

	for (i = 0; i < FEATURE_COUNT; i++) {
		if (!feature_table[i].required || features & 1u << i)
			continue;
		log_err(0, "this kernel has no %s (%s): %s", feature_table[i].name,
			feature_table[i].since, feature_table[i].absence);
		fprintf(stderr, "memtrace: --level pages works without probes\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

static enum pagemap_method choose_pagemap(uint32_t without)
{
	bool has_guard;
	enum pagemap_method method = pagemap_probe(&has_guard);

	if (method == PAGEMAP_METHOD_SCAN && without & 1u << FEATURE_PAGEMAP_SCAN)
		return PAGEMAP_METHOD_READ;
	return method;
}

static int setup(struct collector *collector, const struct options *options)
{
	uint32_t features;
	int err;

	err = target__open(&collector->target, options->pid);
	if (err)
		return err;
	collector->pagemap = choose_pagemap(options->without);
	collector->sampler = sampler__new(collector->target.proc_fd, collector->pagemap);
	if (!collector->sampler)
		return log_err(-errno, "cannot start");
	if (collector->level == LEVEL_PAGES)
		return 0;
	features = features__probe() & ~options->without;
	err = check_required(features);
	return err ? err : attach_probes(collector, features);
}

struct collector *collector__new(const struct options *options,
				 const struct source_handler *handler)
{
	struct collector *collector;
	int err;

	collector = calloc(1, sizeof(*collector));
	if (!collector) {
		log_err(-ENOMEM, "cannot start");
		return NULL;
	}
	collector->handler = handler;
	collector->level = options->level;
	collector->target.proc_fd = -1;
	collector->target.pidfd = -1;
	err = setup(collector, options);
	if (err) {
		collector__free(collector);
		errno = -err;
		return NULL;
	}
	return collector;
}

void collector__free(struct collector *collector)
{
	if (!collector)
		return;
	ring__free(collector->ring);
	attachment__free(collector->attachment);
	object_list__free(&collector->objects);
	sampler__free(collector->sampler);
	vma_list__free(&collector->sample.vmas);
	page_range_list__free(&collector->sample.ranges);
	target__close(&collector->target);
	free(collector);
}

static const char *pagemap_name(enum pagemap_method method)
{
	switch (method) {
	case PAGEMAP_METHOD_SCAN:
		return "PAGEMAP_SCAN";
	case PAGEMAP_METHOD_READ:
		return "pagemap";
	default:
		return "none";
	}
}

static void describe_allocators(const struct collector *collector, char *text, size_t room)
{
	size_t used = 0, i;

	text[0] = '\0';
	for (i = 0; i < collector->objects.count && used < room; i++) {
		const struct object *object = collector->objects.items[i];

		if (!object->family || !object->site_count)
			continue;
		used += (size_t)snprintf(text + used, room - used, "%s%s (%s)", used ? ", " : "",
					 object->family->name, object->name);
	}
}

static const char *method_name(enum attach_method method)
{
	static const char *const names[ATTACH_METHOD_COUNT] = {
		[ATTACH_SESSION] = "uprobe session",
		[ATTACH_MULTI] = "uprobe_multi",
		[ATTACH_PERF] = "perf uprobes",
	};

	return names[method];
}

static void describe(const struct collector *collector)
{
	const struct attachment_stats *stats = &collector->stats;
	char allocators[512];

	if (collector->level == LEVEL_PAGES) {
		log_info("attached to PID %d (%s): no probes; residency by %s",
			 collector->target.pid, collector->target.comm,
			 pagemap_name(collector->pagemap));
		return;
	}
	describe_allocators(collector, allocators, sizeof(allocators));
	if (collector->level == LEVEL_MALLOC && !collector->has_allocator)
		log_warn("no allocator found in PID %d (%s): statically linked and stripped? Going "
			 "on with mappings and faults", collector->target.pid,
			 collector->target.comm);
	log_info("attached to PID %d (%s): %s%s%u probes (%s), %u on an emulated instruction; "
		 "faults by %s; residency by %s", collector->target.pid, collector->target.comm,
		 collector->level == LEVEL_MALLOC && allocators[0] ? allocators : "",
		 collector->level == LEVEL_MALLOC && allocators[0] ? "; " : "", stats->probes,
		 method_name(stats->method), stats->emulated,
		 stats->faults ? "tracepoints" : "/proc/PID/stat only",
		 pagemap_name(collector->pagemap));
}

/* Who called a wrapper of the mmap family is known by the mapping its return address lies in. */
static int is_runtime_call(struct collector *collector, uint64_t caller)
{
	const struct vma *vma = vma_list__find(&collector->sample.vmas, caller);
	int err;

	if (caller && (!vma || !(vma->flags & VMA_EXEC))) {
		/* Code mapped since: a library just loaded, or another program after exec. */
		err = refresh_mappings(collector);
		if (err && err != -ESRCH)
			return err;
		vma = vma_list__find(&collector->sample.vmas, caller);
	}
	return vma && vma->flags & VMA_RUNTIME;
}

static int push_mapping(struct collector *collector, const struct mapping_rec *rec)
{
	struct mapping_rec marked = *rec;
	int by_runtime = is_runtime_call(collector, rec->caller);

	if (by_runtime < 0)
		return by_runtime;
	if (by_runtime)
		marked.head.tid_type |= EVENT_FLAG_RUNTIME << EVENT_FLAG_SHIFT;
	return collector->handler->event(collector->handler->ctx, &marked.head, sizeof(marked));
}

/*
 * The kernel binds our probes to the process by its first thread. When another thread executes a
 * program it takes that place, and the probes are bound to nobody: set them anew.
 */
static void probe_anew(struct collector *collector)
{
	size_t i;

	attachment__drop_objects(collector->attachment);
	for (i = 0; i < collector->objects.count; i++)
		collector->objects.items[i]->attached = false;
}

static int note_exec(struct collector *collector, const struct event_rec *rec)
{
	struct proc_stat stat;
	int err;

	if (rec->addr != rec->tgid)
		probe_anew(collector);

	err = proc_read_stat(collector->target.proc_fd, &stat);
	log_info("PID %d executed another program%s%s%s: the blocks of the old one are gone",
		 collector->target.pid, err ? "" : " (", err ? "" : stat.comm, err ? "" : ")");
	sampler__renew(collector->sampler);
	collector->has_allocator = false;
	collector->has_mappings = false;
	collector->sample.vmas.count = 0;
	err = refresh_mappings(collector);
	collector->known_stack_end = collector->stack_end;
	return err == -ESRCH ? 0 : err;
}

/* Without the tracepoint an exec is seen late, by the stack being elsewhere. */
static int look_for_exec(struct collector *collector)
{
	struct event_rec rec = {
		.tgid = (__u32)collector->target.pid,
		.tid_type = EVENT_TID_TYPE(collector->target.pid, 0, EVENT_EXEC),
	};
	bool moved = collector->known_stack_end &&
		     collector->stack_end != collector->known_stack_end;
	int err;

	collector->known_stack_end = collector->stack_end;
	if (!moved || collector->stats.exec)
		return 0;
	err = note_exec(collector, &rec);
	return err ? err : collector->handler->event(collector->handler->ctx, &rec, sizeof(rec));
}

/* As the low bit of enum hit_kind. */
static int is_stepped(const struct event_rec *rec)
{
	return !!(event_flags(rec) & EVENT_FLAG_STEPPED);
}

static int push_record(void *ctx, const void *record, size_t size)
{
	struct collector *collector = ctx;
	const struct event_rec *rec = record;
	int err;

	switch (event_type(rec)) {
	case EVENT_ALLOC:
	case EVENT_ENTER:
		collector->recorded_hits[HIT_CALL | is_stepped(rec)]++;
		break;
	case EVENT_FREE:
		collector->recorded_hits[HIT_ENTRY | is_stepped(rec)]++;
		break;
	case EVENT_MMAP:
	case EVENT_MUNMAP:
	case EVENT_MREMAP:
		return push_mapping(collector, record);
	case EVENT_EXEC:
		err = note_exec(collector, rec);
		if (err)
			return err;
		break;
	default:
		break;
	}
	return collector->handler->event(collector->handler->ctx, rec, size);
}

long collector__drain(struct collector *collector)
{
	return collector->ring ? ring__drain(collector->ring, push_record, collector) : 0;
}

static int fill_sample(struct collector *collector, uint64_t elapsed_ns)
{
	struct sample *sample = &collector->sample;
	int err;

	/* Right after an exec its libraries may not have been there yet. */
	if (collector->attachment && scope_of(collector) == MODEL_ALL_ANON) {
		err = refresh_mappings(collector);
		if (err && err != -ESRCH)
			return err;
	}
	clock_gettime(CLOCK_REALTIME, &sample->time);
	sample->elapsed_ns = elapsed_ns;
	sample->tgid = collector->target.pid;
	sample->scope = scope_of(collector);
	sample->has_faults = collector->stats.faults;
	if (collector->attachment) {
		err = attachment__read_counters(collector->attachment, &sample->counters,
						collector->silent_hits);
		if (err)
			return log_err(err, "cannot read the BPF counters");
	}
	return sampler__take(collector->sampler, collector->handler, visit_vma, collector, sample);
}

static void watch_cost(struct collector *collector, uint64_t elapsed_ns)
{
	uint64_t hits[HIT_KIND_COUNT];
	int kind;

	for (kind = 0; kind < HIT_KIND_COUNT; kind++)
		hits[kind] = collector->silent_hits[kind] + collector->recorded_hits[kind];
	cost_watch__look(&collector->cost, collector->attachment, hits, elapsed_ns);
}

int collector__tick(struct collector *collector)
{
	uint64_t elapsed_ns = now_ns() - collector->start_ns;
	long drained;
	int err;

	drained = collector__drain(collector);
	if (drained < 0)
		return (int)drained;
	err = fill_sample(collector, elapsed_ns);
	if (!err)
		err = look_for_exec(collector);
	if (err)
		return err;
	err = collector->handler->tick(collector->handler->ctx, &collector->sample);
	if (err)
		return err;
	if (collector->attachment && collector->level == LEVEL_MALLOC)
		watch_cost(collector, elapsed_ns);
	return 0;
}

int collector__start(struct collector *collector)
{
	int err;

	collector->start_ns = now_ns();
	err = fill_sample(collector, 0);
	if (err)
		return err;
	if (!collector->sample.has_status)
		return log_err(-ESRCH, "PID %d ended while memtrace attached",
			       collector->target.pid);
	collector->known_stack_end = collector->stack_end;
	/* Armed before the row is out: whoever sees the row may rely on being watched. */
	if (collector->attachment)
		attachment__arm(collector->attachment, true);
	describe(collector);
	return collector->handler->tick(collector->handler->ctx, &collector->sample);
}

void collector__stop(struct collector *collector)
{
	if (collector->attachment)
		attachment__arm(collector->attachment, false);
}

int collector__pidfd(const struct collector *collector)
{
	return collector->target.pidfd;
}
