// SPDX-License-Identifier: GPL-2.0-only
/*
 * threads [COUNT]: that many idle threads beside a malloc/free loop (loop.h).
 *
 *	churn COUNT                 creates and joins threads one after another, each with one block
 *	leave                       the first thread ends; another goes on answering
 */
#include <pthread.h>

#include "loop.h"

static pthread_attr_t small;

static void *idle(void *arg)
{
	pthread_barrier_wait(arg);
	for (;;)
		pause();
	return NULL;
}

static void *one_block(void *arg)
{
	void *block = malloc(1000);

	*(volatile char *)block = 1;
	free(block);
	return arg;
}

static void *answer(void *arg)
{
	pthread_t thread;

	for (;;) {
		talk_read();
		if (loop_answer())
			continue;
		if (talk_is("churn")) {
			for (uint64_t i = 0; i < talk_number(1); i++) {
				if ((errno = pthread_create(&thread, &small, one_block, NULL)))
					talk_die("pthread_create");
				pthread_join(thread, NULL);
			}
		} else if (talk_is("leave")) {
			if ((errno = pthread_create(&thread, NULL, answer, NULL)))
				talk_die("pthread_create");
			talk_print("done\n");
			pthread_exit(NULL);
		}
		talk_print("done\n");
	}
	return arg;
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 3000;
	pthread_barrier_t barrier;
	pthread_t thread;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 * 1024);
	pthread_barrier_init(&barrier, NULL, count + 1);
	for (unsigned int i = 0; i < count; i++)
		if ((errno = pthread_create(&thread, &small, idle, &barrier)))
			talk_die("pthread_create");
	pthread_barrier_wait(&barrier);
	talk_print("ready\n");
	answer(NULL);
}
