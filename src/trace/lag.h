/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Weighted lag: how far a task is behind what an ideal machine would have
 * given it.
 *
 * The ideal machine delivers, at every instant, exactly the service that the
 * real one delivers (one CPU's worth for each CPU that runs a task), but
 * divides it among all runnable tasks in proportion to their weights, with at
 * most one CPU for each task (weighted max-min fairness). Tasks of the same
 * weight receive the same, so it is enough to keep one running sum of service
 * per weight.
 */
#ifndef VRT_TRACE_LAG_H
#define VRT_TRACE_LAG_H

#include "../base/util.h"

/* Distinct weights; more share the nearest one. Linux has 40 nice levels. */
#define LAG_MAX_WEIGHTS 64
#define LAG_FRACTION_BITS 32

struct lag_weight {
	u32 weight;
	u32 runnable; /* tasks of this weight, running ones included */
	u64 share; /* of one CPU, LAG_FRACTION_BITS of fraction */
	unsigned __int128 service; /* ns per task so far, the same fraction */
};

struct lag_clock {
	struct lag_weight weights[LAG_MAX_WEIGHTS];
	u32 order[LAG_MAX_WEIGHTS]; /* indices, by falling weight */
	u32 nr_weights;
	u32 runnable, running; /* tasks, and those of them that are on a CPU now */
	u64 weight; /* of the runnable ones together */
	u64 now;
	bool stale; /* shares must be computed again */
};

/* Of one task, while it is runnable; of small alignment: there is one in every task. */
struct lag_task {
	unsigned __int128 service; /* of the slot when it joined */
	u8 slot; /* of its weight; afterwards of the weight that it had */
	bool joined;
} __attribute__((packed, aligned(8)));

_Static_assert(LAG_MAX_WEIGHTS <= 256, "slots are bytes");

void lag_pass(struct lag_clock *clock, u64 now);
/* Makes one if there is room; otherwise the nearest weight's. */
u32 lag_slot(struct lag_clock *clock, u32 weight);

static inline void lag_advance(struct lag_clock *clock, u64 now)
{
	/* CPUs' local clocks may be a little apart: time only goes forward */
	if (now > clock->now)
		lag_pass(clock, now);
}

static inline void lag_join(struct lag_clock *clock, struct lag_task *task, u32 weight, u64 now)
{
	struct lag_weight *w = &clock->weights[task->slot];

	VRT_ASSERT(weight && !task->joined);
	lag_advance(clock, now);
	if (unlikely(w->weight != weight)) {
		task->slot = lag_slot(clock, weight);
		w = &clock->weights[task->slot];
	}
	task->joined = true;
	task->service = w->service;
	w->runnable++;
	clock->runnable++;
	clock->weight += w->weight;
	clock->stale = true;
}

static inline void lag_leave(struct lag_clock *clock, struct lag_task *task, u64 now)
{
	struct lag_weight *w = &clock->weights[task->slot];

	VRT_ASSERT(task->joined);
	lag_advance(clock, now);
	task->joined = false;
	w->runnable--;
	clock->runnable--;
	clock->weight -= w->weight;
	clock->stale = true;
}

/* A joined task got, or gave up, a CPU. */
static inline void lag_running(struct lag_clock *clock, bool on, u64 now)
{
	lag_advance(clock, now);
	VRT_ASSERT(on || clock->running);
	clock->running += on ? 1 : -1;
	clock->stale = true;
}

/* ns of service that the ideal machine gave @task since it joined. */
static inline s64 lag_service(struct lag_clock *clock, const struct lag_task *task, u64 now)
{
	lag_advance(clock, now);
	return (s64)((clock->weights[task->slot].service - task->service +
		      (1ULL << LAG_FRACTION_BITS) / 2) >> LAG_FRACTION_BITS);
}

#endif
