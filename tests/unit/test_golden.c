// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recordings of real runs under tests/golden/, through model and sinks: the output must stay what
 * it was when somebody reviewed it. NAME.rec is the recording, NAME.csv what its run printed.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>

#include "collect/record.h"
#include "model/model.h"
#include "sink/sink.h"
#include "test.h"

struct replay {
	struct model *model;
	struct sink *sink;
};

static int on_event(void *ctx, const struct event_rec *rec, size_t size)
{
	struct replay *replay = ctx;

	return model__apply(replay->model, rec, size);
}

static int on_tick(void *ctx, const struct sample *sample)
{
	struct replay *replay = ctx;
	struct snapshot snapshot;
	int err = model__tick(replay->model, sample, &snapshot);

	return err ? err : sink__row(replay->sink, &snapshot);
}

/* The CSV of a recording, the caller's to free; NULL when it cannot be replayed. */
static char *replay_csv(const char *path)
{
	struct replay replay = { 0 };
	struct source_handler handler = { .ctx = &replay, .event = on_event, .tick = on_tick };
	uint32_t page_size;
	char *text = NULL;
	size_t size;
	FILE *in = fopen(path, "r"), *out = open_memstream(&text, &size);
	int err = in && out ? replay__open(in, &page_size) : -ENOENT;

	if (!err) {
		replay.model = model__new(page_size);
		replay.sink = sink__new(&csv_sink, out);
		err = sink__begin(replay.sink);
	}
	if (!err)
		err = replay__run(in, &handler);
	sink__free(replay.sink);
	model__free(replay.model);
	if (in)
		fclose(in);
	if (out)
		fclose(out);
	if (!err)
		return text;
	free(text);
	return NULL;
}

static char *read_file(const char *path)
{
	char *text = calloc(1, 1 << 20);
	FILE *in = fopen(path, "r");

	if (in && text)
		text[fread(text, 1, (1 << 20) - 1, in)] = '\0';
	if (in)
		fclose(in);
	return text;
}

TEST(recordings_give_their_csv)
{
	glob_t found;
	size_t i;

	CHECK(!glob("tests/golden/*.rec", 0, NULL, &found));
	CHECK(found.gl_pathc > 0);
	for (i = 0; i < found.gl_pathc; i++) {
		char csv_path[256];
		char *got, *want;

		snprintf(csv_path, sizeof(csv_path), "%.*scsv",
			 (int)strlen(found.gl_pathv[i]) - 3, found.gl_pathv[i]);
		got = replay_csv(found.gl_pathv[i]);
		want = read_file(csv_path);
		CHECK(got && want);
		CHECK_STR(got, want);
		free(got);
		free(want);
	}
	globfree(&found);
}

int main(void)
{
	RUN(recordings_give_their_csv);
	return test_status();
}
