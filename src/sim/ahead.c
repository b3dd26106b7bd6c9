// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fetching ahead.
 *
 * A large machine is larger than the host's caches, and each CPU's turn is about
 * another part of it. So what a turn will touch is fetched from memory ahead of it,
 * one step after the other: the event that begins it, what is known by the CPU's
 * number, and then, when that has arrived, what it points at. Nothing but the host's
 * time depends on any of it, and nothing is looked at that may be gone.
 *
 * What a small machine has is in the host's caches anyway: the scheduler says when
 * there is more (cpus_look_ahead).
 *
 * Most events let a CPU go on in the middle of something. It has been there just
 * before, and its memory is still at hand: only those that end a wait are turns. But
 * those that are known long enough before are turns, nearly all.
 */
#include "internal.h"

bool cpus_look_ahead;

/*
 * How far ahead events are asked for and the steps are, in events: memory needs the
 * time, and what has come must still be in the first cache.
 */
#define ASKED_FOR 20
static const u32 distances[NR_COMING] = { 4, 2 };

#define NR_EVENTS 32 /* ASKED_FOR and SCOUTS, and a power of two */
#define NOBODY (~0U)

/* By number: those from @first to @end are to come, nearly in the order of time. */
static struct {
	struct coming {
		struct scouted event;
		const struct hrtimer *timer; /* may be gone */
		u32 cpu; /* whose turn it is for, or NOBODY; known after the first step */
	} events[NR_EVENTS];
	u32 first, end;
} ring;

void ahead_init(void)
{
	cpus_look_ahead = false;
	ring.first = ring.end = 0;
}

static inline struct coming *numbered(u32 nr)
{
	return &ring.events[nr % NR_EVENTS];
}

/* The two lines of it that a turn touches; that of a resume event has been asked for with it. */
static inline void fetch_cpu(const struct cpu *cpu)
{
	prefetch(cpu);
	prefetch(&cpu->resume);
}

/* At an event whose memory has arrived. */
static inline void look_at(struct coming *coming)
{
	const struct event *ev = event_scouted(&coming->event);
	const struct cpu *cpu = ev ? event_cpu(ev, &coming->timer) : NULL;

	coming->cpu = NOBODY;
	if (!cpu || (!coming->timer && cpu->fiber))
		return;
	coming->cpu = cpu_number(cpu);
	if (coming->timer)
		fetch_cpu(cpu);
}

static inline void take_step(u32 step, struct coming *coming, const struct cpu_ops *ops)
{
	if (step == 0)
		look_at(coming);
	if (coming->cpu != NOBODY)
		ops->coming[step](coming->cpu, coming->timer);
}

/* The first event is over: each of the others is one step nearer. */
static inline void advance(const struct cpu_ops *ops)
{
	u32 first = ++ring.first, left = ring.end - first;

#pragma GCC unroll 2
	for (u32 step = 0; step < NR_COMING; step++)
		if (likely(left >= distances[step]))
			take_step(step, numbered(first + distances[step] - 1), ops);
}

/* One more; what is seen late takes at once the steps that it should have taken. */
static inline void append(const struct scouted *found, const struct cpu_ops *ops)
{
	struct coming *coming = numbered(ring.end);
	u32 distance = ring.end++ - ring.first;

	coming->event = *found;
	for (u32 step = 0; step < NR_COMING && unlikely(distance < distances[step]); step++)
		take_step(step, coming, ops);
}

void ahead_look(const struct cpu_ops *ops)
{
	struct scouted found[SCOUTS];
	u32 nr;

	while (ring.first != ring.end && numbered(ring.first)->event.time <= sim_clock.now)
		advance(ops);
	while (ring.end - ring.first < ASKED_FOR && (nr = event_scout(found)))
		for (u32 i = 0; i < nr; i++)
			append(&found[i], ops);
}
