// SPDX-License-Identifier: GPL-2.0-only
/*
 * storm [OPERATIONS [THREADS]]: random calls of the whole malloc family from several threads, some
 * blocks given back by another thread than the one that got them, with an exact account of what
 * was handed out and given back. Threads exist and have used their allocator caches before
 * "ready", and none ends before the program does: libc allocates nothing of its own in between.
 *
 * go: the operations; drain: gives back what is live. Both answer the totals since "ready".
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "talk.h"

#define MAX_THREADS 64
#define SLOTS 2000
#define MAILBOXES 128

struct block {
	unsigned char *start;
	size_t size; /* as requested */
};

struct count {
	uint64_t malloc_calls;
	uint64_t free_calls;
	uint64_t allocated_bytes;
	uint64_t freed_bytes;
	uint64_t failed_calls;
	uint64_t foreign_frees;
	uint64_t corrupt;
};

struct worker {
	struct count count;
	uint64_t random;
	uint64_t operations;
	struct block slots[SLOTS];
} __attribute__((aligned(128)));

/* A block on its way to another thread. Taken by trylock only: nobody waits. */
struct mailbox {
	atomic_flag busy;
	int sender;
	struct block block;
};

static struct worker workers[MAX_THREADS];
static struct mailbox mailboxes[MAILBOXES];
static unsigned int thread_count = 8;
static pthread_barrier_t barrier;
static bool has_pvalloc;
/* More than there is; volatile, or the compiler would warn of it. */
static volatile size_t huge_request = (size_t)1 << 62;

static uint64_t next_random(struct worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random >> 11;
}

static size_t random_size(struct worker *w)
{
	uint64_t r = next_random(w);

	if (r % 64 == 0)
		return 0;
	if (r % 1024 == 1)
		return 130 * 1024 + next_random(w) % (500 * 1024);
	if (r % 16 == 2)
		return 1024 + next_random(w) % (32 * 1024);
	return 1 + next_random(w) % 1024;
}

static unsigned char tag_of(size_t size)
{
	return (unsigned char)(size * 167 + 13);
}

/* The ends of a block carry a tag: a tracer that bends a register or a result shows here. */
static void fill(struct block *b)
{
	if (b->size) {
		b->start[0] = tag_of(b->size);
		b->start[b->size - 1] = tag_of(b->size);
	}
}

static void verify(struct worker *w, const struct block *b)
{
	if (b->size && (b->start[0] != tag_of(b->size) || b->start[b->size - 1] != tag_of(b->size)))
		w->count.corrupt++;
}

static void got(struct worker *w, struct block *b, void *start, size_t size)
{
	if (!start) {
		w->count.failed_calls++;
		return;
	}
	b->start = start;
	b->size = size;
	w->count.malloc_calls++;
	w->count.allocated_bytes += size;
	fill(b);
}

static void gave(struct worker *w, struct block *b)
{
	w->count.free_calls++;
	w->count.freed_bytes += b->size;
	b->start = NULL;
	b->size = 0;
}

static void get(struct worker *w, struct block *b)
{
	size_t size = random_size(w);
	size_t alignment = (size_t)16 << next_random(w) % 9;
	void *start = NULL;

	switch (next_random(w) % 32) {
	case 0:
		got(w, b, realloc(NULL, size), size);
		break;
	case 1:
		got(w, b, reallocarray(NULL, size / 8, 8), size / 8 * 8);
		break;
	case 2:
	case 3:
		if (posix_memalign(&start, alignment, size))
			start = NULL;
		if (start && (uintptr_t)start % alignment)
			w->count.corrupt++;
		got(w, b, start, size);
		break;
	case 4:
		size = size / alignment * alignment;
		got(w, b, aligned_alloc(alignment, size), size);
		break;
	case 5:
	case 6:
		got(w, b, memalign(alignment, size), size);
		break;
	case 7:
		got(w, b, valloc(size), size);
		break;
	case 8:
		got(w, b, has_pvalloc ? pvalloc(size) : valloc(size), size);
		break;
	case 9:
	case 10:
	case 11:
	case 12:
		start = calloc(size / 8, 8);
		size = size / 8 * 8;
		if (start && size && (((char *)start)[0] || ((char *)start)[size - 1]))
			w->count.corrupt++;
		got(w, b, start, size);
		break;
	case 13:
		start = calloc(1, size);
		got(w, b, start, size);
		break;
	default:
		got(w, b, malloc(size), size);
	}
}

