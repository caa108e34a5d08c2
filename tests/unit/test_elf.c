// SPDX-License-Identifier: GPL-2.0-only
/*
 * Function symbols: of the libc this very process runs on, which the dynamic linker can contradict;
 * of this test program; and of a small ELF file made here, to get every detail wrong at will.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elf/elf.h"
#include "test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct object {
	const char *suffix;	/* of its path; "" is the program */
	uintptr_t base;
	char path[4096];
};

static int find_object(struct dl_phdr_info *info, size_t size, void *data)
{
	struct object *object = data;
	size_t length = strlen(info->dlpi_name), suffix = strlen(object->suffix);

	(void)size;
	if (suffix > length || strcmp(info->dlpi_name + length - suffix, object->suffix) != 0)
		return 0;
	object->base = info->dlpi_addr;
	snprintf(object->path, sizeof(object->path), "%s",
		 suffix ? info->dlpi_name : "/proc/self/exe");
	return 1;
}

/* Whether the file's code is what memory has at the address, and there is some. */
static bool is_in_memory(struct elf_file *elf, const struct elf_function *function, const void *at)
{
	static uint8_t code[65536];
	long n = elf_file__read_code(elf, function, code, sizeof(code));

	return n > 0 && (uint64_t)n == function->size && memcmp(code, at, n) == 0;
}

static const char *const libc_names[] = {
	"malloc",	  "free", "calloc", "realloc",
	"posix_memalign", "mmap", "munmap", "no_such_function_at_all",
};

static const char *check_libc(struct elf_file *elf, void *libc, uintptr_t base)
{
	struct elf_function found[COUNT(libc_names)];
	size_t i, missing = COUNT(libc_names) - 1;

	if (elf_file__find_functions(elf, libc_names, COUNT(libc_names), found) != (int)missing)
		return "count";
	if (found[missing].size != 0)
		return libc_names[missing];
	for (i = 0; i < missing; i++) {
		const void *at = dlsym(libc, libc_names[i]);

		if (!at || found[i].ifunc || base + found[i].vaddr != (uintptr_t)at ||
		    !is_in_memory(elf, &found[i], at))
			return libc_names[i];
	}
	return "";
}

TEST(running_libc)
{
	struct object object = { .suffix = "/libc.so.6" };
	void *libc = dlopen("libc.so.6", RTLD_NOW);
	struct elf_file *elf;
	const char *wrong;
	int fd;

	if (!libc || !dl_iterate_phdr(find_object, &object))
		SKIP("this C library is not glibc");
	fd = open(object.path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	elf = elf_file__new(fd);
	CHECK(elf);
	CHECK(elf_file__has_symbols(elf));
	wrong = check_libc(elf, libc, object.base);
	elf_file__free(elf);
	close(fd);
	dlclose(libc);
	CHECK_STR(wrong, "");
}

TEST(running_libc_has_indirect_functions)
{
	static const char *const name = "strlen";
	struct object object = { .suffix = "/libc.so.6" };
	struct elf_function found;
	struct elf_file *elf;
	int fd, n;

	if (!dl_iterate_phdr(find_object, &object))
		SKIP("this C library is not glibc");
	fd = open(object.path, O_RDONLY | O_CLOEXEC);
	elf = elf_file__new(fd);
	CHECK(elf);
	n = elf_file__find_functions(elf, &name, 1, &found);
	elf_file__free(elf);
	close(fd);
	CHECK_U64(n, 1);
	CHECK(found.ifunc);
}

/* In .symtab only, like all of a static program. */
static __attribute__((noinline, used)) int function_nobody_exports(int a)
{
	static volatile int sum;

	sum += a;
	return sum;
}

TEST(own_static_function)
{
	static const char *const name = "function_nobody_exports";
	struct object object = { .suffix = "" };
	struct elf_function found;
	struct elf_file *elf;
	bool dynamic, same;
	int fd, n;

	CHECK(dl_iterate_phdr(find_object, &object));
	fd = open(object.path, O_RDONLY | O_CLOEXEC);
	elf = elf_file__new(fd);
	CHECK(elf);
	n = elf_file__find_functions(elf, &name, 1, &found);
	dynamic = elf_file__has_interpreter(elf);
	same = n == 1 && is_in_memory(elf, &found, (const void *)function_nobody_exports);
	elf_file__free(elf);
	close(fd);
	CHECK_U64(n, 1);
	CHECK(dynamic);
	CHECK(object.base + found.vaddr == (uintptr_t)function_nobody_exports);
	CHECK(same);
}

/*
 * The file made here: two segments, of which the second is code, at another distance from its
 * offset; sections for two symbol tables, their names and the versions of the first.
 */
#define TEXT_VADDR 0x401000
#define TEXT_SIZE 0x800
#define DATA_VADDR 0x200000
#define SYMBOLS_MAX 24
#define NAMES_MAX 512

enum {
	NO_SECTION,
	DYNSYM,
	DYNSTR,
	VERSYM,
	SYMTAB,
	STRTAB,
	TEXT,
	SECTIONS,
};

struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segments[3];
	Elf64_Shdr sections[SECTIONS];
	Elf64_Sym dynsym[SYMBOLS_MAX];
	Elf64_Sym symtab[SYMBOLS_MAX];
	Elf64_Versym versym[SYMBOLS_MAX];
	char dynstr[NAMES_MAX];
	char strtab[NAMES_MAX];
	uint8_t text[TEXT_SIZE];
};

