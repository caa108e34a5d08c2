// SPDX-License-Identifier: GPL-2.0-only
/* Refuses, with a reason, whatever cannot be traced. See target.h. */
#include "target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "proc/proc.h"

#define PF_KTHREAD 0x00200000

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

static bool has_capability(const struct __user_cap_data_struct *data, int cap)
{
	return data[cap / 32].effective >> (cap % 32) & 1;
}

static void add_missing(char *missing, size_t room, const char *name)
{
	size_t used = strlen(missing);

	snprintf(missing + used, room - used, "%s%s", used ? ", " : "", name);
}

/* All of memtrace's sources need privileges; say which are missing before anything fails. */
static int check_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	char missing[128] = "";

	if (syscall(SYS_capget, &header, data))
		return log_err(-errno, "cannot read memtrace's own capabilities");
	if (has_capability(data, CAP_SYS_ADMIN)) {
		if (!has_capability(data, CAP_SYS_PTRACE))
			add_missing(missing, sizeof(missing), "CAP_SYS_PTRACE");
	} else {
		add_missing(missing, sizeof(missing), "CAP_SYS_ADMIN");
		if (!has_capability(data, CAP_BPF))
			add_missing(missing, sizeof(missing), "CAP_BPF");
		if (!has_capability(data, CAP_PERFMON))
			add_missing(missing, sizeof(missing), "CAP_PERFMON");
		if (!has_capability(data, CAP_SYS_PTRACE))
			add_missing(missing, sizeof(missing), "CAP_SYS_PTRACE");
	}
	if (!missing[0])
		return 0;
	log_err(-EPERM, "cannot trace without %s", missing);
	fprintf(stderr, "memtrace: run it as root, for example with sudo\n");
	return -EPERM;
}

static int check_program(const struct target *target)
{
	unsigned char ident[EI_NIDENT] = { 0 };
	ssize_t got;
	int fd;

	fd = openat(target->proc_fd, "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return log_err(-errno, "cannot open the program of PID %d", target->pid);
	got = pread(fd, ident, sizeof(ident), 0);
	close(fd);
	if (got == EI_NIDENT && ident[EI_CLASS] == ELFCLASS32) {
		log_err(0, "cannot attach to PID %d (%s): it is a 32-bit program", target->pid,
			target->comm);
		fprintf(stderr, "memtrace: only 64-bit programs can be traced\n");
		return -ENOTSUP;
	}
	return 0;
}

static int check_process(struct target *target)
{
	struct proc_status status;
	struct proc_stat stat;
	int err;

	err = proc_read_stat(target->proc_fd, &stat);
	if (!err)
		err = proc_read_status(target->proc_fd, &status);
	if (err)
		return log_err(err == -ENOENT ? -ESRCH : err, "cannot attach to PID %d", target->pid);
	snprintf(target->comm, sizeof(target->comm), "%s", stat.comm);
	if (stat.flags & PF_KTHREAD)
		return log_err(0, "cannot attach to PID %d (%s): it is a kernel thread", target->pid,
			       target->comm);
	/* The kernel shows a process by its first thread; without it there is no memory to see. */
	if (status.state == 'Z' && status.threads != SNAPSHOT_UNKNOWN && status.threads > 1)
		return log_err(0, "cannot attach to PID %d (%s): its first thread has ended, though "
				  "others run on", target->pid, target->comm);
	if (status.state == 'Z' || status.state == 'X')
		return log_err(0, "cannot attach to PID %d (%s): it has already ended and waits for "
				  "its parent (zombie)", target->pid, target->comm);
	if (status.tgid && status.tgid != target->pid) {
		log_err(0, "cannot attach to PID %d (%s): it is a thread of process %d", target->pid,
			target->comm, status.tgid);
		fprintf(stderr, "memtrace: try 'memtrace -p %d'\n", status.tgid);
		return -EINVAL;
	}
	return check_program(target);
}

int target__open(struct target *target, pid_t pid)
{
	int err;

	*target = (struct target){ .pid = pid, .proc_fd = -1, .pidfd = -1 };
	if (pid == getpid())
		return log_err(0, "cannot attach to PID %d: that is memtrace itself", pid);
	err = check_capabilities();
	if (err)
		return err;
	target->proc_fd = proc_open(pid);
	if (target->proc_fd < 0)
		return log_err(-ESRCH, "cannot attach to PID %d", pid);
	err = check_process(target);
	if (!err) {
		target->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		if (target->pidfd < 0)
			err = log_err(-errno, "cannot attach to PID %d", pid);
	}
	if (err)
		target__close(target);
	return err;
}

void target__close(struct target *target)
{
	if (target->proc_fd >= 0)
		close(target->proc_fd);
	if (target->pidfd >= 0)
		close(target->pidfd);
	target->proc_fd = -1;
	target->pidfd = -1;
}
