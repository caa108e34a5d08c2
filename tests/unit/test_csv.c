// SPDX-License-Identifier: GPL-2.0-only
/* The CSV: exact bytes for exact snapshots, hostile names, and outputs that fail. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/snapshot.h"
#include "sink/column.h"
#include "sink/sink.h"
#include "test.h"

#define HEADER                                                                                     \
	"time,elapsed_s,pid,comm,malloc_calls,free_calls,allocated_bytes,freed_bytes,mmap_calls,"  \
	"munmap_calls,mapped_bytes,unmapped_bytes,live_blocks,live_bytes,heap_live_bytes,"         \
	"mmap_live_bytes,live_resident_bytes,live_zero_bytes,live_swapped_bytes,"                  \
	"live_untouched_bytes,vm_bytes,rss_bytes,rss_anon_bytes,rss_file_bytes,rss_shmem_bytes,"   \
	"swap_bytes,unattributed_bytes,minor_faults,major_faults,user_faults,kernel_faults,"       \
	"write_faults,zero_page_faults,cow_faults,lost_events,unmatched_frees\n"

/* Every figure another one, in the order of the columns: 101, 102, … */
static struct snapshot make_snapshot(void)
{
	struct snapshot snapshot = {
		.time = { .tv_sec = 1795237567, .tv_nsec = 89999999 },
		.elapsed_ns = UINT64_C(61002999999),
		.tgid = 4711,
		.comm = "python3",
	};
	uint64_t *figure = &snapshot.malloc_calls;
	uint64_t value = 101;

	for (; figure <= &snapshot.unmatched_frees; figure++)
		*figure = value++;
	return snapshot;
}

static struct snapshot make_unknown(void)
{
	struct snapshot snapshot = make_snapshot();
	uint64_t *figure = &snapshot.malloc_calls;

	for (; figure <= &snapshot.unmatched_frees; figure++)
		*figure = SNAPSHOT_UNKNOWN;
	return snapshot;
}

/* One row as text; static, overwritten by the next. */
static const char *row_text(const struct snapshot *snapshot)
{
	static char text[4096];
	FILE *out = fmemopen(text, sizeof(text), "w");

	csv_sink.row(out, snapshot, 0);
	fclose(out);
	return text;
}

/* The comm field of a row whose other fields are fixed. */
static const char *comm_field(const char *comm)
{
	static char field[512];
	struct snapshot snapshot = make_unknown();
	const char *start;
	const char *end;

	snprintf(snapshot.comm, sizeof(snapshot.comm), "%s", comm);
	start = strstr(row_text(&snapshot), "4711,") + strlen("4711,");
	end = strstr(start, ",,,");
	snprintf(field, sizeof(field), "%.*s", (int)(end - start), start);
	return field;
}

TEST(header)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int err = csv_sink.begin(out);

	fclose(out);
	CHECK(err == 0);
	CHECK_STR(text, HEADER);
	free(text);
}

TEST(row)
{
	struct snapshot snapshot = make_snapshot();

	CHECK_STR(row_text(&snapshot),
		  "2026-11-21T05:06:07.089Z,61.002,4711,python3,101,102,103,104,105,106,107,108,"
		  "109,110,111,112,113,114,115,116,117,118,119,120,121,122,123,124,125,126,127,"
		  "128,129,130,131,132\n");
}

TEST(unknown_is_empty)
{
	struct snapshot snapshot = make_unknown();

	CHECK_STR(row_text(&snapshot),
		  "2026-11-21T05:06:07.089Z,61.002,4711,python3,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n");
}

TEST(largest_figures)
{
	struct snapshot snapshot = make_snapshot();
	uint64_t *figure = &snapshot.malloc_calls;
	const char *text;

	for (; figure <= &snapshot.unmatched_frees; figure++)
		*figure = SNAPSHOT_UNKNOWN - 1;
	memset(snapshot.comm, '"', sizeof(snapshot.comm) - 1);
	text = row_text(&snapshot);
	CHECK(strstr(text, "\"\"\",18446744073709551614,"));
	CHECK(text[strlen(text) - 1] == '\n');
}

TEST(elapsed)
{
	struct snapshot snapshot = make_snapshot();

	snapshot.elapsed_ns = 0;
	CHECK(strstr(row_text(&snapshot), "Z,0.000,4711,"));
	snapshot.elapsed_ns = 7000000;
	CHECK(strstr(row_text(&snapshot), "Z,0.007,4711,"));
}

TEST(comm_quoted)
{
	CHECK_STR(comm_field("a,b"), "\"a,b\"");
	CHECK_STR(comm_field("say \"hi\""), "\"say \"\"hi\"\"\"");
	CHECK_STR(comm_field("with blank"), "with blank");
	CHECK_STR(comm_field(""), "");
}

TEST(comm_controls)
{
	CHECK_STR(comm_field("a\nb\r\tc\x1b[2J\x7f"), "a?b??c?[2J?");
	CHECK_STR(comm_field("a\xc2\x9b" "2J"), "a?2J");	/* U+009B: CSI */
	CHECK_STR(comm_field("\n,\""), "\"?,\"\"\"");
}

TEST(comm_utf8)
{
	CHECK_STR(comm_field("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7"),
		  "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7");
	CHECK_STR(comm_field("\xff\xfe"), "??");
	CHECK_STR(comm_field("\x80"), "?");
	CHECK_STR(comm_field("\xc0\xaf"), "??");		/* overlong */
	CHECK_STR(comm_field("\xe0\x80\xaf"), "???");
	CHECK_STR(comm_field("\xf0\x80\x80\xaf"), "????");
	CHECK_STR(comm_field("\xed\xa0\x80"), "???");		/* surrogate */
	CHECK_STR(comm_field("\xf4\x90\x80\x80"), "????");	/* above U+10FFFF */
	CHECK_STR(comm_field("\xe2\x82"), "??");		/* cut off by the kernel */
	CHECK_STR(comm_field("\xe2\x82,"), "\"??,\"");
}

