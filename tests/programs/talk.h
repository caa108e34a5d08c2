/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a test program and its test take turns: the program prints "ready", then answers each line
 * it reads with one that begins with "done". All by read(2), write(2) and static buffers: stdio
 * would allocate in the measured part. End of input ends the program.
 */
#ifndef MEMTRACE_TALK_H
#define MEMTRACE_TALK_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TALK_WORDS 8

static char talk_line[4096];
static char *talk_word[TALK_WORDS];
static int talk_words;

static void __attribute__((format(printf, 1, 2), unused)) talk_print(const char *fmt, ...)
{
	static char text[4096];
	size_t done = 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	while (done < (size_t)n) {
		ssize_t part = write(STDOUT_FILENO, text + done, (size_t)n - done);

		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			_exit(1);
		done += (size_t)part;
	}
}

static void __attribute__((unused)) talk_die(const char *what)
{
	talk_print("failed %s: %s\n", what, strerror(errno));
	_exit(1);
}

/* Reads one line and splits it into talk_word[]; does not return at the end of input. */
static void __attribute__((unused)) talk_read(void)
{
	size_t length = 0;
	char *save = NULL;

	for (;;) {
		ssize_t part = read(STDIN_FILENO, talk_line + length, 1);

		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			_exit(0);
		if (talk_line[length] == '\n')
			break;
		if (length < sizeof(talk_line) - 2)
			length++;
	}
	talk_line[length] = '\0';
	memset(talk_word, 0, sizeof(talk_word));
	talk_words = 0;
	for (char *word = strtok_r(talk_line, " ", &save); word && talk_words < TALK_WORDS;
	     word = strtok_r(NULL, " ", &save))
		talk_word[talk_words++] = word;
}

static bool __attribute__((unused)) talk_is(const char *command)
{
	return talk_word[0] && strcmp(talk_word[0], command) == 0;
}

/* Word i as a number (0x… is hexadecimal), 0 when it is missing. */
static uint64_t __attribute__((unused)) talk_number(int i)
{
	return i < talk_words ? strtoull(talk_word[i], NULL, 0) : 0;
}

#endif
