// SPDX-License-Identifier: GPL-2.0-only
/*
 * pages: does to memory what the lines it reads say, one step a line, and answers what came out.
 * Addresses and lengths are bytes. It allocates nothing that it was not told to.
 *
 *	map ADDR LEN [shared|none|huge|hugetlb|populate]   anonymous, at ADDR (0: anywhere)
 *	mapfixed ADDR LEN           MAP_FIXED over what is there
 *	mapfile PATH ADDR LEN       private and writable, MAP_FIXED over what is there
 *	unmap ADDR LEN              remap ADDR OLD NEW [TARGET]
 *	read|write ADDR LEN         one byte of each page
 *	fill ADDR LEN               by read(2) from /dev/zero
 *	advise ADDR LEN dontneed|pageout|free|huge|guard
 *	malloc N, calloc N M, realloc ADDR N, free ADDR
 *	blocks COUNT MIN MAX SEED   that many blocks, one "block ADDR SIZE" line each, half written
 *	thin                        frees every second of these
 *	sbrk N, fork, reap, threads N, comm NAME, quit STATUS
 */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "talk.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#define MAX_BLOCKS 20000

static struct {
	unsigned char *start;
	size_t size;
} blocks[MAX_BLOCKS];
static size_t block_count;
static size_t page_size;
static pid_t child = -1;
static int child_pipe[2];
static volatile unsigned char sink;

static unsigned char *address(int i)
{
	return (unsigned char *)(uintptr_t)talk_number(i);
}

static void done_at(void *start)
{
	if (start == MAP_FAILED || !start)
		talk_print("done addr=0 error=%d\n", errno);
	else
		talk_print("done addr=%" PRIu64 " error=0\n", (uint64_t)(uintptr_t)start);
}

static void done(int err)
{
	talk_print("done error=%d\n", err ? errno : 0);
}

static void map(void)
{
	int flags = MAP_ANONYMOUS | MAP_PRIVATE | MAP_NORESERVE, prot = PROT_READ | PROT_WRITE;
	const char *kind = talk_words > 3 ? talk_word[3] : "";
	void *start;

	if (strcmp(kind, "shared") == 0)
		flags = MAP_ANONYMOUS | MAP_SHARED;
	if (strcmp(kind, "hugetlb") == 0)
		flags |= MAP_HUGETLB;
	if (strcmp(kind, "populate") == 0)
		flags |= MAP_POPULATE;
	if (strcmp(kind, "none") == 0)
		prot = PROT_NONE;
	if (address(1))
		flags |= MAP_FIXED_NOREPLACE;
	start = mmap(address(1), talk_number(2), prot, flags, -1, 0);
	if (strcmp(kind, "huge") == 0 && start != MAP_FAILED &&
	    madvise(start, talk_number(2), MADV_HUGEPAGE))
		talk_die("madvise");
	done_at(start);
}

static void map_file(void)
{
	int fd = open(talk_word[1], O_RDONLY | O_CLOEXEC);
	void *start;

	if (fd < 0)
		talk_die("open");
	start = mmap(address(2), talk_number(3), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
		     fd, 0);
	close(fd);
	done_at(start);
}

static void remap(void)
{
	if (talk_words > 4)
		done_at(mremap(address(1), talk_number(2), talk_number(3),
			       MREMAP_MAYMOVE | MREMAP_FIXED, address(4)));
	else
		done_at(mremap(address(1), talk_number(2), talk_number(3), MREMAP_MAYMOVE));
}

static void touch(bool write_it)
{
	volatile unsigned char *start = address(1);

	for (size_t at = 0; at < talk_number(2); at += page_size) {
		if (write_it)
			start[at] = (unsigned char)(at / page_size | 1);
		else
			sink += start[at];
	}
	done(0);
}

static void fill(void)
{
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	size_t length = talk_number(2), at = 0;

	while (fd >= 0 && at < length) {
		ssize_t part = read(fd, address(1) + at, length - at);

		if (part <= 0)
			talk_die("read");
		at += (size_t)part;
	}
	close(fd);
	done(0);
}

static void advise(void)
{
	const char *kind = talk_words > 3 ? talk_word[3] : "";
	int advice = strcmp(kind, "pageout") == 0 ? MADV_PAGEOUT
		     : strcmp(kind, "free") == 0  ? MADV_FREE
		     : strcmp(kind, "huge") == 0  ? MADV_HUGEPAGE
		     : strcmp(kind, "guard") == 0 ? MADV_GUARD_INSTALL
						  : MADV_DONTNEED;

	done(madvise(address(1), talk_number(2), advice));
}

