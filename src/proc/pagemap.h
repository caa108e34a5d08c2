/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pages of another process are absent, zero or swapped: ioctl(PAGEMAP_SCAN) on 6.7+,
 * inverted and in pieces, else read(2) of pagemap with the zero page known by its PFN.
 */
#ifndef MEMTRACE_PAGEMAP_H
#define MEMTRACE_PAGEMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "model/sample.h"

struct pagemap;

enum pagemap_method {
	PAGEMAP_METHOD_NONE = 0,	/* no way on this kernel or without the privilege */
	PAGEMAP_METHOD_SCAN,
	PAGEMAP_METHOD_READ,
};

/* What this kernel offers, found by trying on ourselves. has_guard: the GUARD category exists. */
enum pagemap_method pagemap_probe(bool *has_guard);

/*
 * Opens PROC_FD/pagemap. PAGEMAP_METHOD_READ forces the fallback. Returns NULL with errno. One
 * object serves one address space: after an exec of the target, make a new one.
 */
struct pagemap *pagemap__new(int proc_fd, enum pagemap_method method);
void pagemap__free(struct pagemap *pagemap);

/*
 * Once per tick before the first range (READ: learns the PFNs of the zero pages anew). -ESRCH when
 * the address space is gone, -EPERM when READ may not see PFNs (no CAP_SYS_ADMIN).
 */
int pagemap__begin(struct pagemap *pagemap);

/*
 * Appends to `ranges` the pages of [start, end) that are absent, zero or swapped; ranges come in
 * address order. Guard regions count as absent, as does memory unmapped since maps was read (by
 * SCAN with the grain of 32 MiB only) and that of devices. [start, end) should lie in one mapping
 * and be page aligned (-EINVAL). Returns 0 or a negative errno (-ESRCH: the address space is gone).
 */
int pagemap__scan(struct pagemap *pagemap, uint64_t start, uint64_t end,
		  struct page_range_list *ranges);

#endif
