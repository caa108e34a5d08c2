// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where probes go: on functions as Debian 12 ships them (glibc 2.36, jemalloc 5.3), on code made by
 * hand for every reason to refuse a place, and on garbage.
 */
#include <stdlib.h>

#include "elf/prologue.h"
#include "test.h"

#define RDI PROLOGUE_RDI
#define RSI PROLOGUE_RSI
#define RDX PROLOGUE_RDX
#define RCX PROLOGUE_RCX
#define R8 PROLOGUE_R8
#define R9 PROLOGUE_R9

#define SYS_CLOSE 3
#define SYS_MMAP 9
#define SYS_MUNMAP 11
#define SYS_BRK 12
#define SYS_MREMAP 25
#define SYS_MADVISE 28

struct entry_case {
	const char *name;
	const void *code;
	size_t size;
	uint32_t args;
	const char *want;	/* as describe_entry() says it */
};

struct syscall_case {
	const char *name;
	const void *code;
	size_t size;
	uint32_t number;
	const char *want;	/* as describe_syscall() says it */
};

/* Code of a case: an array, or a string literal, whose NUL is none of it. */
#define ARRAY(code) (code), sizeof(code)
#define CODE(code) (code), sizeof(code) - 1

/* clang-format off */
static const uint8_t glibc_malloc[] = {
	0x41, 0x54, 0x55, 0x53, 0x48, 0x89, 0xfb, 0x48, 0x83, 0xec, 0x10, 0x80, 0x3d, 0x46, 0x1b,
	0x14, 0x00, 0x00, 0x0f, 0x84, 0xf8, 0x01, 0x00, 0x00, 0x48, 0x85, 0xdb, 0x0f, 0x88, 0xfd,
	0x01, 0x00,
};

static const uint8_t glibc_calloc[] = {
	0x41, 0x55, 0x48, 0x89, 0xf8, 0x41, 0x54, 0x55, 0x53, 0x48, 0x83, 0xec, 0x18, 0x48, 0xf7,
	0xe6, 0x48, 0x89, 0xc3, 0x0f, 0x90, 0xc0, 0x48, 0x85, 0xdb, 0x0f, 0x88, 0xd9, 0x02, 0x00,
	0x00, 0x0f,
};

static const uint8_t glibc_realloc[] = {
	0x41, 0x57, 0x41, 0x56, 0x41, 0x55, 0x41, 0x54, 0x55, 0x48, 0x89, 0xf5, 0x53, 0x48, 0x89,
	0xfb, 0x48, 0x83, 0xec, 0x28, 0x80, 0x3d, 0x3d, 0x13, 0x14, 0x00, 0x00, 0x0f, 0x84, 0x57,
	0x01, 0x00,
};

static const uint8_t glibc_free[] = {
	0x48, 0x85, 0xff, 0x0f, 0x84, 0xbf, 0x00, 0x00, 0x00, 0x55, 0x48, 0x8d, 0x77, 0xf0, 0x53,
	0x48, 0x83, 0xec, 0x18, 0x48, 0x8b, 0x1d, 0xd6, 0x9e, 0x13, 0x00, 0x48, 0x8b, 0x47, 0xf8,
	0x64, 0x8b, 0x2b, 0xa8, 0x02, 0x75, 0x5b, 0x48, 0x8b, 0x15, 0x5c, 0x9e, 0x13, 0x00, 0x64,
	0x48, 0x83, 0x3a, 0x00, 0x0f, 0x84, 0x99, 0x00, 0x00, 0x00, 0x48, 0x8d, 0x3d, 0x32, 0xad,
	0x13, 0x00, 0xa8, 0x04, 0x74, 0x26, 0x48, 0x8b, 0x15, 0x37, 0xa4, 0x13, 0x00, 0x48, 0x8d,
	0x04, 0x95, 0x00, 0x00, 0x00, 0x00, 0x48, 0xf7, 0xd8, 0x48, 0x85, 0xd2, 0x48, 0xc7, 0xc2,
	0x00, 0x00, 0x00, 0xfc, 0x48, 0x0f, 0x44, 0xc2, 0x48, 0x21, 0xf0, 0x48, 0x8b, 0x38, 0x31,
	0xd2, 0xe8, 0xc1, 0xd1, 0xff, 0xff, 0x64, 0x89, 0x2b, 0x48, 0x83, 0xc4, 0x18, 0x5b, 0x5d,
	0xc3, 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00, 0x8b, 0x15, 0x12, 0xa4, 0x13, 0x00, 0x85,
	0xd2, 0x75, 0x26, 0x48, 0x39, 0x05, 0xcf, 0xa3, 0x13, 0x00, 0x73, 0x1d, 0x48, 0x3d, 0x00,
	0x00, 0x00, 0x02, 0x77, 0x15, 0x48, 0x83, 0xe0, 0xf8, 0x48, 0x89, 0x05, 0xba, 0xa3, 0x13,
	0x00, 0x48, 0x01, 0xc0, 0x48, 0x89, 0x05, 0xa0, 0xa3, 0x13, 0x00, 0x48, 0x89, 0xf7, 0xe8,
	0x08, 0xba, 0xff, 0xff, 0x64, 0x89, 0x2b, 0x48, 0x83, 0xc4, 0x18, 0x5b, 0x5d, 0xc3, 0x66,
	0x0f, 0x1f, 0x44, 0x00, 0x00, 0xc3, 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00, 0x48, 0x8b,
	0x15, 0xb9, 0x9d, 0x13, 0x00, 0x48, 0x89, 0x3c, 0x24, 0x64, 0x80, 0x3a, 0x00, 0x0f, 0x85,
	0x52, 0xff, 0xff, 0xff, 0x48, 0x89, 0x74, 0x24, 0x08, 0xe8, 0x31, 0xf2, 0xff, 0xff, 0x48,
	0x8b, 0x3c, 0x24, 0x48, 0x8b, 0x74, 0x24, 0x08, 0x48, 0x8b, 0x47, 0xf8, 0xe9, 0x36, 0xff,
	0xff, 0xff,
};

