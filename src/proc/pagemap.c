// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/PID/pagemap, by ioctl or by read. It must not touch the target's memory, nor hold its
 * mmap_lock longer than the walk of a few page tables: mmap, munmap and brk of the target wait for
 * it, and with it whoever waits behind them.
 *
 * The ioctl is asked for what is NOT an ordinary resident page, for a page that matches costs the
 * kernel 8.5 ns, one that does not 1.9 ns, and most pages of a process worth watching are resident.
 * Two calls alternate:
 *
 * - skip_hole() finds the next page that is present or swapped. Holes without page tables are free,
 *   so it reaches out further and further as long as that is quick. What it steps over is absent:
 *   a hole of the mapping, a mapping gone since maps was read, or one of a device (VM_PFNMAP),
 *   whose pages the ioctl never reports;
 * - scan_piece() asks for the exceptions in the next 32 MiB or, if most of the piece before was
 *   absent, for what is there.
 */
#include "pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "proc.h"

/* uapi of PAGEMAP_SCAN under names of our own: headers before 6.7 lack it, later ones have it. */
struct scan_arg {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t vec;
	uint64_t vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

struct scan_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

_Static_assert(sizeof(struct scan_arg) == 96, "struct pm_scan_arg of the kernel");
_Static_assert(sizeof(struct scan_region) == 24, "struct page_region of the kernel");

#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)

#define IS_PRESENT (1ULL << 3)
#define IS_SWAPPED (1ULL << 4)
#define IS_PFNZERO (1ULL << 5)
#define IS_GUARD (1ULL << 8)	/* since 6.15; EINVAL before */

/* Entries of pagemap as read(2) gives them. */
#define ENTRY_PRESENT (1ULL << 63)
#define ENTRY_SWAPPED (1ULL << 62)
#define ENTRY_GUARD (1ULL << 58)	/* since 6.15; 0 before */
#define ENTRY_PFN ((1ULL << 55) - 1)

#define PIECE_BYTES (32ULL << 20)
/* A region has a page at least, so that one call can tell all of a piece. */
#define PIECE_PAGES_MAX 8192
#define REACH_MAX_BYTES (64ULL << 30)
/* Empty page tables, left by MADV_DONTNEED, take 15 us per 32 MiB; real holes next to nothing. */
#define SKIP_QUICK_NS 10000
#define HUGE_BYTES (2ULL << 20)

struct pagemap {
	int fd;
	enum pagemap_method method;
	uint64_t page_bytes;
	uint64_t return_mask;		/* SCAN: categories to report */
	struct scan_region *regions;	/* SCAN: PIECE_PAGES_MAX */
	uint64_t *entries;		/* READ: PIECE_PAGES_MAX */
	int self_fd;			/* READ: pagemap of ourselves */
	volatile char *zero_page;	/* READ: a page of ours that is only ever read */
	char *huge_area;		/* READ: likewise, for the huge zero page, or NULL */
	uint64_t zero_pfn;
	uint64_t huge_zero_pfn;		/* first of 512, 0 when there is none */
};

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * The kernel's answer to masks it does not know is EINVAL, whatever the range; page 0 is not
 * mapped. vec_len is never 0 in this file: that could oops kernels from 6.7 up to 28aa29986dde
 * ("fs/proc/task_mmu: check p->vec_buf for NULL") in 6.18.
 */
static bool scan_accepts(int fd, uint64_t categories)
{
	struct scan_region region;
	struct scan_arg arg = {
		.size = sizeof(arg),
		.end = (uint64_t)sysconf(_SC_PAGESIZE),
		.vec = (uint64_t)(uintptr_t)&region,
		.vec_len = 1,
		.category_inverted = IS_PRESENT,
		.category_anyof_mask = IS_PRESENT,
		.return_mask = categories,
	};

	return ioctl(fd, SCAN_IOCTL, &arg) >= 0;
}

/*
 * -ESRCH when the address space is gone. read(2) then returns nothing, for any address; the ioctl
 * walks the empty shell and finds nothing mapped, which is no error to it.
 */
static int check_alive(const struct pagemap *pagemap)
{
	uint64_t entry;
	ssize_t n = pread(pagemap->fd, &entry, sizeof(entry), 0);

	if (n < 0)
		return -errno;
	return n ? 0 : -ESRCH;
}

/* One call of pagemap__scan() on its way through a mapping. */
struct walk {
	struct pagemap *pagemap;
	struct page_range_list *ranges;
	uint64_t pos;		/* what lies before is known */
	uint64_t end;
	uint64_t reach;		/* bytes skip_hole() looks ahead */
	uint64_t absent_bytes;	/* found so far */
	bool sparse;		/* most of the last piece was absent */
};

static int push_range(struct walk *walk, uint64_t start, uint64_t end, enum page_state state)
{
	if (state == PAGE_ABSENT)
		walk->absent_bytes += end - start;
	return page_range_list__push(walk->ranges, start, end, state);
}

/*
 * Goes to the first page that is present or swapped, or as far as the reach if there is none, and
 * returns which. max_pages makes the kernel stop soon behind what it found.
 */
static int skip_hole(struct walk *walk)
{
	struct scan_region region;
	struct scan_arg arg = {
		.size = sizeof(arg),
		.start = walk->pos,
		.end = walk->pos + min_u64(walk->end - walk->pos, walk->reach),
		.vec = (uint64_t)(uintptr_t)&region,
		.vec_len = 1,
		.max_pages = 1,
		.category_anyof_mask = IS_PRESENT | IS_SWAPPED,
		.return_mask = IS_PRESENT | IS_SWAPPED,
	};
	uint64_t started = now_ns(), hole_start = walk->pos;
	int found = ioctl(walk->pagemap->fd, SCAN_IOCTL, &arg);

	if (found < 0)
		return -errno;
	walk->pos = found ? region.start : arg.end;
	if (!found && now_ns() - started < SKIP_QUICK_NS)
		walk->reach = min_u64(walk->reach * 8, REACH_MAX_BYTES);
	else
		walk->reach = PIECE_BYTES;
	if (walk->pos > hole_start && push_range(walk, hole_start, walk->pos, PAGE_ABSENT))
		return -ENOMEM;
	return found;
}

/* Regions carry the true categories: category_inverted only takes part in the matching. */
static int push_region(struct walk *walk, uint64_t start, uint64_t end, uint64_t categories)
{
	enum page_state state = PAGE_ABSENT;

	if (categories & IS_PRESENT) {
		if (!(categories & IS_PFNZERO))
			return 0;
		state = PAGE_ZERO;
	} else if ((categories & IS_SWAPPED) && !(categories & IS_GUARD)) {
		state = PAGE_SWAPPED;
	}
	return push_range(walk, start, end, state);
}

/*
 * Pushes what `count` regions tell and goes behind what is known then. Where absent pages were not
 * asked for, they are what lies between the regions.
 *
 * walk_end may be stale: if the kernel's own buffer of 512 regions was full once and the walk then
 * went through, walk_end is where the last buffer began (seen on 6.18). Resuming there would report
 * up to 512 regions twice, hence the end of the last region and the clipping.
 */
static int take_regions(struct walk *walk, const struct scan_arg *arg, size_t count)
{
	const struct scan_region *regions = walk->pagemap->regions;
	uint64_t walk_end = min_u64(arg->walk_end, arg->end);
	bool gaps_absent = !arg->category_inverted;
	uint64_t known = walk->pos;

	for (size_t i = 0; i < count; i++) {
		uint64_t start = regions[i].start > known ? regions[i].start : known;
		uint64_t end = min_u64(regions[i].end, arg->end);

		if (start >= end)
			continue;
		if (gaps_absent && start > known && push_range(walk, known, start, PAGE_ABSENT))
			return -ENOMEM;
		if (push_region(walk, start, end, regions[i].categories))
			return -ENOMEM;
		known = end;
	}
	if (walk_end > known) {
		if (gaps_absent && push_range(walk, known, walk_end, PAGE_ABSENT))
			return -ENOMEM;
		known = walk_end;
	}
	if (known == walk->pos)
		return -EIO;	/* the kernel made no progress: better no answer than no end */
	walk->pos = known;
	return 0;
}

static int scan_piece(struct walk *walk)
{
	uint64_t end = min_u64(walk->end, (walk->pos & ~(PIECE_BYTES - 1)) + PIECE_BYTES);
	uint64_t piece_bytes = end - walk->pos, absent_before = walk->absent_bytes;

	while (walk->pos < end) {
		struct scan_arg arg = {
			.size = sizeof(arg),
			.start = walk->pos,
			.end = end,
			.vec = (uint64_t)(uintptr_t)walk->pagemap->regions,
			.vec_len = PIECE_PAGES_MAX,
			.category_inverted = walk->sparse ? 0 : IS_PRESENT,
			.category_anyof_mask = IS_PRESENT | IS_SWAPPED | IS_PFNZERO,
			.return_mask = walk->pagemap->return_mask,
		};
		int count = ioctl(walk->pagemap->fd, SCAN_IOCTL, &arg);
		int err = count < 0 ? -errno : take_regions(walk, &arg, (size_t)count);

		if (err)
			return err;
	}
	walk->sparse = walk->absent_bytes - absent_before > piece_bytes / 2;
	return 0;
}

static int scan_by_ioctl(struct pagemap *pagemap, uint64_t start, uint64_t end,
			 struct page_range_list *ranges)
{
	struct walk walk = {
		.pagemap = pagemap,
		.ranges = ranges,
		.pos = start,
		.end = end,
		.reach = PIECE_BYTES,
	};
	bool populated = false;