static void set_section(struct image *image, int index, uint32_t type, size_t offset, uint32_t link,
			size_t entry_size)
{
	image->sections[index] = (Elf64_Shdr){
		.sh_type = type,
		.sh_offset = offset,
		.sh_link = link,
		.sh_entsize = entry_size,
		.sh_addralign = 1,
	};
}

static void set_headers(struct image *image)
{
	image->header = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phoff = offsetof(struct image, segments),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
		.e_shoff = offsetof(struct image, sections),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = SECTIONS,
	};
	image->segments[0] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W,
		.p_vaddr = DATA_VADDR,
		.p_filesz = sizeof(*image),
		.p_memsz = sizeof(*image),
	};
	image->segments[1] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_offset = offsetof(struct image, text),
		.p_vaddr = TEXT_VADDR,
		.p_filesz = TEXT_SIZE,
		.p_memsz = 2 * TEXT_SIZE,
	};
}

static struct image *new_image(void)
{
	struct image *image = calloc(1, sizeof(*image));
	size_t i;

	set_headers(image);
	set_section(image, DYNSYM, SHT_DYNSYM, offsetof(struct image, dynsym), DYNSTR,
		    sizeof(Elf64_Sym));
	set_section(image, SYMTAB, SHT_SYMTAB, offsetof(struct image, symtab), STRTAB,
		    sizeof(Elf64_Sym));
	set_section(image, VERSYM, SHT_GNU_versym, offsetof(struct image, versym), DYNSYM,
		    sizeof(Elf64_Versym));
	set_section(image, DYNSTR, SHT_STRTAB, offsetof(struct image, dynstr), 0, 0);
	set_section(image, STRTAB, SHT_STRTAB, offsetof(struct image, strtab), 0, 0);
	set_section(image, TEXT, SHT_PROGBITS, offsetof(struct image, text), 0, 0);
	image->sections[DYNSYM].sh_size = sizeof(Elf64_Sym);
	image->sections[SYMTAB].sh_size = sizeof(Elf64_Sym);
	image->sections[DYNSTR].sh_size = 1;
	image->sections[STRTAB].sh_size = 1;
	image->sections[TEXT].sh_addr = TEXT_VADDR;
	image->sections[TEXT].sh_size = TEXT_SIZE - 0x100;
	for (i = 0; i < TEXT_SIZE; i++)
		image->text[i] = i * 7 + i / 256;
	return image;
}