static const uint8_t glibc_posix_memalign[] = {
	0x80, 0x3d, 0x01, 0x02, 0x14, 0x00, 0x00, 0x41, 0x54, 0x49, 0x89, 0xd4, 0x55, 0x48, 0x89,
	0xfd, 0x53, 0x48, 0x89, 0xf3, 0x74, 0x5a, 0x48, 0x89, 0xda, 0x48, 0xc1, 0xea, 0x03, 0x48,
	0x8d, 0x42, 0xff, 0x48, 0x21, 0xd0, 0x48, 0x89, 0xda, 0x83, 0xe2, 0x07, 0x48, 0x09, 0xd0,
	0x75, 0x31, 0x48, 0x85, 0xdb, 0x74, 0x2c, 0x4c, 0x89, 0xe6, 0x48, 0x89, 0xdf, 0xe8, 0x91,
	0xe9, 0xff, 0xff, 0x48, 0x89, 0xc2, 0xb8, 0x0c, 0x00, 0x00, 0x00, 0x48, 0x85, 0xd2, 0x74,
	0x06, 0x48, 0x89, 0x55, 0x00, 0x31, 0xc0, 0x5b, 0x5d, 0x41, 0x5c, 0xc3, 0x66, 0x0f, 0x1f,
	0x84, 0x00, 0x00, 0x00, 0x00, 0x00, 0x5b, 0xb8, 0x16, 0x00, 0x00, 0x00, 0x5d, 0x41, 0x5c,
	0xc3, 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00, 0xe8, 0xfb, 0xaf, 0xff, 0xff, 0xeb, 0x9f,
};

static const uint8_t glibc_memalign[] = {
	0x80, 0x3d, 0x71, 0x0e, 0x14, 0x00, 0x00, 0x74, 0x07, 0xe9, 0x32, 0xf6, 0xff, 0xff, 0x66,
	0x90, 0x48, 0x83, 0xec, 0x18, 0x48, 0x89, 0x74, 0x24, 0x08, 0x48, 0x89, 0x3c, 0x24, 0xe8,
	0xbe, 0xbc, 0xff, 0xff, 0x48, 0x8b, 0x74, 0x24, 0x08, 0x48, 0x8b, 0x3c, 0x24, 0x48, 0x83,
	0xc4, 0x18, 0xe9, 0x0c, 0xf6, 0xff, 0xff,
};

static const uint8_t glibc_reallocarray[] = {
	0x48, 0x89, 0xf0, 0x48, 0xf7, 0xe2, 0x48, 0x89, 0xc6, 0x70, 0x05, 0xe9, 0x40, 0xb8, 0xf8,
	0xff, 0x48, 0x8b, 0x05, 0xe9, 0x85, 0x13, 0x00, 0x64, 0xc7, 0x00, 0x0c, 0x00, 0x00, 0x00,
	0x31, 0xc0, 0xc3,
};

static const uint8_t glibc_mmap[] = {
	0x41, 0x89, 0xca, 0x41, 0xf7, 0xc1, 0xff, 0x0f, 0x00, 0x00, 0x75, 0x14, 0xb8, 0x09, 0x00,
	0x00, 0x00, 0x0f, 0x05, 0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff, 0x77, 0x25, 0xc3, 0x0f, 0x1f,
	0x40, 0x00, 0x48, 0x8b, 0x05, 0x19, 0x14, 0x0d, 0x00, 0x64, 0xc7, 0x00, 0x16, 0x00, 0x00,
	0x00, 0x48, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff, 0xc3, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x48, 0x8b, 0x15, 0xf9, 0x13, 0x0d, 0x00, 0xf7, 0xd8, 0x64, 0x89,
	0x02, 0x48, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff, 0xc3,
};

static const uint8_t glibc_munmap[] = {
	0xb8, 0x0b, 0x00, 0x00, 0x00, 0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff, 0x73, 0x01,
	0xc3, 0x48, 0x8b, 0x0d, 0xc9, 0x13, 0x0d, 0x00, 0xf7, 0xd8, 0x64, 0x89, 0x01, 0x48, 0x83,
	0xc8, 0xff, 0xc3,
};

static const uint8_t glibc_mremap[] = {
	0x48, 0x83, 0xec, 0x58, 0x4c, 0x89, 0x44, 0x24, 0x40, 0x64, 0x48, 0x8b, 0x04, 0x25, 0x28,
	0x00, 0x00, 0x00, 0x48, 0x89, 0x44, 0x24, 0x18, 0x31, 0xc0, 0x83, 0xf9, 0x07, 0x77, 0x5a,
	0x41, 0x89, 0xca, 0x45, 0x31, 0xc0, 0xf6, 0xc1, 0x06, 0x75, 0x27, 0xb8, 0x19, 0x00, 0x00,
	0x00, 0x0f, 0x05, 0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff, 0x77, 0x58, 0x48, 0x8b, 0x54, 0x24,
	0x18, 0x64, 0x48, 0x2b, 0x14, 0x25, 0x28, 0x00, 0x00, 0x00, 0x75, 0x5d, 0x48, 0x83, 0xc4,
	0x58, 0xc3, 0x0f, 0x1f, 0x00, 0x48, 0x8d, 0x44, 0x24, 0x60, 0xc7, 0x04, 0x24, 0x20, 0x00,
	0x00, 0x00, 0x4c, 0x8b, 0x44, 0x24, 0x40, 0x48, 0x89, 0x44, 0x24, 0x08, 0x48, 0x8d, 0x44,
	0x24, 0x20, 0x48, 0x89, 0x44, 0x24, 0x10, 0xeb, 0xb7, 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00,
	0x48, 0x8b, 0x05, 0x91, 0x93, 0x0c, 0x00, 0x64, 0xc7, 0x00, 0x16, 0x00, 0x00, 0x00, 0x48,
	0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff, 0xeb, 0xa9, 0x90, 0x48, 0x8b, 0x15, 0x79, 0x93, 0x0c,
	0x00, 0xf7, 0xd8, 0x64, 0x89, 0x02, 0x48, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff, 0xeb, 0x93,
	0xe8, 0x66, 0xe7, 0x00, 0x00,
};

static const uint8_t glibc_madvise[] = {
	0xb8, 0x1c, 0x00, 0x00, 0x00, 0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff, 0x73, 0x01,
	0xc3, 0x48, 0x8b, 0x0d, 0xc9, 0x12, 0x0d, 0x00, 0xf7, 0xd8, 0x64, 0x89, 0x01, 0x48, 0x83,
	0xc8, 0xff, 0xc3,
};

