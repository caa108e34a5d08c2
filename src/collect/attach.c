// SPDX-License-Identifier: GPL-2.0-only
/* Loading, attaching, arming. See attach.h; the sites come from object.h. */
#include "attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calibrate.h"
#include "feature.h"
#include "log.h"
#include "memtrace.skel.h"
#include "object.h"
#include "shield.h"
#include "uprobe.h"

/* One link, whichever kind the method makes. */
struct probe_link {
	int fd;			/* uprobe_multi; -1 */
	struct bpf_link *link;	/* perf; NULL */
};

struct attachment {
	struct memtrace_bpf *skeleton;
	pid_t pid;
	struct attachment_stats stats;
	struct probe_link *links;
	size_t link_count;
	struct bpf_link *fault_links[2];
	struct bpf_link *exec_link;
	struct counters_val *cpu_counters;	/* one per possible CPU */
	int cpu_count;
};

static bool is_session(const struct attachment *attachment)
{
	return attachment->stats.method == ATTACH_SESSION;
}

static void choose_programs(struct attachment *attachment, uint32_t features)
{
	struct memtrace_bpf *skeleton = attachment->skeleton;
	bool has_exec = features & 1u << FEATURE_EXEC_TRACEPOINT;
	bool has_faults = features & 1u << FEATURE_FAULT_TRACEPOINTS;
	enum attach_method method = attachment->stats.method;
	enum bpf_attach_type multi = (enum bpf_attach_type)UPROBE_ATTACH_MULTI;

	bpf_program__set_autoload(skeleton->progs.alloc_session, method == ATTACH_SESSION);
	bpf_program__set_autoload(skeleton->progs.alloc_enter, method != ATTACH_SESSION);
	bpf_program__set_autoload(skeleton->progs.alloc_exit, method != ATTACH_SESSION);
	bpf_program__set_autoload(skeleton->progs.entry_only, true);
	bpf_program__set_autoload(skeleton->progs.fault_user, has_faults);
	bpf_program__set_autoload(skeleton->progs.fault_kernel, has_faults);
	bpf_program__set_autoload(skeleton->progs.task_exec, has_exec);
	if (method == ATTACH_PERF)
		return;
	bpf_program__set_expected_attach_type(skeleton->progs.alloc_session,
					      (enum bpf_attach_type)UPROBE_ATTACH_SESSION);
	bpf_program__set_expected_attach_type(skeleton->progs.alloc_enter, multi);
	bpf_program__set_expected_attach_type(skeleton->progs.alloc_exit, multi);
	bpf_program__set_expected_attach_type(skeleton->progs.entry_only, multi);
}

static int load(struct attachment *attachment, uint32_t features)
{
	attachment->skeleton = memtrace_bpf__open();
	if (!attachment->skeleton)
		return -errno;
	attachment->skeleton->rodata->cfg_tgid = (__u32)attachment->pid;
	choose_programs(attachment, features);
	return memtrace_bpf__load(attachment->skeleton);
}

static int explain_load_failure(int err)
{
	log_err(err, "cannot load the BPF programs");
	if (err == -EPERM)
		fprintf(stderr, "memtrace: it takes root, or the capabilities CAP_BPF, CAP_PERFMON "
				"and CAP_SYS_ADMIN, and a kernel that is not locked down\n");
	else
		fprintf(stderr, "memtrace: 'memtrace --features' tells what this kernel lacks; -v "
				"shows what the kernel said\n");
	return err;
}

/* The best method the kernel accepts; a refusal of one is not final. */
static int load_best(struct attachment *attachment, uint32_t features)
{
	static const uint32_t needs[ATTACH_METHOD_COUNT] = {
		[ATTACH_SESSION] = 1u << FEATURE_UPROBE_SESSION | 1u << FEATURE_UPROBE_MULTI,
		[ATTACH_MULTI] = 1u << FEATURE_UPROBE_MULTI,
	};
	int method, err = -EOPNOTSUPP;

	for (method = 0; method < ATTACH_METHOD_COUNT; method++) {
		if ((features & needs[method]) != needs[method])
			continue;
		attachment->stats.method = (enum attach_method)method;
		err = load(attachment, features);
		if (!err)
			return 0;
		log_verbose("loading by method %d failed: %s", method, strerror(-err));
		memtrace_bpf__destroy(attachment->skeleton);
		attachment->skeleton = NULL;
		if (err == -EPERM || err == -ENOMEM)
			break;
	}
	return explain_load_failure(err);
}

struct attachment *attachment__new(pid_t pid, uint32_t features)
{
	struct attachment *attachment;
	int err;

	attachment = calloc(1, sizeof(*attachment));
	if (!attachment)
		return NULL;
	attachment->pid = pid;
	err = load_best(attachment, features);
	if (err)
		goto fail;
	attachment->cpu_count = libbpf_num_possible_cpus();
	if (attachment->cpu_count < 0) {
		err = attachment->cpu_count;
		goto fail;
	}
	attachment->cpu_counters =
		calloc((size_t)attachment->cpu_count, sizeof(*attachment->cpu_counters));
	if (!attachment->cpu_counters) {
		err = -ENOMEM;
		goto fail;
	}
	return attachment;
fail:
	attachment__free(attachment);
	errno = -err;
	return NULL;
}

