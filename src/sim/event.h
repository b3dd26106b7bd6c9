/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual time and the one event queue.
 *
 * Time is in nanoseconds since boot of the simulated machine. It starts at
 * SIM_BOOT_NS, not at zero, because zero is a sentinel in several BPF programs.
 *
 * Events are ordered by (time, tie, sequence). The tie is a hash of the seed and
 * the sequence, which counts what is queued: events at equal times are not
 * ordered by an accident of code, but by the seed.
 *
 * An event fires on the event loop's own stack, at global now, outside of any
 * CPU's fiber, but for the interrupts of cpu.c, which a CPU that gives up control
 * delivers itself: it must not charge or wait. What it may do is raise interrupts
 * and resume fibers.
 */
#ifndef VRT_SIM_EVENT_H
#define VRT_SIM_EVENT_H

#include "../base/list.h"
#include "../base/rng.h"
#include "../base/util.h"

#define SIM_BOOT_NS (1 * NSEC_PER_SEC)
#define SIM_NEVER (~0ULL)

struct event {
	u64 time;
	u64 order; /* tie in the upper half, sequence in the lower */
	void (*fire)(struct event *ev);
	struct event **at; /* the queue's pointer to it; NULL: not queued */
	union {
		struct {
			struct event *next, *child; /* a heap's; NULL in none */
		};
		struct list_head node; /* for whom it fired: NULL again before it is queued */
	};
};

/* The state of the loop, for reading. */
struct sim_clock {
	u64 now; /* global now, ns */
	/*
	 * Nobody but the event loop may let time reach this: the time of the
	 * earliest queued event or the end of the run, whichever is earlier;
	 * SIM_NEVER if neither; 0 once sim_stop() was called.
	 */
	u64 next;
	u64 fired; /* events so far */
};
extern struct sim_clock sim_clock;

static inline u64 sim_now(void)
{
	return sim_clock.now;
}

/* The machine's generator. Everything random in the kernel draws from it. */
extern struct rng sim_rng;

void sim_init(u64 seed);
/* Empties the queue: events still queued are forgotten, not fired. Their memory must be there. */
void sim_exit(void);
/*
 * Fires the events before @until, those at @until excluded, or until sim_stop()
 * is called. When no event is left, now is @until (with SIM_NEVER, the time of
 * the last event). May be called again to go on.
 */
void sim_run(u64 until);
/*
 * From an event or a CPU: the run ends when that event, or CPU, gives back
 * control. Means nothing outside of a run.
 */
void sim_stop(void);

/*
 * @time must not be in the past, nor SIM_NEVER. Re-queues an event that is
 * queued, with a new tie. What it costs does not depend on how many are queued.
 */
void event_add(struct event *ev, u64 time);
/* Harmless when not queued. */
void event_del(struct event *ev);

static inline bool event_queued(const struct event *ev)
{
	return ev->at != NULL;
}

#endif