static const uint8_t glibc_brk[] = {
	0xb8, 0x0c, 0x00, 0x00, 0x00, 0x0f, 0x05, 0x48, 0x8b, 0x15, 0xe2, 0x51, 0x0d, 0x00, 0x48,
	0x89, 0x02, 0x48, 0x39, 0xf8, 0x72, 0x0a, 0x31, 0xc0, 0xc3, 0x0f, 0x1f, 0x80, 0x00, 0x00,
	0x00, 0x00, 0x48, 0x8b, 0x05, 0x79, 0x51, 0x0d, 0x00, 0x64, 0xc7, 0x00, 0x0c, 0x00, 0x00,
	0x00, 0xb8, 0xff, 0xff, 0xff, 0xff, 0xc3,
};

static const uint8_t jemalloc_malloc[] = {
	0x48, 0x81, 0xff, 0x00, 0x10, 0x00, 0x00, 0x0f, 0x87, 0x93, 0x00, 0x00, 0x00, 0x48, 0x8d,
	0x15, 0x5c, 0x7f, 0x2c, 0x00, 0x48, 0x8d, 0x47, 0x07, 0x48, 0x8b, 0x0d, 0x49, 0x96, 0x0a,
	0x00, 0x48, 0xc1, 0xe8, 0x03, 0x4c, 0x8d, 0x05, 0x86, 0x81, 0x2c, 0x00, 0x0f, 0xb6, 0x34,
	0x02, 0x64, 0x48, 0x8b, 0x91, 0x38, 0x03, 0x00, 0x00, 0x49, 0x03, 0x14, 0xf0, 0x64, 0x48,
	0x3b, 0x91, 0x40, 0x03, 0x00, 0x00, 0x73, 0x5c, 0x64, 0x4c, 0x8b, 0x0c, 0x25, 0x00, 0x00,
	0x00, 0x00, 0x4c, 0x8d, 0x14, 0x76, 0x4b, 0x8d, 0x04, 0xd1, 0x48, 0x01, 0xc8, 0x4c, 0x8b,
	0x80, 0x60, 0x03, 0x00, 0x00, 0x4d, 0x8b, 0x18, 0x4d, 0x8d, 0x50, 0x08, 0x66, 0x44, 0x3b,
	0x80, 0x70, 0x03, 0x00, 0x00, 0x74, 0x38, 0x4c, 0x89, 0x90, 0x60, 0x03, 0x00, 0x00, 0x64,
	0x48, 0x89, 0x91, 0x38, 0x03, 0x00, 0x00, 0x48, 0x8b, 0xb8, 0x68, 0x03, 0x00, 0x00, 0x48,
	0x83, 0xc7, 0x01, 0x48, 0x8d, 0x34, 0x76, 0x4c, 0x89, 0xd8, 0x49, 0x8d, 0x14, 0xf1, 0x48,
	0x89, 0xbc, 0x0a, 0x68, 0x03, 0x00, 0x00, 0xc3, 0x66, 0x90, 0xe9, 0xcb, 0xe4, 0xff, 0xff,
	0x0f, 0x1f, 0x00, 0x66, 0x44, 0x3b, 0x80, 0x74, 0x03, 0x00, 0x00, 0x74, 0xee, 0x4c, 0x89,
	0x90, 0x60, 0x03, 0x00, 0x00, 0x66, 0x44, 0x89, 0x90, 0x70, 0x03, 0x00, 0x00, 0x64, 0x48,
	0x89, 0x91, 0x38, 0x03, 0x00, 0x00, 0x48, 0x8b, 0xb8, 0x68, 0x03, 0x00, 0x00, 0x48, 0x83,
	0xc7, 0x01, 0xeb, 0xb4,
};

static const uint8_t jemalloc_free[] = {
	0x48, 0x89, 0xf8, 0x48, 0x8b, 0x15, 0x0e, 0x53, 0x0a, 0x00, 0x48, 0x89, 0xf9, 0x48, 0xc1,
	0xe8, 0x1a, 0x48, 0x81, 0xe1, 0x00, 0x00, 0x00, 0xc0, 0x25, 0xf0, 0x00, 0x00, 0x00, 0x64,
	0x48, 0x03, 0x04, 0x25, 0x00, 0x00, 0x00, 0x00, 0x48, 0x01, 0xd0, 0x48, 0x3b, 0x88, 0xb0,
	0x01, 0x00, 0x00, 0x0f, 0x85, 0x8a, 0x00, 0x00, 0x00, 0x48, 0x89, 0xfe, 0x4c, 0x8b, 0x80,
	0xb8, 0x01, 0x00, 0x00, 0x48, 0xc1, 0xee, 0x0c, 0x81, 0xe6, 0xff, 0xff, 0x03, 0x00, 0x4d,
	0x8b, 0x0c, 0xf0, 0x4d, 0x89, 0xca, 0x49, 0xc1, 0xea, 0x30, 0x41, 0x83, 0xe1, 0x01, 0x74,
	0x65, 0x48, 0x8d, 0x05, 0xfe, 0x3d, 0x2c, 0x00, 0x45, 0x89, 0xd3, 0x4a, 0x8b, 0x0c, 0xd8,
	0x64, 0x48, 0x03, 0x8a, 0x48, 0x03, 0x00, 0x00, 0x64, 0x48, 0x3b, 0x8a, 0x50, 0x03, 0x00,
	0x00, 0x73, 0x45, 0x64, 0x4c, 0x8b, 0x04, 0x25, 0x00, 0x00, 0x00, 0x00, 0x4b, 0x8d, 0x34,
	0x5b, 0x4d, 0x8d, 0x0c, 0xf0, 0x49, 0x01, 0xd1, 0x4d, 0x8b, 0x91, 0x60, 0x03, 0x00, 0x00,
	0x66, 0x45, 0x39, 0x91, 0x72, 0x03, 0x00, 0x00, 0x74, 0x20, 0x4d, 0x8d, 0x5a, 0xf8, 0x4d,
	0x89, 0x99, 0x60, 0x03, 0x00, 0x00, 0x49, 0x89, 0x7a, 0xf8, 0x64, 0x48, 0x89, 0x8a, 0x48,
	0x03, 0x00, 0x00, 0xc3, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe9, 0x4b, 0xf1,
	0xff, 0xff,
};

