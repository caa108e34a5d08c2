// SPDX-License-Identifier: GPL-2.0-only
/* Finds allocators and mmap wrappers in mapped files. See object.h. */
#include "object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc/family.h"
#include "elf/elf.h"
#include "log.h"
#include "model/sample.h"

#define NAMES_MAX 128
#define CODE_MAX 4096

/* Exported by libraries that map memory on their own account, allocators aside. */
static const char *const runtime_markers[] = {
	"__libc_start_main",	/* libc */
	"pthread_create",	/* libpthread before glibc 2.34: thread stacks */
	"_dl_debug_state",	/* ld.so */
};

/* Every name we may ask for, looked up in one pass over the symbol table. */
struct name_set {
	const char *names[NAMES_MAX];
	struct elf_function found[NAMES_MAX];
	size_t count;
};

static void add_name(struct name_set *set, const char *name)
{
	size_t i;

	for (i = 0; i < set->count; i++)
		if (!strcmp(set->names[i], name))
			return;
	if (set->count < NAMES_MAX)
		set->names[set->count++] = name;
}

static const struct elf_function *found_function(const struct name_set *set, const char *name)
{
	size_t i;

	for (i = 0; i < set->count; i++)
		if (!strcmp(set->names[i], name))
			return set->found[i].size ? &set->found[i] : NULL;
	return NULL;
}

static void add_all_names(struct name_set *set, bool with_malloc)
{
	size_t i, j;

	for (i = 0; i < sizeof(runtime_markers) / sizeof(runtime_markers[0]); i++)
		add_name(set, runtime_markers[i]);
	for (i = 0; i < mapping_function_count; i++)
		add_name(set, mapping_functions[i].symbol);
	add_name(set, "malloc");
	add_name(set, "free");
	for (i = 0; with_malloc && i < alloc_family_count; i++) {
		const struct alloc_family *family = alloc_families[i];

		if (family->marker)
			add_name(set, family->marker);
		for (j = 0; j < family->count; j++)
			add_name(set, family->functions[j].symbol);
	}
}

/* Last part of a path as maps prints it, with its " (deleted)" if any. */
static char *short_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strdup(slash ? slash + 1 : path);
}

