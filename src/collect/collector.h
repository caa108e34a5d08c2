/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live source: probes and tracepoints on one process, its procfs files, and the ring between
 * them. Life: new (checks, loads, attaches, still mute), start, drain and tick as time goes by,
 * stop, free (detaches). It pushes into a source_handler.
 */
#ifndef MEMTRACE_COLLECTOR_H
#define MEMTRACE_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"
#include "source.h"

struct collector;

/*
 * Attaches to options->pid at options->level. handler must outlive the collector. NULL with errno,
 * after a message for the user; the target is then as it was.
 */
struct collector *collector__new(const struct options *options,
				 const struct source_handler *handler);
void collector__free(struct collector *collector);

/*
 * Lets events flow, says on stderr in one line what was found and how it is watched, and pushes
 * the first tick, elapsed 0. 0 or a negative errno.
 */
int collector__start(struct collector *collector);

/* Pushes the events there are. Returns their number or a negative errno. */
long collector__drain(struct collector *collector);

/* Drains, then ends the interval with a tick. 0 or a negative errno. */
int collector__tick(struct collector *collector);

/* No more events; what is in the ring can still be had by a last tick. */
void collector__stop(struct collector *collector);

/* Readable when the target has ended. Borrowed. */
int collector__pidfd(const struct collector *collector);

#endif
