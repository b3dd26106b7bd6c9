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
 * before, and its memory is still at hand: only those that end a wait are turns.
 */
#include "internal.h"

bool cpus_look_ahead;

/*
 * How far ahead the steps are, in events and in turns: memory needs the time, and
 * what has come must still be in the first cache.
 */
enum { EVENTS_ASKED_FOR = 24, EVENTS_LOOKED_AT = 18, NR_EVENTS = 32, NR_TURNS = 8 };
static const u32 turns_ahead[NR_COMING] = { 4, 3, 2 };

/* By number: those from @first to @end are to come. */
static struct {
	u64 times[NR_EVENTS];
	u32 first, looked, end; /* from @looked on they were only asked for */
} events;

static struct {
	struct turn {
		u64 time;
		struct cpu *cpu;
		const struct hrtimer *timer; /* may be gone */
	} turns[NR_TURNS];
	u32 first, end;
	u32 next[NR_COMING]; /* for each step the first that has not had it */
} turns;

void ahead_init(void)
{
	cpus_look_ahead = false;
	events.first = events.looked = events.end = 0;
	turns.first = turns.end = 0;
	for (u32 step = 0; step < NR_COMING; step++)
		turns.next[step] = 0;
}

/* At an event whose memory has arrived; the first step of its turn, if it is one. */
static inline void look_at(u64 time, const struct cpu_ops *ops)
{
	struct turn *turn = &turns.turns[turns.end % NR_TURNS];
	const struct event *ev = event_at(time);

	if (!ev)
		return;
	turn->cpu = event_cpu(ev, &turn->timer);
	if (!turn->cpu || (!turn->timer && turn->cpu->fiber))
		return;
	turn->time = time;
	turns.end++;
	ops->coming(turn->cpu->id, turn->timer, 0);
}

static inline void look_at_events(const struct cpu_ops *ops)
{
	while (events.first != events.end && events.times[events.first % NR_EVENTS] <= sim_clock.now)
		events.first++;
	while (events.end - events.first < EVENTS_ASKED_FOR &&
	       event_scout(&events.times[events.end % NR_EVENTS]))
		events.end++;
	if ((s32)(events.looked - events.first) < 0)
		events.looked = events.first;
	while (events.looked != events.end && events.looked - events.first < EVENTS_LOOKED_AT &&
	       turns.end - turns.first < turns_ahead[0])
		look_at(events.times[events.looked++ % NR_EVENTS], ops);
}

void ahead_look(const struct cpu_ops *ops)
{
	while (turns.first != turns.end && turns.turns[turns.first % NR_TURNS].time <= sim_clock.now)
		turns.first++;
	look_at_events(ops);
	for (u32 step = 1; step < NR_COMING; step++) {
		u32 end = min(turns.end - turns.first, turns_ahead[step]) + turns.first;

		if ((s32)(turns.next[step] - turns.first) < 0)
			turns.next[step] = turns.first;
		while ((s32)(turns.next[step] - end) < 0) {
			const struct turn *turn = &turns.turns[turns.next[step]++ % NR_TURNS];

			ops->coming(turn->cpu->id, turn->timer, step);
		}
	}
}
