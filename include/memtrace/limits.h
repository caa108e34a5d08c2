/* SPDX-License-Identifier: GPL-2.0-only */
/* Sizes that both sides compile in. */
#ifndef MEMTRACE_LIMITS_H
#define MEMTRACE_LIMITS_H

#define RING_BYTES (16u << 20)		/* 2 MiB was the most ever filled in 4 ms by two CPUs */
#define SITE_BITMAP_WORDS 64		/* one bit for each value of an address' low 12 bits */

#endif