static void make_blocks(void)
{
	size_t count = talk_number(1), min = talk_number(2), max = talk_number(3);
	uint64_t random = talk_number(4) * 0x9e3779b97f4a7c15 + 1;

	for (size_t i = 0; i < count && block_count < MAX_BLOCKS; i++, block_count++) {
		random = random * 6364136223846793005 + 1442695040888963407;
		blocks[block_count].size = min + (random >> 33) % (max - min + 1);
		blocks[block_count].start = malloc(blocks[block_count].size);
		if (!blocks[block_count].start)
			talk_die("malloc");
		if (random >> 32 & 1)
			memset(blocks[block_count].start, 1, blocks[block_count].size);
		talk_print("block %" PRIu64 " %zu\n",
			   (uint64_t)(uintptr_t)blocks[block_count].start,
			   blocks[block_count].size);
	}
	talk_print("done blocks=%zu\n", block_count);
}

static void thin(void)
{
	size_t freed = 0, bytes = 0;

	for (size_t i = 0; i < block_count; i += 2) {
		if (!blocks[i].start)
			continue;
		free(blocks[i].start);
		freed++;
		bytes += blocks[i].size;
		blocks[i].start = NULL;
	}
	talk_print("done freed=%zu bytes=%zu\n", freed, bytes);
}

/* The child allocates, maps and faults by itself until it is told to go. */
static void start_child(void)
{
	char byte;

	if (pipe(child_pipe))
		talk_die("pipe");
	child = fork();
	if (child < 0)
		talk_die("fork");
	if (child == 0) {
		close(child_pipe[1]);
		for (int i = 0; i < 1000; i++) {
			char *block = malloc(5000);

			memset(block, i, 5000);
			if (i % 2)
				free(block);
		}
		memset(mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0),
		       1, 4 << 20);
		talk_print("child %d\n", getpid());
		while (read(child_pipe[0], &byte, 1) < 0 && errno == EINTR)
			;
		_exit(0);
	}
	close(child_pipe[0]);
	talk_print("done child=%d\n", child);
}

static void reap(void)
{
	int status = 0;

	close(child_pipe[1]);
	if (waitpid(child, &status, 0) != child)
		talk_die("waitpid");
	talk_print("done status=%d\n", status);
}

static void *idle(void *arg)
{
	pthread_barrier_wait(arg);
	for (;;)
		pause();
	return NULL;
}

static void start_threads(void)
{
	static pthread_barrier_t barrier;
	unsigned int count = (unsigned int)talk_number(1);
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, count + 1);
	for (unsigned int i = 0; i < count; i++)
		if (pthread_create(&thread, NULL, idle, &barrier))
			talk_die("pthread_create");
	pthread_barrier_wait(&barrier);
	done(0);
}

static void step(void)
{
	if (talk_is("map"))
		map();
	else if (talk_is("mapfixed"))
		done_at(mmap(address(1), talk_number(2), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	else if (talk_is("mapfile"))
		map_file();
	else if (talk_is("unmap"))
		done(munmap(address(1), talk_number(2)));
	else if (talk_is("remap"))
		remap();
	else if (talk_is("read") || talk_is("write"))
		touch(talk_is("write"));
	else if (talk_is("fill"))
		fill();
	else if (talk_is("advise"))
		advise();
	else if (talk_is("malloc"))
		done_at(malloc(talk_number(1)));
	else if (talk_is("calloc"))
		done_at(calloc(talk_number(1), talk_number(2)));
	else if (talk_is("realloc"))
		done_at(realloc(address(1), talk_number(2)));
	else if (talk_is("free"))
		free(address(1)), done(0);
	else if (talk_is("blocks"))
		make_blocks();
	else if (talk_is("thin"))
		thin();
	else if (talk_is("sbrk"))
		done_at(sbrk((intptr_t)talk_number(1)));
	else if (talk_is("fork"))
		start_child();
	else if (talk_is("reap"))
		reap();
	else if (talk_is("threads"))
		start_threads();
	else if (talk_is("comm"))
		done(prctl(PR_SET_NAME, talk_word[1]));
	else if (talk_is("quit"))
		_exit((int)talk_number(1));
	else
		talk_print("failed unknown command\n");
}

int main(void)
{
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	talk_print("ready\n");
	for (;;) {
		talk_read();
		step();
	}
}
