// SPDX-License-Identifier: GPL-2.0-only
/* Peaks, sums and last known classes of the rows. Talk, not data: nothing here goes to stdout. */
#include "summary.h"

#include <inttypes.h>

#include "human.h"
#include "model/snapshot.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define NSEC_PER_MSEC UINT64_C(1000000)

static void forget(struct summary *summary)
{
	summary->peak_live_bytes = SNAPSHOT_UNKNOWN;
	summary->peak_rss_bytes = SNAPSHOT_UNKNOWN;
	summary->live_resident_bytes = SNAPSHOT_UNKNOWN;
	summary->live_zero_bytes = SNAPSHOT_UNKNOWN;
	summary->live_swapped_bytes = SNAPSHOT_UNKNOWN;
	summary->live_untouched_bytes = SNAPSHOT_UNKNOWN;
	summary->lost_events = SNAPSHOT_UNKNOWN;
	summary->unmatched_frees = SNAPSHOT_UNKNOWN;
}

static void raise_peak(uint64_t *peak, uint64_t value)
{
	if (value != SNAPSHOT_UNKNOWN && (*peak == SNAPSHOT_UNKNOWN || value > *peak))
		*peak = value;
}

static void add_total(uint64_t *total, uint64_t value)
{
	if (value != SNAPSHOT_UNKNOWN)
		*total = *total == SNAPSHOT_UNKNOWN ? value : *total + value;
}

void summary__update(struct summary *summary, const struct snapshot *snapshot)
{
	if (!summary->row_count++)
		forget(summary);
	summary->duration_ns = snapshot->elapsed_ns;
	raise_peak(&summary->peak_live_bytes, snapshot->live_bytes);
	raise_peak(&summary->peak_rss_bytes, snapshot->rss_bytes);
	add_total(&summary->lost_events, snapshot->lost_events);
	add_total(&summary->unmatched_frees, snapshot->unmatched_frees);
	if (snapshot->live_resident_bytes == SNAPSHOT_UNKNOWN)
		return;	/* the four are known together or not at all */
	summary->live_resident_bytes = snapshot->live_resident_bytes;
	summary->live_zero_bytes = snapshot->live_zero_bytes;
	summary->live_swapped_bytes = snapshot->live_swapped_bytes;
	summary->live_untouched_bytes = snapshot->live_untouched_bytes;
}

static void print_bytes(FILE *err, const char *what, uint64_t bytes)
{
	char text[HUMAN_SIZE];

	if (bytes == SNAPSHOT_UNKNOWN)
		fprintf(err, "memtrace: %-13s %9s\n", what, "unknown");
	else
		fprintf(err, "memtrace: %-13s %9s  %" PRIu64 " bytes\n", what,
			human_bytes(text, bytes), bytes);
}

static void print_total(FILE *err, const char *what, uint64_t count, const char *remark)
{
	if (count != SNAPSHOT_UNKNOWN)
		fprintf(err, "memtrace: %-13s %9" PRIu64 "%s\n", what, count, count ? remark : "");
}

/* Per mille of the duration, so that one decimal of a percent needs no floating point. */
static uint64_t cpu_share(const struct summary *summary)
{
	uint64_t ms = summary->duration_ns / NSEC_PER_MSEC;

	return ms ? summary->own_cpu_ns / NSEC_PER_MSEC * 1000 / ms : 0;
}

/* "12.345s" and what it is about. */
static void print_time(FILE *err, const char *what, uint64_t ns)
{
	char text[HUMAN_SIZE];

	snprintf(text, sizeof(text), "%" PRIu64 ".%03" PRIu64 "s", ns / NSEC_PER_SEC,
		 ns % NSEC_PER_SEC / NSEC_PER_MSEC);
	fprintf(err, "memtrace: %-13s %9s", what, text);
}

static void print_own(const struct summary *summary, FILE *err)
{
	uint64_t share = cpu_share(summary);
	char text[HUMAN_SIZE];

	print_time(err, "own CPU", summary->own_cpu_ns);
	fprintf(err, "  %" PRIu64 ".%" PRIu64 " %% of a core\n", share / 10, share % 10);
	fprintf(err, "memtrace: %-13s %9s\n", "own memory",
		human_bytes(text, summary->own_rss_bytes));
}

void summary__print(const struct summary *summary, FILE *err)
{
	const char *reason = summary->end_reason;

	print_time(err, "duration", summary->duration_ns);
	fprintf(err, "%s%s\n", reason ? "  " : "", reason ? reason : "");
	print_bytes(err, "peak live", summary->peak_live_bytes);
	print_bytes(err, "peak RSS", summary->peak_rss_bytes);
	print_bytes(err, "end resident", summary->live_resident_bytes);
	print_bytes(err, "end zero page", summary->live_zero_bytes);
	print_bytes(err, "end swapped", summary->live_swapped_bytes);
	print_bytes(err, "end untouched", summary->live_untouched_bytes);
	print_total(err, "lost events", summary->lost_events,
		    "  the ring was full; totals are whole, details are not");
	print_total(err, "unmatched", summary->unmatched_frees,
		    "  frees of blocks never seen allocated, mostly from before the attach");
	print_own(summary, err);
}
