// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page states of areas we make ourselves, page by page against what we did to them, against
 * smaps and mincore(2), and one method against the other.
 */
#include "proc/pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/proc.h"
#include "test.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#define MADV_GUARD 102	/* MADV_GUARD_INSTALL, 6.13 */

#define PAGE 4096UL
/* In truth tables, which hold an enum page_state per page. */
#define RESIDENT PAGE_STATE_COUNT

static const char *const method_names[] = { "none", "scan", "read" };
static bool usable[3];
static char unusable_reason[64];

/* An area between two mappings of other permissions, so that smaps has a line for it alone. */
struct area {
	char *start;
	size_t pages;
	uint8_t *truth;
};

static bool area_make(struct area *area, size_t pages)
{
	char *outer = mmap(NULL, (pages + 2) * PAGE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*area = (struct area){ .start = outer + PAGE, .pages = pages };
	if (outer == MAP_FAILED)
		return false;
	madvise(outer, (pages + 2) * PAGE, MADV_NOHUGEPAGE);
	area->truth = malloc(pages);
	memset(area->truth, PAGE_ABSENT, pages);
	return !mprotect(area->start, pages * PAGE, PROT_READ | PROT_WRITE);
}

static void area_free(struct area *area)
{
	munmap(area->start - PAGE, (area->pages + 2) * PAGE);
	free(area->truth);
}

static void write_page(struct area *area, size_t page)
{
	*(volatile char *)(area->start + page * PAGE) = 1;
	area->truth[page] = RESIDENT;
}

static void read_page(struct area *area, size_t page)
{
	(void)*(volatile char *)(area->start + page * PAGE);
	if (area->truth[page] == PAGE_ABSENT)
		area->truth[page] = PAGE_ZERO;
}

static void drop_pages(struct area *area, size_t page, size_t count)
{
	madvise(area->start + page * PAGE, count * PAGE, MADV_DONTNEED);
	memset(area->truth + page, PAGE_ABSENT, count);
}

static int scan_range(enum pagemap_method method, const char *start, size_t bytes,
		      struct page_range_list *ranges)
{
	int fd = proc_open(getpid());
	struct pagemap *pagemap = pagemap__new(fd, method);
	int err = pagemap ? pagemap__begin(pagemap) : -errno;

	if (!err)
		err = pagemap__scan(pagemap, (uintptr_t)start, (uintptr_t)start + bytes, ranges);
	pagemap__free(pagemap);
	close(fd);
	return err;
}

/* Whether the list is sorted, inside the area, and has no two ranges that should be one. */
static bool well_formed(const struct page_range_list *ranges, uint64_t start, uint64_t end)
{
	uint64_t known = start;

	for (size_t i = 0; i < ranges->count; i++) {
		const struct page_range *range = &ranges->items[i];

		if (range->start < known || range->end <= range->start || range->end > end)
			return false;
		if (i && range->start == range[-1].end && range->state == range[-1].state)
			return false;
		known = range->end;
	}
	return true;
}

static void spread(const struct page_range_list *ranges, uint64_t start, uint8_t *states,
		   size_t pages)
{
	memset(states, RESIDENT, pages);
	for (size_t i = 0; i < ranges->count; i++) {
		const struct page_range *range = &ranges->items[i];

		memset(states + (range->start - start) / PAGE, (int)range->state,
		       (range->end - range->start) / PAGE);
	}
}

/* "Rss:" or the like of the mapping that is exactly the area, in bytes; -1 if there is none. */
static int64_t smaps_bytes(const struct area *area, const char *key)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	char line[512], head[64];
	bool inside = false;
	int64_t found = -1;

	snprintf(head, sizeof(head), "%lx-%lx ", (unsigned long)area->start,
		 (unsigned long)area->start + area->pages * PAGE);
	while (smaps && fgets(line, sizeof(line), smaps)) {
		if (strncmp(line, head, strlen(head)) == 0)
			inside = true;
		else if (inside && strncmp(line, key, strlen(key)) == 0)
			found = atoll(line + strlen(key)) * 1024;
		if (found >= 0)
			break;
	}
	if (smaps)
		fclose(smaps);
	return found;
}

static int64_t count_bytes(const uint8_t *states, size_t pages, uint8_t state)
{
	int64_t count = 0;

	for (size_t i = 0; i < pages; i++)
		count += states[i] == state;
	return count * (int64_t)PAGE;
}

