/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a probe costs least: finds, by decoding a function, the instruction that the kernel
 * emulates under an int3 instead of single-stepping it (push r64, jcc, jmp rel, call rel, nop:
 * 0.5 µs a hit against 9.5). Pure functions over code bytes; no files, no kernel.
 */
#ifndef MEMTRACE_PROLOGUE_H
#define MEMTRACE_PROLOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Argument registers of the System V ABI that must still hold the arguments at the site. */
enum prologue_arg {
	PROLOGUE_RDI = 1 << 0,
	PROLOGUE_RSI = 1 << 1,
	PROLOGUE_RDX = 1 << 2,
	PROLOGUE_RCX = 1 << 3,
	PROLOGUE_R8 = 1 << 4,
	PROLOGUE_R9 = 1 << 5,
};

struct probe_site {
	uint32_t offset;	/* bytes from the function's first byte */
	uint32_t stack_bytes;	/* pushed below the return address when the site is hit */
	bool emulated;
	char text[48];		/* the instruction, for people: "push r12" */
};

/*
 * The first emulated instruction that every call passes exactly once with the stack pointer still
 * on the return address and the registers of `args` untouched. Falls back to offset 0 with
 * emulated = false; never fails on code it cannot decode.
 */
void prologue__entry_site(const uint8_t *code, size_t size, uint32_t args,
			  struct probe_site *site);

/*
 * The emulated conditional jump behind the function's only syscall instruction with number
 * `syscall_nr`, reached by falling through instructions that write none of rax, rdi, rsi, rdx, r10,
 * r8, r9: there the registers hold the system call's arguments and its result at once. Returns
 * false when the function has no such place.
 */
bool prologue__syscall_site(const uint8_t *code, size_t size, uint32_t syscall_nr,
			    struct probe_site *site);

#endif
