// SPDX-License-Identifier: GPL-2.0-only
/*
 * Seeding, forking and the exponential distribution. Integer arithmetic only:
 * libm's logarithms differ between hosts in the last bit.
 */
#include <string.h>

#include "hash.h"
#include "rng.h"

/* 2^32 * ln 2 */
#define LN2_Q32 2977044472ULL

static u64 splitmix64(u64 *x)
{
	u64 z = *x += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

void rng_init(struct rng *rng, u64 seed)
{
	/* splitmix64 is a bijection of its counter: the four are never all zero */
	for (u32 i = 0; i < ARRAY_SIZE(rng->s); i++)
		rng->s[i] = splitmix64(&seed);
}

void rng_fork(struct rng *child, u64 seed, const char *name, u64 index)
{
	u64 x = hash64(name, strlen(name), seed);

	/* mixed in between, so that neighbours in @index share nothing */
	x = splitmix64(&x) ^ index;
	rng_init(child, splitmix64(&x));
}

/*
 * 2^32 * -log2(r / 2^64) for r > 0. The integer part is the position of the
 * highest bit. The fraction comes bit by bit: squaring the mantissa doubles
 * its logarithm, and a result of 2 or more means that the next bit is set.
 */
static u64 neg_log2_q32(u64 r)
{
	u32 shift = __builtin_clzll(r);
	u64 mantissa = r << shift; /* [1, 2) with 63 bits of fraction */
	u64 log = 0;

	for (u32 bit = 0; bit < 32; bit++) {
		unsigned __int128 square = (unsigned __int128)mantissa * mantissa;
		bool two = square >> 127;

		mantissa = (u64)(square >> (two ? 64 : 63));
		log = log << 1 | two;
	}
	return ((u64)(shift + 1) << 32) - log;
}

u64 rng_exponential(struct rng *rng, u64 mean)
{
	u64 r = rng_next(rng);
	u64 nats = (u64)(((unsigned __int128)neg_log2_q32(r ? r : 1) * LN2_Q32) >> 32);
	unsigned __int128 value = ((unsigned __int128)mean * nats) >> 32;

	return value > ~0ULL ? ~0ULL : (u64)value;
}
