// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ideal machine behind weighted lag; see lag.h.
 *
 * Invariant: between two changes of the runnable set the shares are constant,
 * so that service is share times time. Shares are computed at most once per
 * stretch of time, however many changes happen at its start.
 */
#include "lag.h"

#define ONE_CPU (1ULL << LAG_FRACTION_BITS)

/*
 * Weighted max-min: heavy tasks that would get more than one CPU get one; what
 * is left goes to the others by weight.
 */
static void compute_shares(struct lag_clock *clock)
{
	u64 weight = 0, capacity;
	u32 tasks = 0, i;

	clock->stale = false;
	for (i = 0; i < clock->nr_weights; i++) {
		weight += (u64)clock->weights[i].weight * clock->weights[i].runnable;
		tasks += clock->weights[i].runnable;
	}
	capacity = min(clock->running, tasks) * ONE_CPU;
	for (i = 0; i < clock->nr_weights; i++) {
		struct lag_weight *w = &clock->weights[clock->order[i]];

		if (!w->runnable)
			continue;
		w->share = (capacity * w->weight + weight / 2) / weight;
		if (w->share < ONE_CPU)
			continue;
		w->share = ONE_CPU;
		capacity -= min(capacity, w->runnable * ONE_CPU);
		weight -= (u64)w->weight * w->runnable;
	}
}

static void advance(struct lag_clock *clock, u64 now)
{
	u64 dt;

	/* CPUs' local clocks may be a little apart: time only goes forward */
	if (now <= clock->now)
		return;
	dt = clock->now ? now - clock->now : 0;
	if (clock->stale)
		compute_shares(clock);
	for (u32 i = 0; i < clock->nr_weights; i++) {
		struct lag_weight *w = &clock->weights[i];

		if (w->runnable)
			w->service += (unsigned __int128)w->share * dt;
	}
	clock->now = now;
}

static u32 nearest_slot(const struct lag_clock *clock, u32 weight)
{
	u32 best = 0, distance = ~0U;

	for (u32 i = 0; i < clock->nr_weights; i++) {
		u32 w = clock->weights[i].weight, d = w > weight ? w - weight : weight - w;

		if (d < distance) {
			distance = d;
			best = i;
		}
	}
	return best;
}

static u32 slot_of(struct lag_clock *clock, u32 weight)
{
	u32 slot = nearest_slot(clock, weight), pos;

	if (clock->nr_weights == LAG_MAX_WEIGHTS ||
	    (clock->nr_weights && clock->weights[slot].weight == weight))
		return slot;
	slot = clock->nr_weights++;
	clock->weights[slot].weight = weight;
	for (pos = slot; pos && clock->weights[clock->order[pos - 1]].weight < weight; pos--)
		clock->order[pos] = clock->order[pos - 1];
	clock->order[pos] = slot;
	return slot;
}

void lag_join(struct lag_clock *clock, struct lag_task *task, u32 weight, u64 now)
{
	VRT_ASSERT(!task->joined);
	advance(clock, now);
	task->joined = true;
	task->slot = slot_of(clock, weight ? weight : 1);
	task->service = clock->weights[task->slot].service;
	clock->weights[task->slot].runnable++;
	clock->stale = true;
}

void lag_leave(struct lag_clock *clock, struct lag_task *task, u64 now)
{
	VRT_ASSERT(task->joined);
	advance(clock, now);
	task->joined = false;
	clock->weights[task->slot].runnable--;
	clock->stale = true;
}

void lag_running(struct lag_clock *clock, bool on, u64 now)
{
	advance(clock, now);
	VRT_ASSERT(on || clock->running);
	clock->running += on ? 1 : -1;
	clock->stale = true;
}

s64 lag_service(struct lag_clock *clock, const struct lag_task *task, u64 now)
{
	advance(clock, now);
	return (s64)((clock->weights[task->slot].service - task->service + ONE_CPU / 2) >>
		     LAG_FRACTION_BITS);
}