static const uint8_t jemalloc_calloc[] = {
	0x41, 0x57, 0x41, 0x56, 0x41, 0x55, 0x41, 0x54, 0x49, 0x89, 0xf4, 0x55, 0x53, 0x48, 0x89,
	0xfb, 0x48, 0x81, 0xec, 0x88, 0x00, 0x00, 0x00, 0x64, 0x48, 0x8b, 0x2c, 0x25, 0x00, 0x00,
	0x00, 0x00,
};

static const uint8_t jemalloc_realloc[] = {
	0x41, 0x57, 0x41, 0x56, 0x41, 0x55, 0x41, 0x54, 0x55, 0x48, 0x89, 0xfd, 0x53, 0x48, 0x89,
	0xf3, 0x48, 0x81, 0xec, 0x88, 0x00, 0x00, 0x00, 0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0x00,
	0x00, 0x00,
};

static const uint8_t jemalloc_posix_memalign[] = {
	0x41, 0x57, 0x41, 0x56, 0x41, 0x55, 0x49, 0x89, 0xfd, 0x41, 0x54, 0x49, 0x89, 0xd4, 0x55,
	0x48, 0x89, 0xf5, 0x53, 0x48, 0x83, 0xec, 0x78, 0x64, 0x48, 0x8b, 0x1c, 0x25, 0x00, 0x00,
	0x00, 0x00,
};

static const struct entry_case library_entries[] = {
	{ "glibc malloc", ARRAY(glibc_malloc), RDI, "+0 push r12" },
	{ "glibc calloc", ARRAY(glibc_calloc), RDI | RSI, "+0 push r13" },
	{ "glibc realloc", ARRAY(glibc_realloc), RDI | RSI, "+0 push r15" },
	{ "glibc free", ARRAY(glibc_free), RDI, "+3 jz +0xc5" },
	{ "glibc posix_memalign", ARRAY(glibc_posix_memalign), RDI | RSI | RDX, "+7 push r12" },
	{ "glibc memalign", ARRAY(glibc_memalign), RDI | RSI, "+7 jz +0x09" },
	/* At its jo, rsi holds the product already and rdx the product's upper half. */
	{ "glibc reallocarray", ARRAY(glibc_reallocarray), RDI | RSI | RDX,
	  "stepped mov rax, rsi" },
	{ "glibc reallocarray's block", ARRAY(glibc_reallocarray), RDI, "+9 jo +0x07" },
	{ "glibc mmap", ARRAY(glibc_mmap), RDI | RSI | RDX | RCX | R8 | R9, "+10 jnz +0x16" },
	/* The first emulated instruction is behind the system call, and that is no entry. */
	{ "glibc munmap", ARRAY(glibc_munmap), RDI | RSI, "stepped mov eax, 0x0b" },
	{ "glibc mremap", ARRAY(glibc_mremap), RDI | RSI, "stepped sub rsp, 0x58" },
	{ "glibc brk", ARRAY(glibc_brk), RDI, "stepped mov eax, 0x0c" },
	{ "jemalloc malloc", ARRAY(jemalloc_malloc), RDI, "+7 jnbe +0x99" },
	{ "jemalloc free", ARRAY(jemalloc_free), RDI, "+48 jnz +0x90" },
	{ "jemalloc free's second", ARRAY(jemalloc_free), RDI | RDX, "stepped mov rax, rdi" },
	{ "jemalloc calloc", ARRAY(jemalloc_calloc), RDI | RSI, "+0 push r15" },
	{ "jemalloc realloc", ARRAY(jemalloc_realloc), RDI | RSI, "+0 push r15" },
	{ "jemalloc posix_memalign", ARRAY(jemalloc_posix_memalign), RDI | RSI | RDX,
	  "+0 push r15" },
};

static const struct entry_case emulated_entries[] = {
	{ "push rax", CODE("\x50"), 0, "+0 push rax" },
	{ "push rdi", CODE("\x57"), RDI, "+0 push rdi" },
	{ "push r8", CODE("\x41\x50"), R8, "+0 push r8" },
	{ "nop", CODE("\x90"), 0, "+0 nop" },
	{ "jo short", CODE("\x70\x05"), 0, "+0 jo +0x07" },
	{ "jg short", CODE("\x7f\x05"), 0, "+0 jnle +0x07" },
	{ "jo near", CODE("\x0f\x80\x10\x00\x00\x00"), 0, "+0 jo +0x16" },
	{ "jg near", CODE("\x0f\x8f\x10\x00\x00\x00"), 0, "+0 jnle +0x16" },
	{ "jmp short", CODE("\xeb\x10"), 0, "+0 jmp +0x12" },
	{ "jmp near", CODE("\xe9\x00\x01\x00\x00"), 0, "+0 jmp +0x105" },
	{ "call", CODE("\xe8\x00\x01\x00\x00"), 0, "+0 call +0x105" },
	{ "endbr64 push", CODE("\xf3\x0f\x1e\xfa\x55\x48\x89\xe5"), RDI, "+4 push rbp" },
	{ "nopl push", CODE("\x0f\x1f\x44\x00\x00\x53"), RDI, "+5 push rbx" },
	{ "16 bit nop, push", CODE("\x66\x90\x53"), RDI, "+2 push rbx" },
	{ "pause, push", CODE("\xf3\x90\x53"), RDI, "+2 push rbx" },
	{ "mov call", CODE("\x89\xf8\xe8\x00\x01\x00\x00"), RDI, "+2 call +0x105" },
};

