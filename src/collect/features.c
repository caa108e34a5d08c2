// SPDX-License-Identifier: GPL-2.0-only
/* Asks the kernel by trying; versions are for people only, distributions backport. */
#include "features.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "calibrate.h"
#include "log.h"
#include "proc/pagemap.h"
#include "uprobe.h"

/* r0 = 0; exit */
static const struct bpf_insn return_zero[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static int load_trial(enum bpf_prog_type type, enum bpf_attach_type attach_type, __u32 btf_id)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach_type,
		    .attach_btf_id = btf_id);
	int fd;

	fd = bpf_prog_load(type, "feature_trial", "GPL", return_zero,
			   sizeof(return_zero) / sizeof(return_zero[0]), &opts);
	return fd < 0 ? -errno : fd;
}

/* Tracepoints with typed arguments are known by a type "btf_trace_NAME". */
static int tracepoint_type(const struct btf *btf, const char *name)
{
	char type_name[64];

	snprintf(type_name, sizeof(type_name), "btf_trace_%s", name);
	return btf__find_by_name_kind(btf, type_name, BTF_KIND_TYPEDEF);
}

static bool can_attach_tracepoint(const struct btf *btf, const char *name)
{
	int id = tracepoint_type(btf, name);
	int prog, link;

	if (id < 0)
		return false;
	prog = load_trial(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, (__u32)id);
	if (prog < 0)
		return false;
	link = bpf_raw_tracepoint_open(NULL, prog);
	close(prog);
	if (link < 0)
		return false;
	close(link);
	return true;
}

static bool can_attach_uprobes(int attach_type)
{
	int prog, link;

	prog = load_trial(BPF_PROG_TYPE_KPROBE, (enum bpf_attach_type)attach_type, 0);
	if (prog < 0)
		return false;
	link = calibrate_attach_trial(prog, attach_type);
	close(prog);
	if (link < 0)
		return false;
	close(link);
	return true;
}

static bool has_kernel_function(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) >= 0;
}

static bool has_enumerator(const struct btf *btf, const char *name)
{
	__u32 id;
	int i;

	for (id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);

		if (!btf_is_enum(type))
			continue;
		for (i = 0; i < btf_vlen(type); i++)
			if (!strcmp(btf__name_by_offset(btf, btf_enum(type)[i].name_off), name))
				return true;
	}
	return false;
}

static uint32_t bit(enum feature feature, bool works)
{
	return works ? 1u << feature : 0;
}

static uint32_t probe_pagemap(void)
{
	bool has_guard = false;
	uint32_t found;

	found = bit(FEATURE_PAGEMAP_SCAN, pagemap_probe(&has_guard) == PAGEMAP_METHOD_SCAN);
	return found | bit(FEATURE_PAGEMAP_GUARD, has_guard);
}

static uint32_t probe_helpers(void)
{
	uint32_t found = 0;

	found |= bit(FEATURE_RING_BUFFER, libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) > 0);
	found |= bit(FEATURE_ATTACH_COOKIE,
		     libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_get_attach_cookie,
					     NULL) > 0);
	found |= bit(FEATURE_TASK_STORAGE,
		     libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_task_storage_get,
					     NULL) > 0);
	return found;
}

uint32_t features__probe(void)
{
	uint32_t found = probe_pagemap() | probe_helpers();
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return found;
	found |= bit(FEATURE_BTF, true);
	found |= bit(FEATURE_UPROBE_MULTI, has_enumerator(btf, "BPF_TRACE_UPROBE_MULTI"));
	found |= bit(FEATURE_UPROBE_SESSION, has_enumerator(btf, "BPF_TRACE_UPROBE_SESSION") &&
						     has_kernel_function(btf, "bpf_session_cookie"));
	found |= bit(FEATURE_FAULT_TRACEPOINTS, tracepoint_type(btf, "page_fault_user") > 0 &&
							tracepoint_type(btf, "page_fault_kernel") > 0);
	found |= bit(FEATURE_EXEC_TRACEPOINT, tracepoint_type(btf, "sched_process_exec") > 0);
	btf__free(btf);
	return found;
}

/* As features__probe(), but what can be attached is attached, to memtrace itself. */
static uint32_t try_all(void)
{
	uint32_t found = probe_pagemap() | probe_helpers();
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return found;
	found |= bit(FEATURE_BTF, true);
	found |= bit(FEATURE_UPROBE_MULTI, can_attach_uprobes(UPROBE_ATTACH_MULTI));
	found |= bit(FEATURE_UPROBE_SESSION, can_attach_uprobes(UPROBE_ATTACH_SESSION));
	found |= bit(FEATURE_FAULT_TRACEPOINTS, can_attach_tracepoint(btf, "page_fault_user") &&
							can_attach_tracepoint(btf, "page_fault_kernel"));
	found |= bit(FEATURE_EXEC_TRACEPOINT, can_attach_tracepoint(btf, "sched_process_exec"));
	btf__free(btf);
	return found;
}

int features__print(uint32_t without)
{
	uint32_t found;
	int i;

	if (geteuid())
		log_warn("not root: most of what follows cannot be tried and is shown as absent");
	found = try_all() & ~without;
	printf("%-18s %-7s %-6s %s\n", "FEATURE", "HERE", "SINCE", "WHAT IT IS USED FOR");
	for (i = 0; i < FEATURE_COUNT; i++) {
		const struct feature_info *info = &feature_table[i];

		printf("%-18s %-7s %-6s %s\n", info->name, found & 1u << i ? "yes" : "no",
		       info->since, info->use);
		printf("%-33s without: %s\n", "", info->absence);
	}
	return fflush(stdout) ? -errno : 0;
}
