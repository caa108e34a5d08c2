/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Function symbols of an ELF file that nobody vouches for: every offset and size in it is checked.
 * Wraps libelf; the caller opens the file.
 */
#ifndef MEMTRACE_ELF_H
#define MEMTRACE_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file;

struct elf_function {
	uint64_t vaddr;		/* link-time address */
	uint64_t offset;	/* of its first byte in the file; what a uprobe wants */
	uint64_t size;		/* bytes; when the symbol says 0, up to the next known symbol or
				 * section end, at most 4096 */
	bool ifunc;		/* STT_GNU_IFUNC: vaddr is the resolver, not the function */
};

/*
 * Reads the headers of fd, which stays the caller's and must outlive the object. Returns NULL with
 * errno: ENOEXEC not ELF or malformed, ENOTSUP another class, byte order or machine than ours.
 */
struct elf_file *elf_file__new(int fd);
void elf_file__free(struct elf_file *elf);

bool elf_file__has_interpreter(const struct elf_file *elf);	/* PT_INTERP: dynamically linked */
bool elf_file__has_symbols(const struct elf_file *elf);		/* a non-empty .dynsym or .symtab */

/*
 * Look up `count` names at once, each defined function going to found[i], size 0 where there is
 * none. .dynsym first, then .symtab for names not found (static programs). Version suffixes
 * ("@GLIBC_2.2.5", "@@…") are cut off; the default version ("@@" or no suffix) wins over others.
 * Returns the number found or a negative errno.
 */
int elf_file__find_functions(struct elf_file *elf, const char *const *names, size_t count,
			     struct elf_function *found);

/*
 * The function's bytes from the file, at most `room`. Returns how many or a negative errno.
 */
long elf_file__read_code(const struct elf_file *elf, const struct elf_function *function,
			 uint8_t *code, size_t room);

#endif