/* Appends a global function of that size, `at` bytes into the text, and returns it for changes. */
static Elf64_Sym *add_symbol(struct image *image, int table, const char *name, uint64_t at,
			     uint64_t size)
{
	Elf64_Shdr *symbols = &image->sections[table];
	Elf64_Shdr *names = &image->sections[symbols->sh_link];
	char *strings = table == DYNSYM ? image->dynstr : image->strtab;
	Elf64_Sym *symbol = table == DYNSYM ? image->dynsym : image->symtab;

	symbol += symbols->sh_size / sizeof(*symbol);
	symbol->st_name = names->sh_size;
	symbol->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
	symbol->st_shndx = TEXT;
	symbol->st_value = TEXT_VADDR + at;
	symbol->st_size = size;
	strcpy(strings + names->sh_size, name);
	names->sh_size += strlen(name) + 1;
	symbols->sh_size += sizeof(*symbol);
	if (table == DYNSYM)
		image->sections[VERSYM].sh_size =
			symbols->sh_size / sizeof(*symbol) * sizeof(Elf64_Versym);
	return symbol;
}

static int write_file(const void *bytes, size_t size)
{
	int fd = memfd_create("test_elf", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, bytes, size) != (ssize_t)size) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Looks names up in the image, which it frees. Negative errno when that is no ELF file to us. */
static int find_in(struct image *image, const char *const *names, size_t count,
		   struct elf_function *found)
{
	int fd = write_file(image, sizeof(*image));
	struct elf_file *elf = elf_file__new(fd);
	int n = elf ? elf_file__find_functions(elf, names, count, found) : -errno;

	elf_file__free(elf);
	close(fd);
	free(image);
	return n;
}

/* One name and one answer. */
static struct elf_function find_one(struct image *image, const char *name)
{
	struct elf_function found = { 0 };

	find_in(image, &name, 1, &found);
	return found;
}

TEST(offset_in_the_file)
{
	struct image *image = new_image();
	struct elf_function found;

	add_symbol(image, DYNSYM, "malloc", 0x40, 0x20);
	found = find_one(image, "malloc");
	CHECK_U64(found.vaddr, TEXT_VADDR + 0x40);
	CHECK_U64(found.offset, offsetof(struct image, text) + 0x40);
	CHECK_U64(found.size, 0x20);
	CHECK(!found.ifunc);
}

TEST(code_is_read_from_the_file)
{
	static const char *const name = "malloc";
	struct image *image = new_image();
	struct elf_function found;
	uint8_t all[0x20], some[8];
	struct elf_file *elf;
	long n, fewer;
	int fd;

	add_symbol(image, DYNSYM, name, 0x40, sizeof(all));
	fd = write_file(image, sizeof(*image));
	elf = elf_file__new(fd);
	CHECK(elf);
	elf_file__find_functions(elf, &name, 1, &found);
	n = elf_file__read_code(elf, &found, all, sizeof(all));
	fewer = elf_file__read_code(elf, &found, some, sizeof(some));
	elf_file__free(elf);
	close(fd);
	CHECK_U64(n, sizeof(all));
	CHECK_U64(fewer, sizeof(some));
	CHECK(memcmp(all, image->text + 0x40, sizeof(all)) == 0);
	CHECK(memcmp(some, image->text + 0x40, sizeof(some)) == 0);
	free(image);
}

TEST(code_behind_the_end_of_the_file)
{
	struct elf_function beyond = { .offset = sizeof(struct image), .size = 16 };
	struct elf_function across = { .offset = sizeof(struct image) - 4, .size = 16 };
	struct elf_function absurd = { .offset = UINT64_MAX - 4, .size = 16 };
	struct image *image = new_image();
	int fd = write_file(image, sizeof(*image));
	struct elf_file *elf = elf_file__new(fd);
	uint8_t code[16];
	long n[3];

	CHECK(elf);
	n[0] = elf_file__read_code(elf, &beyond, code, sizeof(code));
	n[1] = elf_file__read_code(elf, &across, code, sizeof(code));
	n[2] = elf_file__read_code(elf, &absurd, code, sizeof(code));
	elf_file__free(elf);
	close(fd);
	free(image);
	CHECK_U64(n[0], 0);
	CHECK_U64(n[1], 4);
	CHECK_U64(n[2], -EINVAL);
}

