/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procfs text in, structs out. Parsers take text, so that tests need no process; readers take the
 * directory fd of /proc/PID, so that a reused PID cannot be mistaken for the target.
 */
#ifndef MEMTRACE_PROC_H
#define MEMTRACE_PROC_H

#include <stddef.h>
#include <sys/types.h>

#include "model/sample.h"

/* O_PATH directory fd of /proc/PID, or a negative errno (-ENOENT: no such process). */
int proc_open(pid_t pid);

/*
 * The whole of a small procfs file as a string the caller frees. 0 or a negative errno: -ESRCH
 * when the process is gone, -EFBIG for more text than status can ever have.
 */
int proc_read_text(int proc_fd, const char *name, char **text);

/* fd of a procfs file opened for reading, or a negative errno; -ESRCH when the process is gone. */
int proc_open_file(int proc_fd, const char *name);

/* Parsers: 0 or -EINVAL for text that is not of that file. Missing lines are unknown. */
int proc_parse_status(const char *text, struct proc_status *status);
int proc_parse_stat(const char *text, struct proc_stat *stat);
/*
 * One line of maps without its newline. `path` (borrowed from line) is "" where there is none, and
 * as the kernel wrote it: newlines as \012, " (deleted)" behind an unlinked file.
 */
int proc_parse_maps_line(const char *line, struct vma *vma, const char **path);

/*
 * Readers: 0 or a negative errno; -ESRCH when the process is gone. A zombie still has status and
 * stat, of which the sizes are unknown.
 */
int proc_read_status(int proc_fd, struct proc_status *status);
int proc_read_stat(int proc_fd, struct proc_stat *stat);

/*
 * All mappings in address order into `list`, emptied first. `visit` (may be NULL) sees each with
 * its path (cut at 64 KiB) and may change its flags; a non-zero return of it ends the reading and
 * is handed back. -ESRCH also where there are no mappings: zombies and kernel threads.
 */
typedef int (*proc_vma_visit)(void *ctx, struct vma *vma, const char *path);
int proc_read_maps(int proc_fd, struct vma_list *list, proc_vma_visit visit, void *ctx);

#endif