	while (walk.pos < end) {
		int found = skip_hole(&walk);
		int err;

		if (found < 0)
			return found;
		if (!found)
			continue;
		populated = true;
		err = scan_piece(&walk);
		if (err)
			return err;
	}
	return populated ? 0 : check_alive(pagemap);
}

static bool is_zero_page(const struct pagemap *pagemap, uint64_t pfn)
{
	if (pfn == pagemap->zero_pfn)
		return true;
	return pagemap->huge_zero_pfn &&
	       pfn - pagemap->huge_zero_pfn < HUGE_BYTES / pagemap->page_bytes;
}

#define PAGE_RESIDENT PAGE_STATE_COUNT	/* of no range */

static enum page_state entry_state(const struct pagemap *pagemap, uint64_t entry)
{
	if (entry & ENTRY_PRESENT)
		return is_zero_page(pagemap, entry & ENTRY_PFN) ? PAGE_ZERO : PAGE_RESIDENT;
	if ((entry & ENTRY_SWAPPED) && !(entry & ENTRY_GUARD))
		return PAGE_SWAPPED;
	return PAGE_ABSENT;
}

static int push_entries(const struct pagemap *pagemap, uint64_t start, size_t count,
			struct page_range_list *ranges)
{
	for (size_t i = 0, next; i < count; i = next) {
		enum page_state state = entry_state(pagemap, pagemap->entries[i]);

		for (next = i + 1; next < count; next++) {
			if (entry_state(pagemap, pagemap->entries[next]) != state)
				break;
		}
		if (state != PAGE_RESIDENT &&
		    page_range_list__push(ranges, start + i * pagemap->page_bytes,
					  start + next * pagemap->page_bytes, state))
			return -ENOMEM;
	}
	return 0;
}

static int scan_by_read(struct pagemap *pagemap, uint64_t start, uint64_t end,
			struct page_range_list *ranges)
{
	uint64_t pos = start;

