// SPDX-License-Identifier: GPL-2.0-only
/* The closing lines: peaks, sums, last known classes, and that unknown stays unknown. */
#include "sink/summary.h"

#include <stdlib.h>

#include "model/snapshot.h"
#include "test.h"

#define MIB (UINT64_C(1024) * 1024)
#define NSEC_PER_SEC UINT64_C(1000000000)

static struct snapshot make_unknown(uint64_t seconds)
{
	struct snapshot snapshot = { .tgid = 1, .elapsed_ns = seconds * NSEC_PER_SEC };
	uint64_t *figure = &snapshot.malloc_calls;

	for (; figure <= &snapshot.unmatched_frees; figure++)
		*figure = SNAPSHOT_UNKNOWN;
	return snapshot;
}

static struct snapshot make_row(uint64_t seconds, uint64_t live, uint64_t rss)
{
	struct snapshot snapshot = make_unknown(seconds);

	snapshot.live_bytes = live;
	snapshot.live_resident_bytes = live / 2;
	snapshot.live_zero_bytes = live / 4;
	snapshot.live_swapped_bytes = 0;
	snapshot.live_untouched_bytes = live - live / 2 - live / 4;
	snapshot.rss_bytes = rss;
	snapshot.lost_events = 1;
	snapshot.unmatched_frees = 10;
	return snapshot;
}

static char *summary_text(const struct summary *summary)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	summary__print(summary, out);
	fclose(out);
	return text;
}

TEST(peaks_and_sums)
{
	struct snapshot rows[] = {
		make_row(0, 0, 8 * MIB),
		make_row(1, 100 * MIB, 60 * MIB),
		make_row(2, 4 * MIB, 70 * MIB),
	};
	struct summary summary = { 0 };
	size_t i;

	for (i = 0; i < 3; i++)
		summary__update(&summary, &rows[i]);
	CHECK_U64(summary.duration_ns, 2 * NSEC_PER_SEC);
	CHECK_U64(summary.peak_live_bytes, 100 * MIB);
	CHECK_U64(summary.peak_rss_bytes, 70 * MIB);
	CHECK_U64(summary.live_resident_bytes, 2 * MIB);
	CHECK_U64(summary.live_zero_bytes, MIB);
	CHECK_U64(summary.live_swapped_bytes, 0);
	CHECK_U64(summary.live_untouched_bytes, MIB);
	CHECK_U64(summary.lost_events, 3);
	CHECK_U64(summary.unmatched_frees, 30);
}

/* The target is gone at the last row: its figures are those of the row before. */
TEST(last_known)
{
	struct snapshot known = make_row(1, 4 * MIB, 8 * MIB);
	struct snapshot gone = make_unknown(2);
	struct summary summary = { 0 };

	summary__update(&summary, &known);
	summary__update(&summary, &gone);
	CHECK_U64(summary.duration_ns, 2 * NSEC_PER_SEC);
	CHECK_U64(summary.peak_live_bytes, 4 * MIB);
	CHECK_U64(summary.live_resident_bytes, 2 * MIB);
	CHECK_U64(summary.lost_events, 1);
}

TEST(never_known)
{
	struct snapshot row = make_unknown(1);
	struct summary summary = { 0 };
	char *text;

	summary__update(&summary, &row);
	CHECK_U64(summary.peak_live_bytes, SNAPSHOT_UNKNOWN);
	CHECK_U64(summary.live_zero_bytes, SNAPSHOT_UNKNOWN);
	CHECK_U64(summary.lost_events, SNAPSHOT_UNKNOWN);
	text = summary_text(&summary);
	CHECK(strstr(text, "peak live       unknown\n"));
	CHECK(!strstr(text, "lost events"));
	CHECK(!strstr(text, "18446744073709551615"));
	free(text);
}

TEST(text)
{
	struct snapshot row = make_row(2, 256 * MIB, 8 * MIB);
	struct summary summary = { 0 };
	char *text;

	row.lost_events = 0;
	summary__update(&summary, &row);
	summary.own_cpu_ns = 123456789;
	summary.own_rss_bytes = 20 * MIB;
	summary.end_reason = "the target has ended";
	text = summary_text(&summary);
	CHECK_STR(text,
		  "memtrace: duration         2.000s  the target has ended\n"
		  "memtrace: peak live      256.0MiB  268435456 bytes\n"
		  "memtrace: peak RSS         8.0MiB  8388608 bytes\n"
		  "memtrace: end resident   128.0MiB  134217728 bytes\n"
		  "memtrace: end zero page   64.0MiB  67108864 bytes\n"
		  "memtrace: end swapped          0B  0 bytes\n"
		  "memtrace: end untouched   64.0MiB  67108864 bytes\n"
		  "memtrace: lost events           0\n"
		  "memtrace: unmatched            10"
		  "  frees of blocks never seen allocated, mostly from before the attach\n"
		  "memtrace: own CPU          0.123s  6.1 % of a core\n"
		  "memtrace: own memory      20.0MiB\n");
	free(text);
}

TEST(no_rows)
{
	struct summary summary = { 0 };
	char *text = summary_text(&summary);

	CHECK(strstr(text, "duration         0.000s\n"));
	CHECK(strstr(text, "0.0 % of a core"));
	free(text);
}

int main(void)
{
	RUN(peaks_and_sums);
	RUN(last_known);
	RUN(never_known);
	RUN(text);
	RUN(no_rows);
	return test_status();
}