TEST(aliases_and_several_names)
{
	static const char *const names[] = { "cfree", "nothing", "free", "fre", "malloc", "free" };
	struct elf_function found[COUNT(names)];
	struct image *image = new_image();

	add_symbol(image, DYNSYM, "malloc", 0, 0x10);
	add_symbol(image, DYNSYM, "free", 0x40, 0x20);
	add_symbol(image, DYNSYM, "freeze", 0x100, 0x10);
	add_symbol(image, DYNSYM, "cfree", 0x40, 0x20);
	CHECK_U64(find_in(image, names, COUNT(names), found), 4);
	CHECK_U64(found[0].vaddr, TEXT_VADDR + 0x40);
	CHECK_U64(found[1].size, 0);
	CHECK_U64(found[2].vaddr, TEXT_VADDR + 0x40);
	CHECK_U64(found[3].size, 0);
	CHECK_U64(found[4].vaddr, TEXT_VADDR);
	CHECK_U64(found[5].vaddr, TEXT_VADDR + 0x40);
}

TEST(no_names)
{
	CHECK_U64(find_in(new_image(), NULL, 0, (struct elf_function[1]){ 0 }), 0);
}

TEST(only_defined_functions)
{
	static const char *const names[] = { "undefined", "object", "absolute", "indirect",
					     "weak" };
	struct elf_function found[COUNT(names)];
	struct image *image = new_image();

	add_symbol(image, DYNSYM, "undefined", 0, 8)->st_shndx = SHN_UNDEF;
	add_symbol(image, DYNSYM, "object", 0, 8)->st_info =
		ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
	add_symbol(image, DYNSYM, "absolute", 0, 8)->st_shndx = SHN_ABS;
	add_symbol(image, DYNSYM, "indirect", 0, 8)->st_info =
		ELF64_ST_INFO(STB_GLOBAL, STT_GNU_IFUNC);
	add_symbol(image, DYNSYM, "weak", 0, 8)->st_info = ELF64_ST_INFO(STB_WEAK, STT_FUNC);
	CHECK_U64(find_in(image, names, COUNT(names), found), 2);
	CHECK_U64(found[0].size + found[1].size + found[2].size, 0);
	CHECK(found[3].size == 8 && found[3].ifunc);
	CHECK(found[4].size == 8 && !found[4].ifunc);
}

TEST(only_code_in_the_file)
{
	static const char *const names[] = { "data", "below", "bss", "last", "none" };
	struct elf_function found[COUNT(names)];
	struct image *image = new_image();

	add_symbol(image, DYNSYM, "data", 0, 8)->st_value = DATA_VADDR + 8;
	add_symbol(image, DYNSYM, "below", -1, 8);
	add_symbol(image, DYNSYM, "bss", TEXT_SIZE, 8);
	add_symbol(image, DYNSYM, "last", TEXT_SIZE - 1, 8);
	add_symbol(image, DYNSYM, "none", 0, 8)->st_value = 0;
	CHECK_U64(find_in(image, names, COUNT(names), found), 1);
	/* Eight bytes it says, but the file has one. */
	CHECK_U64(found[3].size, 1);
	CHECK_U64(found[3].offset, offsetof(struct image, text) + TEXT_SIZE - 1);
}

TEST(dynsym_before_symtab)
{
	static const char *const names[] = { "malloc", "hidden" };
	struct elf_function found[COUNT(names)];
	struct image *image = new_image();

	add_symbol(image, SYMTAB, "malloc", 0x80, 8);
	add_symbol(image, SYMTAB, "hidden", 0xc0, 8);
	/* Even in an old version. */
	add_symbol(image, DYNSYM, "malloc", 0x40, 8);
	image->versym[1] = 0x8002;
	CHECK_U64(find_in(image, names, COUNT(names), found), 2);
	CHECK_U64(found[0].vaddr, TEXT_VADDR + 0x40);
	CHECK_U64(found[1].vaddr, TEXT_VADDR + 0xc0);
}

