/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sorted array of address ranges. Used in two ways: as a set, where neighbours join (mappings
 * have no identity, only extent, and the kernel joins them too, so their number stays bounded),
 * and as a list, where each keeps its own start (large blocks).
 */
#ifndef MEMTRACE_SPAN_H
#define MEMTRACE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum span_flag {
	SPAN_NOT_ANON = 1 << 0,	/* its pages are not in RssAnon: shared, or hugetlb */
};

struct span {
	uint64_t start;		/* bytes, end exclusive */
	uint64_t end;
	uint32_t flags;		/* enum span_flag */
	uint32_t pad;
};

/* Zero-initialise; free with span_list__free(). */
struct span_list {
	struct span *items;
	size_t count;
	size_t room;
	uint64_t bytes;		/* sum of all lengths */
};

void span_list__free(struct span_list *list);
void span_list__clear(struct span_list *list);

/* Set use: [start, end) must not overlap what is there. 0 or -ENOMEM. */
int span_list__join(struct span_list *list, uint64_t start, uint64_t end, uint32_t flags);

/*
 * Set use: removes the part inside [start, end). *removed (may be NULL) is how many bytes that
 * was. 0 or -ENOMEM (a hole in the middle makes one range more), in which case nothing changed.
 */
int span_list__cut(struct span_list *list, uint64_t start, uint64_t end, uint64_t *removed);

/* List use: adds a range as it is; ranges may touch. 0 or -ENOMEM. */
int span_list__insert(struct span_list *list, uint64_t start, uint64_t end, uint32_t flags);

/* List use: removes the range that starts there; false when there is none. */
bool span_list__take(struct span_list *list, uint64_t start, struct span *taken);

/* The range that holds addr, or NULL. */
const struct span *span_list__find(const struct span_list *list, uint64_t addr);

/* Bytes inside [start, end); *not_anon grows by those of SPAN_NOT_ANON ranges. */
uint64_t span_list__bytes_in(const struct span_list *list, uint64_t start, uint64_t end,
			     uint64_t *not_anon);

/* The first range with a byte inside [start, end), or NULL. */
const struct span *span_list__first_overlap(const struct span_list *list, uint64_t start,
					    uint64_t end);

#endif
