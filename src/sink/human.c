// SPDX-License-Identifier: GPL-2.0-only
/* All in integers: printf's %f would follow the locale and round on its own account. */
#include "human.h"

#include <inttypes.h>
#include <stdio.h>

#include "model/snapshot.h"

#define NSEC_PER_SEC UINT64_C(1000000000)

/*
 * value in the largest unit of a power of base that leaves at least 1, rounded to a tenth. Where
 * rounding reaches the next unit, it is taken, so that no text is wider than its neighbours.
 */
static const char *scale(char text[HUMAN_SIZE], uint64_t value, unsigned int base,
			 const char *const *units)
{
	uint64_t unit = 1;
	uint64_t whole;
	uint64_t tenths;

	while (value / unit >= base) {
		unit *= base;
		units++;
	}
	whole = value / unit;
	tenths = (value % unit * 10 + unit / 2) / unit;
	if (tenths == 10) {
		whole++;
		tenths = 0;
	}
	if (whole == base) {
		whole = 1;
		units++;
	}
	snprintf(text, HUMAN_SIZE, "%" PRIu64 ".%" PRIu64 "%s", whole, tenths, *units);
	return text;
}

static const char *plain(char text[HUMAN_SIZE], uint64_t value, const char *unit)
{
	snprintf(text, HUMAN_SIZE, "%" PRIu64 "%s", value, unit);
	return text;
}

static const char *unknown(char text[HUMAN_SIZE])
{
	snprintf(text, HUMAN_SIZE, "-");
	return text;
}

const char *human_bytes(char text[HUMAN_SIZE], uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

	if (bytes == SNAPSHOT_UNKNOWN)
		return unknown(text);
	if (bytes < 1024)
		return plain(text, bytes, "B");
	return scale(text, bytes, 1024, units);
}

const char *human_count(char text[HUMAN_SIZE], uint64_t count)
{
	static const char *const units[] = { "", "k", "M", "G", "T", "P", "E" };

	if (count == SNAPSHOT_UNKNOWN)
		return unknown(text);
	if (count < 1000000)
		return plain(text, count, "");
	return scale(text, count, 1000, units);
}

/* Cut, not rounded: a tick is a little late, never early. */
const char *human_seconds(char text[HUMAN_SIZE], uint64_t ns)
{
	uint64_t seconds = ns / NSEC_PER_SEC;

	if (ns == SNAPSHOT_UNKNOWN)
		return unknown(text);
	if (seconds >= 10000000)
		return plain(text, seconds / (24 * 3600), "d");
	if (seconds >= 100000)
		return plain(text, seconds, "");
	snprintf(text, HUMAN_SIZE, "%" PRIu64 ".%" PRIu64, seconds,
		 ns % NSEC_PER_SEC / (NSEC_PER_SEC / 10));
	return text;
}
