// SPDX-License-Identifier: GPL-2.0-only
/* The manual says what the program says: every column with its help, every option, feature. */
#include <ctype.h>
#include <stdlib.h>

#include "feature.h"
#include "options.h"
#include "sink/column.h"
#include "test.h"

#define MANUAL "src/man/memtrace.8"	/* tests run in the top folder */

static char manual[1 << 16];

static bool read_manual(void)
{
	FILE *in = fopen(MANUAL, "r");

	if (!in)
		return false;
	manual[fread(manual, 1, sizeof(manual) - 1, in)] = '\0';
	fclose(in);
	return true;
}

TEST(columns_in_order)
{
	const char *at;
	char item[256];
	size_t i;

	CHECK(read_manual());
	at = strstr(manual, ".Sh COLUMNS");
	CHECK(at);
	for (i = 0; i < column_count; i++) {
		snprintf(item, sizeof(item), "\n.It Li %s\n%s\n", columns[i].name,
			 columns[i].help);
		at = strstr(at, item);
		if (!at)
			fprintf(stderr, "%s: missing or out of order:%s", MANUAL, item);
		CHECK(at);
		at++;
	}
}

TEST(no_other_columns)
{
	const char *at;
	const char *end;
	size_t items = 0;

	CHECK(read_manual());
	at = strstr(manual, ".Sh COLUMNS");
	CHECK(at);
	end = strstr(at + 1, "\n.Sh ");
	CHECK(end);
	while ((at = strstr(at + 1, "\n.It Li ")) && at < end)
		items++;
	CHECK_U64(items, column_count);
}

/* The options are read out of --help, which the parser's own table makes. */
TEST(options)
{
	char *text = NULL;
	size_t size = 0;
	FILE *saved = stdout;
	FILE *out = open_memstream(&text, &size);
	size_t found = 0;
	char *line;

	CHECK(read_manual());
	stdout = out;
	options__print_usage();
	stdout = saved;
	fclose(out);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		char name[32], item[64];

		if (sscanf(line, "  -%*c, --%31[a-z]", name) != 1 &&
		    sscanf(line, "      --%31[a-z]", name) != 1)
			continue;
		if (line[2] == '-')
			snprintf(item, sizeof(item), "\n.It Fl %c , Fl -%s", line[3], name);
		else
			snprintf(item, sizeof(item), "\n.It Fl -%s", name);
		if (!strstr(manual, item))
			fprintf(stderr, "%s: missing:%s\n", MANUAL, item);
		CHECK(strstr(manual, item));
		found++;
	}
	CHECK_U64(found, 14);
	free(text);
}

TEST(features)
{
	char item[128];
	int i;

	CHECK(read_manual());
	for (i = 0; i < FEATURE_COUNT; i++) {
		snprintf(item, sizeof(item), "\n.It Li %s\n", feature_table[i].name);
		CHECK(strstr(manual, item));
	}
}

TEST(sections)
{
	static const char *const wanted[] = {
		"NAME", "SYNOPSIS", "DESCRIPTION", "COLUMNS", "EXIT STATUS", "EXAMPLES",
		"OVERHEAD", "LIMITS",
	};
	char item[64];
	size_t i;

	CHECK(read_manual());
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		snprintf(item, sizeof(item), "\n.Sh %s\n", wanted[i]);
		CHECK(strstr(manual, item));
	}
}

int main(void)
{
	RUN(columns_in_order);
	RUN(no_other_columns);
	RUN(options);
	RUN(features);
	RUN(sections);
	return test_status();
}
