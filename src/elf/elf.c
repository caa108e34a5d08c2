// SPDX-License-Identifier: GPL-2.0-only
/*
 * Function symbols of an ELF file. Must not trust it: a traced process may map any file, and change
 * it while we read. So nothing is mapped (a file cut short would be a SIGBUS), tables are copied
 * after a look at their size, and every index into the copies is checked.
 */
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf/elf.h"

/* More than the symbols of any browser; what a hostile file can make us allocate, twice. */
#define TABLE_BYTES_MAX (512ull << 20)
/* Linkers make one or two executable segments. */
#define SEGMENTS_MAX 64
/* How far a function without a size may be thought to reach. */
#define UNSIZED_BYTES_MAX 4096
#define NAME_FILTER_BITS 4096

/* The part of an executable PT_LOAD that has bytes in the file. */
struct segment {
	uint64_t vaddr;
	uint64_t offset;
	uint64_t size;
};

/* A symbol table's section and its names' section; null if the file has none. */
struct table {
	Elf_Scn *symbols;
	Elf_Scn *strings;
	Elf_Scn *versions;	/* parallel to .dynsym */
};

struct elf_file {
	int fd;
	Elf *elf;
	uint64_t file_size;
	bool has_interpreter;
	size_t segment_count;
	struct segment segments[SEGMENTS_MAX];
	struct table dynsym;
	struct table symtab;
};

/* A table's contents, which libelf owns until elf_end(). */
struct symbols {
	const Elf64_Sym *symbols;
	size_t count;
	const char *strings;	/* the last byte is a NUL */
	size_t strings_size;
	const Elf64_Versym *versions;	/* may be NULL */
	size_t version_count;
};

/* How good a symbol is for its name; the better one is taken, of equals the first. */
enum rank {
	RANK_NONE = 0,
	RANK_LOCAL = 1,
	RANK_GLOBAL = 2,
	RANK_DEFAULT = 4,	/* added: the version that new programs link to */
};

struct candidate {
	uint8_t rank;
	uint16_t section;	/* index, as the symbol has it */
	bool settled;		/* by an earlier table */
};

struct search {
	const char *const *names;
	size_t count;
	struct elf_function *found;
	struct candidate *candidates;
	uint64_t filter[NAME_FILTER_BITS / 64];
};

static bool is_within(uint64_t offset, uint64_t size, uint64_t end)
{
	return offset <= end && size <= end - offset;
}