/* In anonymous memory that was never swapped, mincore says whether a page is mapped at all. */
static bool mincore_agrees(const struct area *area, const uint8_t *states)
{
	unsigned char *core = malloc(area->pages);
	bool agrees = !mincore(area->start, area->pages * PAGE, core);

	for (size_t i = 0; agrees && i < area->pages; i++)
		agrees = (core[i] & 1) == (states[i] != PAGE_ABSENT);
	free(core);
	return agrees;
}

/* What is wrong with the answer of this method for the area, or NULL. */
static const char *judge(const struct area *area, enum pagemap_method method, bool oracles)
{
	struct page_range_list ranges = { 0 };
	uint64_t start = (uintptr_t)area->start;
	uint8_t *states = malloc(area->pages);
	const char *wrong = NULL;

	if (scan_range(method, area->start, area->pages * PAGE, &ranges))
		wrong = "scan failed";
	else if (!well_formed(&ranges, start, start + area->pages * PAGE))
		wrong = "ranges out of order";
	if (!wrong) {
		spread(&ranges, start, states, area->pages);
		if (memcmp(states, area->truth, area->pages) != 0)
			wrong = "states differ from the truth";
		else if (oracles && smaps_bytes(area, "Rss:") !=
			 count_bytes(states, area->pages, RESIDENT))
			wrong = "Rss of smaps differs";
		else if (oracles && !mincore_agrees(area, states))
			wrong = "mincore differs";
	}
	if (wrong)
		printf("# %s: %s\n", method_names[method], wrong);
	page_range_list__free(&ranges);
	free(states);
	return wrong;
}

static bool judge_all(const struct area *area, bool oracles)
{
	bool good = true;

	for (int method = PAGEMAP_METHOD_SCAN; method <= PAGEMAP_METHOD_READ; method++) {
		if (usable[method] && judge(area, method, oracles))
			good = false;
	}
	return good;
}

static bool agrees(const struct area *area)
{
	return judge_all(area, true);
}

/* For areas the oracles cannot judge: in several mappings, shared, swapped or not mapped. */
static bool agrees_with_truth(const struct area *area)
{
	return judge_all(area, false);
}

#define NEED_ANY()                                                                                 \
	do {                                                                                       \
		if (!usable[PAGEMAP_METHOD_SCAN] && !usable[PAGEMAP_METHOD_READ])                  \
			SKIP("neither PAGEMAP_SCAN nor the privilege to read PFNs");               \
	} while (0)

TEST(scan_usable)
{
	if (!usable[PAGEMAP_METHOD_SCAN])
		SKIP("no PAGEMAP_SCAN on this kernel");
}

TEST(read_usable)
{
	if (!usable[PAGEMAP_METHOD_READ])
		SKIP(unusable_reason);
}

TEST(untouched)
{
	struct area area;
	bool good;

	NEED_ANY();
	CHECK(area_make(&area, 1000));
	good = agrees(&area);
	area_free(&area);
	CHECK(good);
}

TEST(written)
{
	struct area area;
	bool good;

	NEED_ANY();
	CHECK(area_make(&area, 1000));
	for (size_t i = 0; i < area.pages; i++)
		write_page(&area, i);
	good = agrees(&area);
	area_free(&area);
	CHECK(good);
}

TEST(zero_page)
{
	struct area area;
	bool good;

	NEED_ANY();
	CHECK(area_make(&area, 1000));
	for (size_t i = 0; i < area.pages; i++)
		read_page(&area, i);
	good = agrees(&area);
	for (size_t i = 0; i < area.pages; i += 3)
		write_page(&area, i);
	good = agrees(&area) && good;
	area_free(&area);
	CHECK(good);
}

TEST(half_dropped)
{
	struct area area;
	bool good;

	NEED_ANY();
	CHECK(area_make(&area, 4096));
	for (size_t i = 0; i < area.pages; i++)
		write_page(&area, i);
	drop_pages(&area, 1024, 2048);
	good = agrees(&area);
	drop_pages(&area, 0, 4096);
	good = agrees(&area) && good;
	area_free(&area);
	CHECK(good);
}

/*
 * More ranges than the kernel's own buffer of 512, ending at, before and behind its multiples: the
 * stale walk_end.
 */
TEST(alternating)
{
	static const size_t sizes[] = { 1022, 1023, 1024, 1025, 1026, 2048, 3000, 20000 };

	NEED_ANY();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct area area;
		bool good;

		CHECK(area_make(&area, sizes[i]));
		for (size_t page = 0; page < area.pages; page += 2)
			write_page(&area, page);
		good = agrees(&area);
		for (size_t page = 1; page < area.pages; page += 4)
			read_page(&area, page);
		good = agrees(&area) && good;
		area_free(&area);
		CHECK(good);
	}
}

static uint32_t random_next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

