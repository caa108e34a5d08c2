/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaching many uprobes of one file at once, by bpf(2) itself: libbpf 1.1 knows no uprobe_multi
 * links, and knows perf uprobes only one by one.
 */
#ifndef MEMTRACE_UPROBE_H
#define MEMTRACE_UPROBE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* From the kernel's enum bpf_attach_type, which older headers end before. */
#define UPROBE_ATTACH_MULTI 48
#define UPROBE_ATTACH_SESSION 57

struct uprobe_sites {
	const uint64_t *offsets;	/* in the file, bytes */
	const uint64_t *cookies;
	size_t count;
};

/*
 * A link fd, or a negative errno. file_fd: the file to probe; prog_fd: a program loaded with this
 * attach type; retprobe: at the functions' returns (UPROBE_ATTACH_MULTI only).
 */
int uprobe_attach_multi(int prog_fd, int attach_type, int file_fd, pid_t pid, int retprobe,
			const struct uprobe_sites *sites);

#endif
