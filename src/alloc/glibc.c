// SPDX-License-Identifier: GPL-2.0-only
/* glibc's malloc. operator new of libstdc++ ends in it and needs no probe of its own. */
#include "family.h"

static const struct alloc_function functions[] = {
	ALLOC_C_FUNCTIONS,
};

const struct alloc_family family_glibc = {
	.name = "glibc",
	.marker = "__libc_malloc",
	.functions = functions,
	.count = sizeof(functions) / sizeof(functions[0]),
};