/* Runs of random length and kind over more than two pieces of 32 MiB, from sparse to dense. */
TEST(random_states)
{
	uint32_t seed = 1;

	NEED_ANY();
	for (uint32_t density = 1; density <= 8; density++) {
		struct area area;
		bool good;

		CHECK(area_make(&area, 20011));
		for (size_t page = 0; page < area.pages;) {
			size_t run = 1 + random_next(&seed) % (random_next(&seed) % 4 ? 4 : 3000);
			uint32_t kind = random_next(&seed) % 9;

			for (; run && page < area.pages; run--, page++) {
				if (kind < density)
					write_page(&area, page);
				else if (kind == 8)
					read_page(&area, page);
			}
		}
		drop_pages(&area, 7000, 3000);
		good = agrees(&area);
		area_free(&area);
		CHECK(good);
	}
}

/* One page in many: pieces that are nearly empty, holes that are longer than a piece. */
TEST(sparse)
{
	struct area area;
	bool good;

	NEED_ANY();
	CHECK(area_make(&area, 70 * 8192));
	for (size_t i = 12345; i < area.pages; i += 60000)
		write_page(&area, i);
	for (size_t i = 100000; i < 140000; i += 700)
		write_page(&area, i);
	for (size_t i = 140000; i < 150000; i++)
		read_page(&area, i);
	write_page(&area, area.pages - 1);
	good = agrees(&area);
	area_free(&area);
	CHECK(good);
}

/* Scans of parts give the same as the whole, wherever they are cut. */
TEST(parts)
{
	struct area whole, part;
	bool good = true;

	NEED_ANY();
	CHECK(area_make(&whole, 300));
	for (size_t i = 0; i < whole.pages; i++) {
		if (i / 7 % 2)
			write_page(&whole, i);
		else if (i / 14 % 2)
			read_page(&whole, i);
	}
	for (size_t cut = 1; cut < 60; cut++) {
		part = (struct area){ whole.start + cut * PAGE, 150, whole.truth + cut };
		good = agrees_with_truth(&part) && good;
	}
	area_free(&whole);
	CHECK(good);
}

/* Two mappings into one list: appended in order, joined where they touch in the same state. */
TEST(appends)
{
	struct page_range_list ranges = { 0 };
	struct area area;
	size_t count;

	NEED_ANY();
	CHECK(area_make(&area, 100));
	write_page(&area, 10);
	for (size_t i = 0; i < 100; i += 50) {
		CHECK(scan_range(usable[PAGEMAP_METHOD_SCAN] ? PAGEMAP_METHOD_SCAN :
				 PAGEMAP_METHOD_READ, area.start + i * PAGE, 50 * PAGE,
				 &ranges) == 0);
	}
	count = ranges.count;
	page_range_list__free(&ranges);
	area_free(&area);
	CHECK_U64(count, 2);
}

/* The whole huge pages inside `outer`, a mapping of its own since it is advised otherwise. */
static struct area huge_part(const struct area *outer, size_t pages)
{
	uintptr_t start = ((uintptr_t)outer->start + 512 * PAGE - 1) & ~(512 * PAGE - 1);
	size_t first = (start - (uintptr_t)outer->start) / PAGE;

	madvise((char *)start, pages * PAGE, MADV_HUGEPAGE);
	return (struct area){ (char *)start, pages, outer->truth + first };
}

/* After a touch of `page`: what it brought is one page or 512, and smaps tells which. */
static void note_huge(struct area *area, size_t page, int64_t rss_before)
{
	int64_t rss = smaps_bytes(area, "Rss:");

	if (rss == rss_before)	/* by a read: the huge zero page */
		memset(area->truth + page, PAGE_ZERO, 512);
	else if (rss == rss_before + 512 * (int64_t)PAGE)
		memset(area->truth + page, RESIDENT, 512);
}

TEST(huge_pages)
{
	struct area area, part;
	bool good;

	NEED_ANY();
	CHECK(area_make(&area, 4 * 512));
	part = huge_part(&area, 3 * 512);
	write_page(&part, 0);
	note_huge(&part, 0, 0);
	if (part.truth[1] != RESIDENT) {
		area_free(&area);
		SKIP("no transparent huge pages");
	}
	read_page(&part, 512);
	note_huge(&part, 512, 512 * PAGE);
	good = agrees(&part);
	write_page(&part, 1024);
	note_huge(&part, 1024, count_bytes(part.truth, 1024, RESIDENT));
	drop_pages(&part, 1124, 57);
	drop_pages(&part, 300, 100);
	good = agrees(&part) && agrees_with_truth(&area) && good;
	area_free(&area);
	CHECK(good);
}

