/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The malloc/free loop that several programs share, its speed in pairs per second of its own CPU
 * time: what else runs on the machine does not change that much.
 */
#ifndef MEMTRACE_LOOP_H
#define MEMTRACE_LOOP_H

#include <inttypes.h>
#include <poll.h>
#include <time.h>

#include "talk.h"

static inline uint64_t loop_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static inline void loop_pairs(int count)
{
	for (int i = 0; i < count; i++) {
		char *block = malloc(16 + (size_t)(i & 63) * 16);

		if (!block)
			talk_die("malloc");
		*(volatile char *)block = 1;
		free(block);
	}
}

/* rate MS: that much CPU time of pairs; run: pairs until the next line, which it swallows. */
static inline bool loop_answer(void)
{
	uint64_t start = loop_cpu_ns(), pairs = 0, end;
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	if (talk_is("rate")) {
		end = start + talk_number(1) * 1000000;
		for (; loop_cpu_ns() < end; pairs += 256)
			loop_pairs(256);
	} else if (talk_is("run")) {
		talk_print("running\n");
		for (; poll(&input, 1, 0) == 0; pairs += 4096)
			loop_pairs(4096);
		talk_read();
	} else {
		return false;
	}
	end = loop_cpu_ns();
	talk_print("done pairs=%" PRIu64 " cpu_ns=%" PRIu64 " rate=%" PRIu64 "\n", pairs,
		   end - start, pairs * 1000000000 / (end - start + 1));
	return true;
}

#endif
