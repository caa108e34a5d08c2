// SPDX-License-Identifier: GPL-2.0-only
/*
 * maps [OPERATIONS [THREADS]]: threads that map, unmap wholly or in part, and grow, shrink and move
 * anonymous memory at once, so that an address given back by one is soon handed to another; with an
 * account of what is mapped. Nothing else of the process allocates meanwhile.
 *
 * go: the operations; drain: unmaps what is mapped.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sys/mman.h>

#include "talk.h"

#define MAX_THREADS 64
#define SLOTS 64

struct range {
	char *start;
	size_t pages;
};

struct worker {
	uint64_t random;
	uint64_t operations;
	uint64_t mmap_calls, munmap_calls, mremap_calls;
	uint64_t mapped_pages, unmapped_pages; /* by mmap and munmap */
	struct range slots[SLOTS];
} __attribute__((aligned(128)));

static struct worker workers[MAX_THREADS];
static unsigned int thread_count = 4;
static size_t page_size;
static pthread_barrier_t barrier;

static uint64_t next_random(struct worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random >> 11;
}

static void map(struct worker *w, struct range *r)
{
	r->pages = 1 + next_random(w) % 4;
	r->start = mmap(NULL, r->pages * page_size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (r->start == MAP_FAILED)
		talk_die("mmap");
	w->mmap_calls++;
	w->mapped_pages += r->pages;
	if (next_random(w) % 4 == 0)
		*r->start = 1;
}

static void unmap(struct worker *w, struct range *r, size_t pages)
{
	if (munmap(r->start, pages * page_size))
		talk_die("munmap");
	w->munmap_calls++;
	w->unmapped_pages += pages;
	r->start = r->pages > pages ? r->start + pages * page_size : NULL;
	r->pages -= pages;
}

static void resize(struct worker *w, struct range *r)
{
	size_t pages = 1 + next_random(w) % 6;
	char *start = mremap(r->start, r->pages * page_size, pages * page_size, MREMAP_MAYMOVE);

	if (start == MAP_FAILED)
		talk_die("mremap");
	w->mremap_calls++;
	r->start = start;
	r->pages = pages;
}

static void *run(void *arg)
{
	struct worker *w = arg;

	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	for (uint64_t i = 0; i < w->operations; i++) {
		struct range *r = &w->slots[next_random(w) % SLOTS];
		uint64_t kind = next_random(w) % 8;

		if (!r->start)
			map(w, r);
		else if (kind == 0)
			resize(w, r);
		else if (kind == 1)
			unmap(w, r, 1);
		else
			unmap(w, r, r->pages);
	}
	pthread_barrier_wait(&barrier);
	for (;;)
		pause();
	return NULL;
}

static void print_count(void)
{
	struct worker sum = { 0 };
	uint64_t live = 0;

	for (unsigned int t = 0; t < thread_count; t++) {
		sum.mmap_calls += workers[t].mmap_calls;
		sum.munmap_calls += workers[t].munmap_calls;
		sum.mremap_calls += workers[t].mremap_calls;
		sum.mapped_pages += workers[t].mapped_pages;
		sum.unmapped_pages += workers[t].unmapped_pages;
		for (int i = 0; i < SLOTS; i++)
			live += workers[t].slots[i].pages;
	}
	talk_print("done mmap_calls=%" PRIu64 " munmap_calls=%" PRIu64 " mremap_calls=%" PRIu64
		   " mapped_bytes=%" PRIu64 " unmapped_bytes=%" PRIu64 " live_bytes=%" PRIu64 "\n",
		   sum.mmap_calls, sum.munmap_calls, sum.mremap_calls, sum.mapped_pages * page_size,
		   sum.unmapped_pages * page_size, live * page_size);
}

int main(int argc, char **argv)
{
	uint64_t operations = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000;
	pthread_t thread;

	if (argc > 2)
		thread_count = (unsigned int)strtoul(argv[2], NULL, 0);
	if (thread_count < 1 || thread_count > MAX_THREADS)
		return 2;
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	pthread_barrier_init(&barrier, NULL, thread_count + 1);
	for (unsigned int t = 0; t < thread_count; t++) {
		workers[t].random = 0x9e3779b97f4a7c15 * (t + 1);
		workers[t].operations = operations / thread_count + (t < operations % thread_count);
		if ((errno = pthread_create(&thread, NULL, run, &workers[t])))
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
			for (unsigned int t = 0; t < thread_count; t++)
				for (int i = 0; i < SLOTS; i++)
					if (workers[t].slots[i].start)
						unmap(&workers[t], &workers[t].slots[i],
						      workers[t].slots[i].pages);
		}
		print_count();
	}
}
