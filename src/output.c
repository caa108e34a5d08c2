// SPDX-License-Identifier: GPL-2.0-only
/* Opens the outputs and feeds their sinks. See output.h. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "sink/sink.h"

struct output {
	struct sink *csv;
	struct sink *table;
	FILE *file;		/* of -o, when it is one of our own */
	const char *path;	/* of -o, for messages */
	bool is_new;		/* we made the file, so we may remove it */
	bool has_rows;
};

static int refuse_existing(const char *path)
{
	log_err(-EEXIST, "cannot write to %s", path);
	fprintf(stderr, "memtrace: use -f to overwrite it\n");
	return -EEXIST;
}

static int check_folder(const char *path)
{
	char copy[PATH_MAX];

	if (strlen(path) >= sizeof(copy))
		return log_err(-ENAMETOOLONG, "cannot write to %s", path);
	strcpy(copy, path);
	if (access(dirname(copy), W_OK | X_OK))
		return log_err(-errno, "cannot write to %s", path);
	return 0;
}

int output__check(const char *path, bool overwrite)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? check_folder(path) :
					 log_err(-errno, "cannot write to %s", path);
	if (S_ISDIR(st.st_mode))
		return log_err(-EISDIR, "cannot write to %s", path);
	if (S_ISREG(st.st_mode) && !overwrite)
		return refuse_existing(path);
	return 0;
}

/* A device or a pipe that exists is written to, not overwritten. */
static bool is_special(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

FILE *output__create(const char *path, bool overwrite)
{
	int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY;
	struct stat st;
	FILE *file;
	int fd, err;

	if (!is_special(path))
		flags |= O_CREAT | O_NOFOLLOW | (overwrite ? 0 : O_EXCL);
	fd = open(path, flags, 0644);
	if (fd < 0) {
		err = errno == EEXIST ? refuse_existing(path) :
					log_err(-errno, "cannot write to %s", path);
		errno = -err;
		return NULL;
	}
	/* Cut only now, when it is known what was opened. */
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && ftruncate(fd, 0)) {
		err = log_err(-errno, "cannot write to %s", path);
		close(fd);
		errno = -err;
		return NULL;
	}
	file = fdopen(fd, "w");
	if (!file)
		close(fd);
	return file;
}

static bool names_stdout(const char *path)
{
	return !strcmp(path, "-");
}

static int open_csv(struct output *output, const struct options *options)
{
	FILE *out = stdout;

	if (options->output && !names_stdout(options->output)) {
		output->is_new = access(options->output, F_OK) != 0;
		out = output->file = output__create(options->output, options->overwrite);
		output->path = options->output;
		if (!out)
			return -errno;
	} else if (!options->output && isatty(STDOUT_FILENO)) {
		return 0;
	}
	output->csv = sink__new(&csv_sink, out);
	return output->csv ? 0 : -ENOMEM;
}

static int open_table(struct output *output, const struct options *options)
{
	if (!isatty(STDOUT_FILENO) || (options->output && names_stdout(options->output)))
		return 0;
	output->table = sink__new(&table_sink, stdout);
	return output->table ? 0 : -ENOMEM;
}

static int tell_write_error(const struct output *output, int err)
{
	if (!err || err == -EPIPE)
		return err;
	return log_err(err, "cannot write to %s", output->path ? output->path : "stdout");
}

/* Headers come with the first row, behind what is said on a terminal at the start. */
static int begin(struct output *output)
{
	int err = 0;

	if (output->csv)
		err = sink__begin(output->csv);
	if (!err && output->table)
		err = sink__begin(output->table);
	return err;
}

struct output *output__new(const struct options *options)
{
	struct output *output;
	int err;

	output = calloc(1, sizeof(*output));
	if (!output)
		return NULL;
	err = open_csv(output, options);
	if (!err)
		err = open_table(output, options);
	if (err) {
		output__free(output);
		errno = -err;
		return NULL;
	}
	return output;
}

int output__row(struct output *output, const struct snapshot *snapshot)
{
	int err = output->has_rows ? 0 : begin(output);

	if (!err && output->csv)
		err = sink__row(output->csv, snapshot);
	if (!err)
		output->has_rows = true;
	if (!err && output->table)
		err = sink__row(output->table, snapshot);
	return tell_write_error(output, err);
}

int output__free(struct output *output)
{
	int err = 0;

	if (!output)
		return 0;
	sink__free(output->csv);
	sink__free(output->table);
	if (output->file) {
		if (fclose(output->file))
			err = tell_write_error(output, -errno);
		if (!output->has_rows && output->is_new)
			unlink(output->path);
	}
	free(output);
	return err;
}