/* Requests that cannot succeed: they hand out nothing and give nothing back. */
static void get_too_much(struct worker *w, struct block *b)
{
	void *start = NULL;

	switch (next_random(w) % 8) {
	case 0:
		start = malloc(huge_request);
		break;
	case 1:
		start = calloc(huge_request, 64);
		break;
	case 2:
		start = b->start ? realloc(b->start, huge_request) : NULL;
		break;
	case 3:
		start = b->start ? reallocarray(b->start, huge_request, 64) : NULL;
		break;
	case 4:
		if (posix_memalign(&start, 64, huge_request))
			start = NULL;
		break;
	case 5:
		if (posix_memalign(&start, 3, 64))
			start = NULL;
		break;
	case 6:
		start = memalign(64, huge_request);
		break;
	case 7:
		start = has_pvalloc ? pvalloc(huge_request * 2) : NULL;
		break;
	}
	if (start)
		w->count.corrupt++;
	w->count.failed_calls++;
	if (b->start)
		verify(w, b);
}

static void resize(struct worker *w, struct block *b)
{
	struct block old = *b;
	uint64_t kind = next_random(w) % 16;
	size_t size = random_size(w);
	void *start;

	if (kind < 4)
		size = b->size + 1 + next_random(w) % 256; /* often in place */
	else if (kind < 8)
		size = b->size / 2 + 1;
	else if (kind == 8)
		size = 0;
	verify(w, b);
	if (kind == 9) {
		size = size / 8 * 8;
		start = reallocarray(b->start, size / 8, 8);
	} else {
		start = realloc(b->start, size);
	}
	if (!start && size) {
		w->count.failed_calls++;
		return;
	}
	if (start && size && old.size && *(unsigned char *)start != tag_of(old.size))
		w->count.corrupt++;
	gave(w, b);
	if (start)
		got(w, b, start, size);
}

static void give_back(struct worker *w, struct block *b)
{
	verify(w, b);
	free(b->start);
	gave(w, b);
}

static void swap_with_mailbox(struct worker *w, struct block *b, int self)
{
	struct mailbox *m = &mailboxes[next_random(w) % MAILBOXES];
	struct block theirs;
	int sender;

	if (atomic_flag_test_and_set_explicit(&m->busy, memory_order_acquire))
		return;
	theirs = m->block;
	sender = m->sender;
	m->block = *b;
	m->sender = self;
	atomic_flag_clear_explicit(&m->busy, memory_order_release);
	b->start = NULL;
	b->size = 0;
	if (theirs.start) {
		w->count.foreign_frees += sender != self;
		give_back(w, &theirs);
	}
}

static void operate(struct worker *w, int self)
{
	struct block *b = &w->slots[next_random(w) % SLOTS];
	uint64_t r = next_random(w) % 128;

	if (r == 0)
		get_too_much(w, b);
	else if (r == 1)
		free(NULL);
	else if (!b->start)
		get(w, b);
	else if (r < 32)
		resize(w, b);
	else if (r < 48)
		swap_with_mailbox(w, b, self);
	else
		give_back(w, b);
}

/* jemalloc leaves pvalloc to libc, whose blocks it cannot free. */
static bool same_allocator(void *one, void *other)
{
	Dl_info a, b;

	return dladdr(one, &a) && dladdr(other, &b) && a.dli_fbase == b.dli_fbase;
}