TEST(static_program)
{
	static const char *const name = "malloc";
	struct image *image = new_image();
	struct elf_function found;
	bool interpreter, symbols;
	struct elf_file *elf;
	int fd, n;

	add_symbol(image, SYMTAB, name, 0x80, 8);
	fd = write_file(image, sizeof(*image));
	elf = elf_file__new(fd);
	CHECK(elf);
	interpreter = elf_file__has_interpreter(elf);
	symbols = elf_file__has_symbols(elf);
	n = elf_file__find_functions(elf, &name, 1, &found);
	elf_file__free(elf);
	close(fd);
	free(image);
	CHECK(!interpreter);
	CHECK(symbols);
	CHECK_U64(n, 1);
	CHECK_U64(found.vaddr, TEXT_VADDR + 0x80);
}

TEST(interpreter)
{
	struct image *image = new_image();
	struct elf_file *elf;
	bool interpreter;
	int fd;

	image->header.e_phnum = 3;
	image->segments[2].p_type = PT_INTERP;
	fd = write_file(image, sizeof(*image));
	elf = elf_file__new(fd);
	CHECK(elf);
	interpreter = elf_file__has_interpreter(elf);
	elf_file__free(elf);
	close(fd);
	free(image);
	CHECK(interpreter);
}

TEST(stripped)
{
	struct image *image = new_image();
	int fd = write_file(image, sizeof(*image));
	struct elf_file *elf = elf_file__new(fd);
	bool symbols;

	CHECK(elf);
	/* Both tables are there, with nothing but the first symbol, which is none. */
	symbols = elf_file__has_symbols(elf);
	elf_file__free(elf);
	close(fd);
	CHECK(!symbols);

	image->header.e_shoff = 0;
	image->header.e_shnum = 0;
	CHECK_U64(find_one(image, "malloc").size, 0);
}

TEST(version_in_the_name)
{
	struct image *image = new_image();

	add_symbol(image, SYMTAB, "malloc@OLD", 0x10, 8);
	add_symbol(image, SYMTAB, "malloc@@NEW", 0x20, 8);
	add_symbol(image, SYMTAB, "malloc@OLDER", 0x30, 8);
	CHECK_U64(find_one(image, "malloc").vaddr, TEXT_VADDR + 0x20);

	image = new_image();
	add_symbol(image, SYMTAB, "malloc@OLD", 0x10, 8);
	CHECK_U64(find_one(image, "malloc").vaddr, TEXT_VADDR + 0x10);

	image = new_image();
	add_symbol(image, SYMTAB, "malloc@OLD", 0x10, 8);
	add_symbol(image, SYMTAB, "malloc", 0x20, 8);
	CHECK_U64(find_one(image, "malloc").vaddr, TEXT_VADDR + 0x20);
}

TEST(version_in_its_table)
{
	struct image *image = new_image();

	image->versym[1] = 0x8002;
	image->versym[2] = 3;
	image->versym[3] = 0x8004;
	add_symbol(image, DYNSYM, "malloc", 0x10, 8);
	add_symbol(image, DYNSYM, "malloc", 0x20, 8);
	add_symbol(image, DYNSYM, "malloc", 0x30, 8);
	CHECK_U64(find_one(image, "malloc").vaddr, TEXT_VADDR + 0x20);
}

TEST(global_before_local)
{
	struct image *image = new_image();

	add_symbol(image, SYMTAB, "malloc", 0x10, 8)->st_info =
		ELF64_ST_INFO(STB_LOCAL, STT_FUNC);
	add_symbol(image, SYMTAB, "malloc", 0x20, 8);
	add_symbol(image, SYMTAB, "malloc", 0x30, 8);
	CHECK_U64(find_one(image, "malloc").vaddr, TEXT_VADDR + 0x20);
}

TEST(size_up_to_the_next_symbol)
{
	struct image *image = new_image();

	add_symbol(image, DYNSYM, "far", 0x90, 8);
	add_symbol(image, DYNSYM, "malloc", 0x40, 0);
	add_symbol(image, DYNSYM, "alias", 0x40, 0);
	add_symbol(image, DYNSYM, "before", 0x20, 8);
	add_symbol(image, DYNSYM, "label", 0x70, 0)->st_info =
		ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE);
	add_symbol(image, DYNSYM, "elsewhere", 0x50, 0)->st_shndx = SHN_UNDEF;
	add_symbol(image, SYMTAB, "other_table", 0x60, 0);
	CHECK_U64(find_one(image, "malloc").size, 0x30);
}

