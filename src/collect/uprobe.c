// SPDX-License-Identifier: GPL-2.0-only
/* BPF_LINK_CREATE for uprobe_multi; see uprobe.h. */
#include "uprobe.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UPROBE_MULTI_RETURN 1

/* union bpf_attr, link_create with its uprobe_multi part, as of 6.6. */
struct link_create_attr {
	uint32_t prog_fd;
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t flags;
	uint64_t path;
	uint64_t offsets;
	uint64_t ref_ctr_offsets;
	uint64_t cookies;
	uint32_t count;
	uint32_t uprobe_flags;
	uint32_t pid;
	uint32_t pad;
};

int uprobe_attach_multi(int prog_fd, int attach_type, int file_fd, pid_t pid, int retprobe,
			const struct uprobe_sites *sites)
{
	struct link_create_attr attr;
	char path[64];
	int fd;

	/* The file that was examined, whatever its path leads to by now. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file_fd);
	memset(&attr, 0, sizeof(attr));
	attr.prog_fd = (uint32_t)prog_fd;
	attr.attach_type = (uint32_t)attach_type;
	attr.path = (uintptr_t)path;
	attr.offsets = (uintptr_t)sites->offsets;
	attr.cookies = (uintptr_t)sites->cookies;
	attr.count = (uint32_t)sites->count;
	attr.uprobe_flags = retprobe ? UPROBE_MULTI_RETURN : 0;
	attr.pid = (uint32_t)pid;
	fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}