TEST(reader_is_gone)
{
	struct snapshot snapshot = make_snapshot();
	struct sink *sink;
	int pipe_fd[2];
	FILE *out;
	int err;

	signal(SIGPIPE, SIG_IGN);
	CHECK(pipe(pipe_fd) == 0);
	out = fdopen(pipe_fd[1], "w");
	sink = sink__new(&csv_sink, out);
	CHECK(sink && sink__begin(sink) == 0);
	close(pipe_fd[0]);
	err = sink__row(sink, &snapshot);
	sink__free(sink);
	CHECK(fclose(out) == 0);	/* nothing is left to be tried again */
	CHECK(err == -EPIPE);
}

TEST(disk_full)
{
	struct snapshot snapshot = make_snapshot();
	FILE *out = fopen("/dev/full", "w");
	struct sink *sink;
	int err;

	CHECK(out);
	sink = sink__new(&csv_sink, out);
	CHECK(sink);
	err = sink__row(sink, &snapshot);
	sink__free(sink);
	CHECK(fclose(out) == 0);
	CHECK(err == -ENOSPC);
}

/* A file size limit cuts the second row in the middle, as a full disk does. */
TEST(no_half_row)
{
	struct rlimit saved, limit;
	struct snapshot snapshot = make_snapshot();
	size_t whole = strlen(HEADER) + strlen(row_text(&snapshot));
	FILE *out = tmpfile();
	struct sink *sink = sink__new(&csv_sink, out);
	struct stat st;
	int err;

	CHECK(out && sink);
	CHECK(sink__begin(sink) == 0 && sink__row(sink, &snapshot) == 0);
	signal(SIGXFSZ, SIG_IGN);
	CHECK(getrlimit(RLIMIT_FSIZE, &saved) == 0);
	limit = saved;
	limit.rlim_cur = whole + 10;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	err = sink__row(sink, &snapshot);
	CHECK(setrlimit(RLIMIT_FSIZE, &saved) == 0);
	CHECK(err == -EFBIG);
	CHECK(fstat(fileno(out), &st) == 0);
	CHECK_U64((uint64_t)st.st_size, whole);
	CHECK(sink__row(sink, &snapshot) == 0);
	CHECK(fstat(fileno(out), &st) == 0);
	CHECK_U64((uint64_t)st.st_size, whole + strlen(row_text(&snapshot)));
	sink__free(sink);
	fclose(out);
}

/* Other writers append to the same file: their lines must outlive our failure. */
TEST(appended_file_is_never_cut)
{
	char path[] = "/tmp/memtrace-test-XXXXXX";
	struct rlimit saved, limit;
	struct snapshot snapshot = make_snapshot();
	int fd = mkostemp(path, O_APPEND);
	FILE *out = fdopen(fd, "a");
	struct sink *sink = sink__new(&csv_sink, out);
	struct stat st;
	int err;

	CHECK(out && sink);
	unlink(path);
	CHECK(write(fd, "of others\n", 10) == 10);
	signal(SIGXFSZ, SIG_IGN);
	CHECK(getrlimit(RLIMIT_FSIZE, &saved) == 0);
	limit = saved;
	limit.rlim_cur = 10 + 5;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	err = sink__row(sink, &snapshot);
	CHECK(setrlimit(RLIMIT_FSIZE, &saved) == 0);
	CHECK(err == -EFBIG);
	CHECK(fstat(fd, &st) == 0);
	CHECK(st.st_size >= 10);
	sink__free(sink);
	fclose(out);
}

/* Whole after every row, without a flush or close by the caller. */
TEST(rows_are_flushed)
{
	struct snapshot snapshot = make_snapshot();
	FILE *out = tmpfile();
	struct sink *sink = sink__new(&csv_sink, out);
	size_t want = strlen(HEADER);
	struct stat st;
	int i;

	CHECK(out && sink);
	CHECK(sink__begin(sink) == 0);
	for (i = 0; i < 3; i++) {
		CHECK(sink__row(sink, &snapshot) == 0);
		want += strlen(row_text(&snapshot));
		CHECK(fstat(fileno(out), &st) == 0);
		CHECK_U64((uint64_t)st.st_size, want);
	}
	sink__free(sink);
	fclose(out);
}

/* The columns cover the snapshot: no figure forgotten, none twice. */
TEST(columns_cover_snapshot)
{
	size_t first = offsetof(struct snapshot, malloc_calls);
	size_t figures = (sizeof(struct snapshot) - first) / sizeof(uint64_t);
	size_t i;

	CHECK_U64(column_count, figures + 4);
	for (i = 0; i < figures; i++) {
		const struct column *column = &columns[i + 4];

		CHECK_U64(column->offset, first + i * sizeof(uint64_t));
		CHECK(column->kind == COLUMN_COUNT_NUMBER || column->kind == COLUMN_BYTES);
		CHECK((column->kind == COLUMN_BYTES) == !!strstr(column->name, "_bytes"));
		CHECK(column->help && *column->help);
	}
}

int main(void)
{
	RUN(header);
	RUN(row);
	RUN(unknown_is_empty);
	RUN(largest_figures);
	RUN(elapsed);
	RUN(comm_quoted);
	RUN(comm_controls);
	RUN(comm_utf8);
	RUN(reader_is_gone);
	RUN(disk_full);
	RUN(no_half_row);
	RUN(appended_file_is_never_cut);
	RUN(rows_are_flushed);
	RUN(columns_cover_snapshot);
	return test_status();
}
