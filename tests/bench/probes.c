// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts the probes on a process that memtrace is measured against, and holds them until standard
 * input closes.
 *
 * usage: probes empty|stock|sites PID [OBJECT]
 *   empty  one link, an empty program at the emulated site of malloc and of free
 *   stock  malloc's entry and return and free's entry, all at the first byte, through perf events
 *   sites  prints "FUNCTION ADDRESS" in the process, and attaches nothing
 * OBJECT is a part of the mapped file's name that exports malloc, "libc.so" by default.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.skel.h"
#include "elf/elf.h"
#include "elf/prologue.h"

/* Newer than the libbpf and the headers that the build may rely on. */
#define ATTACH_TRACE_UPROBE_MULTI 48

struct uprobe_multi_attr {
	__u32 prog_fd;
	__u32 target_fd;
	__u32 attach_type;
	__u32 flags;
	__u64 path;
	__u64 offsets;
	__u64 ref_ctr_offsets;
	__u64 cookies;
	__u32 count;
	__u32 uprobe_flags;
	__u32 pid;
	__u32 pad;
};

enum function { FUNCTION_MALLOC, FUNCTION_FREE, FUNCTION_COUNT };

static const char *const function_names[FUNCTION_COUNT] = { "malloc", "free" };

struct object {
	char path[4200]; /* as this process reaches it */
	uint64_t start;	 /* of its executable mapping in the target */
	uint64_t file_offset;
	uint64_t entries[FUNCTION_COUNT]; /* file offsets */
	uint64_t sites[FUNCTION_COUNT];
};

static int fail(int err, const char *what)
{
	fprintf(stderr, "probes: %s: %s\n", what, strerror(-err));
	return err;
}

static int find_object(struct object *object, int pid, const char *name)
{
	char line[4600], path[4096], maps[64];
	FILE *file;
	int err = -ENOENT;

	snprintf(maps, sizeof(maps), "/proc/%d/maps", pid);
	file = fopen(maps, "r");
	if (!file)
		return -errno;
	while (err && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNx64 "-%*x %*2c%*1[x]%*c %" SCNx64 " %*s %*u %4095s",
			   &object->start, &object->file_offset, path) != 3)
			continue;
		if (!strstr(path, name))
			continue;
		snprintf(object->path, sizeof(object->path), "/proc/%d/root%s", pid, path);
		err = 0;
	}
	fclose(file);
	return err;
}

static int find_sites(struct object *object, struct elf_file *elf)
{
	struct elf_function functions[FUNCTION_COUNT];
	struct probe_site site;
	uint8_t code[512];
	int i, found;

	found = elf_file__find_functions(elf, function_names, FUNCTION_COUNT, functions);
	if (found < FUNCTION_COUNT)
		return found < 0 ? found : -ENOENT;
	for (i = 0; i < FUNCTION_COUNT; i++) {
		long size = elf_file__read_code(elf, &functions[i], code, sizeof(code));

		if (size < 0)
			return (int)size;
		prologue__entry_site(code, (size_t)size, PROLOGUE_RDI, &site);
		object->entries[i] = functions[i].offset;
		object->sites[i] = functions[i].offset + site.offset;
	}
	return 0;
}

static int read_object(struct object *object)
{
	int fd = open(object->path, O_RDONLY | O_CLOEXEC);
	struct elf_file *elf;
	int err;

	if (fd < 0)
		return -errno;
	elf = elf_file__new(fd);
	err = elf ? find_sites(object, elf) : -errno;
	elf_file__free(elf);
	close(fd);
	return err;
}

static int attach_empty(struct bench_bpf *bpf, const struct object *object, int pid)
{
	struct uprobe_multi_attr attr = {
		.prog_fd = (__u32)bpf_program__fd(bpf->progs.empty),
		.attach_type = ATTACH_TRACE_UPROBE_MULTI,
		.path = (__u64)(uintptr_t)object->path,
		.offsets = (__u64)(uintptr_t)object->sites,
		.count = FUNCTION_COUNT,
		.pid = (__u32)pid,
	};

	/* The link lives as long as this process. */
	return syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static int attach_stock(struct bench_bpf *bpf, const struct object *object, int pid)
{
	uint64_t allocate = object->entries[FUNCTION_MALLOC];
	uint64_t release = object->entries[FUNCTION_FREE];

	bpf->links.malloc_exit = bpf_program__attach_uprobe(bpf->progs.malloc_exit, true, pid,
							    object->path, allocate);
	bpf->links.malloc_enter = bpf_program__attach_uprobe(bpf->progs.malloc_enter, false, pid,
							     object->path, allocate);
	bpf->links.free_enter = bpf_program__attach_uprobe(bpf->progs.free_enter, false, pid,
							   object->path, release);
	if (!bpf->links.malloc_exit || !bpf->links.malloc_enter || !bpf->links.free_enter)
		return -errno;
	return 0;
}

static int hold_probes(const struct object *object, int pid, bool stock)
{
	struct bench_bpf *bpf = bench_bpf__open();
	char byte;
	int err;

	if (!bpf)
		return fail(-errno, "cannot open the BPF object");
	bpf_program__set_autoload(bpf->progs.empty, !stock);
	bpf_program__set_autoload(bpf->progs.malloc_enter, stock);
	bpf_program__set_autoload(bpf->progs.malloc_exit, stock);
	bpf_program__set_autoload(bpf->progs.free_enter, stock);
	if (!stock)
		bpf_program__set_expected_attach_type(bpf->progs.empty, ATTACH_TRACE_UPROBE_MULTI);
	err = bench_bpf__load(bpf);
	if (!err)
		err = stock ? attach_stock(bpf, object, pid) : attach_empty(bpf, object, pid);
	if (err) {
		fail(err, "cannot attach");
	} else {
		puts("attached");
		fflush(stdout);
		while (read(STDIN_FILENO, &byte, 1) > 0)
			;
	}
	bench_bpf__destroy(bpf);
	return err;
}

static void print_sites(const struct object *object)
{
	int i;

	for (i = 0; i < FUNCTION_COUNT; i++)
		printf("%s 0x%" PRIx64 " +%" PRIu64 "\n", function_names[i],
		       object->start + object->entries[i] - object->file_offset,
		       object->sites[i] - object->entries[i]);
}

int main(int argc, char **argv)
{
	struct object object = { 0 };
	int pid, err;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: probes empty|stock|sites PID [OBJECT]\n");
		return 2;
	}
	pid = atoi(argv[2]);
	err = find_object(&object, pid, argc > 3 ? argv[3] : "libc.so");
	if (!err)
		err = read_object(&object);
	if (err) {
		fail(err, "cannot find malloc and free");
		return 1;
	}
	if (!strcmp(argv[1], "sites")) {
		print_sites(&object);
		return 0;
	}
	return hold_probes(&object, pid, !strcmp(argv[1], "stock")) ? 1 : 0;
}
