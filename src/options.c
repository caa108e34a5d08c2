// SPDX-License-Identifier: GPL-2.0-only
/*
 * argv → struct options, from one table that the parser and --help share. Every refusal says what
 * was wrong with which word; opening files and looking for the process are for others.
 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "feature.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define MIN_INTERVAL_NS (NSEC_PER_SEC / 10)
#define MAX_SECONDS (UINT64_C(10) * 365 * 24 * 3600)
#define MAX_PID (1u << 22)	/* PID_MAX_LIMIT of 64-bit kernels */

/* Keys of options that have no short form; above every char. */
enum {
	KEY_FEATURES = 256,
	KEY_RECORD,
	KEY_REPLAY,
	KEY_WITHOUT,
};

/* The commands an option can stand with: bits of enum command. */
#define WITH_TRACE (1u << COMMAND_TRACE)
#define WITH_REPLAY (1u << COMMAND_REPLAY)
#define WITH_FEATURES (1u << COMMAND_FEATURES)
#define WITH_ALL (WITH_TRACE | WITH_REPLAY | WITH_FEATURES)

struct option_row {
	int key;
	const char *name;
	const char *argument;	/* NULL: takes none */
	unsigned int commands;
	const char *help;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ 'p', "pid", "PID", WITH_TRACE, "the process to trace" },
	{ 'i', "interval", "SECONDS", WITH_TRACE, "time between rows, from 0.1 (default 1)" },
	{ 'd', "duration", "SECONDS", WITH_TRACE, "stop after that time, not at its end" },
	{ 'o', "output", "FILE", WITH_TRACE | WITH_REPLAY, "write the CSV to FILE, - is stdout" },
	{ 'f', "force", NULL, WITH_TRACE | WITH_REPLAY, "overwrite a file that exists" },
	{ 'l', "level", "LEVEL", WITH_TRACE, "malloc (default), mmap or pages" },
	{ 'q', "quiet", NULL, WITH_ALL, "errors and warnings only on stderr" },
	{ 'v', "verbose", NULL, WITH_ALL, "show each probe and what libbpf says" },
	{ KEY_RECORD, "record", "FILE", WITH_TRACE, "write the event stream to FILE as well" },
	{ KEY_REPLAY, "replay", "FILE", WITH_REPLAY, "print the rows of a recording; no root" },
	{ KEY_WITHOUT, "without", "NAME", WITH_TRACE | WITH_FEATURES,
	  "do without a kernel feature (repeatable)" },
	{ KEY_FEATURES, "features", NULL, WITH_FEATURES, "show what this kernel offers" },
	{ 'V', "version", NULL, WITH_ALL, "show the version" },
	{ 'h', "help", NULL, WITH_ALL, "show this help" },
};
/* clang-format on */

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static int usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int usage_error(const char *fmt, ...)
{
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	log_err(0, "%s", message);
	return log_err(0, "try 'memtrace --help'");
}

static size_t row_of(int key)
{
	size_t i;

	for (i = 0; i < ROW_COUNT; i++) {
		if (rows[i].key == key)
			break;
	}
	return i;
}

/* strtoul() would take signs, blanks and hexadecimal. */
static int parse_pid(pid_t *pid, const char *text)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	uint32_t value = 0;
	const char *c;

	for (c = digits; isdigit((unsigned char)*c); c++) {
		if (value <= MAX_PID)
			value = value * 10 + (uint32_t)(*c - '0');
	}
	if (*c || c == digits)
		return usage_error("invalid PID \"%s\": not a number", text);
	if (digits != text || !value)
		return usage_error("invalid PID \"%s\": must be at least 1", text);
	if (value > MAX_PID)
		return usage_error("invalid PID \"%s\": must be at most %u", text, MAX_PID);
	*pid = (pid_t)value;
	return 0;
}

/*
 * "1.5" or ".5", no more: strtod() would follow the locale and take "1e3", "inf" and "0x1p3".
 * Digits below a nanosecond are cut.
 */
