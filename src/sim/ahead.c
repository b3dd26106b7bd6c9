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
 * Most events let a CPU go on in the middle of something. It has been there just
 * before, and its memory is still at hand: only those that end a wait are turns.
 */
#include "internal.h"

/* Of a smaller machine all is in the host's caches anyway. */
#define LARGE_MACHINE 128

/*
 * How far ahead the steps are, in events and in turns: memory needs the time, and
 * what has come must still be in the first cache.
 */
enum { EVENTS_ASKED_FOR = 24, EVENTS_LOOKED_AT = 18, NR_EVENTS = 32, NR_TURNS = 16 };
static const u32 turns_ahead[NR_COMING] = { NR_TURNS, 4, 3 };

/* Times of events, or of turns, by number: those from @first to @end are to come. */
static struct {
	u64 times[NR_EVENTS];
	u32 first, looked, end; /* from @looked on they were only asked for */
} events;

static struct {
	u64 times[NR_TURNS];
	u32 first, end;
	u32 next[NR_COMING]; /* for each step the first that has not had it */
} turns;

void ahead_init(void)
{
	events.first = events.looked = events.end = 0;
	turns = (__typeof__(turns)){};
}

/* The CPU whose turn begins then, if that has not changed. */
static inline struct cpu *turn_of(u64 time, const struct hrtimer **timer)
{
	const struct event *ev = event_at(time);
	struct cpu *cpu = ev ? event_cpu(ev, timer) : NULL;

	return cpu && (*timer || !cpu->fiber) ? cpu : NULL;
}

static inline void look_at_events(void)
{
	const struct hrtimer *timer;

	while (events.first != events.end && events.times[events.first % NR_EVENTS] <= sim_clock.now)
		events.first++;
	while (events.end - events.first < EVENTS_ASKED_FOR &&
	       event_scout(&events.times[events.end % NR_EVENTS]))
		events.end++;
	if ((s32)(events.looked - events.first) < 0)
		events.looked = events.first;
	for (; events.looked != events.end && events.looked - events.first < EVENTS_LOOKED_AT;
	     events.looked++) {
		u64 time = events.times[events.looked % NR_EVENTS];

		if (turn_of(time, &timer) && turns.end - turns.first < NR_TURNS)
			turns.times[turns.end++ % NR_TURNS] = time;
	}
}

void ahead_look(const struct cpu_ops *ops)
{
	if (nr_cpu_ids < LARGE_MACHINE)
		return;
	while (turns.first != turns.end && turns.times[turns.first % NR_TURNS] <= sim_clock.now)
		turns.first++;
	look_at_events();
	for (u32 step = 0; step < NR_COMING; step++) {
		u32 turn = turns.next[step];

		if ((s32)(turn - turns.first) < 0)
			turn = turns.first;
		for (; turn != turns.end && turn - turns.first < turns_ahead[step]; turn++) {
			const struct hrtimer *timer;
			struct cpu *cpu = turn_of(turns.times[turn % NR_TURNS], &timer);

			if (cpu)
				ops->coming(cpu->id, timer, step);
		}
		turns.next[step] = turn;
	}
}