TEST(guard_regions)
{
	struct area area;
	bool good, has_guard;

	NEED_ANY();
	pagemap_probe(&has_guard);
	if (!has_guard)
		SKIP("no guard category before 6.15");
	CHECK(area_make(&area, 3000));
	for (size_t i = 0; i < area.pages; i++)
		write_page(&area, i);
	drop_pages(&area, 500, 2000);
	CHECK(madvise(area.start + 700 * PAGE, 900 * PAGE, MADV_GUARD) == 0);
	good = agrees(&area);
	area_free(&area);
	CHECK(good);
}

TEST(shared_memory)
{
	struct area area;
	char *mapped;
	bool good;
	int fd;

	NEED_ANY();
	CHECK(area_make(&area, 600));
	fd = memfd_create("pagemap", MFD_CLOEXEC);
	CHECK(fd >= 0 && ftruncate(fd, 600 * PAGE) == 0);
	mapped = mmap(area.start, 600 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		      0);
	close(fd);
	CHECK(mapped == area.start);
	for (size_t i = 0; i < 200; i++)
		write_page(&area, i);
	for (size_t i = 300; i < 600; i += 3)
		write_page(&area, i);
	drop_pages(&area, 50, 50);
	good = agrees_with_truth(&area);
	good = good && smaps_bytes(&area, "Rss:") == count_bytes(area.truth, 600, RESIDENT);
	area_free(&area);
	CHECK(good);
}

TEST(swapped)
{
	struct area area;
	int64_t swapped;
	bool good;

	NEED_ANY();
	CHECK(area_make(&area, 3000));
	for (size_t i = 0; i < area.pages; i++)
		write_page(&area, i);
	madvise(area.start + 100 * PAGE, 1000 * PAGE, MADV_PAGEOUT);
	swapped = smaps_bytes(&area, "Swap:");
	if (swapped != 1000 * (int64_t)PAGE) {
		area_free(&area);
		SKIP(swapped ? "swapped only in part" : "no swap space");
	}
	memset(area.truth + 100, PAGE_SWAPPED, 1000);
	good = agrees_with_truth(&area);
	area_free(&area);
	CHECK(good);
}

TEST(odd_ranges)
{
	struct page_range_list ranges = { 0 };
	enum pagemap_method method = pagemap_probe(&(bool){ false });
	int empty, unaligned, reversed, kernel;
	size_t before;

	NEED_ANY();
	empty = scan_range(method, (char *)PAGE, 0, &ranges);
	unaligned = scan_range(method, (char *)PAGE + 1, PAGE, &ranges);
	reversed = scan_range(method, (char *)(2 * PAGE), (size_t)-PAGE, &ranges);
	before = ranges.count;
	kernel = scan_range(method, (char *)0xffffffffff600000, PAGE, &ranges);
	page_range_list__free(&ranges);
	CHECK(empty == 0);
	CHECK(unaligned == -EINVAL);
	CHECK(reversed == -EINVAL);
	CHECK_U64(before, 0);
	CHECK(kernel == 0);
}

/* A child that has written one page of `area` only and does not map `gone` any more. */
static pid_t start_child(const struct area *area, const struct area *gone)
{
	int ready[2];
	pid_t child;
	char byte;

	if (pipe(ready))
		return -1;
	fflush(stdout);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		madvise(area->start, area->pages * PAGE, MADV_DONTNEED);
		*(volatile char *)area->start = 1;
		munmap(gone->start, gone->pages * PAGE);
		_exit(write(ready[1], "x", 1) == 1 ? pause() : 1);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		child = -1;
	close(ready[0]);
	return child;
}

static int scan_area(struct pagemap *pagemap, const struct area *area, uint64_t *absent_bytes)
{
	struct page_range_list ranges = { 0 };
	uint64_t start = (uintptr_t)area->start;
	int err = pagemap__scan(pagemap, start, start + area->pages * PAGE, &ranges);

	*absent_bytes = 0;
	for (size_t i = 0; i < ranges.count; i++) {
		if (ranges.items[i].state == PAGE_ABSENT)
			*absent_bytes += ranges.items[i].end - ranges.items[i].start;
	}
	page_range_list__free(&ranges);
	return err;
}

/*
 * Another process with other pages at the same addresses, a mapping that went between maps and
 * the scan and must not pass for resident, then the process gone. What is wrong, or NULL.
 */
