/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages for people, all on stderr, all one line "memtrace: what failed: why". The log level is
 * the program's only global state.
 */
#ifndef MEMTRACE_LOG_H
#define MEMTRACE_LOG_H

enum log_level {
	LOG_QUIET = 0,		/* -q: errors and warnings only */
	LOG_NORMAL = 1,
	LOG_VERBOSE = 2,	/* -v */
};

void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/*
 * Print "memtrace: MESSAGE: strerror(-err)" and hand err back, so that a failing path is one
 * expression. err is a negative errno, or 0 for a message without a reason, in which case -EINVAL
 * is handed back: an error path can never return 0.
 */
int log_err(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "memtrace: warning: …", shown at every level. */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "memtrace: …", silenced by -q. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "memtrace: …", shown with -v only. */
void log_verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
