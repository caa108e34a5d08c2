// SPDX-License-Identifier: GPL-2.0-only
/* Opening and reading procfs files relative to the directory of one process. */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * status is a few KiB, but lists every supplementary group before its Vm lines: 65536 of them
 * (NGROUPS_MAX) with ten digits each are 704 KiB.
 */
#define TEXT_FIRST_BYTES 8192
#define TEXT_MAX_BYTES (1024 * 1024)

int proc_open(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int proc_open_file(int proc_fd, const char *name)
{
	int fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	/* The directory of a dead process stays open, and empty. */
	return errno == ENOENT ? -ESRCH : -errno;
}

/* Reads up to `room` bytes, fewer only at the end of the file. The count or a negative errno. */
static ssize_t read_fully(int fd, char *text, size_t room)
{
	size_t used = 0;

	while (used < room) {
		ssize_t n = read(fd, text + used, room - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

/* 0, -EFBIG when there is more than `max` bytes, or what failed. *text is to be freed always. */
static int read_growing(int fd, char **text, size_t max)
{
	size_t used = 0, room = TEXT_FIRST_BYTES;

	for (;;) {
		char *grown = realloc(*text, room);
		ssize_t n;

		if (!grown)
			return -ENOMEM;
		*text = grown;
		n = read_fully(fd, grown + used, room - used - 1);
		if (n < 0)
			return (int)n;
		used += (size_t)n;
		grown[used] = '\0';
		if (used < room - 1)
			return 0;
		if (room >= max)
			return -EFBIG;
		room *= 2;
	}
}

int proc_read_text(int proc_fd, const char *name, char **text)
{
	int fd = proc_open_file(proc_fd, name);
	int err;

	*text = NULL;
	if (fd < 0)
		return fd;
	err = read_growing(fd, text, TEXT_MAX_BYTES);
	close(fd);
	if (err) {
		free(*text);
		*text = NULL;
	}
	return err;
}
