/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a source (the live collector or a recording) hands to the model at a tick, beside the
 * events: procfs figures, cumulative kernel-side counters, mappings and page states of one instant.
 */
#ifndef MEMTRACE_SAMPLE_H
#define MEMTRACE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "snapshot.h"

/* One line of /proc/PID/maps. */
enum vma_flag {
	VMA_EXEC = 1 << 0,
	VMA_SHARED = 1 << 1,
	VMA_FILE = 1 << 2,	/* has an inode: a file, memfd, shared anonymous memory or hugetlb */
	VMA_RUNTIME = 1 << 3,	/* text of libc, ld.so or an allocator: maps on its own account */
	VMA_WRITE = 1 << 4,
	VMA_SPECIAL = 1 << 5,	/* [vvar], [vdso], [vsyscall]: no pages of the process */
};

struct vma {
	uint64_t start;		/* bytes, page aligned, end exclusive */
	uint64_t end;
	uint64_t dev;		/* of a VMA_FILE: st_dev as makedev(major, minor) */
	uint64_t inode;
	uint64_t offset;	/* file offset of start, bytes */
	uint32_t flags;		/* enum vma_flag */
};

/* Growing array; zero-initialise, free with vma_list__free(). Sorted by address as maps is. */
struct vma_list {
	struct vma *items;
	size_t count;
	size_t room;
};

/* The state of pages that are not simply resident. */
enum page_state {
	PAGE_ABSENT = 0,	/* neither present nor swapped */
	PAGE_ZERO = 1,		/* maps the shared zero page */
	PAGE_SWAPPED = 2,
	PAGE_STATE_COUNT
};

struct page_range {
	uint64_t start;		/* bytes, page aligned, end exclusive */
	uint64_t end;
	uint32_t state;		/* enum page_state */
	uint32_t pad;
};

/*
 * Sorted by address, not overlapping. Inside the scanned mappings, what no range covers is
 * resident.
 */
struct page_range_list {
	struct page_range *items;
	size_t count;
	size_t room;
};

/* Figures of /proc/PID/status, bytes; SNAPSHOT_UNKNOWN where the line is missing. */
struct proc_status {
	uint64_t vm_bytes;
	uint64_t rss_bytes;
	uint64_t rss_anon_bytes;
	uint64_t rss_file_bytes;
	uint64_t rss_shmem_bytes;
	uint64_t swap_bytes;
	uint64_t threads;
	int tgid;		/* 0 when missing */
	char state;		/* 'R', 'S', 'Z'…, 0 when missing */
};

/* Figures of /proc/PID/stat. */
struct proc_stat {
	char comm[SNAPSHOT_COMM_SIZE];
	char state;
	uint64_t flags;		/* PF_*: kernel threads have PF_KTHREAD, 0x00200000 */
	uint64_t minor_faults;	/* of the whole thread group, since it started */
	uint64_t major_faults;
	uint64_t start_ticks;	/* with the PID, identifies the process */
};

/* Sums over all CPUs since attach, counted in BPF. */
struct kernel_counters {
	uint64_t user_faults;
	uint64_t kernel_faults;
	uint64_t write_faults;
	uint64_t cow_faults;
	uint64_t lost_events;		/* records the ring had no room for, all types */
	uint64_t lost_allocs;		/* of these: blocks handed out … */
	uint64_t lost_alloc_bytes;
	uint64_t lost_frees;		/* … and given back */
};

/* What the events of this run can tell; the columns of the rest are unknown. */
enum model_scope {
	MODEL_HEAP = 1 << 0,		/* malloc-family events come */
	MODEL_MAPPINGS = 1 << 1,	/* mmap-family events come */
	MODEL_ALL_ANON = 1 << 2,	/* none come: live means every private anonymous mapping */
};

struct sample {
	struct timespec time;
	uint64_t elapsed_ns;
	int tgid;
	uint32_t scope;		/* enum model_scope, of the interval that ends here */
	bool has_status;	/* false when the target is gone: its figures are unknown */
	bool has_pages;		/* vmas and ranges below are of this instant */
	bool has_faults;	/* the fault counters are counted */
	struct proc_status status;
	struct proc_stat stat;
	struct kernel_counters counters;
	struct vma_list vmas;
	struct page_range_list ranges;
};

void vma_list__free(struct vma_list *list);
int vma_list__push(struct vma_list *list, const struct vma *vma);	/* 0 or -ENOMEM */

/* The mapping that holds addr, or NULL. O(log n); the list must be sorted. */
const struct vma *vma_list__find(const struct vma_list *list, uint64_t addr);

void page_range_list__free(struct page_range_list *list);
/* Appends, joining a range that continues the last one in the same state. 0 or -ENOMEM. */
int page_range_list__push(struct page_range_list *list, uint64_t start, uint64_t end,
			  enum page_state state);

#endif
