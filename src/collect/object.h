/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The executable files mapped in the target, and where on them probes go. Reads ELF through file
 * descriptors from /proc/PID/map_files, so that a deleted or replaced file, or one in another
 * mount namespace, is the one the target runs.
 */
#ifndef MEMTRACE_OBJECT_H
#define MEMTRACE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/prologue.h"
#include "memtrace/shape.h"

struct alloc_family;
struct vma;

enum site_kind {
	SITE_CALL,	/* entry and return */
	SITE_ENTRY,	/* free, or behind a system call of the mmap family: one hit tells all */
};

struct object_site {
	const char *symbol;
	enum call_shape shape;
	enum site_kind kind;
	uint64_t function_offset;	/* in the file, bytes */
	struct probe_site place;	/* place.offset counts from there */
};

struct object {
	uint64_t dev;			/* as /proc/PID/maps has them */
	uint64_t inode;
	char *name;			/* last part of the path, for people */
	int fd;				/* open while the object has sites, else -1 */
	const struct alloc_family *family;	/* NULL: exports no allocator */
	bool maps_for_itself;		/* libc, ld.so or an allocator */
	bool attached;
	struct object_site *sites;
	size_t site_count;
};

struct object_list {
	struct object **items;
	size_t count;
	size_t room;
};

/*
 * The object behind an executable mapping, examined on its first sight. with_malloc: look for
 * allocators too, not only for the mmap family. NULL with errno: ENOMEM; a file that cannot be
 * read or understood gives an object without sites.
 */
struct object *object_list__get(struct object_list *list, int proc_fd, const struct vma *vma,
				const char *path, bool with_malloc);
void object_list__free(struct object_list *list);

/* Byte offset in the file at which this site's probe stands. */
uint64_t object_site__offset(const struct object_site *site);

/* The attach cookie that tells the BPF programs what this site is. */
uint64_t object_site__cookie(const struct object_site *site);

#endif
