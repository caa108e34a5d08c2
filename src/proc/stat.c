// SPDX-License-Identifier: GPL-2.0-only
/* /proc/PID/stat: fault counts, start time and name of a process. */
#include "proc.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of the fields as proc(5) counts them. */
enum stat_field {
	FIELD_STATE = 3,	/* the first one behind the name */
	FIELD_FLAGS = 9,
	FIELD_MINFLT = 10,
	FIELD_MAJFLT = 12,
	FIELD_STARTTIME = 22,
};

/* `text` stands at FIELD_STATE. */
static int parse_field(const char *text, enum stat_field field, uint64_t *number)
{
	unsigned long long parsed;
	char *end;

	for (int i = FIELD_STATE; i < (int)field; i++) {
		text = strchr(text, ' ');
		if (!text)
			return -EINVAL;
		text++;
	}
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	parsed = strtoull(text, &end, 10);
	if (errno || (*end && !isspace((unsigned char)*end)))
		return -EINVAL;
	*number = parsed;
	return 0;
}

static void copy_comm(char *comm, const char *start, const char *end)
{
	size_t length = (size_t)(end - start);

	if (length > SNAPSHOT_COMM_SIZE - 1)
		length = SNAPSHOT_COMM_SIZE - 1;
	memcpy(comm, start, length);
	comm[length] = '\0';
}

int proc_parse_stat(const char *text, struct proc_stat *stat)
{
	const char *open = strchr(text, '(');
	/* The name is raw and may hold anything, ") S 1 (" too; no ')' can follow it. */
	const char *close = strrchr(text, ')');
	const char *state;

	*stat = (struct proc_stat){ 0 };
	if (!isdigit((unsigned char)text[0]) || !open || !close || close < open)
		return -EINVAL;
	if (close[1] != ' ' || !isalpha((unsigned char)close[2]))
		return -EINVAL;
	copy_comm(stat->comm, open + 1, close);
	state = close + 2;
	stat->state = *state;
	if (parse_field(state, FIELD_FLAGS, &stat->flags) ||
	    parse_field(state, FIELD_MINFLT, &stat->minor_faults) ||
	    parse_field(state, FIELD_MAJFLT, &stat->major_faults) ||
	    parse_field(state, FIELD_STARTTIME, &stat->start_ticks))
		return -EINVAL;
	return 0;
}

int proc_read_stat(int proc_fd, struct proc_stat *stat)
{
	char *text;
	int err = proc_read_text(proc_fd, "stat", &text);

	if (err)
		return err;
	err = proc_parse_stat(text, stat);
	free(text);
	return err;
}
