// SPDX-License-Identifier: GPL-2.0-only
/* Every option, every refusal with its words, and that --help is what the parser takes. */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "feature.h"
#include "test.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define MAX_ARGUMENTS 16

static struct options options;
static char messages[4096];	/* what the last parse() said on stderr */

/* Splits at blanks; '' stands for an empty word. */
static int parse(const char *line)
{
	static char copy[1024];
	char *argv[MAX_ARGUMENTS + 2] = { (char *)"memtrace" };
	FILE *said = tmpfile();
	int saved = dup(STDERR_FILENO);
	int argc = 1;
	char *word;
	size_t size;
	int err;

	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok(copy, " "); word && argc <= MAX_ARGUMENTS; word = strtok(NULL, " "))
		argv[argc++] = strcmp(word, "''") ? word : (char *)"";
	fflush(stderr);
	dup2(fileno(said), STDERR_FILENO);
	err = options__parse(&options, argc, argv);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(said);
	size = fread(messages, 1, sizeof(messages) - 1, said);
	messages[size] = '\0';
	fclose(said);
	return err;
}

#define CHECK_ACCEPTED(line)                                                                       \
	do {                                                                                       \
		CHECK_U64((uint64_t)parse(line), 0);                                               \
		CHECK_STR(messages, "");                                                           \
	} while (0)

#define CHECK_REFUSED(line, what)                                                                  \
	do {                                                                                       \
		CHECK(parse(line) == -EINVAL);                                                     \
		CHECK_STR(messages, "memtrace: " what "\nmemtrace: try 'memtrace --help'\n");      \
	} while (0)

TEST(defaults)
{
	CHECK_ACCEPTED("-p 42");
	CHECK(options.command == COMMAND_TRACE);
	CHECK(options.pid == 42);
	CHECK_U64(options.interval_ns, NSEC_PER_SEC);
	CHECK_U64(options.duration_ns, 0);
	CHECK(!options.output && !options.overwrite && !options.record && !options.replay);
	CHECK(options.level == LEVEL_MALLOC);
	CHECK(options.verbosity == LOG_NORMAL);
	CHECK_U64(options.without, 0);
}

TEST(short_options)
{
	CHECK_ACCEPTED("-p 42 -i .5 -d 10 -o x.csv -f -l mmap -v");
	CHECK(options.pid == 42);
	CHECK_U64(options.interval_ns, NSEC_PER_SEC / 2);
	CHECK_U64(options.duration_ns, 10 * NSEC_PER_SEC);
	CHECK_STR(options.output, "x.csv");
	CHECK(options.overwrite);
	CHECK(options.level == LEVEL_MMAP);
	CHECK(options.verbosity == LOG_VERBOSE);
	CHECK_ACCEPTED("-qp42 -lpages -o-");
	CHECK(options.verbosity == LOG_QUIET);
	CHECK(options.level == LEVEL_PAGES);
	CHECK_STR(options.output, "-");
}

TEST(long_options)
{
	CHECK_ACCEPTED("--pid=42 --interval 2 --duration=1.5 --output x --force --level malloc "
		       "--quiet --record r");
	CHECK(options.pid == 42);
	CHECK_U64(options.interval_ns, 2 * NSEC_PER_SEC);
	CHECK_U64(options.duration_ns, 3 * NSEC_PER_SEC / 2);
	CHECK_STR(options.output, "x");
	CHECK_STR(options.record, "r");
	CHECK(options.overwrite && options.verbosity == LOG_QUIET);
}

TEST(commands)
{
	CHECK_ACCEPTED("-h");
	CHECK(options.command == COMMAND_HELP);
	CHECK_ACCEPTED("-V");
	CHECK(options.command == COMMAND_VERSION);
	CHECK_ACCEPTED("--version");
	CHECK(options.command == COMMAND_VERSION);
	CHECK_ACCEPTED("--features -v");
	CHECK(options.command == COMMAND_FEATURES);
	CHECK_ACCEPTED("--replay r -o x -f -q");
	CHECK(options.command == COMMAND_REPLAY);
	CHECK_STR(options.replay, "r");
	CHECK_ACCEPTED("-p 1 --help --nonsense");
	CHECK(options.command == COMMAND_HELP);
}

