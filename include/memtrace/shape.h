/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Call shapes: which argument is the size, where the block comes back. The allocator tables name
 * them, the attach cookie carries them, the BPF programs switch on them.
 */
#ifndef MEMTRACE_SHAPE_H
#define MEMTRACE_SHAPE_H

enum call_shape {
	SHAPE_NONE = 0,
	SHAPE_MALLOC = 1,		/* f(size) */
	SHAPE_CALLOC = 2,		/* f(count, size) */
	SHAPE_REALLOC = 3,		/* f(old, size) */
	SHAPE_REALLOCARRAY = 4,		/* f(old, count, size) */
	SHAPE_POSIX_MEMALIGN = 5,	/* f(&block, alignment, size), 0 on success */
	SHAPE_ALIGNED_ALLOC = 6,	/* f(alignment, size) */
	SHAPE_FREE = 7,			/* f(block) */
	/* Entry and return of the wrappers, where no site behind the system call was found. */
	SHAPE_MMAP = 8,
	SHAPE_MUNMAP = 9,
	SHAPE_MREMAP = 10,
	/* One probe behind the system call instruction: its registers, and the result in rax. */
	SHAPE_MMAP_RESULT = 11,
	SHAPE_MUNMAP_RESULT = 12,
	SHAPE_MREMAP_RESULT = 13,
	SHAPE_COUNT
};

/*
 * The attach cookie: shape in the low byte, then what the hit costs and where the return address
 * lies.
 */
#define COOKIE_SHAPE(cookie) ((cookie) & 0xff)
#define COOKIE_STEPPED (1ULL << 8)	/* stands on an instruction the kernel single-steps */
#define COOKIE_CALIBRATION (1ULL << 9)	/* on our own function: cost everything, report nothing */
#define COOKIE_STACK_SHIFT 16		/* bytes between rsp and the return address */
#define COOKIE_STACK(cookie) ((cookie) >> COOKIE_STACK_SHIFT & 0xffff)

#endif
