/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The whole unit test harness. A test file defines cases with TEST(), lists them with RUN() in
 * main() and returns test_status(). Each case prints one line that tests/check.sh counts:
 *	ok NAME | not ok NAME: FILE:LINE: what | skip NAME: reason
 */
#ifndef MEMTRACE_TEST_H
#define MEMTRACE_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool test_case_failed;
static const char *test_skip_reason;
static int test_failures;

#define TEST(name) static void name(void)

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			printf("not ok %s: %s:%d: %s\n", __func__, __FILE__, __LINE__, #cond);     \
			test_case_failed = true;                                                   \
			return;                                                                    \
		}                                                                                  \
	} while (0)

#define CHECK_U64(got, want)                                                                       \
	do {                                                                                       \
		uint64_t got_ = (got), want_ = (want);                                             \
		if (got_ != want_) {                                                               \
			printf("not ok %s: %s:%d: %s is %" PRIu64 ", want %" PRIu64 "\n",          \
			       __func__, __FILE__, __LINE__, #got, got_, want_);                   \
			test_case_failed = true;                                                   \
			return;                                                                    \
		}                                                                                  \
	} while (0)

#define CHECK_STR(got, want)                                                                       \
	do {                                                                                       \
		const char *got_ = (got), *want_ = (want);                                         \
		if (strcmp(got_, want_) != 0) {                                                    \
			printf("not ok %s: %s:%d: %s is \"%s\", want \"%s\"\n", __func__,          \
			       __FILE__, __LINE__, #got, got_, want_);                             \
			test_case_failed = true;                                                   \
			return;                                                                    \
		}                                                                                  \
	} while (0)

#define SKIP(reason)                                                                               \
	do {                                                                                       \
		test_skip_reason = (reason);                                                       \
		return;                                                                            \
	} while (0)

#define RUN(name) test_run(#name, name)

static inline void test_run(const char *name, void (*run)(void))
{
	test_case_failed = false;
	test_skip_reason = NULL;
	run();
	if (test_case_failed)
		test_failures++;
	else if (test_skip_reason)
		printf("skip %s: %s\n", name, test_skip_reason);
	else
		printf("ok %s\n", name);
	fflush(stdout);
}

static inline int test_status(void)
{
	return test_failures ? 1 : 0;
}

#endif
