// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fetching ahead.
 *
 * A large machine is larger than the host's caches, and each CPU's turn is about
 * another part of it. So what a turn will touch is fetched from memory some turns
 * ahead, one step after the other: the event that begins it, what is known from
 * that, and, when it has arrived, what it points at. Nothing but the host's time
 * depends on any of it, and nothing is looked at that may be gone meanwhile.
 */
#include "internal.h"

/* Of a smaller machine all is in the host's caches anyway. */
#define LARGE_MACHINE 128

/* How many turns ahead the steps are: so that memory has the time, and the first cache the room. */
enum { NEAR = 4, FAR = 8, FARTHEST = 12, NR_TURNS = 16 };

static u64 turns[NR_TURNS]; /* when they begin */
/* by number: the first that is to come, and those that are next for a step */
static u32 coming, near, far, farthest;

void ahead_init(void)
{
	coming = near = far = farthest = 0;
}

static inline bool ahead_of(u32 step, u32 distance)
{
	return (s32)(step - coming) < (s32)distance;
}

/* Whose turn begins then, if that has not changed. */
static inline struct cpu *turn_of(u32 turn, const struct hrtimer **timer)
{
	const struct event *ev = event_at(turns[turn % NR_TURNS]);

	return ev ? event_cpu(ev, timer) : NULL;
}

void ahead_look(const struct cpu_ops *ops)
{
	const struct hrtimer *timer;
	struct cpu *cpu;

	if (nr_cpu_ids < LARGE_MACHINE)
		return;
	while (coming != farthest && turns[coming % NR_TURNS] <= sim_clock.now)
		coming++;
	while (ahead_of(farthest, FARTHEST) && event_scout(&turns[farthest % NR_TURNS]))
		farthest++;
	for (; far != farthest && ahead_of(far, FAR); far++) {
		cpu = turn_of(far, &timer);
		if (cpu) {
			prefetch(cpu);
			prefetch(&cpu->resume);
			ops->coming(cpu->id, timer);
		}
	}
	for (; near != far && ahead_of(near, NEAR); near++) {
		cpu = turn_of(near, &timer);
		if (cpu)
			ops->near(cpu->id, timer);
	}
}
