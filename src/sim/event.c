// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event queue: a 4-ary heap of (time, order), in which every event knows
 * its place, so that it can be moved and removed. The keys are in the heap's
 * array: comparing touches no event.
 *
 * Invariant: sim_clock.next is what event.h says after every change of the
 * queue, because CPUs decide by it alone whether they may run on.
 */
#include <stdlib.h>

#include "../base/alloc.h"
#include "internal.h"

#define ARITY 4

struct entry {
	u64 time, order;
	struct event *ev;
};

static struct entry *heap;
static u32 nr_entries, capacity;
static u32 sequence;
static u64 run_end = SIM_NEVER;
static bool running, stopping;

struct sim_clock sim_clock;
struct rng sim_rng;

static inline bool earlier(const struct entry *a, const struct entry *b)
{
	return a->time != b->time ? a->time < b->time : a->order < b->order;
}

static inline void place(u32 i, const struct entry *entry)
{
	heap[i] = *entry;
	entry->ev->slot = i + 1;
}

static inline void update_next(void)
{
	u64 next = nr_entries ? heap[0].time : SIM_NEVER;

	sim_clock.next = stopping ? 0 : min(next, run_end);
}

/* @entry belongs at @i or above it. */
static void sift_up(u32 i, struct entry entry)
{
	while (i) {
		u32 parent = (i - 1) / ARITY;

		if (!earlier(&entry, &heap[parent]))
			break;
		place(i, &heap[parent]);
		i = parent;
	}
	place(i, &entry);
}

/* @entry belongs at @i or below it. */
static void sift_down(u32 i, struct entry entry)
{
	for (;;) {
		u32 first = i * ARITY + 1, best = first;
		u32 end = min(first + ARITY, nr_entries);

		if (first >= nr_entries)
			break;
		for (u32 c = first + 1; c < end; c++)
			if (earlier(&heap[c], &heap[best]))
				best = c;
		if (!earlier(&heap[best], &entry))
			break;
		place(i, &heap[best]);
		i = best;
	}
	place(i, &entry);
}

static void sift(u32 i, struct entry entry)
{
	if (i && earlier(&entry, &heap[(i - 1) / ARITY]))
		sift_up(i, entry);
	else
		sift_down(i, entry);
}

static void remove_at(u32 i)
{
	heap[i].ev->slot = 0;
	if (i < --nr_entries)
		sift(i, heap[nr_entries]);
}

void event_add(struct event *ev, u64 time)
{
	struct entry entry = { .time = time, .ev = ev };

	VRT_ASSERT(time >= sim_clock.now && time != SIM_NEVER);
	entry.order = (rng_next(&sim_rng) & 0xffffffff00000000) | sequence++;
	ev->time = time;
	ev->order = entry.order;
	if (ev->slot) {
		sift(ev->slot - 1, entry);
	} else {
		if (unlikely(nr_entries == capacity)) {
			capacity = capacity ? capacity * 2 : 1024;
			heap = xreallocarray(heap, capacity, sizeof(*heap));
		}
		sift_up(nr_entries++, entry);
	}
	update_next();
}

void event_del(struct event *ev)
{
	if (!ev->slot)
		return;
	remove_at(ev->slot - 1);
	update_next();
}

/* The earliest event, out of the queue, with the clock at its time. */
static inline struct event *take_first(void)
{
	struct event *ev = heap[0].ev;

	sim_clock.now = heap[0].time;
	sim_clock.fired++;
	remove_at(0);
	update_next();
	return ev;
}

static inline bool first_is_due(void)
{
	return nr_entries && !stopping && heap[0].time < run_end;
}

struct event *event_take(void (*fire)(struct event *ev))
{
	return first_is_due() && heap[0].ev->fire == fire ? take_first() : NULL;
}

void sim_init(u64 seed)
{
	sim_exit();
	rng_init(&sim_rng, seed);
	sim_clock = (struct sim_clock){ .now = SIM_BOOT_NS };
	sequence = 0;
	update_next();
}

void sim_exit(void)
{
	VRT_ASSERT(!running);
	for (u32 i = 0; i < nr_entries; i++)
		heap[i].ev->slot = 0;
	free(heap);
	heap = NULL;
	nr_entries = capacity = 0;
	update_next();
}

void sim_run(u64 until)
{
	VRT_ASSERT(!running);
	running = true;
	run_end = until;
	update_next();
	while (first_is_due()) {
		struct event *ev = take_first();

		ev->fire(ev);
	}
	if (!stopping && until != SIM_NEVER && until > sim_clock.now)
		sim_clock.now = until;
	running = stopping = false;
	run_end = SIM_NEVER;
	update_next();
}

void sim_stop(void)
{
	stopping = running;
	update_next();
}