static void close_link(struct probe_link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	bpf_link__destroy(link->link);
}

static int close_all_links(void *ctx)
{
	struct attachment *attachment = ctx;

	while (attachment->link_count)
		close_link(&attachment->links[--attachment->link_count]);
	return 0;
}

void attachment__drop_objects(struct attachment *attachment)
{
	if (attachment->link_count)
		shield__run(close_all_links, attachment);
	attachment->stats.probes = 0;
	attachment->stats.emulated = 0;
}

void attachment__free(struct attachment *attachment)
{
	if (!attachment)
		return;
	attachment__drop_objects(attachment);
	bpf_link__destroy(attachment->exec_link);
	bpf_link__destroy(attachment->fault_links[1]);
	bpf_link__destroy(attachment->fault_links[0]);
	memtrace_bpf__destroy(attachment->skeleton);
	free(attachment->links);
	free(attachment->cpu_counters);
	free(attachment);
}

static int keep_link(struct attachment *attachment, int fd, struct bpf_link *link)
{
	struct probe_link made = { .fd = fd, .link = link };
	struct probe_link *grown;

	grown = reallocarray(attachment->links, attachment->link_count + 1, sizeof(*grown));
	if (!grown) {
		close_link(&made);
		return -ENOMEM;
	}
	attachment->links = grown;
	attachment->links[attachment->link_count++] = made;
	return 0;
}

static int attach_perf(struct attachment *attachment, struct bpf_program *program, int file_fd,
		       pid_t pid, bool at_return, const struct uprobe_sites *sites)
{
	char path[64];
	size_t i;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file_fd);
	for (i = 0; i < sites->count; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = at_return,
			    .bpf_cookie = sites->cookies[i]);
		struct bpf_link *link;
		int err;

		link = bpf_program__attach_uprobe_opts(program, pid, path, sites->offsets[i], &opts);
		if (!link)
			return -errno;
		err = keep_link(attachment, -1, link);
		if (err)
			return err;
	}
	return 0;
}

static int attach_program(struct attachment *attachment, struct bpf_program *program, int file_fd,
			  pid_t pid, bool at_return, const struct uprobe_sites *sites)
{
	int attach_type = UPROBE_ATTACH_MULTI;
	int fd;

	if (attachment->stats.method == ATTACH_PERF)
		return attach_perf(attachment, program, file_fd, pid, at_return, sites);
	if (program == attachment->skeleton->progs.alloc_session)
		attach_type = UPROBE_ATTACH_SESSION;
	fd = uprobe_attach_multi(bpf_program__fd(program), attach_type, file_fd, pid, at_return,
				 sites);
	return fd < 0 ? fd : keep_link(attachment, fd, NULL);
}

static int attach_kind(struct attachment *attachment, enum site_kind kind, int file_fd, pid_t pid,
		       const struct uprobe_sites *sites)
{
	struct memtrace_bpf *skeleton = attachment->skeleton;
	int err;

	if (!sites->count)
		return 0;
	if (kind == SITE_ENTRY)
		return attach_program(attachment, skeleton->progs.entry_only, file_fd, pid, false,
				      sites);
	if (is_session(attachment))
		return attach_program(attachment, skeleton->progs.alloc_session, file_fd, pid,
				      false, sites);
	/* Returns first: an entry without its return would leave a stale pending call. */
	err = attach_program(attachment, skeleton->progs.alloc_exit, file_fd, pid, true, sites);
	if (err)
		return err;
	return attach_program(attachment, skeleton->progs.alloc_enter, file_fd, pid, false, sites);
}

static void note_site(struct attachment *attachment, const struct object *object,
		      const struct object_site *site)
{
	uint64_t offset = object_site__offset(site);

	/* BPF knows our pending calls by the low 12 bits of the probe's address. */
	if (site->kind == SITE_CALL)
		attachment->skeleton->bss->alloc_sites[(offset & 0xfff) >> 6] |=
			1ULL << (offset & 63);
	attachment->stats.probes++;
	attachment->stats.emulated += site->place.emulated;
	log_verbose("probe %s:%s+%u (file offset 0x%llx) on '%s', %s", object->name, site->symbol,
		    site->place.offset, (unsigned long long)offset, site->place.text,
		    site->place.emulated ? "emulated" : "single-stepped");
}

static int attach_sites(struct attachment *attachment, struct object *object, enum site_kind kind,
			uint64_t *offsets, uint64_t *cookies)
{
	struct uprobe_sites sites = { .offsets = offsets, .cookies = cookies };
	size_t i;

	for (i = 0; i < object->site_count; i++) {
		if (object->sites[i].kind != kind)
			continue;
		offsets[sites.count] = object_site__offset(&object->sites[i]);
		cookies[sites.count++] = object_site__cookie(&object->sites[i]);
	}
	return attach_kind(attachment, kind, object->fd, attachment->pid, &sites);
}

