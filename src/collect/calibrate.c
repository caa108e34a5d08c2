// SPDX-License-Identifier: GPL-2.0-only
/* Functions to probe in ourselves, one with an emulated and one with a stepped instruction. */
#include "calibrate.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <time.h>
#include <unistd.h>

#include "uprobe.h"

#define BATCHES 8
#define CALLS_PER_BATCH 200

/* Both hand back their argument, as an allocator its block. */
#ifdef __x86_64__
__attribute__((naked, noinline)) static void *
emulated_function(void *block __attribute__((unused)))
{
	__asm__("push %rbp\n\tpop %rbp\n\tmov %rdi, %rax\n\tret");
}

__attribute__((naked, noinline)) static void *
stepped_function(void *block __attribute__((unused)))
{
	__asm__("mov %rdi, %rax\n\tret");
}
#else
__attribute__((noinline)) static void *emulated_function(void *block)
{
	__asm__ volatile("" : "+r"(block));
	return block;
}

__attribute__((noinline)) static void *stepped_function(void *block)
{
	__asm__ volatile("" : "+r"(block));
	return block;
}
#endif

typedef void *(*block_function)(void *block);

static block_function function_of(enum hit_kind kind)
{
	return kind == HIT_ENTRY || kind == HIT_CALL ? emulated_function : stepped_function;
}

struct file_address {
	uintptr_t addr;
	uint64_t offset;
	bool found;
};

static int find_in_object(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct file_address *wanted = ctx;
	int i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + phdr->p_vaddr;

		if (phdr->p_type != PT_LOAD || wanted->addr < start ||
		    wanted->addr >= start + phdr->p_filesz)
			continue;
		wanted->offset = wanted->addr - start + phdr->p_offset;
		wanted->found = true;
		return 1;
	}
	return 1;	/* the first object is the program; ours are nowhere else */
}

int calibrate_site(enum hit_kind kind, uint64_t *offset, uint64_t *cookie)
{
	struct file_address wanted = { .addr = (uintptr_t)function_of(kind) };

	dl_iterate_phdr(find_in_object, &wanted);
	if (!wanted.found)
		return -ENOENT;
	*offset = wanted.offset;
	*cookie = COOKIE_CALIBRATION;
	*cookie |= kind == HIT_ENTRY || kind == HIT_ENTRY_STEPPED ? SHAPE_FREE : SHAPE_MALLOC;
	if (kind == HIT_ENTRY_STEPPED || kind == HIT_CALL_STEPPED)
		*cookie |= COOKIE_STEPPED;
	return 0;
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double calibrate_time(enum hit_kind kind)
{
	block_function function = function_of(kind);
	double best = 0;
	int batch, i;

	for (batch = 0; batch < BATCHES; batch++) {
		double start = now_ns(), each;

		for (i = 0; i < CALLS_PER_BATCH; i++)
			function(&best);
		each = (now_ns() - start) / CALLS_PER_BATCH;
		if (!batch || each < best)
			best = each;
	}
	return best;
}

int calibrate_attach_trial(int prog_fd, int attach_type)
{
	struct uprobe_sites sites = { .count = 1 };
	uint64_t offset, cookie;
	int fd, link;

	link = calibrate_site(HIT_CALL, &offset, &cookie);
	if (link)
		return link;
	sites.offsets = &offset;
	sites.cookies = &cookie;
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	link = uprobe_attach_multi(prog_fd, attach_type, fd, getpid(), 0, &sites);
	close(fd);
	return link;
}