static const struct entry_case refused_entries[] = {
	{ "ret", CODE("\xc3\x55"), 0, "stepped ret" },
	{ "bnd jmp", CODE("\xf2\xe9\x00\x01\x00\x00\x55"), 0, "stepped bnd jmp +0x106" },
	{ "16 bit jmp", CODE("\x66\xe9\x00\x01\x00\x00\x55"), 0, "stepped jmp +0x106" },
	{ "hinted jz", CODE("\x2e\x74\x01\x55"), 0, "stepped jz +0x04" },
	{ "jmp rax", CODE("\xff\xe0\x55"), 0, "stepped jmp rax" },
	{ "notrack jmp rax", CODE("\x3e\xff\xe0\x55"), 0, "stepped notrack jmp rax" },
	{ "call rax", CODE("\xff\xd0\x55"), 0, "stepped call rax" },
	{ "jrcxz", CODE("\xe3\x01\x90\x55"), 0, "stepped jrcxz +0x03" },
	{ "loop", CODE("\xe2\x01\x90\x55"), RDI, "stepped loop +0x03" },
	{ "syscall", CODE("\x0f\x05\x55"), RDI, "stepped syscall" },
	{ "int3", CODE("\xcc\x55"), 0, "stepped int3" },
	{ "ud2", CODE("\x0f\x0b\x55"), 0, "stepped ud2" },
	{ "push with REX.W", CODE("\x48\x50\x55"), 0, "stepped push rax" },
	{ "push of a number", CODE("\x6a\x01\x55"), 0, "stepped push 0x01" },
	{ "push of memory", CODE("\xff\x37\x55"), 0, "stepped push [rdi]" },
	{ "pop", CODE("\x58\x55"), 0, "stepped pop rax" },
	{ "sub rsp", CODE("\x48\x83\xec\x18\x55"), 0, "stepped sub rsp, 0x18" },
	{ "and rsp", CODE("\x48\x83\xe4\xf0\x55"), 0, "stepped and rsp, 0xfffffffffffffff0" },
	{ "leave", CODE("\xc9\x55"), 0, "stepped leave" },
	{ "leave of 16 bits", CODE("\x66\xc9\x55"), 0, "stepped leave" },
};

static const struct entry_case argument_entries[] = {
	{ "xor edi", CODE("\x31\xff\x55"), RDI, "stepped xor edi, edi" },
	{ "xor edi, not asked for", CODE("\x31\xff\x55"), RSI | RDX | RCX | R8 | R9,
	  "+2 push rbp" },
	{ "xor esi", CODE("\x31\xf6\x55"), RSI, "stepped xor esi, esi" },
	{ "xor esi, not asked for", CODE("\x31\xf6\x55"), RDI | RDX | RCX | R8 | R9,
	  "+2 push rbp" },
	{ "mov dil", CODE("\x40\xb7\x01\x55"), RDI, "stepped mov dil, 0x01" },
	{ "mov dh", CODE("\xb6\x01\x55"), RDX, "stepped mov dh, 0x01" },
	{ "xor edx, not asked for", CODE("\x31\xd2\x55"), RDI | RSI | RCX | R8 | R9,
	  "+2 push rbp" },
	{ "xor ecx", CODE("\x31\xc9\x55"), RCX, "stepped xor ecx, ecx" },
	{ "xor ecx, not asked for", CODE("\x31\xc9\x55"), RDI | RSI | RDX | R8 | R9,
	  "+2 push rbp" },
	{ "xor r8d", CODE("\x45\x31\xc0\x55"), R8, "stepped xor r8d, r8d" },
	{ "xor r9d", CODE("\x45\x31\xc9\x55"), R9, "stepped xor r9d, r9d" },
	{ "xor r9d, not asked for", CODE("\x45\x31\xc9\x55"), RDI | RCX | R8, "+3 push rbp" },
	{ "mul hides rdx", CODE("\x48\xf7\xe6\x55"), RDI | RDX, "stepped mul rsi" },
	{ "mul keeps the factors", CODE("\x48\xf7\xe6\x55"), RDI | RSI, "+3 push rbp" },
	{ "rep movsb hides rsi", CODE("\xf3\xa4\x55"), RSI, "stepped rep movsb" },
	{ "rep movsb hides rcx", CODE("\xf3\xa4\x55"), RCX, "stepped rep movsb" },
	{ "cmov may write", CODE("\x48\x0f\x44\xf8\x55"), RDI, "stepped cmovz rdi, rax" },
	{ "xchg r8, rax is no nop", CODE("\x49\x90\x55"), R8, "stepped xchg r8, rax" },
	{ "reading keeps", CODE("\x48\x89\xf8\x48\x3b\x3e\x55"), RDI | RSI, "+6 push rbp" },
};

static const struct entry_case joined_entries[] = {
	/* xor eax, eax; 2: test edi, edi; jz 10; dec edi; jmp 2; ret */
	{ "loop before the site", CODE("\x31\xc0\x85\xff\x74\x04\xff\xcf\xeb\xf8\xc3"), RDI,
	  "stepped xor eax, eax" },
	/* test edi, edi; 2: jz 8; dec edi; jmp 2; ret */
	{ "loop onto the site", CODE("\x85\xff\x74\x04\xff\xcf\xeb\xfa\xc3"), RDI,
	  "stepped test edi, edi" },
	{ "loop onto the first byte", CODE("\x85\xff\x74\x04\xff\xcf\xeb\xf8\xc3"), RDI,
	  "+2 jz +0x06" },
	{ "loop behind the site", CODE("\x85\xff\x74\x04\xff\xcf\xeb\xfc\xc3"), RDI,
	  "+2 jz +0x06" },
	{ "near loop onto the site", CODE("\x85\xff\x74\x05\xe9\xf9\xff\xff\xff\xc3"), RDI,
	  "stepped test edi, edi" },
	{ "jrcxz onto the site", CODE("\x85\xff\x74\x02\xe3\xfc\xc3"), RDI,
	  "stepped test edi, edi" },
	{ "call of the site", CODE("\x85\xff\x74\x05\xe8\xf9\xff\xff\xff\xc3"), RDI,
	  "stepped test edi, edi" },
	{ "the site onto itself", CODE("\x85\xff\x74\xfe\xc3"), RDI, "stepped test edi, edi" },
	{ "jump before the function", CODE("\x85\xff\x74\x02\xeb\x80\xc3"), RDI, "+2 jz +0x04" },
	{ "push at 0 jumped to", CODE("\x55\x5d\xeb\xfc"), RDI, "+0 push rbp" },
	{ "jump table", CODE("\x85\xff\x74\x03\xff\x24\xc2\xc3"), RDI, "stepped test edi, edi" },
	{ "jump through rax", CODE("\x85\xff\x74\x02\xff\xe0\xc3"), RDI, "stepped test edi, edi" },
	{ "jump table and push", CODE("\x85\xff\x55\x74\x03\xff\x24\xc2\xc3"), RDI, "+2 push rbp" },
	{ "tail call of a variable", CODE("\x85\xff\x74\x06\xff\x25\x00\x01\x00\x00\xc3"), RDI,
	  "+2 jz +0x08" },
	{ "bad bytes behind a jump", CODE("\x85\xff\x74\x01\xc3\x06"), RDI,
	  "stepped test edi, edi" },
	{ "bad bytes behind a push", CODE("\x85\xff\x55\x06"), RDI, "+2 push rbp" },
	{ "bad bytes before a jump", CODE("\x85\xff\x06\x74\x01"), RDI, "stepped test edi, edi" },
	{ "jump onto a push, then bad bytes", CODE("\x85\xff\x55\xeb\xfd\x06"), RDI,
	  "stepped test edi, edi" },
};

