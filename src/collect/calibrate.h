/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one hit of a probe costs on this machine, measured with the real programs on functions of
 * memtrace's own.
 */
#ifndef MEMTRACE_CALIBRATE_H
#define MEMTRACE_CALIBRATE_H

#include <stdbool.h>
#include <stdint.h>

#include "memtrace/map.h"
#include "memtrace/shape.h"

/*
 * Where the function for this kind of hit lies in /proc/self/exe, and its attach cookie.
 * Returns -ENOENT when that cannot be told.
 */
int calibrate_site(enum hit_kind kind, uint64_t *offset, uint64_t *cookie);

/* ns per call of that function now, the best of some batches. */
double calibrate_time(enum hit_kind kind);

/* Attach a trial program to such a function; a link fd or a negative errno. */
int calibrate_attach_trial(int prog_fd, int attach_type);

#endif
