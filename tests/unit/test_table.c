// SPDX-License-Identifier: GPL-2.0-only
/* The table for terminals: aligned whatever the figures, and the figures themselves. */
#include <stdlib.h>

#include "model/snapshot.h"
#include "sink/column.h"
#include "sink/human.h"
#include "sink/sink.h"
#include "test.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define NSEC_PER_SEC UINT64_C(1000000000)

static struct snapshot make_snapshot(uint64_t value)
{
	struct snapshot snapshot = { .tgid = 4711, .comm = "python3", .elapsed_ns = value };
	uint64_t *figure = &snapshot.malloc_calls;

	for (; figure <= &snapshot.unmatched_frees; figure++)
		*figure = value;
	return snapshot;
}

/* Header and rows of the same snapshot through sink.c; to be freed. */
static char *table_text(const struct snapshot *snapshot, int rows)
{
	FILE *out = tmpfile();
	struct sink *sink = sink__new(&table_sink, out);
	char *text = calloc(1, 1 << 16);

	sink__begin(sink);
	while (rows-- > 0)
		sink__row(sink, snapshot);
	sink__free(sink);
	rewind(out);
	(void)!fread(text, 1, (1 << 16) - 1, out);
	fclose(out);
	return text;
}

#define CHECK_BYTES(value, want)                                                                   \
	do {                                                                                       \
		char human_[HUMAN_SIZE];                                                           \
		CHECK_STR(human_bytes(human_, value), want);                                       \
	} while (0)

TEST(bytes)
{
	CHECK_BYTES(0, "0B");
	CHECK_BYTES(1023, "1023B");
	CHECK_BYTES(1024, "1.0KiB");
	CHECK_BYTES(1536, "1.5KiB");
	CHECK_BYTES(256 * MIB, "256.0MiB");
	CHECK_BYTES(MIB - 1, "1.0MiB");		/* not 1024.0KiB */
	CHECK_BYTES(1023 * KIB + 900, "1023.9KiB");
	CHECK_BYTES(GIB + GIB / 10, "1.1GiB");
	CHECK_BYTES(UINT64_C(1) << 63, "8.0EiB");
	CHECK_BYTES(UINT64_MAX - 1, "16.0EiB");
	CHECK_BYTES(SNAPSHOT_UNKNOWN, "-");
}

TEST(counts)
{
	char text[HUMAN_SIZE];

	CHECK_STR(human_count(text, 0), "0");
	CHECK_STR(human_count(text, 999999), "999999");
	CHECK_STR(human_count(text, 1000000), "1.0M");
	CHECK_STR(human_count(text, 12345678), "12.3M");
	CHECK_STR(human_count(text, 999960000), "1.0G");
	CHECK_STR(human_count(text, UINT64_MAX - 1), "18.4E");
	CHECK_STR(human_count(text, SNAPSHOT_UNKNOWN), "-");
}

TEST(seconds)
{
	char text[HUMAN_SIZE];

	CHECK_STR(human_seconds(text, 0), "0.0");
	CHECK_STR(human_seconds(text, NSEC_PER_SEC * 2 - 1), "1.9");
	CHECK_STR(human_seconds(text, NSEC_PER_SEC * 99999), "99999.0");
	CHECK_STR(human_seconds(text, NSEC_PER_SEC * 100000), "100000");
	CHECK_STR(human_seconds(text, NSEC_PER_SEC * 10000000), "115d");
}

TEST(row)
{
	struct snapshot snapshot = make_snapshot(SNAPSHOT_UNKNOWN);
	char *text;

	snapshot.elapsed_ns = 3 * NSEC_PER_SEC;
	snapshot.malloc_calls = 12;
	snapshot.live_bytes = 256 * MIB;
	snapshot.rss_bytes = 5 * KIB / 2;
	text = table_text(&snapshot, 1);
	CHECK_STR(text,
		  "elapsed malloc   free      live  resident      zero   swapped untouched"
		  "       rss      anon      swap    unattr minflt majflt   lost\n"
		  "    3.0     12      -  256.0MiB         -         -         -         -"
		  "    2.5KiB         -         -         -      -      -      -\n");
	free(text);
}

static bool is_aligned(uint64_t value)
{
	struct snapshot snapshot = make_snapshot(value);
	char *text = table_text(&snapshot, 1);
	char *header = strtok(text, "\n");
	char *row = strtok(NULL, "\n");
	bool aligned = strlen(header) == strlen(row) && strlen(row) <= 132;
	size_t i;

	/* A title ends where its figure ends: right-aligned, a blank after both. */
	for (i = 0; aligned && header[i]; i++) {
		if (header[i] != ' ' && (header[i + 1] == ' ' || !header[i + 1]))
			aligned = row[i] != ' ' && (row[i + 1] == ' ' || !row[i + 1]);
	}
	free(text);
	return aligned;
}

TEST(always_aligned)
{
	int bit;

	for (bit = 0; bit < 64; bit++) {
		CHECK(is_aligned((UINT64_C(1) << bit) - 1));
		CHECK(is_aligned(UINT64_C(1) << bit));
		CHECK(is_aligned((UINT64_C(1) << bit) / 3 * 2));
	}
	CHECK(is_aligned(UINT64_MAX - 1));
	CHECK(is_aligned(SNAPSHOT_UNKNOWN));
}

/* Just below each power of ten and of two is where rounding could widen a figure. */
TEST(aligned_where_rounding_carries)
{
	uint64_t power;
	uint64_t step;

	for (power = 10; power < UINT64_MAX / 10; power *= 10) {
		for (step = 1; step < power; step *= 10)
			CHECK(is_aligned(power - step));
	}
	for (power = KIB; power < UINT64_MAX / KIB; power *= KIB) {
		CHECK(is_aligned(power * 1000 - 1));
		CHECK(is_aligned(power - power / 20 / KIB));
	}
}

TEST(header_is_repeated)
{
	struct snapshot snapshot = make_snapshot(0);
	char *text = table_text(&snapshot, 41);
	int line_number = 0;
	char *line;

	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), line_number++)
		CHECK((strncmp(line, "elapsed", 7) == 0) == (line_number % 21 == 0));
	CHECK_U64((uint64_t)line_number, 41 + 3);
	free(text);
}

/* Text and time have no width in the table. */
TEST(titled_columns_are_figures)
{
	size_t i;

	for (i = 0; i < column_count; i++) {
		if (columns[i].title)
			CHECK(columns[i].kind != COLUMN_TIME && columns[i].kind != COLUMN_TEXT);
	}
}

int main(void)
{
	RUN(bytes);
	RUN(counts);
	RUN(seconds);
	RUN(row);
	RUN(always_aligned);
	RUN(aligned_where_rounding_carries);
	RUN(header_is_repeated);
	RUN(titled_columns_are_figures);
	return test_status();
}