TEST(size_up_to_the_end)
{
	struct image *image = new_image();

	add_symbol(image, DYNSYM, "malloc", 0x40, 0);
	CHECK_U64(find_one(image, "malloc").size, TEXT_SIZE - 0x100 - 0x40);

	/* In no section that is true, up to the end of the segment. */
	image = new_image();
	add_symbol(image, DYNSYM, "malloc", 0x40, 0)->st_shndx = DYNSTR;
	CHECK_U64(find_one(image, "malloc").size, TEXT_SIZE - 0x40);

	/* A segment as large as we let no function be. */
	image = new_image();
	image->segments[1].p_offset = 0;
	image->segments[1].p_filesz = sizeof(*image);
	image->segments[1].p_memsz = sizeof(*image);
	image->sections[TEXT].sh_size = sizeof(*image);
	CHECK(sizeof(*image) > 4096 + 0x40);
	add_symbol(image, DYNSYM, "malloc", 0x40, 0);
	CHECK_U64(find_one(image, "malloc").size, 4096);
}

static int open_error(const void *bytes, size_t size)
{
	int fd = write_file(bytes, size);
	struct elf_file *elf;
	int err = 0;

	errno = 0;
	elf = elf_file__new(fd);
	if (!elf)
		err = errno;
	elf_file__free(elf);
	close(fd);
	return err;
}

TEST(not_elf)
{
	static const char archive[] = "!<arch>\nnot an ELF file by far, but long enough for its"
				      " header and something behind it";
	int ends[2];

	CHECK_U64(open_error("", 0), ENOEXEC);
	CHECK_U64(open_error("\177ELF", 4), ENOEXEC);
	CHECK_U64(open_error("#!/bin/sh\nexit 0\n", 17), ENOEXEC);
	CHECK_U64(open_error(archive, sizeof(archive)), ENOEXEC);
	errno = 0;
	CHECK(!elf_file__new(-1));
	CHECK_U64(errno, EBADF);
	CHECK(pipe(ends) == 0);
	CHECK(!elf_file__new(ends[0]));
	CHECK_U64(errno, ENOEXEC);
	close(ends[0]);
	close(ends[1]);
	elf_file__free(NULL);
}

TEST(another_machine)
{
	static const Elf32_Ehdr i386 = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB,
			     EV_CURRENT },
		.e_machine = EM_386,
	};
	struct image *image = new_image();
	int x32, big_endian, arm64, ours;

	ours = open_error(image, sizeof(*image));
	image->header.e_ident[EI_CLASS] = ELFCLASS32;
	x32 = open_error(image, sizeof(*image));
	image->header.e_ident[EI_CLASS] = ELFCLASS64;
	image->header.e_ident[EI_DATA] = ELFDATA2MSB;
	big_endian = open_error(image, sizeof(*image));
	image->header.e_ident[EI_DATA] = ELFDATA2LSB;
	image->header.e_machine = EM_AARCH64;
	arm64 = open_error(image, sizeof(*image));
	free(image);
	CHECK_U64(ours, 0);
	CHECK_U64(x32, ENOTSUP);
	CHECK_U64(big_endian, ENOTSUP);
	CHECK_U64(arm64, ENOTSUP);
	CHECK_U64(open_error(&i386, sizeof(i386)), ENOTSUP);
}

