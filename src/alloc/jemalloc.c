// SPDX-License-Identifier: GPL-2.0-only
/*
 * jemalloc: its own interface beside malloc's (redis uses it), and its own operator new and delete,
 * which never reach malloc. sdallocx and dallocx take the block first, as free does.
 */
#include "family.h"

static const struct alloc_function functions[] = {
	ALLOC_C_FUNCTIONS,
	{ "mallocx", SHAPE_MALLOC },
	{ "rallocx", SHAPE_REALLOC },
	{ "dallocx", SHAPE_FREE },
	{ "sdallocx", SHAPE_FREE },
	{ "_Znwm", SHAPE_MALLOC },
	{ "_ZnwmRKSt9nothrow_t", SHAPE_MALLOC },
	{ "_ZnwmSt11align_val_t", SHAPE_MALLOC },
	{ "_ZnwmSt11align_val_tRKSt9nothrow_t", SHAPE_MALLOC },
	{ "_Znam", SHAPE_MALLOC },
	{ "_ZnamRKSt9nothrow_t", SHAPE_MALLOC },
	{ "_ZnamSt11align_val_t", SHAPE_MALLOC },
	{ "_ZnamSt11align_val_tRKSt9nothrow_t", SHAPE_MALLOC },
	{ "_ZdlPv", SHAPE_FREE },
	{ "_ZdlPvRKSt9nothrow_t", SHAPE_FREE },
	{ "_ZdlPvm", SHAPE_FREE },
	{ "_ZdlPvSt11align_val_t", SHAPE_FREE },
	{ "_ZdlPvSt11align_val_tRKSt9nothrow_t", SHAPE_FREE },
	{ "_ZdlPvmSt11align_val_t", SHAPE_FREE },
	{ "_ZdaPv", SHAPE_FREE },
	{ "_ZdaPvRKSt9nothrow_t", SHAPE_FREE },
	{ "_ZdaPvm", SHAPE_FREE },
	{ "_ZdaPvSt11align_val_t", SHAPE_FREE },
	{ "_ZdaPvSt11align_val_tRKSt9nothrow_t", SHAPE_FREE },
	{ "_ZdaPvmSt11align_val_t", SHAPE_FREE },
};

const struct alloc_family family_jemalloc = {
	.name = "jemalloc",
	.marker = "mallctl",
	.functions = functions,
	.count = sizeof(functions) / sizeof(functions[0]),
};
