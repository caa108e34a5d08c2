/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The records that BPF writes into the ring and recordings keep. Fixed width, padding written out;
 * no time stamp: it costs 70 ns a pair, and a drain every few ms dates them well enough.
 *
 * Order. free's probe fires before the allocator can hand the address out again and malloc's
 * return after it has it, so the ring's order is right for both. realloc is split: EVENT_LEAVE at
 * its entry takes the old block out, EVENT_ENTER at its return brings the new one, or, having
 * failed, the old one back; between them nobody else's ALLOC of that address can be misread.
 */
#ifndef MEMTRACE_EVENT_H
#define MEMTRACE_EVENT_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

enum event_type {
	EVENT_NONE = 0,
	EVENT_ALLOC = 1,	/* addr, size: a block was handed out */
	EVENT_FREE = 2,		/* addr: given back */
	EVENT_LEAVE = 3,	/* addr: given to realloc by thread tid */
	EVENT_ENTER = 4,	/* addr, size: what realloc of thread tid returned; addr 0: nothing */
	EVENT_MMAP = 5,		/* struct mapping_rec */
	EVENT_MUNMAP = 6,	/* struct mapping_rec */
	EVENT_MREMAP = 7,	/* struct mapping_rec */
	EVENT_READ_FAULT = 8,	/* addr: a read of a page that was not there */
	EVENT_EXEC = 9,		/* another program and memory; addr: tid of the thread, 0 unknown */
	EVENT_TYPE_COUNT
};

/* EVENT_ENTER: realloc was called with an old block, so a LEAVE came before. */
#define EVENT_FLAG_HAD_OLD (1 << 0)
/* Mapping types, set by the loader: libc or an allocator called on its own account. */
#define EVENT_FLAG_RUNTIME (1 << 1)
/* ALLOC, FREE, ENTER: the probe stands on an instruction that the kernel single-steps. */
#define EVENT_FLAG_STEPPED (1 << 2)

struct event_rec {
	__u64 addr;
	__u64 size;	/* bytes requested */
	__u32 tgid;
	__u32 tid_type;	/* tid in the low 24 bits (PID_MAX_LIMIT is 2^22), flags 4, type 4 */
};

_Static_assert(sizeof(struct event_rec) == 24, "struct event_rec is part of the recording format");

#define EVENT_TID_BITS 24
#define EVENT_FLAG_SHIFT 24
#define EVENT_TYPE_SHIFT 28

#define EVENT_TID_TYPE(tid, flags, type)                                                           \
	(((__u32)(tid) & 0xffffff) | (__u32)(flags) << EVENT_FLAG_SHIFT |                          \
	 (__u32)(type) << EVENT_TYPE_SHIFT)

static inline __u32 event_tid(const struct event_rec *rec)
{
	return rec->tid_type & 0xffffff;
}

static inline __u32 event_flags(const struct event_rec *rec)
{
	return rec->tid_type >> EVENT_FLAG_SHIFT & 0xf;
}

static inline __u32 event_type(const struct event_rec *rec)
{
	return rec->tid_type >> EVENT_TYPE_SHIFT;
}

/*
 * A successful system call of the mmap family. MMAP: addr is the result, size the length asked
 * for. MUNMAP: addr, size. MREMAP: addr is the result, size the new length, old_* what it was.
 */
struct mapping_rec {
	struct event_rec head;
	__u64 caller;	/* return address of the wrapper: the program's code or the library's? */
	__u64 old_addr;
	__u64 old_size;
	__u32 flags;	/* MAP_* or MREMAP_* */
	__u32 prot;
};

_Static_assert(sizeof(struct mapping_rec) == 56, "struct mapping_rec is part of the recordings");

#endif
