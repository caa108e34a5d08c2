// SPDX-License-Identifier: GPL-2.0-only
/*
 * The aligned table for a terminal of 132 columns: those of columns[] that have a title. Text and
 * time have no place in it, figures only.
 */
#include <errno.h>
#include <inttypes.h>

#include "column.h"
#include "human.h"
#include "model/snapshot.h"
#include "sink.h"

#define ROWS_PER_HEADER 20	/* like vmstat */

static const int widths[] = {
	[COLUMN_ELAPSED] = HUMAN_SECONDS_WIDTH,
	[COLUMN_PID] = 7,	/* PIDs end at 2^22 */
	[COLUMN_COUNT_NUMBER] = HUMAN_COUNT_WIDTH,
	[COLUMN_BYTES] = HUMAN_BYTES_WIDTH,
};

/* Right-aligned, one blank apart, none before the first. */
static void print_cell(FILE *out, const struct column *column, const char *text, int *printed)
{
	if ((*printed)++)
		fputc(' ', out);
	fprintf(out, "%*s", widths[column->kind], text);
}

static const char *format_value(char text[HUMAN_SIZE], const struct column *column,
				const void *value)
{
	switch (column->kind) {
	case COLUMN_ELAPSED:
		return human_seconds(text, *(const uint64_t *)value);
	case COLUMN_PID:
		snprintf(text, HUMAN_SIZE, "%d", *(const pid_t *)value);
		return text;
	case COLUMN_COUNT_NUMBER:
		return human_count(text, *(const uint64_t *)value);
	case COLUMN_BYTES:
		return human_bytes(text, *(const uint64_t *)value);
	case COLUMN_TIME:
	case COLUMN_TEXT:
		break;
	}
	return "?";
}

static int end_line(FILE *out)
{
	fputc('\n', out);
	return ferror(out) ? -ENOMEM : 0;
}

static int table_begin(FILE *out)
{
	int printed = 0;
	size_t i;

	for (i = 0; i < column_count; i++) {
		if (columns[i].title)
			print_cell(out, &columns[i], columns[i].title, &printed);
	}
	return end_line(out);
}

static int table_row(FILE *out, const struct snapshot *snapshot, unsigned int row_number)
{
	char text[HUMAN_SIZE];
	int printed = 0;
	size_t i;

	if (row_number && row_number % ROWS_PER_HEADER == 0)
		table_begin(out);
	for (i = 0; i < column_count; i++) {
		const void *value = (const char *)snapshot + columns[i].offset;

		if (columns[i].title)
			print_cell(out, &columns[i], format_value(text, &columns[i], value),
				   &printed);
	}
	return end_line(out);
}

const struct sink_ops table_sink = {
	.name = "table",
	.begin = table_begin,
	.row = table_row,
};
