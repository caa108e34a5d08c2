// SPDX-License-Identifier: GPL-2.0-only
/*
 * exec_self: holds blocks, becomes a new image of itself or of another program, and goes on.
 *
 *	hold COUNT SIZE             blocks that stay; answers what it holds since its exec
 *	drop                        gives all of them back
 *	exec                        this program again: prints "ready" again
 *	exec PATH ARG               another
 *	exec_thread                 this program again, from a thread that is not the first
 */
#include <pthread.h>

#include "talk.h"

#define MAX_BLOCKS 2000000

static void *blocks[MAX_BLOCKS];
static size_t block_count, held_bytes;

static void *exec_self(void *arg)
{
	char *self[] = { "exec_self", NULL };

	execv("/proc/self/exe", self);
	talk_die("execv");
	return arg;
}

int main(void)
{
	talk_print("ready\n");
	for (;;) {
		talk_read();
		if (talk_is("hold")) {
			for (uint64_t i = 0; i < talk_number(1) && block_count < MAX_BLOCKS; i++) {
				blocks[block_count++] = malloc(talk_number(2));
				held_bytes += talk_number(2);
			}
		} else if (talk_is("drop")) {
			while (block_count)
				free(blocks[--block_count]);
			held_bytes = 0;
		} else if (talk_is("exec")) {
			char *other[] = { talk_word[1], talk_word[2], NULL };

			if (talk_words == 1)
				exec_self(NULL);
			execv(talk_word[1], other);
			talk_die("execv");
		} else if (talk_is("exec_thread")) {
			pthread_t thread;

			if ((errno = pthread_create(&thread, NULL, exec_self, NULL)))
				talk_die("pthread_create");
			for (;;)
				pause();
		}
		talk_print("done live_blocks=%zu live_bytes=%zu\n", block_count, held_bytes);
	}
}
