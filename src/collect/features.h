/* SPDX-License-Identifier: GPL-2.0-only */
/* What the running kernel answers when memtrace's features are tried. */
#ifndef MEMTRACE_FEATURES_H
#define MEMTRACE_FEATURES_H

#include <stdint.h>

#include "feature.h"

/*
 * Bit 1 << enum feature for each that works. Cheap enough for every start: what can only be known
 * by attaching is judged by the kernel's types here and by the attempt itself later.
 */
uint32_t features__probe(void);

/* The table of --features on stdout, each tried by use, `without` as if absent. Returns 0 or a negative errno. */
int features__print(uint32_t without);

#endif
