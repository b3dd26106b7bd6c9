// SPDX-License-Identifier: GPL-2.0-only
/* The coarse slots of the event queue (event_slot.h): what is not inlined into event.c. */
#include "../base/alloc.h"
#include "event_slot.h"
#include "internal.h"

struct batch *spare_batches;
static size_t nr_batches; /* spare or not */

_Static_assert(sizeof(struct batch) == 256, "whole cache lines");

#define BATCHES_AT_ONCE 64

static __attribute__((noinline)) void more_batches(void)
{
	struct batch *batch = xcalloc_aligned(BATCHES_AT_ONCE, sizeof(*batch));

	for (u32 i = 0; i + 1 < BATCHES_AT_ONCE; i++)
		batch[i].next = &batch[i + 1];
	spare_batches = batch;
	nr_batches += BATCHES_AT_ONCE;
}

size_t event_memory(void)
{
	return nr_batches * sizeof(struct batch);
}

static __attribute__((noinline)) void slot_add_to_heap(struct slot *slot, struct event *ev,
						       u64 time)
{
	heap_add(&slot->first, ev);
}

static void add_entry(struct slot *slot, struct event *ev, u64 time);

static __attribute__((noinline)) void add_entry_slowly(struct slot *slot, struct event *ev,
						       u64 time)
{
	more_batches();
	add_entry(slot, ev, time);
}

static inline void add_entry(struct slot *slot, struct event *ev, u64 time)
{
	struct batch *batch = slot->batches;
	struct entry *entry;

	if (batch && batch->holes) {
		entry = batch->holes;
		batch->holes = entry->hole;
		batch->nr_holes--;
	} else {
		if (!batch || batch->nr == NR_BATCH) {
			batch = spare_batches;
			if (unlikely(!batch)) {
				add_entry_slowly(slot, ev, time);
				return;
			}
			spare_batches = batch->next;
			batch->next = slot->batches;
			batch->nr = batch->nr_holes = 0;
			batch->holes = NULL;
			slot->batches = batch;
		}
		entry = &batch->entries[batch->nr++];
	}
	entry->time = time;
	link_at(&entry->ev, ev);
}

void slot_add(struct slot *slot, struct event *ev, u64 time)
{
	slot->nr++;
	if (unlikely(slot->heap)) {
		slot_add_to_heap(slot, ev, time);
		return;
	}
	if (time < slot->time || (time == slot->time && earlier(ev, slot->first))) {
		struct event *second = slot->first;
		u64 later = slot->time;

		set_first(slot, ev, time);
		ev = second;
		time = later;
	}
	add_entry(slot, ev, time);
}

static inline void add_to_slot(struct slot *slot, struct event *ev, u64 time)
{
	if (slot->first)
		slot_add(slot, ev, time);
	else
		set_first(slot, ev, time);
}

void slot_renew(struct slot *slot)
{
	struct batch *old = slot->batches;
	u32 nr = slot->nr;

	slot->batches = NULL;
	slot->nr = 1; /* the first; if there is none, one is found on the way */
	empty_batches(old, add_to_slot, slot);
	VRT_ASSERT(slot->nr == nr);
}

#define MANY 64 /* events to look at for the first, each time it is deleted */

void slot_find_first(struct slot *slot)
{
	struct entry *best = NULL;
	struct event *ev;
	u64 time;

	if (slot->searched && slot->nr > MANY) {
		u32 nr = empty_batches(slot->batches, slot_add_to_heap, slot);

		VRT_ASSERT(nr == slot->nr);
		slot->batches = NULL;
		slot->heap = true;
		return;
	}
	slot->searched = true;
	for (struct batch *batch = slot->batches; batch; batch = batch->next)
		for (struct entry *e = batch->entries; e < batch->entries + batch->nr; e++)
			if (e->ev && (!best || e->time < best->time ||
				      (e->time == best->time && earlier(e->ev, best->ev))))
				best = e;
	VRT_ASSERT(best);
	ev = best->ev;
	time = best->time;
	del_entry(slot, best);
	set_first(slot, ev, time);
}
