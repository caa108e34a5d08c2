/* SPDX-License-Identifier: GPL-2.0-only */
/* Where rows go: CSV to a file or stdout, a table to a terminal, and who gets which. */
#ifndef MEMTRACE_OUTPUT_H
#define MEMTRACE_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "options.h"

struct snapshot;
struct output;

/*
 * Whether the file could be created, without creating it: so that a bad path is told before
 * anything is attached, and nothing is left behind where attaching fails. 0 or a negative errno,
 * after a message.
 */
int output__check(const char *path, bool overwrite);

/*
 * Creates the file (never through a symbolic link, never over another file but with overwrite).
 * NULL with errno, after a message.
 */
FILE *output__create(const char *path, bool overwrite);

/* Opens what the options ask for. NULL with errno, after a message. */
struct output *output__new(const struct options *options);

/* 0 or a negative errno, after a message; -EPIPE without one: the reader has what it wanted. */
int output__row(struct output *output, const struct snapshot *snapshot);

/* Closes. A file that never got a row is removed. */
int output__free(struct output *output);

#endif