TEST(pid_refused)
{
	CHECK_REFUSED("-p abc", "invalid PID \"abc\": not a number");
	CHECK_REFUSED("-p ''", "invalid PID \"\": not a number");
	CHECK_REFUSED("-p 12x", "invalid PID \"12x\": not a number");
	CHECK_REFUSED("-p 0x10", "invalid PID \"0x10\": not a number");
	CHECK_REFUSED("-p +1", "invalid PID \"+1\": not a number");
	CHECK_REFUSED("-p -", "invalid PID \"-\": not a number");
	CHECK_REFUSED("-p 1.5", "invalid PID \"1.5\": not a number");
	CHECK_REFUSED("-p 0", "invalid PID \"0\": must be at least 1");
	CHECK_REFUSED("-p -7", "invalid PID \"-7\": must be at least 1");
	CHECK_REFUSED("-p 4194305", "invalid PID \"4194305\": must be at most 4194304");
	CHECK_REFUSED("-p 4294967297", "invalid PID \"4294967297\": must be at most 4194304");
	CHECK_REFUSED("-p 99999999999999999999999",
		      "invalid PID \"99999999999999999999999\": must be at most 4194304");
	CHECK_REFUSED("-p 1 -p 2", "more than one PID");
	CHECK_REFUSED("-i 1", "missing option -p PID: which process?");
	CHECK_ACCEPTED("-p 4194304");
	CHECK(options.pid == 4194304);
}

TEST(interval_limits)
{
	CHECK_ACCEPTED("-p 1 -i 0.1");
	CHECK_U64(options.interval_ns, NSEC_PER_SEC / 10);
	CHECK_REFUSED("-p 1 -i 0.0999999999999",
		      "invalid interval \"0.0999999999999\": must be at least 0.1 seconds");
	CHECK_REFUSED("-p 1 -i 0", "invalid interval \"0\": must be at least 0.1 seconds");
	CHECK_ACCEPTED("-p 1 -i 315360000");
	CHECK_U64(options.interval_ns, 315360000 * NSEC_PER_SEC);
	CHECK_REFUSED("-p 1 -i 315360000.5",
		      "invalid interval \"315360000.5\": must be at most 10 years");
}

TEST(seconds_strict)
{
	static const char *const wrong[] = {
		"''", "1e3", "nan", "inf", "1.5s", "0x1", "1.", ".", "1..5", "1.5.", "1,5",
		"-1", "+1", "1.-5", "1_0",
	};
	char line[64];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(line, sizeof(line), "-p 1 -d %s", wrong[i]);
		CHECK(parse(line) == -EINVAL);
		CHECK(strstr(messages, "not a number of seconds"));
	}
}

TEST(duration_limits)
{
	CHECK_ACCEPTED("-p 1 -d 0.000000001");
	CHECK_U64(options.duration_ns, 1);
	CHECK_ACCEPTED("-p 1 -d 00012.3456789019999");
	CHECK_U64(options.duration_ns, UINT64_C(12345678901));
	CHECK_REFUSED("-p 1 -d 0.0", "invalid duration \"0.0\": must be more than 0");
	CHECK_REFUSED("-p 1 -d 18446744073709551617",
		      "invalid duration \"18446744073709551617\": must be at most 10 years");
}

TEST(other_values_refused)
{
	CHECK_REFUSED("-p 1 -l heap", "invalid level \"heap\": not malloc, mmap or pages");
	CHECK_REFUSED("-p 1 -o ''", "option --output needs the name of a file");
	CHECK_REFUSED("-p 1 --record ''", "option --record needs the name of a file");
	CHECK_REFUSED("--replay ''", "option --replay needs the name of a file");
	CHECK_REFUSED("-p 1 --without foo", "unknown feature \"foo\": see memtrace --features");
}

