/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pairing heaps of events, for the event queue alone: ordered by (time, order), linked through
 * the events. An event's @at is the pointer to it, in its parent, its elder sibling or
 * where the heap is kept; @next and @child are NULL when it is in none.
 */
#ifndef VRT_SIM_EVENT_HEAP_H
#define VRT_SIM_EVENT_HEAP_H

#include "event.h"

static inline bool earlier(const struct event *a, const struct event *b)
{
	return a->time != b->time ? a->time < b->time : a->order < b->order;
}

static inline void link_at(struct event **at, struct event *ev)
{
	*at = ev;
	ev->at = at;
}

/* One heap of two, and of a list, linked by next, that is not empty. */
struct event *meld(struct event *a, struct event *b);
struct event *meld_list(struct event *list);

static inline void heap_add(struct event **heap, struct event *ev)
{
	link_at(heap, likely(!*heap) ? ev : meld(*heap, ev));
}

/* Takes @ev out of the heap that it is in. */
static inline void heap_del(struct event *ev)
{
	struct event *instead = ev->next;

	if (ev->child) {
		instead = meld_list(ev->child);
		ev->child = NULL;
		instead->next = ev->next;
		if (ev->next)
			ev->next->at = &instead->next;
	}
	*ev->at = instead;
	if (instead)
		instead->at = ev->at;
	ev->next = NULL;
	ev->at = NULL;
}

/*
 * Takes the first member off @list, which are heaps linked by next; those below it join
 * the list, which is returned.
 */
static inline struct event *heap_list_pop(struct event *list)
{
	struct event *rest = list->next, *last = list->child;

	if (last) {
		while (last->next)
			last = last->next;
		last->next = rest;
		rest = list->child;
	}
	list->next = list->child = NULL;
	return rest;
}

#endif
