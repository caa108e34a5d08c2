/* SPDX-License-Identifier: GPL-2.0-only */
/* One run: a source on the left, the model in the middle, outputs on the right. */
#ifndef MEMTRACE_RUN_H
#define MEMTRACE_RUN_H

#include "options.h"

/* -p PID: until the target ends, the duration is over or a signal says stop. Exit status. */
int run_trace(const struct options *options);

/* --replay FILE. Exit status. */
int run_replay(const struct options *options);

#endif