	while (pos < end) {
		uint64_t pages = min_u64((end - pos) / pagemap->page_bytes, PIECE_PAGES_MAX);
		ssize_t n = pread(pagemap->fd, pagemap->entries, pages * sizeof(uint64_t),
				  (off_t)(pos / pagemap->page_bytes * sizeof(uint64_t)));
		size_t count;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		count = (size_t)n / sizeof(uint64_t);
		if (!count)
			return -ESRCH;
		if (push_entries(pagemap, pos, count, ranges))
			return -ENOMEM;
		pos += count * pagemap->page_bytes;
	}
	return 0;
}

int pagemap__scan(struct pagemap *pagemap, uint64_t start, uint64_t end,
		  struct page_range_list *ranges)
{
	if ((start | end) & (pagemap->page_bytes - 1) || start > end)
		return -EINVAL;
	if (start >> 63)	/* [vsyscall]: the kernel's half, of which pagemap knows nothing */
		return page_range_list__push(ranges, start, end, PAGE_ABSENT);
	if (pagemap->method == PAGEMAP_METHOD_SCAN)
		return scan_by_ioctl(pagemap, start, end, ranges);
	return scan_by_read(pagemap, start, end, ranges);
}

/* PFN behind a page of ours, 0 when it has none or we may not know it. */
static int learn_pfn(const struct pagemap *pagemap, const volatile char *page, uint64_t *pfn)
{
	uint64_t entry;
	off_t offset = (off_t)((uintptr_t)page / pagemap->page_bytes * sizeof(entry));
	ssize_t n;

	(void)*page;	/* a read fault maps the zero page */
	n = pread(pagemap->self_fd, &entry, sizeof(entry), offset);
	if (n != (ssize_t)sizeof(entry))
		return n < 0 ? -errno : -EIO;
	*pfn = entry & ENTRY_PRESENT ? entry & ENTRY_PFN : 0;
	return 0;
}

/*
 * The huge zero page is freed when nobody maps it, so another one may have come since the last
 * tick; ours stays mapped, so that this one cannot go before the next. Where huge pages are off we
 * learn the small zero page again, or an own page that no target maps: both do no harm.
 */
static int learn_zero_pages(struct pagemap *pagemap)
{
	uint64_t aligned;
	int err;

	err = learn_pfn(pagemap, pagemap->zero_page, &pagemap->zero_pfn);
	if (err)
		return err;
	if (!pagemap->zero_pfn)
		return -EPERM;	/* without CAP_SYS_ADMIN all PFNs are 0: all pages would be zero */
	pagemap->huge_zero_pfn = 0;
	if (!pagemap->huge_area)
		return 0;
	aligned = ((uintptr_t)pagemap->huge_area + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1);
	err = learn_pfn(pagemap, (char *)(uintptr_t)aligned, &pagemap->huge_zero_pfn);
	if (pagemap->huge_zero_pfn == pagemap->zero_pfn)
		pagemap->huge_zero_pfn = 0;
	return err;
}

int pagemap__begin(struct pagemap *pagemap)
{
	int err = check_alive(pagemap);

	if (err || pagemap->method == PAGEMAP_METHOD_SCAN)
		return err;
	return learn_zero_pages(pagemap);
}

static char *map_private(size_t bytes)
{
	char *area = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return area == MAP_FAILED ? NULL : area;
}

static int prepare_scan(struct pagemap *pagemap)
{
	pagemap->return_mask = IS_PRESENT | IS_SWAPPED | IS_PFNZERO;
	if (!scan_accepts(pagemap->fd, pagemap->return_mask))
		return -ENOTTY;
	if (scan_accepts(pagemap->fd, pagemap->return_mask | IS_GUARD))
		pagemap->return_mask |= IS_GUARD;
	pagemap->regions = calloc(PIECE_PAGES_MAX, sizeof(*pagemap->regions));
	return pagemap->regions ? 0 : -ENOMEM;
}

static int prepare_read(struct pagemap *pagemap)
{
	pagemap->self_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap->self_fd < 0)
		return -errno;
	pagemap->entries = calloc(PIECE_PAGES_MAX, sizeof(*pagemap->entries));
	pagemap->zero_page = map_private(pagemap->page_bytes);
	if (!pagemap->entries || !pagemap->zero_page)
		return -ENOMEM;
	pagemap->huge_area = map_private(2 * HUGE_BYTES);
	if (pagemap->huge_area)
		madvise(pagemap->huge_area, 2 * HUGE_BYTES, MADV_HUGEPAGE);
	return 0;
}

