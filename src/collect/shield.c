// SPDX-License-Identifier: GPL-2.0-only
/* See shield.h. */
#include "shield.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES (1u << 20)

struct shielded {
	int (*work)(void *ctx);
	void *ctx;
	int result;
	bool done;
};

static int run_shielded(void *arg)
{
	struct shielded *shielded = arg;

	/* Out of reach of signals for our process group too. */
	setsid();
	shielded->result = shielded->work(shielded->ctx);
	shielded->done = true;
	return 0;
}

int shield__run(int (*work)(void *ctx), void *ctx)
{
	struct shielded shielded = { .work = work, .ctx = ctx };
	char *stack;
	pid_t pid;

	stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return work(ctx);
	/* As vfork: we stand still until it has ended, so sharing the memory is safe. */
	pid = clone(run_shielded, stack + STACK_BYTES, CLONE_VM | CLONE_FILES | CLONE_VFORK | SIGCHLD,
		    &shielded);
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	munmap(stack, STACK_BYTES);
	if (pid < 0)
		return work(ctx);
	return shielded.done ? shielded.result : -EINTR;
}
