// SPDX-License-Identifier: GPL-2.0-only
/* Reads a target's procfs files in the order that brackets them best. See sampler.h. */
#include "sampler.h"

#include <errno.h>
#include <stdlib.h>

#include "log.h"

struct sampler {
	int proc_fd;
	enum pagemap_method method;
	struct pagemap *pagemap;	/* of the present address space; NULL: not opened yet */
};

struct sampler *sampler__new(int proc_fd, enum pagemap_method method)
{
	struct sampler *sampler;

	sampler = calloc(1, sizeof(*sampler));
	if (!sampler)
		return NULL;
	sampler->proc_fd = proc_fd;
	sampler->method = method;
	return sampler;
}

void sampler__free(struct sampler *sampler)
{
	if (!sampler)
		return;
	pagemap__free(sampler->pagemap);
	free(sampler);
}

void sampler__renew(struct sampler *sampler)
{
	pagemap__free(sampler->pagemap);
	sampler->pagemap = NULL;
}

static int scan_pages(struct sampler *sampler, const struct source_handler *handler,
		      struct sample *sample)
{
	size_t i;
	int err;

	sample->ranges.count = 0;
	if (!sampler->pagemap)
		sampler->pagemap = pagemap__new(sampler->proc_fd, sampler->method);
	if (!sampler->pagemap)
		return -errno;
	err = pagemap__begin(sampler->pagemap);
	for (i = 0; !err && i < sample->vmas.count; i++) {
		const struct vma *vma = &sample->vmas.items[i];

		if (handler->wants(handler->ctx, sample->scope, vma))
			err = pagemap__scan(sampler->pagemap, vma->start, vma->end,
					    &sample->ranges);
	}
	return err;
}

static bool is_gone(int err)
{
	return err == -ESRCH || err == -ENOENT;
}

/*
 * status and the page tables are read a moment apart. Of the readings before and after, the one
 * with more anonymous memory is kept whole, so that what is resident under live bytes fits in it.
 */
static int read_status_again(struct sampler *sampler, struct sample *sample)
{
	struct proc_status after;
	int err;

	err = proc_read_status(sampler->proc_fd, &after);
	if (err)
		return err;
	if (after.rss_anon_bytes != SNAPSHOT_UNKNOWN &&
	    sample->status.rss_anon_bytes != SNAPSHOT_UNKNOWN &&
	    after.rss_anon_bytes > sample->status.rss_anon_bytes)
		sample->status = after;
	return 0;
}

int sampler__take(struct sampler *sampler, const struct source_handler *handler,
		  proc_vma_visit visit, void *ctx, struct sample *sample)
{
	int err;

	sample->has_status = false;
	sample->has_pages = false;
	err = proc_read_stat(sampler->proc_fd, &sample->stat);
	if (!err)
		err = proc_read_status(sampler->proc_fd, &sample->status);
	if (err)
		return is_gone(err) ? 0 : log_err(err, "cannot read the target's status");
	/* A zombie has a status, but no memory to tell of. */
	if (sample->status.vm_bytes == SNAPSHOT_UNKNOWN)
		return 0;
	sample->has_status = true;
	err = proc_read_maps(sampler->proc_fd, &sample->vmas, visit, ctx);
	if (err)
		return is_gone(err) ? 0 : log_err(err, "cannot read the target's mappings");
	if (sampler->method == PAGEMAP_METHOD_NONE)
		return 0;
	err = scan_pages(sampler, handler, sample);
	if (err)
		return is_gone(err) ? 0 : log_err(err, "cannot read the target's page tables");
	err = read_status_again(sampler, sample);
	if (err)
		return is_gone(err) ? 0 : log_err(err, "cannot read the target's status");
	sample->has_pages = true;
	return 0;
}