static int check_ident(int fd)
{
	Elf64_Ehdr header;
	ssize_t n;

	n = pread(fd, &header, sizeof(header), 0);
	if (n < 0)
		return -errno;
	if (n < EI_NIDENT || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOTSUP;
	if (n < (ssize_t)sizeof(header))
		return -ENOEXEC;
	if (header.e_machine != EM_X86_64)
		return -ENOTSUP;
	return 0;
}

static void add_segment(struct elf_file *elf, const GElf_Phdr *phdr)
{
	uint64_t size = phdr->p_filesz;

	if (phdr->p_offset >= elf->file_size || elf->segment_count == SEGMENTS_MAX)
		return;
	/* A file cut short keeps the functions it still has. */
	if (size > elf->file_size - phdr->p_offset)
		size = elf->file_size - phdr->p_offset;
	elf->segments[elf->segment_count++] = (struct segment){
		.vaddr = phdr->p_vaddr,
		.offset = phdr->p_offset,
		.size = size,
	};
}

static int read_segments(struct elf_file *elf)
{
	size_t count, i;
	GElf_Phdr phdr;

	if (elf_getphdrnum(elf->elf, &count) != 0)
		return -ENOEXEC;
	for (i = 0; i < count; i++) {
		if (!gelf_getphdr(elf->elf, i, &phdr))
			return -ENOEXEC;
		if (phdr.p_type == PT_INTERP)
			elf->has_interpreter = true;
		if (phdr.p_type == PT_LOAD && (phdr.p_flags & PF_X))
			add_segment(elf, &phdr);
	}
	return 0;
}

/* Takes the first table of its kind that is whole; a file has one of each. */
static void set_table(struct elf_file *elf, struct table *table, Elf_Scn *section,
		      const GElf_Shdr *shdr)
{
	Elf_Scn *strings = elf_getscn(elf->elf, shdr->sh_link);
	GElf_Shdr strings_shdr;

	if (table->symbols || shdr->sh_entsize != sizeof(Elf64_Sym) ||
	    shdr->sh_size < 2 * sizeof(Elf64_Sym)) /* the first symbol is none */
		return;
	if (!strings || !gelf_getshdr(strings, &strings_shdr) ||
	    strings_shdr.sh_type != SHT_STRTAB)
		return;
	table->symbols = section;
	table->strings = strings;
}

/* No error: without section headers, or with broken ones, the file has no symbols. */
static void read_sections(struct elf_file *elf)
{
	Elf_Scn *versions = NULL, *section = NULL;
	uint64_t versions_link = 0;
	GElf_Shdr shdr;

	while ((section = elf_nextscn(elf->elf, section))) {
		if (!gelf_getshdr(section, &shdr))
			return;
		if (shdr.sh_type == SHT_DYNSYM) {
			set_table(elf, &elf->dynsym, section, &shdr);
		} else if (shdr.sh_type == SHT_SYMTAB) {
			set_table(elf, &elf->symtab, section, &shdr);
		} else if (shdr.sh_type == SHT_GNU_versym) {
			versions = section;
			versions_link = shdr.sh_link;
		}
	}
	if (versions && elf->dynsym.symbols && elf_ndxscn(elf->dynsym.symbols) == versions_link)
		elf->dynsym.versions = versions;
}

static int open_elf(struct elf_file *elf)
{
	struct stat st;
	int err;

	if (fstat(elf->fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	elf->file_size = st.st_size;
	err = check_ident(elf->fd);
	if (err)
		return err;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOTSUP;
	elf->elf = elf_begin(elf->fd, ELF_C_READ, NULL);
	if (!elf->elf || elf_kind(elf->elf) != ELF_K_ELF)
		return -ENOEXEC;
	err = read_segments(elf);
	if (err)
		return err;
	read_sections(elf);
	return 0;
}

struct elf_file *elf_file__new(int fd)
{
	struct elf_file *elf;
	int err;

	elf = calloc(1, sizeof(*elf));
	if (!elf)
		return NULL;
	elf->fd = fd;
	err = open_elf(elf);
	if (err) {
		elf_file__free(elf);
		errno = -err;
		return NULL;
	}
	return elf;
}

void elf_file__free(struct elf_file *elf)
{
	if (!elf)
		return;
	elf_end(elf->elf);
	free(elf);
}

bool elf_file__has_interpreter(const struct elf_file *elf)
{
	return elf->has_interpreter;
}

bool elf_file__has_symbols(const struct elf_file *elf)
{
	return elf->dynsym.symbols || elf->symtab.symbols;
}

/* The bytes of a section, or NULL if they are not all in the file. */
static const void *section_bytes(const struct elf_file *elf, Elf_Scn *section, size_t *size)
{
	GElf_Shdr shdr;
	Elf_Data *data;

	/* Asked before libelf allocates for it. A compressed table would not be one. */
	if (!section || !gelf_getshdr(section, &shdr) || shdr.sh_type == SHT_NOBITS ||
	    (shdr.sh_flags & SHF_COMPRESSED) || shdr.sh_size > TABLE_BYTES_MAX ||
	    !is_within(shdr.sh_offset, shdr.sh_size, elf->file_size))
		return NULL;
	data = elf_getdata(section, NULL);
	if (!data || !data->d_buf)
		return NULL;
	*size = data->d_size;
	return data->d_buf;
}

static bool load_symbols(const struct elf_file *elf, const struct table *table,
			 struct symbols *symbols)
{
	const char *end;
	size_t size;

	*symbols = (struct symbols){ 0 };
	symbols->symbols = section_bytes(elf, table->symbols, &size);
	if (!symbols->symbols)
		return false;
	symbols->count = size / sizeof(Elf64_Sym);
	symbols->strings = section_bytes(elf, table->strings, &size);
	if (!symbols->strings)
		return false;
	/* Names behind the last NUL have no end. */
	end = memrchr(symbols->strings, '\0', size);
	if (!end)
		return false;
	symbols->strings_size = end + 1 - symbols->strings;
	symbols->versions = section_bytes(elf, table->versions, &size);
	if (symbols->versions)
		symbols->version_count = size / sizeof(Elf64_Versym);
	return true;
}

static bool is_name_end(char c)
{
	return c == '\0' || c == '@';
}

/* Of the first characters, so that nearly all symbols are told apart without reading on. */
static unsigned int filter_bit(const char *name)
{
	unsigned int hash = 0;
	int i;

	for (i = 0; i < 5 && !is_name_end(name[i]); i++)
		hash = hash * 31 + (unsigned char)name[i];
	return hash % NAME_FILTER_BITS;
}

static bool is_same_name(const char *symbol, const char *name)
{
	while (*name && *symbol == *name) {
		symbol++;
		name++;
	}
	return *name == '\0' && is_name_end(*symbol);
}

static const struct segment *find_segment(const struct elf_file *elf, uint64_t vaddr)
{
	size_t i;

	for (i = 0; i < elf->segment_count; i++) {
		const struct segment *segment = &elf->segments[i];

		if (vaddr >= segment->vaddr && vaddr - segment->vaddr < segment->size)
			return segment;
	}
	return NULL;
}

static bool is_defined(const Elf64_Sym *symbol)
{
	return symbol->st_shndx != SHN_UNDEF &&
	       (symbol->st_shndx < SHN_LORESERVE || symbol->st_shndx == SHN_XINDEX);
}

static bool is_function(const Elf64_Sym *symbol)
{
	int type = ELF64_ST_TYPE(symbol->st_info);

	return type == STT_FUNC || type == STT_GNU_IFUNC;
}

/*
 * .symtab spells the version out behind the name, .dynsym has a table with a bit for those that are
 * kept for old programs only.
 */
static uint8_t rank_symbol(const struct symbols *symbols, size_t index, const char *suffix)
{
	const Elf64_Sym *symbol = &symbols->symbols[index];
	uint8_t rank = ELF64_ST_BIND(symbol->st_info) == STB_LOCAL ? RANK_LOCAL : RANK_GLOBAL;
	bool hidden = index < symbols->version_count && (symbols->versions[index] & 0x8000);

	if (!hidden && (suffix[0] == '\0' || suffix[1] == '@'))
		rank += RANK_DEFAULT;
	return rank;
}

/* A size past the segment is cut; one of 0 is left to set_missing_sizes(). */
static void take_symbol(const struct elf_file *elf, const Elf64_Sym *symbol,
			struct elf_function *function)
{
	const struct segment *segment = find_segment(elf, symbol->st_value);
	uint64_t into = symbol->st_value - segment->vaddr;
	uint64_t room = segment->size - into;

	*function = (struct elf_function){
		.vaddr = symbol->st_value,
		.offset = segment->offset + into,
		.size = symbol->st_size < room ? symbol->st_size : room,
		.ifunc = ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC,
	};
}

static void match_symbol(const struct elf_file *elf, const struct symbols *symbols, size_t index,
			 const char *name, struct search *search)
{
	const Elf64_Sym *symbol = &symbols->symbols[index];
	size_t i;

	for (i = 0; i < search->count; i++) {
		struct candidate *candidate = &search->candidates[i];
		uint8_t rank;

		if (candidate->settled || !is_same_name(name, search->names[i]))
			continue;
		rank = rank_symbol(symbols, index, name + strlen(search->names[i]));
		if (rank <= candidate->rank || !find_segment(elf, symbol->st_value))
			continue;
		candidate->rank = rank;
		candidate->section = symbol->st_shndx;
		take_symbol(elf, symbol, &search->found[i]);
	}
}

static void match_symbols(const struct elf_file *elf, const struct symbols *symbols,
			  struct search *search)
{
	size_t index;

	for (index = 1; index < symbols->count; index++) {
		const Elf64_Sym *symbol = &symbols->symbols[index];
		unsigned int bit;
		const char *name;

		if (!is_function(symbol) || !is_defined(symbol) ||
		    symbol->st_name >= symbols->strings_size)
			continue;
		name = symbols->strings + symbol->st_name;
		bit = filter_bit(name);
		if (search->filter[bit / 64] & (1ull << (bit % 64)))
			match_symbol(elf, symbols, index, name, search);
	}
}

/* Bytes from vaddr to the end of its section, or of its segment should the section be a lie. */
static uint64_t room_behind(const struct elf_file *elf, uint16_t index, uint64_t vaddr)
{
	const struct segment *segment = find_segment(elf, vaddr);
	uint64_t room = segment->size - (vaddr - segment->vaddr);
	Elf_Scn *section = elf_getscn(elf->elf, index);
	GElf_Shdr shdr;

	if (section && gelf_getshdr(section, &shdr) && vaddr >= shdr.sh_addr &&
	    vaddr - shdr.sh_addr < shdr.sh_size && shdr.sh_size - (vaddr - shdr.sh_addr) < room)
		room = shdr.sh_size - (vaddr - shdr.sh_addr);
	return room;
}

static bool may_end_function(const Elf64_Sym *symbol)
{
	return is_defined(symbol) &&
	       (is_function(symbol) || ELF64_ST_TYPE(symbol->st_info) == STT_NOTYPE);
}

/* Hand-written assembly may forget the size: guess up to whatever comes next. */
static void set_missing_sizes(const struct elf_file *elf, const struct symbols *symbols,
			      struct search *search)
{
	size_t i, index;

	for (i = 0; i < search->count; i++) {
		const struct candidate *candidate = &search->candidates[i];
		struct elf_function *function = &search->found[i];
		uint64_t size;

		if (candidate->settled || candidate->rank == RANK_NONE || function->size > 0)
			continue;
		size = room_behind(elf, candidate->section, function->vaddr);
		size = size < UNSIZED_BYTES_MAX ? size : UNSIZED_BYTES_MAX;
		for (index = 1; index < symbols->count; index++) {
			const Elf64_Sym *symbol = &symbols->symbols[index];

			if (may_end_function(symbol) && symbol->st_value > function->vaddr &&
			    symbol->st_value - function->vaddr < size)
				size = symbol->st_value - function->vaddr;
		}
		function->size = size;
	}
}

/* Looks for what is not found yet; says how much that leaves. */
static size_t search_table(const struct elf_file *elf, const struct table *table,
			   struct search *search)
{
	struct symbols symbols;
	size_t missing = 0, i;

	if (!table->symbols || !load_symbols(elf, table, &symbols))
		return search->count;
	match_symbols(elf, &symbols, search);
	set_missing_sizes(elf, &symbols, search);
	for (i = 0; i < search->count; i++) {
		search->candidates[i].settled = search->candidates[i].rank != RANK_NONE;
		missing += !search->candidates[i].settled;
	}
	return missing;
}

int elf_file__find_functions(struct elf_file *elf, const char *const *names, size_t count,
			     struct elf_function *found)
{
	struct search search = { .names = names, .count = count, .found = found };
	unsigned int bit;
	int hits = 0;
	size_t i;

	memset(found, 0, count * sizeof(*found));
	if (count == 0)
		return 0;
	search.candidates = calloc(count, sizeof(*search.candidates));
	if (!search.candidates)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		bit = filter_bit(names[i]);
		search.filter[bit / 64] |= 1ull << (bit % 64);
	}
	if (search_table(elf, &elf->dynsym, &search) > 0)
		search_table(elf, &elf->symtab, &search);
	for (i = 0; i < count; i++)
		hits += search.candidates[i].rank != RANK_NONE;
	free(search.candidates);
	return hits;
}

long elf_file__read_code(const struct elf_file *elf, const struct elf_function *function,
			 uint8_t *code, size_t room)
{
	size_t want = function->size < room ? function->size : room, have = 0;
	ssize_t n;

	while (have < want) {
		n = pread(elf->fd, code + have, want - have, function->offset + have);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		have += n > 0 ? n : 0;
	}
	return have;
}
