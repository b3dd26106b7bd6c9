/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The coarse slots of the event queue, for event.c alone.
 *
 * In them the order does not matter but for which event is the first. On a large
 * machine the events of other CPUs are not in the host's caches, and a miss is worth
 * a hundred instructions: so events are not linked through each other here, and not
 * even looked at. Beside its first a slot has entries, each with a pointer to the
 * event and its time; the event's @at points back to that pointer. An entry whose
 * event is deleted is a hole, the next to be used, and when a slot has more holes than
 * events, and some, it is made anew without. When a slot is emptied its events move by
 * the times in their entries. A slot whose first is deleted looks at all entries for
 * another; if it has to again, and there are many, it becomes a pairing heap, so that
 * no event costs more the more there are.
 *
 * Entries are handed out by the batch, and batches that are not needed are kept: in
 * the long run nothing is allocated, and who has seen an event can look later
 * whether it is still in its place.
 *
 * Invariants: a slot has @nr events, the first included; an event of it that is not
 * the first is in exactly one entry of its batches, or in the heap; a slot without a
 * first has @time 0; the holes are listed in the newest batch; an empty slot is all 0; the
 * @ev of every entry that there is, of spare batches too, is NULL or a queued event.
 */
#ifndef VRT_SIM_EVENT_SLOT_H
#define VRT_SIM_EVENT_SLOT_H

#include "event_heap.h"

/* An event of a coarse slot, not its first. */
struct entry {
	union {
		u64 time;
		struct entry *hole; /* without an event: the next such */
	};
	struct event *ev; /* NULL: deleted */
};

#define NR_BATCH 14
struct batch {
	struct batch *next; /* an older one */
	struct entry *holes; /* of the slot; as the next line, true in its newest batch only */
	u32 nr_holes;
	u32 nr; /* entries in use here, holes included */
	struct entry entries[NR_BATCH];
} __attribute__((aligned(64)));

struct slot {
	struct event *first; /* the earliest; NULL: none, or it has to be looked for */
	u64 time; /* of the first; 0 without one */
	struct batch *batches; /* for the others; the newest */
	u32 nr; /* events, the first included */
	bool searched; /* the first has been looked for */
	bool heap; /* the first is a heap of all instead */
};

extern struct batch *spare_batches;

/* To a slot that is not empty; @time is the event's. */
void slot_add(struct slot *slot, struct event *ev, u64 time);
/* Of a slot that has events, but not the first. */
void slot_find_first(struct slot *slot);
/* Gets rid of the holes. */
void slot_renew(struct slot *slot);

static inline void set_first(struct slot *slot, struct event *ev, u64 time)
{
	slot->time = time;
	link_at(&slot->first, ev);
}

static inline void del_entry(struct slot *slot, struct entry *entry)
{
	struct batch *newest = slot->batches;

	entry->ev = NULL;
	entry->hole = newest->holes;
	newest->holes = entry;
	newest->nr_holes++;
}

static inline void slot_del(struct slot *slot, struct event *ev)
{
	slot->nr--;
	if (unlikely(slot->heap)) {
		heap_del(ev);
		return;
	}
	VRT_ASSERT(*ev->at == ev);
	if (ev->at == &slot->first) {
		slot->first = NULL;
		slot->time = 0;
	} else {
		del_entry(slot, container_of(ev->at, struct entry, ev));
	}
	ev->at = NULL;
}

static inline bool has_too_many_holes(const struct slot *slot)
{
	return slot->batches && slot->batches->nr_holes > slot->nr + NR_BATCH;
}

static inline void free_batch(struct batch *batch)
{
	batch->next = spare_batches;
	spare_batches = batch;
}

static inline void free_batches(struct batch *batch)
{
	while (batch) {
		struct batch *next = batch->next;

		free_batch(batch);
		batch = next;
	}
}

static inline void fetch_batch(const struct batch *batch)
{
#pragma GCC unroll 4
	for (u32 line = 0; line < sizeof(*batch); line += 64)
		prefetch((const char *)batch + line);
}

/* Frees @batches and gives the events in them, with their times, to @fn. How many there were. */
static inline u32 empty_batches(struct batch *batches,
				void (*fn)(struct slot *, struct event *, u64 time),
				struct slot *slot)
{
	struct batch *next;
	u32 nr = 0;

	for (struct batch *batch = batches; batch; batch = next) {
		next = batch->next;
		if (next)
			fetch_batch(next);
		for (struct entry *e = batch->entries; e < batch->entries + batch->nr; e++) {
			struct event *ev = e->ev;

			if (!ev)
				continue;
			e->ev = NULL;
			fn(slot, ev, e->time);
			nr++;
		}
		free_batch(batch);
	}
	return nr;
}

#endif
