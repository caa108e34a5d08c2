/* SPDX-License-Identifier: GPL-2.0-only */
/* Work that a SIGKILL of memtrace must not cut in half. */
#ifndef MEMTRACE_SHIELD_H
#define MEMTRACE_SHIELD_H

/*
 * Runs work(ctx) in a process of its own that shares our memory and our files, while we wait, and
 * returns what it returned. Where no such process can be had, runs it here.
 *
 * Setting or removing breakpoints in another process is such work: with a fatal signal pending the
 * kernel cannot write to the target's pages, gives up in the middle ("failed to unregister, leaking
 * uprobe") and leaves breakpoints behind for as long as the target lives.
 */
int shield__run(int (*work)(void *ctx), void *ctx);

#endif
