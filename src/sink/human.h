/* SPDX-License-Identifier: GPL-2.0-only */
/* Figures as people read them: at most one decimal, never wider than promised, no locale. */
#ifndef MEMTRACE_HUMAN_H
#define MEMTRACE_HUMAN_H

#include <stdint.h>

/* Room for each text below. */
#define HUMAN_SIZE 24

/* The widest texts, for whoever aligns them. */
#define HUMAN_BYTES_WIDTH 9	/* "1023.9MiB" */
#define HUMAN_COUNT_WIDTH 6	/* "999999", "123.4M" */
#define HUMAN_SECONDS_WIDTH 7	/* "99999.9" */

/* Each fills text and hands it back. UINT64_MAX, the unknown figure, is "-". */
const char *human_bytes(char text[HUMAN_SIZE], uint64_t bytes);		/* 0B, 512B, 1.5KiB */
const char *human_count(char text[HUMAN_SIZE], uint64_t count);		/* powers of 1000 */
const char *human_seconds(char text[HUMAN_SIZE], uint64_t ns);		/* 1.2, 100000, 116d */

#endif
