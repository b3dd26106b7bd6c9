// SPDX-License-Identifier: GPL-2.0-only
/* Pairing heaps of events: two that become one. The rest is in event_heap.h. */
#include "event_heap.h"

/* The later of two heaps becomes the first child of the other, which is returned. */
struct event *meld(struct event *a, struct event *b)
{
	if (earlier(b, a)) {
		struct event *swap = a;

		a = b;
		b = swap;
	}
	b->next = a->child;
	if (b->next)
		b->next->at = &b->next;
	link_at(&a->child, b);
	return a;
}

/* One heap of @list, whose members are linked by next: in pairs, then those from the last on. */
struct event *meld_list(struct event *list)
{
	struct event *pairs = NULL, *heap;

	while (list) {
		struct event *a = list, *b = a->next;

		list = b ? b->next : NULL;
		if (b)
			a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	heap = pairs;
	pairs = heap->next;
	while (pairs) {
		struct event *next = pairs->next;

		heap = meld(heap, pairs);
		pairs = next;
	}
	heap->next = NULL;
	return heap;
}
