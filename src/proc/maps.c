// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/PID/maps, in one pass through a fixed buffer. A process may have 65530 mappings and more,
 * and a path grows with the depth of directories and fourfold by escapes: neither may grow us.
 */
#include "proc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MAPS_BUFFER_BYTES (64 * 1024)

struct maps_reader {
	struct vma_list *list;
	proc_vma_visit visit;
	void *ctx;
	size_t used;		/* bytes of an unfinished line at the front of buffer */
	bool skipping;		/* inside a line longer than the buffer, already handed on */
	char buffer[MAPS_BUFFER_BYTES + 1];
};

/* Kernel mappings that are no memory of the process. Names of anonymous memory cannot be these. */
static const char *const special_names[] = {
	"[vvar]", "[vvar_vclock]", "[vdso]", "[vsyscall]", "[uprobes]",
};

static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	return 16;
}

/* A number and the character behind it; `end` of ' ' also takes the end of the line. */
static bool take_number(const char **text, unsigned int base, char end, uint64_t *number)
{
	const char *p = *text;
	uint64_t value = 0;
	unsigned int digit;

	for (; (digit = digit_value(*p)) < base; p++) {
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return false;
	}
	if (p == *text)
		return false;
	if (*p == end)
		p++;
	else if (end != ' ' || *p)
		return false;
	*text = p;
	*number = value;
	return true;
}

/* "rwxp " or dashes. */
static bool take_permissions(const char **text, uint32_t *flags)
{
	const char *p = *text;

	if (strnlen(p, 5) < 5 || p[4] != ' ' || (p[3] != 'p' && p[3] != 's'))
		return false;
	*flags = 0;
	if (p[1] == 'w')
		*flags |= VMA_WRITE;
	if (p[2] == 'x')
		*flags |= VMA_EXEC;
	if (p[3] == 's')
		*flags |= VMA_SHARED;
	*text = p + 5;
	return true;
}

static bool is_special(const char *path)
{
	if (path[0] != '[')
		return false;
	for (size_t i = 0; i < sizeof(special_names) / sizeof(special_names[0]); i++) {
		if (strcmp(path, special_names[i]) == 0)
			return true;
	}
	return false;
}

int proc_parse_maps_line(const char *line, struct vma *vma, const char **path)
{
	uint64_t major, minor;

	*vma = (struct vma){ 0 };
	if (!take_number(&line, 16, '-', &vma->start) ||
	    !take_number(&line, 16, ' ', &vma->end) ||
	    !take_permissions(&line, &vma->flags) ||
	    !take_number(&line, 16, ' ', &vma->offset) ||
	    !take_number(&line, 16, ':', &major) ||
	    !take_number(&line, 16, ' ', &minor) ||
	    !take_number(&line, 10, ' ', &vma->inode))
		return -EINVAL;
	if (vma->start >= vma->end || major > UINT32_MAX || minor > UINT32_MAX)
		return -EINVAL;
	vma->dev = makedev((unsigned int)major, (unsigned int)minor);
	*path = line + strspn(line, " ");
	/* The first SysV segment of a system has inode 0, its ID, but a device as all files do. */
	if (vma->inode || vma->dev)
		vma->flags |= VMA_FILE;
	else if (is_special(*path))
		vma->flags |= VMA_SPECIAL;
	return 0;
}

static int take_line(struct maps_reader *reader, const char *line)
{
	const char *path;
	struct vma vma;
	int err;

	err = proc_parse_maps_line(line, &vma, &path);
	if (!err && reader->visit)
		err = reader->visit(reader->ctx, &vma, path);
	return err ? err : vma_list__push(reader->list, &vma);
}

/* Hands on the lines of `used` bytes and moves the unfinished last one to the front. */
static int take_lines(struct maps_reader *reader)
{
	char *line = reader->buffer, *end = reader->buffer + reader->used;
	char *newline;
	int err = 0;

	while (!err && (newline = memchr(line, '\n', (size_t)(end - line)))) {
		*newline = '\0';
		if (!reader->skipping)
			err = take_line(reader, line);
		reader->skipping = false;
		line = newline + 1;
	}
	reader->used = reader->skipping ? 0 : (size_t)(end - line);
	memmove(reader->buffer, line, reader->used);
	if (err || reader->used < MAPS_BUFFER_BYTES)
		return err;
	reader->buffer[reader->used] = '\0';
	reader->skipping = true;
	reader->used = 0;
	return take_line(reader, reader->buffer);
}

static int read_lines(struct maps_reader *reader, int fd)
{
	for (;;) {
		ssize_t n = read(fd, reader->buffer + reader->used,
				 MAPS_BUFFER_BYTES - reader->used);
		int err;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return reader->list->count ? 0 : -ESRCH;
		reader->used += (size_t)n;
		err = take_lines(reader);
		if (err)
			return err;
	}
}

int proc_read_maps(int proc_fd, struct vma_list *list, proc_vma_visit visit, void *ctx)
{
	struct maps_reader *reader;
	int fd, err;

	list->count = 0;
	fd = proc_open_file(proc_fd, "maps");
	if (fd < 0)
		return fd;
	reader = malloc(sizeof(*reader));
	if (!reader) {
		close(fd);
		return -ENOMEM;
	}
	reader->list = list;
	reader->visit = visit;
	reader->ctx = ctx;
	reader->used = 0;
	reader->skipping = false;
	err = read_lines(reader, fd);
	free(reader);
	close(fd);
	return err;
}
