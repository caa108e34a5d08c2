// SPDX-License-Identifier: GPL-2.0-only
/* Hits × measured cost per hit. See cost.h. */
#include "cost.h"

#include <errno.h>
#include <string.h>

#include "attach.h"
#include "log.h"

#define SHARE_LIMIT 0.1		/* of a core */

/* No trap is cheaper than this anywhere, so fewer hits than that can pass unmeasured. */
#define LEAST_NS_PER_HIT 50
/* Shorter intervals say little about a rate. */
#define LEAST_INTERVAL_NS 50000000ull

static bool measure(struct cost_watch *watch, struct attachment *attachment, enum hit_kind kind)
{
	double cost;

	if (watch->measured[kind])
		return true;
	cost = attachment__measure_hit(attachment, kind);
	if (cost <= 0) {
		log_verbose("cannot measure what a hit costs: %s", strerror((int)-cost));
		return false;
	}
	watch->ns_per_hit[kind] = cost;
	watch->measured[kind] = true;
	log_verbose("a hit of kind %d costs %.0f ns here", kind, cost);
	return true;
}

static void tell(struct cost_watch *watch, double share, double hits_per_second)
{
	log_info("the malloc probes cost the target about %.0f %% of a core (%.0f hits/s at %.2f µs); "
		 "--level mmap avoids it", share * 100, hits_per_second,
		 share * 1e6 / hits_per_second);
	watch->told = true;
}

void cost_watch__look(struct cost_watch *watch, struct attachment *attachment,
		      const uint64_t hits[HIT_KIND_COUNT], uint64_t elapsed_ns)
{
	uint64_t interval_ns = elapsed_ns - watch->elapsed_ns;
	uint64_t fresh[HIT_KIND_COUNT], total = 0;
	double cost_ns = 0, share;
	int kind;

	if (watch->told || interval_ns < LEAST_INTERVAL_NS)
		return;
	for (kind = 0; kind < HIT_KIND_COUNT; kind++) {
		fresh[kind] = hits[kind] - watch->hits[kind];
		total += fresh[kind];
	}
	memcpy(watch->hits, hits, sizeof(watch->hits));
	watch->elapsed_ns = elapsed_ns;
	/* A stepped hit costs some 20 times as much; assume the worst before measuring. */
	if ((double)total * LEAST_NS_PER_HIT * 20 < SHARE_LIMIT * (double)interval_ns)
		return;
	for (kind = 0; kind < HIT_KIND_COUNT; kind++) {
		if (!fresh[kind])
			continue;
		if (!measure(watch, attachment, (enum hit_kind)kind))
			return;
		cost_ns += (double)fresh[kind] * watch->ns_per_hit[kind];
	}
	share = cost_ns / (double)interval_ns;
	if (share > SHARE_LIMIT)
		tell(watch, share, (double)total * 1e9 / (double)interval_ns);
}
