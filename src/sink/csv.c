// SPDX-License-Identifier: GPL-2.0-only
/*
 * Comma-separated values after RFC 4180, with plain newlines. Unknown is an empty field. Made of
 * columns[] alone; a new column needs nothing here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "column.h"
#include "model/snapshot.h"
#include "sink.h"

#define NSEC_PER_MSEC 1000000
#define MSEC_PER_SEC 1000

/* Bytes of the well-formed UTF-8 sequence at text, or 0. Ends at the NUL by itself. */
static size_t utf8_length(const unsigned char *text)
{
	/* Second bytes that exclude overlong forms, surrogates and what lies above U+10FFFF. */
	unsigned char low = text[0] == 0xe0 ? 0xa0 : text[0] == 0xf0 ? 0x90 : 0x80;
	unsigned char high = text[0] == 0xed ? 0x9f : text[0] == 0xf4 ? 0x8f : 0xbf;
	size_t length = text[0] < 0x80 ? 1 :
			text[0] < 0xc2 ? 0 :
			text[0] < 0xe0 ? 2 :
			text[0] < 0xf0 ? 3 :
			text[0] < 0xf5 ? 4 : 0;
	size_t i;

	if (length > 1 && (text[1] < low || text[1] > high))
		return 0;
	for (i = 2; i < length; i++) {
		if (text[i] < 0x80 || text[i] > 0xbf)
			return 0;
	}
	return length;
}

/* C0, DEL and the C1 controls U+0080 to U+009F, which some terminals obey too. */
static bool is_control(const unsigned char *text)
{
	return text[0] < 0x20 || text[0] == 0x7f || (text[0] == 0xc2 && text[1] < 0xa0);
}

/* Any process can set its name to anything: no reader of the rows may suffer from it. */
static void print_text(FILE *out, const char *raw)
{
	const unsigned char *text = (const unsigned char *)raw;
	bool quoted = strpbrk(raw, ",\"");
	size_t length;

	if (quoted)
		fputc('"', out);
	for (; *text; text += length ? length : 1) {
		length = utf8_length(text);
		if (!length || is_control(text))
			fputc('?', out);
		else
			fwrite(text, 1, length, out);
		if (*text == '"')
			fputc('"', out);
	}
	if (quoted)
		fputc('"', out);
}

/* 2026-11-21T05:06:07.089Z */
static void print_time(FILE *out, const struct timespec *time)
{
	char seconds[64];
	struct tm tm;

	if (!gmtime_r(&time->tv_sec, &tm))
		return;
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(out, "%s.%03ldZ", seconds, time->tv_nsec / NSEC_PER_MSEC);
}

static void print_field(FILE *out, const struct column *column, const void *value)
{
	uint64_t number;

	switch (column->kind) {
	case COLUMN_TIME:
		print_time(out, value);
		return;
	case COLUMN_PID:
		fprintf(out, "%d", *(const pid_t *)value);
		return;
	case COLUMN_TEXT:
		print_text(out, value);
		return;
	case COLUMN_ELAPSED:
	case COLUMN_COUNT_NUMBER:
	case COLUMN_BYTES:
		break;
	}
	number = *(const uint64_t *)value;
	if (number == SNAPSHOT_UNKNOWN)
		return;
	if (column->kind != COLUMN_ELAPSED) {
		fprintf(out, "%" PRIu64, number);
		return;
	}
	number /= NSEC_PER_MSEC;
	fprintf(out, "%" PRIu64 ".%03" PRIu64, number / MSEC_PER_SEC, number % MSEC_PER_SEC);
}

static int end_line(FILE *out)
{
	fputc('\n', out);
	return ferror(out) ? -ENOMEM : 0;
}

static int csv_begin(FILE *out)
{
	size_t i;

	for (i = 0; i < column_count; i++)
		fprintf(out, "%s%s", i ? "," : "", columns[i].name);
	return end_line(out);
}

static int csv_row(FILE *out, const struct snapshot *snapshot, unsigned int row_number)
{
	size_t i;

	(void)row_number;
	for (i = 0; i < column_count; i++) {
		if (i)
			fputc(',', out);
		print_field(out, &columns[i], (const char *)snapshot + columns[i].offset);
	}
	return end_line(out);
}

const struct sink_ops csv_sink = {
	.name = "csv",
	.begin = csv_begin,
	.row = csv_row,
};
