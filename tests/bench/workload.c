// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program that the bench traces: does one thing to memory for each line "LETTER COUNT" on its
 * standard input and answers "= CPU_NS WALL_NS", the thread's own CPU time and the elapsed time of
 * that one thing. It must not allocate on its own account: what it does is all that is counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE_SIZE 4096
#define LIVE_BLOCKS 10000 /* held by the random-size loop */
#define STORM_BYTES (64ul << 20)
#define PACED_RATE 100000 /* pairs a second of command 'a' */
#define PACED_BATCH 100

struct clocks {
	uint64_t cpu_ns;
	uint64_t wall_ns;
};

static void *live[LIVE_BLOCKS];
static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct clocks start_clocks(void)
{
	return (struct clocks){
		.wall_ns = read_clock(CLOCK_MONOTONIC),
		.cpu_ns = read_clock(CLOCK_THREAD_CPUTIME_ID),
	};
}

static void stop_clocks(struct clocks *clocks)
{
	clocks->cpu_ns = read_clock(CLOCK_THREAD_CPUTIME_ID) - clocks->cpu_ns;
	clocks->wall_ns = read_clock(CLOCK_MONOTONIC) - clocks->wall_ns;
}

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void *map_pages(size_t bytes)
{
	void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED) {
		perror("workload: mmap");
		exit(1);
	}
	return pages;
}

static void touch_pages(void *pages, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i += PAGE_SIZE)
		((volatile char *)pages)[i] = 1;
}

static void *allocate(size_t bytes)
{
	void *block = malloc(bytes);

	if (!block) {
		perror("workload: malloc");
		exit(1);
	}
	return block;
}

/* One size, always from the thread's cache: nothing but the probes' own cost. */
static void run_pairs(size_t count)
{
	while (count--)
		free(allocate(64));
}

static void replace_block(void)
{
	uint64_t random = next_random();
	void **slot = &live[random % LIVE_BLOCKS];

	free(*slot);
	*slot = allocate(16 + (random >> 32) % 4081);
	*(volatile char *)*slot = 1;
}

static void run_random(size_t count)
{
	size_t i;

	for (i = 0; i < LIVE_BLOCKS; i++)
		if (!live[i])
			live[i] = allocate(16 + next_random() % 4081);
	while (count--)
		replace_block();
}

static void run_paced(size_t count)
{
	uint64_t due = read_clock(CLOCK_MONOTONIC);
	size_t i;

	for (i = 0; i < count; i++) {
		struct timespec until;

		replace_block();
		if (i % PACED_BATCH)
			continue;
		due += 1000000000ull / PACED_RATE * PACED_BATCH;
		until = (struct timespec){ (time_t)(due / 1000000000), (long)(due % 1000000000) };
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
}

static void run_storm(size_t count)
{
	while (count--) {
		void *pages = map_pages(STORM_BYTES);

		touch_pages(pages, STORM_BYTES);
		munmap(pages, STORM_BYTES);
	}
}

static void run_mappings(size_t count)
{
	while (count--)
		munmap(map_pages(PAGE_SIZE), PAGE_SIZE);
}

static void keep_blocks(size_t count, size_t largest)
{
	while (count--)
		*(volatile char *)allocate(16 + next_random() % (largest - 15)) = 1;
}

static void keep_resident(size_t mib)
{
	touch_pages(allocate(mib << 20), mib << 20);
}

/* Maps a file's text as the dynamic loader would, without running its constructors. */
static void map_object(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) ||
	    mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) ==
		    MAP_FAILED) {
		fprintf(stderr, "workload: cannot map %s: %s\n", path, strerror(errno));
		exit(1);
	}
	close(fd);
}

static bool run_command(char letter, const char *argument, struct clocks *clocks)
{
	size_t count = strtoul(argument, NULL, 10);
	void *pages = NULL;

	if (letter == 'f')
		pages = map_pages(count * PAGE_SIZE);
	*clocks = start_clocks();
	/* clang-format off */
	switch (letter) {
	case 'p': run_pairs(count); break;
	case 'w': run_random(count); break;
	case 'a': run_paced(count); break;
	case 'f': touch_pages(pages, count * PAGE_SIZE); break;
	case 's': run_storm(count); break;
	case 'm': run_mappings(count); break;
	case 'b': keep_blocks(count, 256); break;
	case 'k': keep_blocks(count, 4096); break;
	case 'r': keep_resident(count); break;
	case 'o': map_object(argument); break;
	default: return false;
	}
	/* clang-format on */
	stop_clocks(clocks);
	if (pages)
		munmap(pages, count * PAGE_SIZE);
	return true;
}

/* Byte by byte, because stdio would allocate its buffer in the middle of a measurement. */
static bool read_line(char *line, size_t room)
{
	size_t used = 0;
	char byte;

	while (read(STDIN_FILENO, &byte, 1) == 1) {
		if (byte == '\n') {
			line[used] = '\0';
			return true;
		}
		if (used + 1 < room)
			line[used++] = byte;
	}
	return false;
}

int main(void)
{
	struct clocks clocks;
	char line[4096];
	char answer[64];
	int length;

	/* Every page is 4 KiB: huge ones would make faults and page tables incomparable. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	while (read_line(line, sizeof(line))) {
		if (!run_command(line[0], line[0] && line[1] ? line + 2 : "", &clocks))
			return 2;
		length = snprintf(answer, sizeof(answer), "= %llu %llu\n",
				  (unsigned long long)clocks.cpu_ns,
				  (unsigned long long)clocks.wall_ns);
		if (write(STDOUT_FILENO, answer, (size_t)length) != length)
			return 1;
	}
	return 0;
}