static int prepare(struct pagemap *pagemap, int proc_fd)
{
	pagemap->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	pagemap->fd = proc_open_file(proc_fd, "pagemap");
	if (pagemap->fd < 0)
		return pagemap->fd;
	switch (pagemap->method) {
	case PAGEMAP_METHOD_SCAN:
		return prepare_scan(pagemap);
	case PAGEMAP_METHOD_READ:
		return prepare_read(pagemap);
	default:
		return -EINVAL;
	}
}

struct pagemap *pagemap__new(int proc_fd, enum pagemap_method method)
{
	struct pagemap *pagemap = calloc(1, sizeof(*pagemap));
	int err;

	if (!pagemap)
		return NULL;
	pagemap->method = method;
	pagemap->fd = -1;
	pagemap->self_fd = -1;
	err = prepare(pagemap, proc_fd);
	if (err) {
		pagemap__free(pagemap);
		errno = -err;
		return NULL;
	}
	return pagemap;
}

void pagemap__free(struct pagemap *pagemap)
{
	if (!pagemap)
		return;
	if (pagemap->huge_area)
		munmap(pagemap->huge_area, 2 * HUGE_BYTES);
	if (pagemap->zero_page)
		munmap((void *)pagemap->zero_page, pagemap->page_bytes);
	free(pagemap->entries);
	free(pagemap->regions);
	if (pagemap->self_fd >= 0)
		close(pagemap->self_fd);
	if (pagemap->fd >= 0)
		close(pagemap->fd);
	free(pagemap);
}

static bool works_on_ourselves(int proc_fd, enum pagemap_method method, bool *has_guard)
{
	struct pagemap *pagemap = pagemap__new(proc_fd, method);
	bool works = pagemap && pagemap__begin(pagemap) == 0;

	if (works)
		*has_guard = (pagemap->return_mask & IS_GUARD) != 0;
	pagemap__free(pagemap);
	return works;
}

enum pagemap_method pagemap_probe(bool *has_guard)
{
	static const enum pagemap_method methods[] = { PAGEMAP_METHOD_SCAN, PAGEMAP_METHOD_READ };
	enum pagemap_method best = PAGEMAP_METHOD_NONE;
	int proc_fd = proc_open(getpid());

	*has_guard = false;
	if (proc_fd < 0)
		return best;
	for (size_t i = 0; i < 2 && !best; i++) {
		if (works_on_ourselves(proc_fd, methods[i], has_guard))
			best = methods[i];
	}
	close(proc_fd);
	return best;
}
