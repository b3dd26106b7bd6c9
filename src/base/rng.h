/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one source of randomness: a seeded generator (splitmix64 seeding
 * xoshiro256**, Blackman & Vigna 2018). Whoever needs numbers of its own, so
 * that drawing them does not disturb others, forks a stream by name.
 */
#ifndef VRT_BASE_RNG_H
#define VRT_BASE_RNG_H

#include "util.h"

struct rng {
	u64 s[4];
};

void rng_init(struct rng *rng, u64 seed);
/* An independent stream: the same (seed, name, index) gives the same stream. */
void rng_fork(struct rng *child, u64 seed, const char *name, u64 index);

static inline u64 rng_next(struct rng *rng)
{
	u64 *s = rng->s;
	u64 x = s[1] * 5, result = ((x << 7) | (x >> 57)) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = (s[3] << 45) | (s[3] >> 19);
	return result;
}

/* Uniform in [0, bound); 0 for a bound of 0. */
static inline u64 rng_below(struct rng *rng, u64 bound)
{
	return (u64)(((unsigned __int128)rng_next(rng) * bound) >> 64);
}

/* Exponentially distributed with the given mean (ns); integer arithmetic only. */
u64 rng_exponential(struct rng *rng, u64 mean);

#endif
