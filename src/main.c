// SPDX-License-Identifier: GPL-2.0-only
/* Chooses what to do; everything else is done elsewhere. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "collect/features.h"
#include "collect/libbpf_log.h"
#include "log.h"
#include "options.h"
#include "run.h"

#define EXIT_USAGE 2

/* A standard descriptor that is closed would be taken by the first file we open. */
static void fill_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct options options;

	fill_standard_fds();
	if (options__parse(&options, argc, argv))
		return EXIT_USAGE;
	log_set_level(options.verbosity);
	libbpf_log__setup();
	/* A reader that goes away is an error of write(2), handled where it is met. */
	signal(SIGPIPE, SIG_IGN);

	switch (options.command) {
	case COMMAND_HELP:
		options__print_usage();
		return EXIT_SUCCESS;
	case COMMAND_VERSION:
		printf("memtrace %s\n", MEMTRACE_VERSION);
		return EXIT_SUCCESS;
	case COMMAND_FEATURES:
		return features__print(options.without) ? EXIT_FAILURE : EXIT_SUCCESS;
	case COMMAND_REPLAY:
		return run_replay(&options);
	case COMMAND_TRACE:
		break;
	}
	return run_trace(&options);
}
