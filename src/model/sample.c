// SPDX-License-Identifier: GPL-2.0-only
/* The two growing arrays of a sample. */
#include "sample.h"

#include <errno.h>
#include <stdlib.h>

static int grow(void **items, size_t *room, size_t item_size)
{
	size_t next = *room ? *room * 2 : 256;
	void *grown;

	grown = reallocarray(*items, next, item_size);
	if (!grown)
		return -ENOMEM;
	*items = grown;
	*room = next;
	return 0;
}

void vma_list__free(struct vma_list *list)
{
	free(list->items);
	*list = (struct vma_list){ 0 };
}

int vma_list__push(struct vma_list *list, const struct vma *vma)
{
	if (list->count == list->room &&
	    grow((void **)&list->items, &list->room, sizeof(*list->items)))
		return -ENOMEM;
	list->items[list->count++] = *vma;
	return 0;
}

const struct vma *vma_list__find(const struct vma_list *list, uint64_t addr)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (list->items[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == list->count || list->items[low].start > addr)
		return NULL;
	return &list->items[low];
}

void page_range_list__free(struct page_range_list *list)
{
	free(list->items);
	*list = (struct page_range_list){ 0 };
}

int page_range_list__push(struct page_range_list *list, uint64_t start, uint64_t end,
			  enum page_state state)
{
	struct page_range *last = list->count ? &list->items[list->count - 1] : NULL;

	if (last && last->end == start && last->state == (uint32_t)state) {
		last->end = end;
		return 0;
	}
	if (list->count == list->room &&
	    grow((void **)&list->items, &list->room, sizeof(*list->items)))
		return -ENOMEM;
	list->items[list->count++] = (struct page_range){
		.start = start, .end = end, .state = state,
	};
	return 0;
}
