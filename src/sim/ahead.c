// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fetching ahead.
 *
 * A large machine is larger than the host's caches, and each CPU's turn is about
 * another part of it. So what a turn will touch is fetched from memory some turns
 * ahead, one step after the other: the event that begins it, what is known by the
 * CPU's number, and then, when that has arrived, what it points at. Nothing but the
 * host's time depends on any of it, and nothing is looked at that may be gone.
 */
#include <string.h>

#include "internal.h"

/* Of a smaller machine all is in the host's caches anyway. */
#define LARGE_MACHINE 128

/* The first step is the event; those of struct cpu_ops.coming follow. */
#define NR_STEPS (1 + NR_COMING)
#define NR_TURNS 16 /* a power of two */

/* How many turns ahead: so that memory has the time, and the first cache the room. */
static const s32 distance[NR_STEPS] = { 12, 9, 6, 3 };

static u64 turns[NR_TURNS]; /* when they begin */
/* by number: the first turn that is to come, and those that are next for a step */
static u32 first, next[NR_STEPS];

void ahead_init(void)
{
	first = 0;
	memset(next, 0, sizeof(next));
}

static inline bool is_time_for(u32 step)
{
	return (s32)(next[step] - first) < distance[step];
}

/* Asks for what step @step knows of, unless the turn is over or nobody's any more. */
static void look(u64 time, u32 step, const struct cpu_ops *ops)
{
	const struct event *ev = event_at(time);
	const struct hrtimer *timer;
	struct cpu *cpu = ev ? event_cpu(ev, &timer) : NULL;

	if (!cpu)
		return;
	if (step == 1) {
		prefetch(cpu);
		prefetch(&cpu->resume);
	}
	ops->coming(cpu->id, timer, step - 1);
}

void ahead_look(const struct cpu_ops *ops)
{
	if (nr_cpu_ids < LARGE_MACHINE)
		return;
	while (first != next[0] && turns[first % NR_TURNS] <= sim_clock.now)
		first++;
	while (is_time_for(0) && event_scout(&turns[next[0] % NR_TURNS]))
		next[0]++;
	for (u32 step = 1; step < NR_STEPS; step++) {
		for (; next[step] != next[step - 1] && is_time_for(step); next[step]++)
			look(turns[next[step] % NR_TURNS], step, ops);
	}
}