static int open_mapped_file(int proc_fd, const struct vma *vma)
{
	char name[64];

	snprintf(name, sizeof(name), "map_files/%llx-%llx", (unsigned long long)vma->start,
		 (unsigned long long)vma->end);
	return openat(proc_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static bool is_regular_file(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode);
}

/* The program itself may contain an allocator, but most of its mappings are its own. */
static bool is_main_program(int proc_fd, int fd)
{
	struct stat program, file;

	return !fstatat(proc_fd, "exe", &program, 0) && !fstat(fd, &file) &&
	       program.st_dev == file.st_dev && program.st_ino == file.st_ino;
}

static int add_site(struct object *object, const struct object_site *site)
{
	struct object_site *grown;

	grown = reallocarray(object->sites, object->site_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	object->sites = grown;
	object->sites[object->site_count++] = *site;
	return 0;
}

/* Two names of one function, such as aligned_alloc and memalign in glibc, are one site. */
static bool has_function(const struct object *object, uint64_t function_offset)
{
	size_t i;

	for (i = 0; i < object->site_count; i++)
		if (object->sites[i].function_offset == function_offset)
			return true;
	return false;
}

static uint32_t argument_registers(enum call_shape shape)
{
	switch (shape) {
	case SHAPE_MALLOC:
	case SHAPE_FREE:
		return PROLOGUE_RDI;
	case SHAPE_CALLOC:
	case SHAPE_REALLOC:
	case SHAPE_ALIGNED_ALLOC:
	case SHAPE_MUNMAP:
		return PROLOGUE_RDI | PROLOGUE_RSI;
	case SHAPE_REALLOCARRAY:
	case SHAPE_POSIX_MEMALIGN:
		return PROLOGUE_RDI | PROLOGUE_RSI | PROLOGUE_RDX;
	default:
		return PROLOGUE_RDI | PROLOGUE_RSI | PROLOGUE_RDX | PROLOGUE_RCX;
	}
}

static int add_alloc_site(struct object *object, struct elf_file *elf,
			  const struct alloc_function *function, const struct elf_function *at)
{
	struct object_site site = {
		.symbol = function->symbol,
		.shape = function->shape,
		.kind = function->shape == SHAPE_FREE ? SITE_ENTRY : SITE_CALL,
		.function_offset = at->offset,
	};
	uint8_t code[CODE_MAX];
	long size;

	if (has_function(object, at->offset))
		return 0;
	if (at->ifunc) {
		log_warn("%s of %s is chosen at run time (IFUNC) and not traced", function->symbol,
			 object->name);
		return 0;
	}
	size = elf_file__read_code(elf, at, code, sizeof(code));
	if (size <= 0)
		return 0;
	prologue__entry_site(code, (size_t)size, argument_registers(site.shape), &site.place);
	return add_site(object, &site);
}

static int add_mapping_site(struct object *object, struct elf_file *elf,
			    const struct mapping_function *function, const struct elf_function *at)
{
	struct object_site site = {
		.symbol = function->symbol,
		.function_offset = at->offset,
	};
	uint8_t code[CODE_MAX];
	long size;

	size = elf_file__read_code(elf, at, code, sizeof(code));
	if (size <= 0 || at->ifunc)
		return 0;
	if (prologue__syscall_site(code, (size_t)size, function->syscall_nr, &site.place)) {
		site.kind = SITE_ENTRY;
		site.shape = function->result_shape;
	} else {
		site.kind = SITE_CALL;
		site.shape = function->call_shape;
		prologue__entry_site(code, (size_t)size, argument_registers(site.shape),
				     &site.place);
	}
	return add_site(object, &site);
}

static const struct alloc_family *find_family(const struct name_set *set)
{
	size_t i;

	if (!found_function(set, "malloc") || !found_function(set, "free"))
		return NULL;
	for (i = 0; i < alloc_family_count; i++)
		if (!alloc_families[i]->marker || found_function(set, alloc_families[i]->marker))
			return alloc_families[i];
	return NULL;
}

static int add_sites(struct object *object, struct elf_file *elf, const struct name_set *set,
		     bool with_malloc)
{
	const struct elf_function *at;
	size_t i;
	int err = 0;

	/* Only libc's own wrappers: a function of that name elsewhere may be anything. */
	for (i = 0; !err && object->maps_for_itself && i < mapping_function_count; i++) {
		at = found_function(set, mapping_functions[i].symbol);
		if (at)
			err = add_mapping_site(object, elf, &mapping_functions[i], at);
	}
	if (!with_malloc || !object->family)
		return err;
	for (i = 0; !err && i < object->family->count; i++) {
		at = found_function(set, object->family->functions[i].symbol);
		if (at)
			err = add_alloc_site(object, elf, &object->family->functions[i], at);
	}
	return err;
}

static bool exports_runtime_marker(const struct name_set *set)
{
	size_t i;

	for (i = 0; i < sizeof(runtime_markers) / sizeof(runtime_markers[0]); i++)
		if (found_function(set, runtime_markers[i]))
			return true;
	return false;
}

static int examine(struct object *object, int proc_fd, int fd, bool with_malloc)
{
	struct name_set *set;
	struct elf_file *elf;
	int err = 0;

	elf = elf_file__new(fd);
	if (!elf)
		return errno == ENOMEM ? -ENOMEM : 0;
	set = calloc(1, sizeof(*set));
	if (!set) {
		elf_file__free(elf);
		return -ENOMEM;
	}
	add_all_names(set, with_malloc);
	if (elf_file__find_functions(elf, set->names, set->count, set->found) > 0) {
		object->family = find_family(set);
		object->maps_for_itself = exports_runtime_marker(set) || object->family;
		err = add_sites(object, elf, set, with_malloc);
		if (is_main_program(proc_fd, fd))
			object->maps_for_itself = false;
	}
	free(set);
	elf_file__free(elf);
	return err;
}

static void object__free(struct object *object)
{
	if (!object)
		return;
	if (object->fd >= 0)
		close(object->fd);
	free(object->sites);
	free(object->name);
	free(object);
}

static struct object *object__new(int proc_fd, const struct vma *vma, const char *path,
				  bool with_malloc)
{
	struct object *object;
	int err = 0;

	object = calloc(1, sizeof(*object));
	if (!object)
		return NULL;
	object->dev = vma->dev;
	object->inode = vma->inode;
	object->name = short_name(path);
	object->fd = open_mapped_file(proc_fd, vma);
	if (!object->name)
		err = -ENOMEM;
	else if (object->fd >= 0 && is_regular_file(object->fd))
		err = examine(object, proc_fd, object->fd, with_malloc);
	if (err) {
		object__free(object);
		errno = -err;
		return NULL;
	}
	if (object->fd >= 0 && !object->site_count) {
		close(object->fd);
		object->fd = -1;
	}
	return object;
}

struct object *object_list__get(struct object_list *list, int proc_fd, const struct vma *vma,
				const char *path, bool with_malloc)
{
	struct object *object;
	size_t i;

	/* From the end: the mappings of one file follow each other. */
	for (i = list->count; i-- > 0;)
		if (list->items[i]->inode == vma->inode && list->items[i]->dev == vma->dev)
			return list->items[i];
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		struct object **grown = reallocarray(list->items, room, sizeof(*grown));

		if (!grown)
			return NULL;
		list->items = grown;
		list->room = room;
	}
	object = object__new(proc_fd, vma, path, with_malloc);
	if (object)
		list->items[list->count++] = object;
	return object;
}

void object_list__free(struct object_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		object__free(list->items[i]);
	free(list->items);
	*list = (struct object_list){ 0 };
}

uint64_t object_site__offset(const struct object_site *site)
{
	return site->function_offset + site->place.offset;
}

uint64_t object_site__cookie(const struct object_site *site)
{
	uint64_t cookie = site->shape;

	if (!site->place.emulated)
		cookie |= COOKIE_STEPPED;
	return cookie | (uint64_t)site->place.stack_bytes << COOKIE_STACK_SHIFT;
}