struct add_object_work {
	struct attachment *attachment;
	struct object *object;
	uint64_t *offsets;	/* room for all sites of the object, each */
	uint64_t *cookies;
};

/* A block that is handed out once allocators are probed must be seen given back: free first. */
static int add_object_shielded(void *ctx)
{
	const struct add_object_work *work = ctx;
	int err;

	err = attach_sites(work->attachment, work->object, SITE_ENTRY, work->offsets,
			   work->cookies);
	if (err)
		return err;
	return attach_sites(work->attachment, work->object, SITE_CALL, work->offsets,
			    work->cookies);
}

int attachment__add_object(struct attachment *attachment, struct object *object)
{
	struct add_object_work work = { .attachment = attachment, .object = object };
	int err = -ENOMEM;
	size_t i;

	if (object->attached || !object->site_count)
		return 0;
	object->attached = true;
	for (i = 0; i < object->site_count; i++)
		note_site(attachment, object, &object->sites[i]);
	work.offsets = calloc(object->site_count, sizeof(*work.offsets));
	work.cookies = calloc(object->site_count, sizeof(*work.cookies));
	if (work.offsets && work.cookies)
		err = shield__run(add_object_shielded, &work);
	free(work.offsets);
	free(work.cookies);
	if (err)
		return log_err(err, "cannot probe %s in process %d", object->name, attachment->pid);
	return 0;
}

void attachment__add_tracepoints(struct attachment *attachment)
{
	struct memtrace_bpf *skeleton = attachment->skeleton;

	if (bpf_program__autoload(skeleton->progs.fault_user)) {
		attachment->fault_links[0] = bpf_program__attach(skeleton->progs.fault_user);
		attachment->fault_links[1] = bpf_program__attach(skeleton->progs.fault_kernel);
	}
	attachment->stats.faults = attachment->fault_links[0] && attachment->fault_links[1];
	if (bpf_program__autoload(skeleton->progs.task_exec))
		attachment->exec_link = bpf_program__attach(skeleton->progs.task_exec);
	attachment->stats.exec = attachment->exec_link;
}

void attachment__arm(struct attachment *attachment, bool armed)
{
	__atomic_store_n(&attachment->skeleton->bss->armed, armed, __ATOMIC_SEQ_CST);
}

int attachment__ring_fd(const struct attachment *attachment)
{
	return bpf_map__fd(attachment->skeleton->maps.events);
}

void attachment__get_stats(const struct attachment *attachment, struct attachment_stats *stats)
{
	*stats = attachment->stats;
}

int attachment__read_counters(const struct attachment *attachment,
			      struct kernel_counters *counters, uint64_t silent_hits[HIT_KIND_COUNT])
{
	int fd = bpf_map__fd(attachment->skeleton->maps.counters);
	__u32 key = 0;
	int cpu, kind;

	if (bpf_map_lookup_elem(fd, &key, attachment->cpu_counters))
		return -errno;
	*counters = (struct kernel_counters){ 0 };
	for (kind = 0; silent_hits && kind < HIT_KIND_COUNT; kind++)
		silent_hits[kind] = 0;
	for (cpu = 0; cpu < attachment->cpu_count; cpu++) {
		const struct counters_val *sums = &attachment->cpu_counters[cpu];

		for (kind = 0; silent_hits && kind < HIT_KIND_COUNT; kind++)
			silent_hits[kind] += sums->silent_hits[kind];
		counters->user_faults += sums->user_faults;
		counters->kernel_faults += sums->kernel_faults;
		counters->write_faults += sums->write_faults;
		counters->cow_faults += sums->cow_faults;
		counters->lost_events += sums->lost_events;
		counters->lost_allocs += sums->lost_allocs;
		counters->lost_alloc_bytes += sums->lost_alloc_bytes;
		counters->lost_frees += sums->lost_frees;
	}
	return 0;
}

double attachment__measure_hit(struct attachment *attachment, enum hit_kind kind)
{
	enum site_kind site_kind =
		kind == HIT_ENTRY || kind == HIT_ENTRY_STEPPED ? SITE_ENTRY : SITE_CALL;
	struct uprobe_sites sites = { .count = 1 };
	size_t links_before = attachment->link_count;
	uint64_t offset, cookie;
	double untraced, cost;
	int fd, err;

	err = calibrate_site(kind, &offset, &cookie);
	if (err)
		return err;
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	sites.offsets = &offset;
	sites.cookies = &cookie;
	untraced = calibrate_time(kind);
	err = attach_kind(attachment, site_kind, fd, getpid(), &sites);
	cost = err ? err : calibrate_time(kind) - untraced;
	while (attachment->link_count > links_before)
		close_link(&attachment->links[--attachment->link_count]);
	close(fd);
	return cost;
}
