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
	u32 running; /* tasks on a CPU now */
	u64 now;
	bool stale; /* shares must be computed again */
};

/* Of one task, while it is runnable. */
struct lag_task {
	bool joined;
	u32 slot; /* of its weight */
	unsigned __int128 service; /* of the slot when it joined */
};

void lag_join(struct lag_clock *clock, struct lag_task *task, u32 weight, u64 now);
void lag_leave(struct lag_clock *clock, struct lag_task *task, u64 now);
/* A joined task got, or gave up, a CPU. */
void lag_running(struct lag_clock *clock, bool on, u64 now);
/* ns of service that the ideal machine gave @task since it joined. */
s64 lag_service(struct lag_clock *clock, const struct lag_task *task, u64 now);

#endif
