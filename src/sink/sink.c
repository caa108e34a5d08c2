// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all sinks share: a row is built in memory and handed to the kernel in one write, so that a
 * reader never meets half a row. Says nothing itself: the caller knows the name of the output.
 */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct sink {
	const struct sink_ops *ops;
	FILE *out;
	unsigned int row_number;
};

struct sink *sink__new(const struct sink_ops *ops, FILE *out)
{
	struct sink *sink = calloc(1, sizeof(*sink));

	if (!sink)
		return NULL;
	sink->ops = ops;
	sink->out = out;
	return sink;
}

void sink__free(struct sink *sink)
{
	free(sink);
}

/* A regular file that nobody else may be appending to: its size, else -1. */
static off_t own_size(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_APPEND) || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -1;
	return st.st_size;
}

/*
 * All or nothing: where the disk is full in mid-row, what went through is cut off again, and the
 * rest is dropped, or fclose() would try once more.
 */
static int write_whole(FILE *out, const char *text, size_t size)
{
	off_t before = own_size(fileno(out));
	int err;

	errno = 0;
	if (fwrite(text, 1, size, out) == size && fflush(out) == 0)
		return 0;
	err = errno ? -errno : -EIO;
	__fpurge(out);
	if (before >= 0 && ftruncate(fileno(out), before) == 0)
		lseek(fileno(out), before, SEEK_SET);
	return err;
}

/* The header for a NULL snapshot. */
static int emit(struct sink *sink, const struct snapshot *snapshot)
{
	char *text = NULL;
	size_t size = 0;
	FILE *line;
	int err;

	line = open_memstream(&text, &size);
	if (!line)
		return -errno;
	if (snapshot)
		err = sink->ops->row(line, snapshot, sink->row_number);
	else
		err = sink->ops->begin(line);
	if (fclose(line) != 0 && !err)
		err = -ENOMEM;
	if (!err)
		err = write_whole(sink->out, text, size);
	free(text);
	return err;
}

int sink__begin(struct sink *sink)
{
	return emit(sink, NULL);
}

int sink__row(struct sink *sink, const struct snapshot *snapshot)
{
	int err = emit(sink, snapshot);

	if (!err)
		sink->row_number++;
	return err;
}