static void warm_up(void)
{
	for (int round = 0; round < 3; round++) {
		void *blocks[64];

		for (int i = 0; i < 64; i++)
			blocks[i] = malloc((size_t)i * 20 + 1);
		for (int i = 0; i < 64; i++)
			free(blocks[i]);
	}
}

static void *run(void *arg)
{
	struct worker *w = arg;
	int self = (int)(w - workers);

	warm_up();
	pthread_barrier_wait(&barrier); /* all are there */
	pthread_barrier_wait(&barrier); /* go */
	for (uint64_t i = 0; i < w->operations; i++)
		operate(w, self);
	pthread_barrier_wait(&barrier); /* all are done */
	for (;;)
		pause();
	return NULL;
}

static void print_count(void)
{
	struct count sum = { 0 };
	uint64_t blocks = 0, bytes = 0, operations = 0;

	for (unsigned int t = 0; t < thread_count; t++) {
		const struct count *c = &workers[t].count;

		sum.malloc_calls += c->malloc_calls;
		sum.free_calls += c->free_calls;
		sum.allocated_bytes += c->allocated_bytes;
		sum.freed_bytes += c->freed_bytes;
		sum.failed_calls += c->failed_calls;
		sum.foreign_frees += c->foreign_frees;
		sum.corrupt += c->corrupt;
		operations += workers[t].operations;
		for (int i = 0; i < SLOTS; i++) {
			blocks += workers[t].slots[i].start != NULL;
			bytes += workers[t].slots[i].size;
		}
	}
	for (int i = 0; i < MAILBOXES; i++) {
		blocks += mailboxes[i].block.start != NULL;
		bytes += mailboxes[i].block.size;
	}
	talk_print("done operations=%" PRIu64 " malloc_calls=%" PRIu64 " free_calls=%" PRIu64
		   " allocated_bytes=%" PRIu64 " freed_bytes=%" PRIu64 " live_blocks=%" PRIu64
		   " live_bytes=%" PRIu64 " failed_calls=%" PRIu64 " foreign_frees=%" PRIu64
		   " corrupt=%" PRIu64 "\n",
		   operations, sum.malloc_calls, sum.free_calls, sum.allocated_bytes,
		   sum.freed_bytes, blocks, bytes, sum.failed_calls, sum.foreign_frees,
		   sum.corrupt);
}

static void drain(void)
{
	for (unsigned int t = 0; t < thread_count; t++)
		for (int i = 0; i < SLOTS; i++)
			if (workers[t].slots[i].start)
				give_back(&workers[0], &workers[t].slots[i]);
	for (int i = 0; i < MAILBOXES; i++)
		if (mailboxes[i].block.start)
			give_back(&workers[0], &mailboxes[i].block);
}

int main(int argc, char **argv)
{
	uint64_t operations = argc > 1 ? strtoull(argv[1], NULL, 0) : 10000000;
	pthread_t thread;

	if (argc > 2)
		thread_count = (unsigned int)strtoul(argv[2], NULL, 0);
	if (thread_count < 1 || thread_count > MAX_THREADS)
		return 2;
	has_pvalloc = same_allocator((void *)pvalloc, (void *)malloc);
	warm_up();
	pthread_barrier_init(&barrier, NULL, thread_count + 1);
	for (unsigned int t = 0; t < thread_count; t++) {
		workers[t].random = 0x9e3779b97f4a7c15 * (t + 1);
		workers[t].operations = operations / thread_count + (t < operations % thread_count);
		if (pthread_create(&thread, NULL, run, &workers[t]))
			talk_die("pthread_create");
	}
	pthread_barrier_wait(&barrier);
	talk_print("ready\n");
	for (;;) {
		talk_read();
		if (talk_is("go")) {
			pthread_barrier_wait(&barrier);
			pthread_barrier_wait(&barrier);
		} else if (talk_is("drain")) {
			drain();
		}
		print_count();
	}
}
