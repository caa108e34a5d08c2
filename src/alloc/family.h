/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocator families: which exported functions hand out and take back blocks. Adding one is a file
 * with its table and a line in family.c.
 */
#ifndef MEMTRACE_FAMILY_H
#define MEMTRACE_FAMILY_H

#include <stddef.h>
#include <stdint.h>

#include "memtrace/shape.h"

struct alloc_function {
	const char *symbol;
	enum call_shape shape;
};

struct alloc_family {
	const char *name;
	const char *marker;	/* a function only this family exports; NULL: any allocator */
	const struct alloc_function *functions;
	size_t count;
};

/* Tried in this order; the last one takes what exports malloc and free and is nobody else's. */
extern const struct alloc_family *const alloc_families[];
extern const size_t alloc_family_count;

extern const struct alloc_family family_glibc;
extern const struct alloc_family family_jemalloc;
extern const struct alloc_family family_generic;

/* The functions of every C allocator, the family tables' common part. */
#define ALLOC_C_FUNCTIONS                                                                          \
	{ "free", SHAPE_FREE },							\
	{ "cfree", SHAPE_FREE },						\
	{ "malloc", SHAPE_MALLOC },						\
	{ "calloc", SHAPE_CALLOC },						\
	{ "realloc", SHAPE_REALLOC },						\
	{ "reallocarray", SHAPE_REALLOCARRAY },					\
	{ "posix_memalign", SHAPE_POSIX_MEMALIGN },				\
	{ "aligned_alloc", SHAPE_ALIGNED_ALLOC },				\
	{ "memalign", SHAPE_ALIGNED_ALLOC },					\
	{ "valloc", SHAPE_MALLOC },						\
	{ "pvalloc", SHAPE_MALLOC }

/* libc's wrappers of the mmap family. */
struct mapping_function {
	const char *symbol;
	uint32_t syscall_nr;
	enum call_shape result_shape;	/* one probe behind the system call */
	enum call_shape call_shape;	/* entry and return, where there is no such site */
};

extern const struct mapping_function mapping_functions[];
extern const size_t mapping_function_count;

#endif
