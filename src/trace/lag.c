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
	u64 weight = clock->weight, capacity = min(clock->running, clock->runnable) * ONE_CPU;

	clock->stale = false;
	for (u32 i = 0; i < clock->nr_weights; i++) {
		struct lag_weight *w = &clock->weights[clock->order[i]];

		if (!w->runnable)
			continue;
		w->share = ONE_CPU;
		if (clock->running < clock->runnable)
			w->share = min((capacity * w->weight + weight / 2) / weight, ONE_CPU);
		if (w->share < ONE_CPU)
			continue;
		capacity -= min(capacity, w->runnable * ONE_CPU);
		weight -= (u64)w->weight * w->runnable;
	}
}

void lag_pass(struct lag_clock *clock, u64 now)
{
	u64 dt = clock->now ? now - clock->now : 0;

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

u32 lag_slot(struct lag_clock *clock, u32 weight)
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
