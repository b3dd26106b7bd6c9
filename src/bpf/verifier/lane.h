/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One width of a number: what is known of all 64 bits, or of the low ones alone.
 * Both halves of struct bpf_scalar obey the same rules, so bounds*.c works on
 * lanes and has each rule once.
 *
 * Knowledge is only ever added: ranges are met (intersected), never replaced. A
 * lane whose ranges contradict each other stays so, which is how a branch that
 * cannot be taken shows.
 */
#ifndef VRT_BPF_VERIFIER_LANE_H
#define VRT_BPF_VERIFIER_LANE_H

#include <stdint.h>

#include "state.h"

typedef unsigned __int128 u128;
typedef __int128 s128;

struct lane {
	u32 bits; /* 8, 16, 32 or 64 */
	struct tnum t; /* bits above are 0 */
	s64 smin, smax; /* sign extended */
	u64 umin, umax;
};

static inline u64 lane_mask(u32 bits)
{
	return ~0ULL >> (64 - bits);
}

static inline s64 lane_sext(u64 value, u32 bits)
{
	return (s64)(value << (64 - bits)) >> (64 - bits);
}

static inline struct lane lane_unknown(u32 bits)
{
	u64 mask = lane_mask(bits);

	return (struct lane){ .bits = bits, .t = TNUM(0, mask), .umin = 0, .umax = mask,
			      .smin = -(s64)(mask >> 1) - 1, .smax = (s64)(mask >> 1) };
}

static inline void lane_meet_u(struct lane *l, u64 lo, u64 hi)
{
	l->umin = max(l->umin, lo);
	l->umax = min(l->umax, hi);
}

static inline void lane_meet_s(struct lane *l, s64 lo, s64 hi)
{
	l->smin = max(l->smin, lo);
	l->smax = min(l->smax, hi);
}

/* No number is like that. */
static inline void lane_set_empty(struct lane *l)
{
	lane_meet_u(l, lane_mask(l->bits), 0);
	lane_meet_s(l, INT64_MAX, INT64_MIN);
}

/*
 * The number is the low bits of one of [lo, hi] (two's complement of 128 bits).
 * They are a range again, unsigned or signed, unless it goes over the place where
 * that kind of numbers starts anew.
 */
static inline void lane_meet_wrapped(struct lane *l, u128 lo, u128 hi)
{
	u128 half = (u128)1 << (l->bits - 1);

	if (lo >> l->bits == hi >> l->bits)
		lane_meet_u(l, (u64)lo & lane_mask(l->bits), (u64)hi & lane_mask(l->bits));
	if ((lo + half) >> l->bits == (hi + half) >> l->bits)
		lane_meet_s(l, lane_sext((u64)lo, l->bits), lane_sext((u64)hi, l->bits));
}

static inline void lane_meet_wrapped_s(struct lane *l, s128 lo, s128 hi)
{
	lane_meet_wrapped(l, (u128)lo, (u128)hi);
}

static inline void lane_meet_tnum(struct lane *l, struct tnum t)
{
	if ((l->t.value ^ t.value) & ~(l->t.mask | t.mask))
		lane_set_empty(l);
	else
		l->t = tnum_intersect(l->t, t);
}

/* --- bounds.c --------------------------------------------------------------------- */

struct lane lane_of(const struct bpf_scalar *s, u32 bits); /* 32 or 64 */
/* The ranges alone. */
void lane_store_ranges(struct bpf_scalar *s, const struct lane *l);
void lane_store(struct bpf_scalar *s, const struct lane *l);

#endif