static const struct entry_case cut_entries[] = {
	{ "nothing", CODE(""), RDI, "stepped ?" },
	{ "bad first byte", CODE("\x06\x55"), RDI, "stepped ?" },
	{ "cut first instruction", CODE("\x48\x85"), RDI, "stepped ?" },
	{ "cut jump", CODE("\x48\x85\xff\x0f\x84\xbf\x00\x00"), RDI, "stepped test rdi, rdi" },
	{ "cut behind the jump", CODE("\x48\x85\xff\x74\x10\x48"), RDI, "stepped test rdi, rdi" },
	{ "cut behind a push", CODE("\xf3\x0f\x1e\xfa\x55\x48"), RDI, "+4 push rbp" },
	{ "cut in the instruction of the site", CODE("\xf3\x0f\x1e\xfa\x41"), RDI,
	  "stepped endbr64" },
	{ "no emulated instruction", CODE("\x31\xc0\x31\xdb"), RDI, "stepped xor eax, eax" },
};

static const struct syscall_case library_syscalls[] = {
	{ "glibc mmap", ARRAY(glibc_mmap), SYS_MMAP, "+25 0 jnbe +0x27" },
	{ "glibc munmap", ARRAY(glibc_munmap), SYS_MUNMAP, "+13 0 jnb +0x03" },
	{ "glibc mremap", ARRAY(glibc_mremap), SYS_MREMAP, "+54 88 jnbe +0x5a" },
	{ "glibc madvise", ARRAY(glibc_madvise), SYS_MADVISE, "+13 0 jnb +0x03" },
	/* It overwrites rdx before it looks at the result. */
	{ "glibc brk", ARRAY(glibc_brk), SYS_BRK, "none" },
	{ "another number", ARRAY(glibc_munmap), SYS_MMAP, "none" },
	{ "glibc malloc", ARRAY(glibc_malloc), SYS_MMAP, "none" },
};

#define MOV_MUNMAP "\xb8\x0b\x00\x00\x00"
#define MOV_CLOSE "\xb8\x03\x00\x00\x00"
#define SYSCALL "\x0f\x05"
#define CMP_JAE_RET "\x48\x3d\x01\xf0\xff\xff\x73\x01\xc3\xc3"
#define CALL_MUNMAP MOV_MUNMAP SYSCALL CMP_JAE_RET

static const struct syscall_case stack_syscalls[] = {
	{ "none pushed", CODE(CALL_MUNMAP), SYS_MUNMAP, "+13 0 jnb +0x03" },
	{ "pushed", CODE("\x53\x41\x54" CALL_MUNMAP), SYS_MUNMAP, "+16 16 jnb +0x03" },
	{ "pushed a number", CODE("\x6a\x01" CALL_MUNMAP), SYS_MUNMAP, "+15 8 jnb +0x03" },
	{ "pushed 16 bits", CODE("\x66\x53" CALL_MUNMAP), SYS_MUNMAP, "+15 2 jnb +0x03" },
	{ "pushed and popped", CODE("\x53\x53\x5b" CALL_MUNMAP), SYS_MUNMAP, "+16 8 jnb +0x03" },
	{ "sub rsp", CODE("\x48\x83\xec\x18" CALL_MUNMAP), SYS_MUNMAP, "+17 24 jnb +0x03" },
	{ "sub rsp, more", CODE("\x48\x81\xec\x00\x10\x00\x00" CALL_MUNMAP), SYS_MUNMAP,
	  "+20 4096 jnb +0x03" },
	{ "add rsp, -128", CODE("\x48\x83\xc4\x80" CALL_MUNMAP), SYS_MUNMAP, "+17 128 jnb +0x03" },
	{ "sub and add", CODE("\x48\x83\xec\x18\x48\x83\xc4\x10" CALL_MUNMAP), SYS_MUNMAP,
	  "+21 8 jnb +0x03" },
	{ "call before", CODE("\x53\xe8\x00\x01\x00\x00" CALL_MUNMAP), SYS_MUNMAP,
	  "+19 8 jnb +0x03" },
	{ "sub rsp, rax", CODE("\x48\x29\xc4" CALL_MUNMAP), SYS_MUNMAP, "none" },
	{ "sub esp", CODE("\x83\xec\x18" CALL_MUNMAP), SYS_MUNMAP, "none" },
	{ "and rsp", CODE("\x48\x83\xe4\xf0" CALL_MUNMAP), SYS_MUNMAP, "none" },
	{ "pop rsp", CODE("\x53\x5c" CALL_MUNMAP), SYS_MUNMAP, "none" },
	{ "leave", CODE("\x53\xc9" CALL_MUNMAP), SYS_MUNMAP, "none" },
	{ "popped too much", CODE("\x58\x50" CALL_MUNMAP), SYS_MUNMAP, "none" },
	{ "frame too large", CODE("\x48\x81\xec\x00\x00\x00\x7f" CALL_MUNMAP), SYS_MUNMAP, "none" },
	{ "behind a ret", CODE("\xc3" CALL_MUNMAP), SYS_MUNMAP, "none" },
	{ "behind a jmp", CODE("\xeb\x01\x90" CALL_MUNMAP), SYS_MUNMAP, "none" },
};

