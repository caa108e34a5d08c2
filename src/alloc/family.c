// SPDX-License-Identifier: GPL-2.0-only
/* The list of allocator families, and the mmap family that all of them live on. */
#include "family.h"

#include <sys/syscall.h>

const struct alloc_family *const alloc_families[] = {
	&family_glibc,
	&family_jemalloc,
	&family_generic,
};

const size_t alloc_family_count = sizeof(alloc_families) / sizeof(alloc_families[0]);

static const struct alloc_function generic_functions[] = {
	ALLOC_C_FUNCTIONS,
};

const struct alloc_family family_generic = {
	.name = "malloc",
	.functions = generic_functions,
	.count = sizeof(generic_functions) / sizeof(generic_functions[0]),
};

const struct mapping_function mapping_functions[] = {
	{ "mmap", SYS_mmap, SHAPE_MMAP_RESULT, SHAPE_MMAP },
	{ "munmap", SYS_munmap, SHAPE_MUNMAP_RESULT, SHAPE_MUNMAP },
	{ "mremap", SYS_mremap, SHAPE_MREMAP_RESULT, SHAPE_MREMAP },
};

const size_t mapping_function_count = sizeof(mapping_functions) / sizeof(mapping_functions[0]);
