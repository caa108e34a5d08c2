/* SPDX-License-Identifier: GPL-2.0-only */
/* The process to attach to, checked: it exists, runs a program of our kind and is not ourselves. */
#ifndef MEMTRACE_TARGET_H
#define MEMTRACE_TARGET_H

#include <sys/types.h>

#include "model/snapshot.h"

struct target {
	pid_t pid;
	int proc_fd;			/* /proc/PID, -1 when closed */
	int pidfd;			/* readable when the process has ended, -1 when closed */
	char comm[SNAPSHOT_COMM_SIZE];
};

/* 0 or a negative errno, after a message for the user; then there is nothing to close. */
int target__open(struct target *target, pid_t pid);
void target__close(struct target *target);

#endif
