// SPDX-License-Identifier: GPL-2.0-only
/* Messages on stderr; nothing here may touch stdout, which belongs to the data. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum log_level current_level = LOG_NORMAL;

void log_set_level(enum log_level level)
{
	current_level = level;
}

enum log_level log_get_level(void)
{
	return current_level;
}

/* One write per line, so that lines of the target on the same terminal cannot cut into ours. */
static void print_line(const char *prefix, const char *fmt, va_list ap, const char *reason)
{
	char line[2048];
	size_t room = sizeof(line) - 2;	/* for the newline and the end */
	size_t used;

	used = (size_t)snprintf(line, room, "memtrace: %s", prefix);
	if (used < room)
		used += (size_t)vsnprintf(line + used, room - used, fmt, ap);
	if (used < room && reason)
		used += (size_t)snprintf(line + used, room - used, ": %s", reason);
	if (used > room - 1)
		used = room - 1;
	line[used++] = '\n';
	line[used] = '\0';
	fputs(line, stderr);
}

int log_err(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line("", fmt, ap, err ? strerror(-err) : NULL);
	va_end(ap);
	return err ? err : -EINVAL;
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line("warning: ", fmt, ap, NULL);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	if (current_level < LOG_NORMAL)
		return;
	va_start(ap, fmt);
	print_line("", fmt, ap, NULL);
	va_end(ap);
}

void log_verbose(const char *fmt, ...)
{
	va_list ap;

	if (current_level < LOG_VERBOSE)
		return;
	va_start(ap, fmt);
	print_line("", fmt, ap, NULL);
	va_end(ap);
}
