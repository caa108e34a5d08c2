// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in a mapping and in no range is resident, so the cost is that of the exceptions. The
 * resident bytes are what remains of the live bytes inside mappings; thus the classes always sum
 * to the live bytes, however the target moved between the last event and the page tables.
 */
#include "correlate.h"

#include "live.h"
#include "span.h"

static uint64_t bytes_in(const struct live_blocks *live, const struct span_list *mappings,
			 uint64_t start, uint64_t end, uint64_t *not_anon)
{
	uint64_t bytes = span_list__bytes_in(mappings, start, end, not_anon);

	return live ? bytes + live_blocks__bytes_in(live, start, end) : bytes;
}

bool correlate_wants(const struct live_blocks *live, const struct span_list *mappings,
		     const struct vma *vma)
{
	if (span_list__first_overlap(mappings, vma->start, vma->end))
		return true;
	return live && live_blocks__bytes_in(live, vma->start, vma->end);
}

void correlate(const struct live_blocks *live, const struct span_list *mappings,
	       const struct sample *sample, struct residency *residency)
{
	uint64_t total = mappings->bytes + (live ? live_blocks__bytes(live) : 0);
	uint64_t mapped = 0, mapped_not_anon = 0, exceptions = 0, exceptions_not_anon = 0;
	size_t i;

	*residency = (struct residency){ 0 };
	for (i = 0; i < sample->vmas.count; i++) {
		const struct vma *vma = &sample->vmas.items[i];

		mapped += bytes_in(live, mappings, vma->start, vma->end, &mapped_not_anon);
	}
	for (i = 0; i < sample->ranges.count; i++) {
		const struct page_range *range = &sample->ranges.items[i];
		uint64_t bytes;

		bytes = bytes_in(live, mappings, range->start, range->end, &exceptions_not_anon);
		residency->state_bytes[range->state] += bytes;
		exceptions += bytes;
	}
	residency->resident_bytes = mapped - exceptions;
	residency->resident_anon_bytes =
		residency->resident_bytes - (mapped_not_anon - exceptions_not_anon);
	residency->state_bytes[PAGE_ABSENT] += total - mapped;
}
