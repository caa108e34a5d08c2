// SPDX-License-Identifier: GPL-2.0-only
/*
 * The columns, in the order of the CSV, which is for ever: new ones go last. The help texts are
 * those of the manual, word for word.
 */
#include "column.h"

#include "model/snapshot.h"

#define AT(member) offsetof(struct snapshot, member)

/* clang-format off */
const struct column columns[] = {
	{ "time", NULL, COLUMN_TIME, AT(time),
	  "when the row was taken, UTC" },
	{ "elapsed_s", "elapsed", COLUMN_ELAPSED, AT(elapsed_ns),
	  "seconds since memtrace attached" },
	{ "pid", NULL, COLUMN_PID, AT(tgid),
	  "process ID of the target" },
	{ "comm", NULL, COLUMN_TEXT, AT(comm),
	  "name of the target, unprintable bytes shown as ?" },

	{ "malloc_calls", "malloc", COLUMN_COUNT_NUMBER, AT(malloc_calls),
	  "blocks handed out by the malloc family" },
	{ "free_calls", "free", COLUMN_COUNT_NUMBER, AT(free_calls),
	  "blocks given back by free and realloc" },
	{ "allocated_bytes", NULL, COLUMN_BYTES, AT(allocated_bytes),
	  "bytes requested in the blocks handed out" },
	{ "freed_bytes", NULL, COLUMN_BYTES, AT(freed_bytes),
	  "bytes requested in the blocks given back" },

	{ "mmap_calls", NULL, COLUMN_COUNT_NUMBER, AT(mmap_calls),
	  "anonymous mappings made by the program" },
	{ "munmap_calls", NULL, COLUMN_COUNT_NUMBER, AT(munmap_calls),
	  "anonymous mappings dropped by the program, whole or in part" },
	{ "mapped_bytes", NULL, COLUMN_BYTES, AT(mapped_bytes),
	  "bytes of the mappings made" },
	{ "unmapped_bytes", NULL, COLUMN_BYTES, AT(unmapped_bytes),
	  "bytes of the mappings dropped" },

	{ "live_blocks", NULL, COLUMN_COUNT_NUMBER, AT(live_blocks),
	  "blocks of the malloc family allocated and not given back" },
	{ "live_bytes", "live", COLUMN_BYTES, AT(live_bytes),
	  "bytes allocated since the attach and not given back" },
	{ "heap_live_bytes", NULL, COLUMN_BYTES, AT(heap_live_bytes),
	  "part of live_bytes from the malloc family" },
	{ "mmap_live_bytes", NULL, COLUMN_BYTES, AT(mmap_live_bytes),
	  "part of live_bytes in the program's anonymous mappings" },

	{ "live_resident_bytes", "resident", COLUMN_BYTES, AT(live_resident_bytes),
	  "live bytes on pages in memory" },
	{ "live_zero_bytes", "zero", COLUMN_BYTES, AT(live_zero_bytes),
	  "live bytes on the shared zero page: read and never written" },
	{ "live_swapped_bytes", "swapped", COLUMN_BYTES, AT(live_swapped_bytes),
	  "live bytes on pages swapped out" },
	{ "live_untouched_bytes", "untouched", COLUMN_BYTES, AT(live_untouched_bytes),
	  "live bytes on pages neither present nor swapped" },

	{ "vm_bytes", NULL, COLUMN_BYTES, AT(vm_bytes),
	  "address space, VmSize" },
	{ "rss_bytes", "rss", COLUMN_BYTES, AT(rss_bytes),
	  "resident memory, VmRSS" },
	{ "rss_anon_bytes", "anon", COLUMN_BYTES, AT(rss_anon_bytes),
	  "resident anonymous memory, RssAnon" },
	{ "rss_file_bytes", NULL, COLUMN_BYTES, AT(rss_file_bytes),
	  "resident file pages, RssFile" },
	{ "rss_shmem_bytes", NULL, COLUMN_BYTES, AT(rss_shmem_bytes),
	  "resident shared memory, RssShmem" },
	{ "swap_bytes", "swap", COLUMN_BYTES, AT(swap_bytes),
	  "swapped-out private memory, VmSwap" },
	{ "unattributed_bytes", "unattr", COLUMN_BYTES, AT(unattributed_bytes),
	  "RssAnon under no live byte: slack, stacks, older memory" },

	{ "minor_faults", "minflt", COLUMN_COUNT_NUMBER, AT(minor_faults),
	  "page faults that needed no I/O" },
	{ "major_faults", "majflt", COLUMN_COUNT_NUMBER, AT(major_faults),
	  "page faults that waited for I/O" },
	{ "user_faults", NULL, COLUMN_COUNT_NUMBER, AT(user_faults),
	  "page faults taken in user code" },
	{ "kernel_faults", NULL, COLUMN_COUNT_NUMBER, AT(kernel_faults),
	  "page faults taken inside system calls" },
	{ "write_faults", NULL, COLUMN_COUNT_NUMBER, AT(write_faults),
	  "writes to a page that was not there" },
	{ "zero_page_faults", NULL, COLUMN_COUNT_NUMBER, AT(zero_page_faults),
	  "reads that mapped the zero page" },
	{ "cow_faults", NULL, COLUMN_COUNT_NUMBER, AT(cow_faults),
	  "writes to a page that was there, but read-only" },

	{ "lost_events", "lost", COLUMN_COUNT_NUMBER, AT(lost_events),
	  "events the kernel had no room to hand over" },
	{ "unmatched_frees", NULL, COLUMN_COUNT_NUMBER, AT(unmatched_frees),
	  "blocks given back that were never seen handed out" },
};
/* clang-format on */

const size_t column_count = sizeof(columns) / sizeof(columns[0]);
