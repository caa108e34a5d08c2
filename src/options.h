/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line, once parsed; travels as const struct options *. */
#ifndef MEMTRACE_OPTIONS_H
#define MEMTRACE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "log.h"

enum trace_level {
	LEVEL_MALLOC = 0,	/* malloc family, mmap family, faults */
	LEVEL_MMAP,		/* mmap family, faults */
	LEVEL_PAGES,		/* no probes */
};

enum command {
	COMMAND_TRACE = 0,	/* -p PID */
	COMMAND_REPLAY,		/* --replay FILE */
	COMMAND_FEATURES,
	COMMAND_VERSION,
	COMMAND_HELP,
};

struct options {
	enum command command;
	pid_t pid;
	uint64_t interval_ns;		/* default 1 s, at least 0.1 s */
	uint64_t duration_ns;		/* 0: until the target ends */
	const char *output;		/* -o: NULL, a path, or "-"; borrowed from argv */
	bool overwrite;			/* -f */
	enum trace_level level;
	enum log_level verbosity;
	const char *record;		/* --record FILE: write the event stream; NULL */
	const char *replay;		/* --replay FILE; NULL */
	uint32_t without;		/* --without NAME: features to do without, 1 << enum feature */
};

/*
 * Parses argv. Returns 0, or a negative errno after a message on stderr: exit status 2 is the
 * caller's.
 */
int options__parse(struct options *options, int argc, char **argv);

void options__print_usage(void);	/* on stdout, for -h */

#endif