static const char *watch_child(enum pagemap_method method, struct area *area, struct area *gone)
{
	pid_t child = start_child(area, gone);
	int fd = proc_open(child);
	struct pagemap *pagemap = pagemap__new(fd, method);
	const char *wrong = NULL;
	uint64_t absent_bytes;

	if (!pagemap || pagemap__begin(pagemap))
		wrong = "begin failed";
	else if (scan_area(pagemap, area, &absent_bytes) || absent_bytes != 99 * PAGE)
		wrong = "not one page resident";
	else if (scan_area(pagemap, gone, &absent_bytes) || absent_bytes != 20000 * PAGE)
		wrong = "unmapped memory resident";
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	if (!wrong && (pagemap__begin(pagemap) != -ESRCH ||
		       scan_area(pagemap, area, &absent_bytes) != -ESRCH))
		wrong = "alive after its end";
	pagemap__free(pagemap);
	pagemap = pagemap__new(fd, method);
	if (!wrong && (pagemap || errno != ESRCH))
		wrong = "opened after its end";
	pagemap__free(pagemap);
	close(fd);
	if (wrong)
		printf("# %s: %s\n", method_names[method], wrong);
	return wrong;
}

TEST(other_process)
{
	struct area area, gone;
	bool good = true;

	NEED_ANY();
	CHECK(area_make(&area, 100) && area_make(&gone, 20000));
	for (size_t i = 0; i < area.pages; i++)
		write_page(&area, i);
	for (size_t i = 0; i < gone.pages; i++)
		write_page(&gone, i);
	for (int method = PAGEMAP_METHOD_SCAN; method <= PAGEMAP_METHOD_READ; method++) {
		if (usable[method] && watch_child(method, &area, &gone))
			good = false;
	}
	area_free(&area);
	area_free(&gone);
	CHECK(good);
}

TEST(no_method)
{
	int fd = proc_open(getpid());
	struct pagemap *pagemap;
	int err;

	errno = 0;
	pagemap = pagemap__new(fd, PAGEMAP_METHOD_NONE);
	err = errno;
	close(fd);
	pagemap__free(NULL);
	CHECK(!pagemap && err == EINVAL);
}

/* Bits: READ is refused, the scan works, and the probe says as much. Runs in a child. */
static int try_as_nobody(struct area *area)
{
	struct page_range_list ranges = { 0 };
	bool has_guard;
	int answers = 0;

	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534) ||
	    prctl(PR_SET_DUMPABLE, 1))
		return 64;
	if (scan_range(PAGEMAP_METHOD_READ, area->start, PAGE, &ranges) == -EPERM)
		answers |= 1;
	if (usable[PAGEMAP_METHOD_SCAN] && !judge(area, PAGEMAP_METHOD_SCAN, false))
		answers |= 2;
	if (pagemap_probe(&has_guard) == PAGEMAP_METHOD_SCAN)
		answers |= 4;
	else if (has_guard)
		answers |= 8;
	return answers;
}

TEST(without_privilege)
{
	struct area area;
	int status;
	pid_t child;

	if (geteuid() != 0)
		SKIP("only root can give up privileges");
	CHECK(area_make(&area, 100));
	fflush(stdout);
	child = fork();
	if (child == 0) {
		drop_pages(&area, 0, 100);
		for (size_t i = 0; i < 60; i++)
			i % 2 ? write_page(&area, i) : read_page(&area, i);
		_exit(try_as_nobody(&area));
	}
	waitpid(child, &status, 0);
	area_free(&area);
	CHECK(WIFEXITED(status));
	CHECK(WEXITSTATUS(status) == (usable[PAGEMAP_METHOD_SCAN] ? 7 : 1));
}

static void find_usable(void)
{
	struct page_range_list ranges = { 0 };
	char *start = (char *)((uintptr_t)usable & ~(PAGE - 1));

	for (int method = PAGEMAP_METHOD_SCAN; method <= PAGEMAP_METHOD_READ; method++) {
		int err = scan_range(method, start, PAGE, &ranges);

		usable[method] = err == 0;
		if (err)
			snprintf(unusable_reason, sizeof(unusable_reason),
				 "no PFNs to be read: %s", strerror(-err));
	}
	page_range_list__free(&ranges);
}

int main(void)
{
	find_usable();
	RUN(scan_usable);
	RUN(read_usable);
	RUN(untouched);
	RUN(written);
	RUN(zero_page);
	RUN(half_dropped);
	RUN(alternating);
	RUN(random_states);
	RUN(sparse);
	RUN(parts);
	RUN(appends);
	RUN(huge_pages);
	RUN(guard_regions);
	RUN(shared_memory);
	RUN(swapped);
	RUN(odd_ranges);
	RUN(other_process);
	RUN(no_method);
	RUN(without_privilege);
	return test_status();
}