static int parse_seconds(uint64_t *ns, const char *text, const char *what)
{
	uint64_t unit = NSEC_PER_SEC;
	uint64_t seconds = 0;
	uint64_t fraction = 0;
	const char *c = text;

	for (; isdigit((unsigned char)*c); c++) {
		if (seconds <= MAX_SECONDS)
			seconds = seconds * 10 + (uint64_t)(*c - '0');
	}
	if (*c == '.') {
		const char *first = ++c;

		for (; isdigit((unsigned char)*c); c++) {
			unit /= 10;
			fraction += (uint64_t)(*c - '0') * unit;
		}
		if (c == first)
			c = text;
	}
	if (*c || c == text)
		return usage_error("invalid %s \"%s\": not a number of seconds", what, text);
	if (seconds > MAX_SECONDS || (seconds == MAX_SECONDS && fraction))
		return usage_error("invalid %s \"%s\": must be at most 10 years", what, text);
	*ns = seconds * NSEC_PER_SEC + fraction;
	return 0;
}

static int parse_interval(uint64_t *ns, const char *text)
{
	int err = parse_seconds(ns, text, "interval");

	if (!err && *ns < MIN_INTERVAL_NS)
		err = usage_error("invalid interval \"%s\": must be at least 0.1 seconds", text);
	return err;
}

static int parse_duration(uint64_t *ns, const char *text)
{
	int err = parse_seconds(ns, text, "duration");

	if (!err && !*ns)
		err = usage_error("invalid duration \"%s\": must be more than 0", text);
	return err;
}

static int parse_level(enum trace_level *level, const char *text)
{
	static const char *const names[] = { "malloc", "mmap", "pages" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			*level = (enum trace_level)i;
			return 0;
		}
	}
	return usage_error("invalid level \"%s\": not malloc, mmap or pages", text);
}

static int parse_without(uint32_t *without, const char *text)
{
	enum feature feature = feature_by_name(text);

	if (feature == FEATURE_COUNT)
		return usage_error("unknown feature \"%s\": see memtrace --features", text);
	*without |= 1u << feature;
	return 0;
}

static int parse_file(const char **file, const char *text, const char *name)
{
	if (!*text)
		return usage_error("option --%s needs the name of a file", name);
	*file = text;
	return 0;
}

/* After getopt_long() returned '?' or ':'. */
static int refuse_option(int answer, char **argv)
{
	size_t row = row_of(optopt);

	if (answer == ':' && row < ROW_COUNT)
		return usage_error("option --%s needs %s", rows[row].name, rows[row].argument);
	if (row < ROW_COUNT)
		return usage_error("option --%s takes no value", rows[row].name);
	if (optopt)
		return usage_error("unknown option -%c", optopt);
	return usage_error("unknown option %s", argv[optind - 1]);
}

static int parse_option(struct options *options, int key, const char *name, char *value)
{
	switch (key) {
	case 'p':
		if (options->pid)
			return usage_error("more than one PID");
		return parse_pid(&options->pid, value);
	case 'i':
		return parse_interval(&options->interval_ns, value);
	case 'd':
		return parse_duration(&options->duration_ns, value);
	case 'o':
		return parse_file(&options->output, value, name);
	case 'f':
		options->overwrite = true;
		return 0;
	case 'l':
		return parse_level(&options->level, value);
	case 'q':
		options->verbosity = LOG_QUIET;
		return 0;
	case 'v':
		options->verbosity = LOG_VERBOSE;
		return 0;
	case KEY_RECORD:
		return parse_file(&options->record, value, name);
	case KEY_REPLAY:
		return parse_file(&options->replay, value, name);
	case KEY_WITHOUT:
		return parse_without(&options->without, value);
	default:
		return 0;	/* what chooses a command says so by having been given */
	}
}

/* given: bits of rows[]. */
static bool was_given(uint32_t given, int key)
{
	return given & (1u << row_of(key));
}

/* Refuses what the command would ignore: a user who wrote it expects it to do something. */
static int check_fit(enum command command, uint32_t given)
{
	const char *with = command == COMMAND_FEATURES ? "--features" :
			   command == COMMAND_REPLAY ? "--replay" : NULL;
	size_t i;

	for (i = 0; with && i < ROW_COUNT; i++) {
		if ((given & (1u << i)) && !(rows[i].commands & (1u << command)))
			return usage_error("option --%s makes no sense with %s", rows[i].name,
					   with);
	}
	return 0;
}