TEST(without)
{
	CHECK_ACCEPTED("-p 1 --without uprobe-session --without pagemap-scan");
	CHECK_U64(options.without, 1u << FEATURE_UPROBE_SESSION | 1u << FEATURE_PAGEMAP_SCAN);
	CHECK_ACCEPTED("--features --without btf");
	CHECK_U64(options.without, 1u << FEATURE_BTF);
}

TEST(words_refused)
{
	CHECK_REFUSED("1234", "unexpected argument \"1234\": the process is given by -p PID");
	CHECK_REFUSED("-p 1 x", "unexpected argument \"x\": the process is given by -p PID");
	CHECK_REFUSED("-z", "unknown option -z");
	CHECK_REFUSED("--quiet -zv", "unknown option -z");
	CHECK_REFUSED("--nonsense", "unknown option --nonsense");
	CHECK_REFUSED("--re x", "unknown option --re");
	CHECK_REFUSED("--force=x", "option --force takes no value");
	CHECK_REFUSED("-p", "option --pid needs PID");
	CHECK_REFUSED("-p 1 --record", "option --record needs FILE");
}

TEST(combinations_refused)
{
	CHECK_REFUSED("-p 1 -q -v", "options -q and -v exclude each other");
	CHECK_REFUSED("-p 1 -f", "option -f needs -o FILE: there is no file to overwrite");
	CHECK_REFUSED("-p 1 -o x --record x", "options -o and --record name the same file");
	CHECK_REFUSED("--replay x -f -o x", "options -o and --replay name the same file");
	CHECK_REFUSED("--replay r -p 1", "option --pid makes no sense with --replay");
	CHECK_REFUSED("--replay r -d 1", "option --duration makes no sense with --replay");
	CHECK_REFUSED("--replay r -i 1", "option --interval makes no sense with --replay");
	CHECK_REFUSED("--replay r -l mmap", "option --level makes no sense with --replay");
	CHECK_REFUSED("--replay r --record x", "option --record makes no sense with --replay");
	CHECK_REFUSED("--features -p 1", "option --pid makes no sense with --features");
	CHECK_REFUSED("--features --replay r", "option --replay makes no sense with --features");
}

TEST(usage_is_short_and_aligned)
{
	char *text = NULL;
	size_t size = 0;
	FILE *saved = stdout;
	FILE *out = open_memstream(&text, &size);
	size_t help_at = 0;
	size_t lines = 0;
	char *line;

	stdout = out;
	options__print_usage();
	stdout = saved;
	fclose(out);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
		char *gap;

		CHECK(strlen(line) <= 80);
		if (strncmp(line, "  -", 3) && strncmp(line, "      --", 8))
			continue;
		gap = strstr(strstr(line, "--"), "  ");
		CHECK(gap);
		gap += strspn(gap, " ");
		CHECK(!help_at || help_at == (size_t)(gap - line));
		help_at = (size_t)(gap - line);
	}
	CHECK(help_at && lines < 30);
	free(text);
}

TEST(features_are_described)
{
	int i;

	for (i = 0; i < FEATURE_COUNT; i++) {
		const struct feature_info *feature = &feature_table[i];

		CHECK(feature->name && feature->since && feature->use && feature->absence);
		CHECK(feature_by_name(feature->name) == (enum feature)i);
	}
	CHECK(feature_by_name("") == FEATURE_COUNT);
}

int main(void)
{
	RUN(defaults);
	RUN(short_options);
	RUN(long_options);
	RUN(commands);
	RUN(pid_refused);
	RUN(interval_limits);
	RUN(seconds_strict);
	RUN(duration_limits);
	RUN(other_values_refused);
	RUN(without);
	RUN(words_refused);
	RUN(combinations_refused);
	RUN(usage_is_short_and_aligned);
	RUN(features_are_described);
	return test_status();
}
