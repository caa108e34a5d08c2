// SPDX-License-Identifier: GPL-2.0-only
/* /proc/PID/status: the sizes of a process, exact to the page and cheap enough for every tick. */
#include "proc.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_FIELD(key, member) { key, sizeof(key) - 1, offsetof(struct proc_status, member) }

/* Lines in kB. Kernel threads and zombies have none of them, and before 4.5 there was no Rss*. */
static const struct {
	const char *key;
	size_t length;
	size_t offset;
} sizes[] = {
	SIZE_FIELD("VmSize:", vm_bytes),
	SIZE_FIELD("VmRSS:", rss_bytes),
	SIZE_FIELD("RssAnon:", rss_anon_bytes),
	SIZE_FIELD("RssFile:", rss_file_bytes),
	SIZE_FIELD("RssShmem:", rss_shmem_bytes),
	SIZE_FIELD("VmSwap:", swap_bytes),
};

/* The value behind `key`, blanks skipped, or NULL if the line is not of that key. */
static const char *match_key(const char *line, const char *key, size_t length)
{
	if (strncmp(line, key, length) != 0)
		return NULL;
	return line + length + strspn(line + length, " \t");
}

static int parse_number(const char *value, uint64_t *number, const char **rest)
{
	unsigned long long parsed;
	char *end;

	if (!isdigit((unsigned char)*value))
		return -EINVAL;
	errno = 0;
	parsed = strtoull(value, &end, 10);
	if (errno)
		return -EINVAL;
	*number = parsed;
	*rest = end;
	return 0;
}

static int parse_size(const char *value, uint64_t *bytes)
{
	uint64_t kilobytes;
	const char *rest;

	if (parse_number(value, &kilobytes, &rest) || strncmp(rest, " kB", 3) != 0)
		return -EINVAL;
	if (kilobytes > UINT64_MAX / 1024)
		return -EINVAL;
	*bytes = kilobytes * 1024;
	return 0;
}

static int parse_size_line(const char *line, struct proc_status *status)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const char *value = match_key(line, sizes[i].key, sizes[i].length);

		if (value)
			return parse_size(value, (uint64_t *)((char *)status + sizes[i].offset));
	}
	return 0;
}

static int parse_line(const char *line, struct proc_status *status)
{
	const char *value, *rest;
	uint64_t tgid;

	switch (line[0]) {
	case 'V':
	case 'R':
		return parse_size_line(line, status);
	case 'S':
		value = match_key(line, "State:", strlen("State:"));
		if (value)
			status->state = *value;
		return 0;
	case 'T':
		value = match_key(line, "Threads:", strlen("Threads:"));
		if (value)
			return parse_number(value, &status->threads, &rest);
		value = match_key(line, "Tgid:", strlen("Tgid:"));
		if (!value)
			return 0;
		if (parse_number(value, &tgid, &rest) || tgid > INT32_MAX)
			return -EINVAL;
		status->tgid = (int)tgid;
		return 0;
	default:
		return 0;
	}
}

int proc_parse_status(const char *text, struct proc_status *status)
{
	*status = (struct proc_status){
		.vm_bytes = SNAPSHOT_UNKNOWN,
		.rss_bytes = SNAPSHOT_UNKNOWN,
		.rss_anon_bytes = SNAPSHOT_UNKNOWN,
		.rss_file_bytes = SNAPSHOT_UNKNOWN,
		.rss_shmem_bytes = SNAPSHOT_UNKNOWN,
		.swap_bytes = SNAPSHOT_UNKNOWN,
		.threads = SNAPSHOT_UNKNOWN,
	};
	/* The name cannot forge a line: status, unlike stat, escapes newlines in it. */
	if (!match_key(text, "Name:", strlen("Name:")))
		return -EINVAL;
	while (text) {
		int err = parse_line(text, status);

		if (err)
			return err;
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return 0;
}

int proc_read_status(int proc_fd, struct proc_status *status)
{
	char *text;
	int err = proc_read_text(proc_fd, "status", &text);

	if (err)
		return err;
	err = proc_parse_status(text, status);
	free(text);
	return err;
}