static bool same_file(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static int check_whole(const struct options *options, uint32_t given)
{
	int err = check_fit(options->command, given);

	if (err)
		return err;
	if (options->command == COMMAND_TRACE && !options->pid)
		return usage_error("missing option -p PID: which process?");
	if (was_given(given, 'q') && was_given(given, 'v'))
		return usage_error("options -q and -v exclude each other");
	if (options->overwrite && !options->output && !options->record)
		return usage_error("option -f needs -o FILE: there is no file to overwrite");
	if (same_file(options->output, options->record))
		return usage_error("options -o and --record name the same file");
	if (same_file(options->output, options->replay))
		return usage_error("options -o and --replay name the same file");
	return 0;
}

static enum command command_of(uint32_t given)
{
	if (was_given(given, KEY_FEATURES))
		return COMMAND_FEATURES;
	return was_given(given, KEY_REPLAY) ? COMMAND_REPLAY : COMMAND_TRACE;
}

/* What getopt_long() wants, made of rows[]. The '+' stops at the first operand. */
static void fill_getopt(char *letters, struct option *longs)
{
	size_t i;

	*letters++ = '+';
	*letters++ = ':';
	for (i = 0; i < ROW_COUNT; i++) {
		longs[i] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].argument ? required_argument : no_argument,
			.val = rows[i].key,
		};
		if (rows[i].key >= KEY_FEATURES)
			continue;
		*letters++ = (char)rows[i].key;
		if (rows[i].argument)
			*letters++ = ':';
	}
	*letters = '\0';
	longs[ROW_COUNT] = (struct option){ 0 };
}

int options__parse(struct options *options, int argc, char **argv)
{
	struct option longs[ROW_COUNT + 1];
	char letters[2 * ROW_COUNT + 3];
	uint32_t given = 0;
	int key;
	int err;

	*options = (struct options){ .interval_ns = NSEC_PER_SEC, .verbosity = LOG_NORMAL };
	fill_getopt(letters, longs);
	optind = 0;	/* glibc: start afresh, whatever was parsed before */
	while ((key = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (key == '?' || key == ':')
			return refuse_option(key, argv);
		if (key == 'h' || key == 'V') {
			options->command = key == 'h' ? COMMAND_HELP : COMMAND_VERSION;
			return 0;
		}
		given |= 1u << row_of(key);
		err = parse_option(options, key, rows[row_of(key)].name, optarg);
		if (err)
			return err;
	}
	if (optind < argc)
		return usage_error("unexpected argument \"%s\": the process is given by -p PID",
				   argv[optind]);
	options->command = command_of(given);
	return check_whole(options, given);
}

void options__print_usage(void)
{
	size_t i;

	printf("Usage: memtrace -p PID [-i SECONDS] [-d SECONDS] [-o FILE [-f]] [-l LEVEL]\n"
	       "                [-q | -v] [--record FILE] [--without NAME]...\n"
	       "       memtrace --replay FILE [-o FILE [-f]] [-q | -v]\n"
	       "       memtrace --features | -V | -h\n"
	       "\n"
	       "Says every second how many bytes a running process holds allocated, and whether\n"
	       "their pages are resident, zero, swapped out or untouched.\n"
	       "\n");
	for (i = 0; i < ROW_COUNT; i++) {
		char left[32];
		int used;

		used = rows[i].key < KEY_FEATURES ? snprintf(left, sizeof(left), "-%c, --%s",
							     rows[i].key, rows[i].name) :
						    snprintf(left, sizeof(left), "    --%s",
							     rows[i].name);
		if (rows[i].argument)
			snprintf(left + used, sizeof(left) - (size_t)used, " %s",
				 rows[i].argument);
		printf("  %-24s  %s\n", left, rows[i].help);
	}
	printf("\n"
	       "Levels: malloc probes all, mmap leaves malloc and free alone (near-zero cost),\n"
	       "pages probes nothing. Exit status: 0 done, 1 failed, 2 usage.\n"
	       "The columns are explained in memtrace(8).\n");
}