/* What a section header may claim of a table that is sound otherwise. All of it means no table. */
TEST(tables_that_lie)
{
	static const struct {
		int section;
		Elf64_Shdr header;
	} lies[] = {
		{ DYNSYM, { .sh_size = sizeof(struct image) } },
		{ DYNSYM, { .sh_size = (1ull << 62) * 3 } },
		{ DYNSYM, { .sh_offset = sizeof(struct image) } },
		{ DYNSYM, { .sh_offset = UINT64_MAX - 8 } },
		{ DYNSYM, { .sh_entsize = 16 } },
		{ DYNSYM, { .sh_link = SECTIONS } },
		{ DYNSYM, { .sh_link = UINT32_MAX } },
		{ DYNSYM, { .sh_link = TEXT } },
		{ DYNSTR, { .sh_offset = sizeof(struct image) } },
		{ DYNSTR, { .sh_size = UINT64_MAX } },
		{ DYNSTR, { .sh_type = SHT_NOBITS } },
		{ DYNSTR, { .sh_type = SHT_PROGBITS } },
	};
	size_t i;

	for (i = 0; i < COUNT(lies); i++) {
		struct image *image = new_image();
		Elf64_Shdr *header = &image->sections[lies[i].section];
		const Elf64_Shdr *lie = &lies[i].header;

		add_symbol(image, DYNSYM, "malloc", 0x40, 8);
		header->sh_size = lie->sh_size ?: header->sh_size;
		header->sh_offset = lie->sh_offset ?: header->sh_offset;
		header->sh_entsize = lie->sh_entsize ?: header->sh_entsize;
		header->sh_link = lie->sh_link ?: header->sh_link;
		header->sh_type = lie->sh_type ?: header->sh_type;
		CHECK_U64(find_one(image, "malloc").size, 0);
	}
}

TEST(names_that_lie)
{
	struct image *image = new_image();

	/* Behind the table, and in it but with no end. */
	add_symbol(image, DYNSYM, "malloc", 0x10, 8)->st_name = UINT32_MAX;
	add_symbol(image, DYNSYM, "malloc", 0x20, 8);
	image->sections[DYNSTR].sh_size--;
	CHECK_U64(find_one(image, "malloc").size, 0);
}

TEST(sizes_that_lie)
{
	struct elf_function found;
	struct image *image = new_image();

	add_symbol(image, DYNSYM, "malloc", 0x40, UINT64_MAX);
	found = find_one(image, "malloc");
	CHECK_U64(found.size, TEXT_SIZE - 0x40);

	image = new_image();
	image->segments[1].p_filesz = UINT64_MAX;
	image->segments[1].p_memsz = UINT64_MAX;
	add_symbol(image, DYNSYM, "malloc", 0x40, UINT64_MAX);
	found = find_one(image, "malloc");
	CHECK_U64(found.size, TEXT_SIZE - 0x40);

	image = new_image();
	image->segments[1].p_offset = UINT64_MAX - 16;
	add_symbol(image, DYNSYM, "malloc", 0x40, 8);
	CHECK_U64(find_one(image, "malloc").size, 0);
}

static const char *const fuzz_names[] = {
	"malloc", "free", "calloc", "cfree", "function_nobody_exports", "main", "local",
};

/* Opens, looks up, reads; false when an answer is not in the file. */
static bool use_file(int fd, uint64_t file_size, unsigned long *hits)
{
	struct elf_function found[COUNT(fuzz_names)];
	struct elf_file *elf = elf_file__new(fd);
	bool good = true;
	int i, n, expected = 0;
	uint8_t code[256];

	if (!elf)
		return errno == ENOEXEC || errno == ENOTSUP;
	n = elf_file__find_functions(elf, fuzz_names, COUNT(fuzz_names), found);
	for (i = 0; i < (int)COUNT(fuzz_names); i++) {
		uint64_t size = found[i].size;
		long want = size < sizeof(code) ? size : sizeof(code);

		expected += size > 0;
		good &= found[i].offset <= file_size && size <= file_size - found[i].offset &&
			elf_file__read_code(elf, &found[i], code, sizeof(code)) == want;
	}
	elf_file__free(elf);
	*hits += expected;
	return good && n == expected;
}

static uint64_t random_state = 0x6d656d7472616365;

static uint64_t random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static struct image *new_fuzz_image(void)
{
	struct image *image = new_image();

	add_symbol(image, DYNSYM, "malloc", 0, 0x20);
	add_symbol(image, DYNSYM, "free", 0x40, 0);
	add_symbol(image, DYNSYM, "cfree", 0x40, 0);
	add_symbol(image, SYMTAB, "calloc@@NEW", 0x80, 0x20);
	add_symbol(image, SYMTAB, "main", 0xc0, 0);
	add_symbol(image, SYMTAB, "local", 0x100, 0)->st_info =
		ELF64_ST_INFO(STB_LOCAL, STT_FUNC);
	return image;
}

