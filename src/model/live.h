/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live blocks of the malloc family. Address space is cut into chunks of 2 MiB, found by two
 * array look-ups and therefore in address order without any sorting. A chunk keeps a small hash
 * table of the blocks that start in it (8 bytes each) and, for every page, how many live bytes lie
 * on it; so a tick asks pages, never blocks. Blocks of 8 MiB and more, few by nature, are ranges
 * of a list of their own.
 */
#ifndef MEMTRACE_LIVE_H
#define MEMTRACE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_blocks;

/* NULL with errno ENOMEM. page_size: a power of two, at most 64 KiB. */
struct live_blocks *live_blocks__new(uint32_t page_size);
void live_blocks__free(struct live_blocks *live);
void live_blocks__clear(struct live_blocks *live);

uint64_t live_blocks__count(const struct live_blocks *live);
uint64_t live_blocks__bytes(const struct live_blocks *live);

/*
 * A block at addr of size bytes. One that is already there was given back unseen; it is dropped
 * first. 0, -ENOMEM, or -ERANGE for an address no process can have.
 */
int live_blocks__add(struct live_blocks *live, uint64_t addr, uint64_t size);

/* false: no block starts there. */
bool live_blocks__remove(struct live_blocks *live, uint64_t addr, uint64_t *size);

/*
 * Count a block's bytes on its pages without giving it an entry, and undo that: for a block whose
 * realloc is under way while a tick looks. Neither count nor bytes change.
 */
int live_blocks__cover(struct live_blocks *live, uint64_t addr, uint64_t size);
void live_blocks__uncover(struct live_blocks *live, uint64_t addr, uint64_t size);

/* Live bytes in [start, end), both page aligned. */
uint64_t live_blocks__bytes_in(const struct live_blocks *live, uint64_t start, uint64_t end);

#endif