static const struct syscall_case number_syscalls[] = {
	{ "mov rax", CODE("\x48\xc7\xc0\x0b\x00\x00\x00" SYSCALL CMP_JAE_RET), SYS_MUNMAP,
	  "+15 0 jnb +0x03" },
	{ "jump over in between", CODE(MOV_MUNMAP "\x74\x0c" SYSCALL CMP_JAE_RET "\x90"),
	  SYS_MUNMAP, "+15 0 jnb +0x03" },
	{ "another call first", CODE(MOV_CLOSE SYSCALL CALL_MUNMAP), SYS_MUNMAP,
	  "+20 0 jnb +0x03" },
	{ "another call behind", CODE(CALL_MUNMAP MOV_CLOSE SYSCALL "\xc3"), SYS_MUNMAP,
	  "+13 0 jnb +0x03" },
	{ "last mov counts", CODE(MOV_MUNMAP MOV_CLOSE SYSCALL CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "last mov counts, too", CODE(MOV_MUNMAP MOV_CLOSE SYSCALL CMP_JAE_RET), SYS_CLOSE,
	  "+18 0 jnb +0x03" },
	{ "the same call twice", CODE(CALL_MUNMAP CALL_MUNMAP), SYS_MUNMAP, "none" },
	{ "the same call twice, in one go", CODE(MOV_MUNMAP SYSCALL "\x73\x20" CALL_MUNMAP),
	  SYS_MUNMAP, "none" },
	{ "a call nobody knows", CODE(CALL_MUNMAP "\x89\xf8" SYSCALL "\xc3"), SYS_MUNMAP, "none" },
	{ "result taken for a number", CODE(CALL_MUNMAP SYSCALL), SYS_MUNMAP, "none" },
	{ "no mov", CODE("\x90" SYSCALL CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "mov ecx", CODE("\xb9\x0b\x00\x00\x00" SYSCALL CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "mov al", CODE("\xb0\x0b" SYSCALL CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "al changed", CODE(MOV_MUNMAP "\xb0\x0b" SYSCALL CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "eax computed", CODE(MOV_MUNMAP "\xff\xc8" SYSCALL CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "call in between", CODE(MOV_MUNMAP "\xe8\x00\x01\x00\x00" SYSCALL CMP_JAE_RET),
	  SYS_MUNMAP, "none" },
	{ "syscall in between", CODE(MOV_MUNMAP SYSCALL SYSCALL CMP_JAE_RET), SYS_MUNMAP, "none" },
};

static const struct syscall_case behind_syscalls[] = {
	{ "jae at once", CODE(MOV_MUNMAP SYSCALL "\x73\x01\xc3\xc3"), SYS_MUNMAP,
	  "+7 0 jnb +0x03" },
	{ "ecx written", CODE(MOV_MUNMAP SYSCALL "\x31\xc9" CMP_JAE_RET), SYS_MUNMAP,
	  "+15 0 jnb +0x03" },
	{ "eax written", CODE(MOV_MUNMAP SYSCALL "\xf7\xd8" CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "edi written", CODE(MOV_MUNMAP SYSCALL "\x31\xff" CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "esi written", CODE(MOV_MUNMAP SYSCALL "\x31\xf6" CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "edx written", CODE(MOV_MUNMAP SYSCALL "\x31\xd2" CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "r8 written", CODE(MOV_MUNMAP SYSCALL "\x45\x31\xc0" CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "r9 written", CODE(MOV_MUNMAP SYSCALL "\x45\x31\xc9" CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "r10 written", CODE(MOV_MUNMAP SYSCALL "\x45\x31\xd2" CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "push", CODE(MOV_MUNMAP SYSCALL "\x53" CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "ret", CODE(MOV_MUNMAP SYSCALL "\xc3" CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "jmp", CODE(MOV_MUNMAP SYSCALL "\xeb\x10" CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "call", CODE(MOV_MUNMAP SYSCALL "\xe8\x00\x01\x00\x00" CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "ud2", CODE(MOV_MUNMAP SYSCALL "\x0f\x0b" CMP_JAE_RET), SYS_MUNMAP, "none" },
	{ "hinted jae", CODE(MOV_MUNMAP SYSCALL "\x3e\x73\x01\xc3\xc3"), SYS_MUNMAP, "none" },
	{ "jrcxz", CODE(MOV_MUNMAP SYSCALL "\xe3\x01\xc3\xc3"), SYS_MUNMAP, "none" },
	{ "nothing", CODE(MOV_MUNMAP SYSCALL), SYS_MUNMAP, "none" },
	{ "bad bytes", CODE(CALL_MUNMAP "\x06"), SYS_MUNMAP, "none" },
	{ "cut", CODE(CALL_MUNMAP "\x48"), SYS_MUNMAP, "none" },
	{ "jump table", CODE(CALL_MUNMAP "\xff\x24\xc2"), SYS_MUNMAP, "none" },
	/* CALL_MUNMAP is 17 bytes: back to its mov, syscall, cmp, jae and ret. */
	{ "joined at the mov", CODE(CALL_MUNMAP "\xeb\xed"), SYS_MUNMAP, "+13 0 jnb +0x03" },
	{ "joined at the syscall", CODE(CALL_MUNMAP "\xeb\xf2"), SYS_MUNMAP, "none" },
	{ "joined at the cmp", CODE(CALL_MUNMAP "\xeb\xf4"), SYS_MUNMAP, "none" },
	{ "joined at the jae", CODE(CALL_MUNMAP "\xeb\xfa"), SYS_MUNMAP, "none" },
	{ "joined at the ret", CODE(CALL_MUNMAP "\xeb\xfc"), SYS_MUNMAP, "+13 0 jnb +0x03" },
	{ "empty", CODE(""), SYS_MUNMAP, "none" },
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* "glibc free: +3 jz +0xc5", or "stepped" for an instruction the kernel must step over. */
static void describe_entry(const struct entry_case *entry, char *text, size_t size)
{
	struct probe_site site;
	char place[32] = "stepped";

	prologue__entry_site(entry->code, entry->size, entry->args, &site);
	if (site.emulated)
		snprintf(place, sizeof(place), "+%" PRIu32, site.offset);
	else if (site.offset != 0)
		snprintf(place, sizeof(place), "stepped +%" PRIu32, site.offset);
	snprintf(text, size, "%s: %s %s%s", entry->name, place, site.text,
		 site.stack_bytes ? ", in a frame" : "");
}

/* "glibc mremap: +54 88 jnbe +0x5a", with the bytes of stack between, or "none". */
static void describe_syscall(const struct syscall_case *call, char *text, size_t size)
{
	struct probe_site site;

	if (!prologue__syscall_site(call->code, call->size, call->number, &site))
		snprintf(text, size, "%s: none", call->name);
	else
		snprintf(text, size, "%s: +%" PRIu32 " %" PRIu32 " %s%s", call->name, site.offset,
			 site.stack_bytes, site.text, site.emulated ? "" : ", stepped");
}

static void check_entries(const struct entry_case *entries, size_t count)
{
	char got[128], want[128];
	size_t i;

	for (i = 0; i < count; i++) {
		describe_entry(&entries[i], got, sizeof(got));
		snprintf(want, sizeof(want), "%s: %s", entries[i].name, entries[i].want);
		CHECK_STR(got, want);
	}
}

static void check_syscalls(const struct syscall_case *calls, size_t count)
{
	char got[128], want[128];
	size_t i;

	for (i = 0; i < count; i++) {
		describe_syscall(&calls[i], got, sizeof(got));
		snprintf(want, sizeof(want), "%s: %s", calls[i].name, calls[i].want);
		CHECK_STR(got, want);
	}
}

TEST(entry_of_library_functions)
{
	check_entries(library_entries, COUNT(library_entries));
}

TEST(entry_on_every_emulated_instruction)
{
	check_entries(emulated_entries, COUNT(emulated_entries));
}

TEST(entry_refuses_what_is_not_passed_or_moves_the_stack)
{
	check_entries(refused_entries, COUNT(refused_entries));
}

TEST(entry_keeps_the_arguments_asked_for)
{
	check_entries(argument_entries, COUNT(argument_entries));
}

TEST(entry_is_passed_once_per_call)
{
	check_entries(joined_entries, COUNT(joined_entries));
}

TEST(entry_of_code_cut_short)
{
	check_entries(cut_entries, COUNT(cut_entries));
}

TEST(syscall_in_library_functions)
{
	check_syscalls(library_syscalls, COUNT(library_syscalls));
}

TEST(syscall_stack_depth)
{
	check_syscalls(stack_syscalls, COUNT(stack_syscalls));
}

TEST(syscall_number)
{
	check_syscalls(number_syscalls, COUNT(number_syscalls));
}

TEST(syscall_keeps_registers_up_to_the_jump)
{
	check_syscalls(behind_syscalls, COUNT(behind_syscalls));
}

static uint64_t random_state = 0x6d656d7472616365;

static uint64_t random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Half garbage, half pieces of code, so that searches get far enough to go wrong. */
static size_t fill_randomly(uint8_t *code, size_t room)
{
	static const struct {
		const char *bytes;
		size_t size;
	} pieces[] = {
		{ CODE(MOV_MUNMAP) },
		{ CODE(SYSCALL) },
		{ CODE("\x48\x3d\x01\xf0\xff\xff") },
		{ CODE("\x73\x01") },
		{ CODE("\x55") },
		{ CODE("\x5d") },
		{ CODE("\x48\x83\xec") },
		{ CODE("\xc3") },
		{ CODE("\xeb") },
		{ CODE("\x85\xff") },
		{ CODE("\xf3\x0f\x1e\xfa") },
		{ CODE("\x48\x89\xfb") },
		{ CODE("\x0f\x84") },
		{ CODE("\xff\x24\xc2") },
		{ CODE("\x62") },
	};
	bool garbage = random_number() % 2;
	size_t size = 0;

	while (size < room) {
		size_t i = random_number() % (COUNT(pieces) + 1);

		if (garbage || i == COUNT(pieces)) {
			code[size++] = random_number();
		} else {
			if (pieces[i].size > room - size)
				break;
			memcpy(code + size, pieces[i].bytes, pieces[i].size);
			size += pieces[i].size;
		}
	}
	return size;
}

static bool is_jcc(const uint8_t *b)
{
	return (b[0] & 0xf0) == 0x70 || (b[0] == 0x0f && (b[1] & 0xf0) == 0x80);
}

static bool is_emulated(const uint8_t *b)
{
	return is_jcc(b) || (b[0] & 0xf8) == 0x50 || (b[0] == 0x41 && (b[1] & 0xf8) == 0x50) ||
	       b[0] == 0x90 || b[0] == 0xe8 || b[0] == 0xe9 || b[0] == 0xeb;
}

static bool is_text(const struct probe_site *site)
{
	return site->text[0] != '\0' && memchr(site->text, '\0', sizeof(site->text));
}

static bool check_entry_of(const uint8_t *code, size_t size, unsigned long *moved)
{
	struct probe_site site;

	memset(&site, 0xff, sizeof(site));
	prologue__entry_site(code, size, random_number() % 64, &site);
	*moved += site.offset > 0;
	return is_text(&site) && site.stack_bytes == 0 &&
	       (site.emulated ? site.offset < size && is_emulated(code + site.offset) :
				site.offset == 0);
}

static bool check_syscall_of(const uint8_t *code, size_t size, unsigned long *hits)
{
	struct probe_site site;

	memset(&site, 0xff, sizeof(site));
	if (!prologue__syscall_site(code, size, SYS_MUNMAP, &site))
		return true;
	*hits += 1;
	return is_text(&site) && site.emulated && site.offset >= 7 && site.offset < size &&
	       is_jcc(code + site.offset);
}

/* Each buffer is its own allocation, for ASan to see a byte read past it. */
TEST(garbage)
{
	unsigned long i, moved = 0, hits = 0;

	for (i = 0; i < 100000; i++) {
		size_t room = random_number() % 65;
		uint8_t *code = malloc(room + !room), *exact;
		size_t size = fill_randomly(code, room);
		bool good;

		exact = malloc(size);
		memcpy(exact, code, size);
		good = check_entry_of(exact, size, &moved) && check_syscall_of(exact, size, &hits);
		free(exact);
		free(code);
		CHECK(good);
	}
	/* Or this would have tested nothing. */
	CHECK(moved > 1000);
	CHECK(hits > 10);
}

int main(void)
{
	RUN(entry_of_library_functions);
	RUN(entry_on_every_emulated_instruction);
	RUN(entry_refuses_what_is_not_passed_or_moves_the_stack);
	RUN(entry_keeps_the_arguments_asked_for);
	RUN(entry_is_passed_once_per_call);
	RUN(entry_of_code_cut_short);
	RUN(syscall_in_library_functions);
	RUN(syscall_stack_depth);
	RUN(syscall_number);
	RUN(syscall_keeps_registers_up_to_the_jump);
	RUN(garbage);
	return test_status();
}