/* A byte, or a field's worth of one sign, which is what breaks sums. */
static void spoil(uint8_t *bytes, size_t size)
{
	size_t at = random_number() % size, length = 1 + random_number() % 8;

	if (random_number() % 2) {
		bytes[at] ^= 1 << random_number() % 8;
		return;
	}
	if (length > size - at)
		length = size - at;
	memset(bytes + at, random_number() % 2 ? 0xff : 0, length);
}

TEST(spoilt_headers_and_tables)
{
	const size_t tables = offsetof(struct image, text);
	unsigned long i, hits = 0;

	for (i = 0; i < 20000; i++) {
		struct image *image = new_fuzz_image();
		int spots = random_number() % 6, fd;
		bool good;

		while (spots--)
			spoil((uint8_t *)image, random_number() % 2 ? tables : 0x240);
		fd = write_file(image, sizeof(*image));
		free(image);
		good = use_file(fd, sizeof(*image), &hits);
		close(fd);
		CHECK(good);
	}
	CHECK(hits > 20000);
}

TEST(cut_anywhere)
{
	struct image *image = new_fuzz_image();
	unsigned long hits = 0, all = 0;
	size_t size;

	for (size = 0; size <= sizeof(*image); size += size < sizeof(*image) - 64 ? 13 : 1) {
		int fd = write_file(image, size);
		bool good;

		all = 0;
		good = use_file(fd, size, &all);
		close(fd);
		hits += all;
		CHECK(good);
	}
	free(image);
	/* The last was whole. */
	CHECK_U64(all, 6);
	CHECK(hits > all);
}

/* This program's first bytes, under real headers that mostly point behind the end. */
TEST(spoilt_program)
{
	static uint8_t original[65536], bytes[65536];
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), copy;
	unsigned long i, hits = 0;
	ssize_t size;

	CHECK(fd >= 0);
	size = pread(fd, original, sizeof(original), 0);
	close(fd);
	CHECK(size > 4096);
	for (i = 0; i < 2000; i++) {
		int spots = random_number() % 32;
		bool good;

		memcpy(bytes, original, size);
		while (spots--)
			spoil(bytes, random_number() % 2 ? (size_t)size : 1024);
		copy = write_file(bytes, size);
		good = use_file(copy, size, &hits);
		close(copy);
		CHECK(good);
	}
}

/* A file cut while it is open: what was promised is gone, and that must be all that happens. */
TEST(cut_while_open)
{
	static const char *const name = "malloc";
	struct image *image = new_fuzz_image();
	int fd = write_file(image, sizeof(*image));
	struct elf_file *elf = elf_file__new(fd);
	struct elf_function found;
	int n;

	free(image);
	CHECK(elf);
	CHECK(ftruncate(fd, 0x100) == 0);
	n = elf_file__find_functions(elf, &name, 1, &found);
	elf_file__free(elf);
	close(fd);
	CHECK_U64(n, 0);
	CHECK_U64(found.size, 0);
}

int main(void)
{
	RUN(running_libc);
	RUN(running_libc_has_indirect_functions);
	RUN(own_static_function);
	RUN(offset_in_the_file);
	RUN(code_is_read_from_the_file);
	RUN(code_behind_the_end_of_the_file);
	RUN(aliases_and_several_names);
	RUN(no_names);
	RUN(only_defined_functions);
	RUN(only_code_in_the_file);
	RUN(dynsym_before_symtab);
	RUN(static_program);
	RUN(interpreter);
	RUN(stripped);
	RUN(version_in_the_name);
	RUN(version_in_its_table);
	RUN(global_before_local);
	RUN(size_up_to_the_next_symbol);
	RUN(size_up_to_the_end);
	RUN(not_elf);
	RUN(another_machine);
	RUN(tables_that_lie);
	RUN(names_that_lie);
	RUN(sizes_that_lie);
	RUN(spoilt_headers_and_tables);
	RUN(cut_anywhere);
	RUN(spoilt_program);
	RUN(cut_while_open);
	return test_status();
}
