// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers as bits and ranges: making them, what one view teaches another, and
 * changes of width. Arithmetic is in bounds_alu.c, comparisons in bounds_branch.c.
 *
 * Invariant: whatever is done to a scalar that has a number among its members,
 * the result of the same on that number is a member of the result.
 */
#include <string.h>

#include "lane.h"
#include "verifier.h"

#define LOW32 0xffffffffULL
/* Deductions feed each other; more rounds than this have not been seen to add anything. */
#define MAX_ROUNDS 6

struct lane lane_of(const struct bpf_scalar *s, u32 bits)
{
	if (bits == 64)
		return (struct lane){ .bits = 64, .t = s->var_off, .smin = s->smin_value,
				      .smax = s->smax_value, .umin = s->umin_value,
				      .umax = s->umax_value };
	return (struct lane){ .bits = 32, .t = tnum_subreg(s->var_off), .smin = s->s32_min_value,
			      .smax = s->s32_max_value, .umin = s->u32_min_value,
			      .umax = s->u32_max_value };
}

void lane_store_ranges(struct bpf_scalar *s, const struct lane *l)
{
	if (l->bits == 64) {
		s->smin_value = l->smin;
		s->smax_value = l->smax;
		s->umin_value = l->umin;
		s->umax_value = l->umax;
		return;
	}
	/* also out of s32, as lane_set_empty() leaves them: reversed they stay */
	s->s32_min_value = (s32)min(l->smin, (s64)INT32_MAX);
	s->s32_max_value = (s32)max(l->smax, (s64)INT32_MIN);
	s->u32_min_value = (u32)l->umin;
	s->u32_max_value = (u32)l->umax;
}

void lane_store(struct bpf_scalar *s, const struct lane *l)
{
	lane_store_ranges(s, l);
	s->var_off = l->bits == 64 ? l->t : tnum_with_subreg(s->var_off, l->t);
}

/* --- from nothing ----------------------------------------------------------------- */

void scalar_set_unbounded64(struct bpf_scalar *s)
{
	struct lane l = lane_unknown(64);

	lane_store_ranges(s, &l);
}

void scalar_set_unbounded32(struct bpf_scalar *s)
{
	struct lane l = lane_unknown(32);

	lane_store_ranges(s, &l);
}

void scalar_set_unbounded(struct bpf_scalar *s)
{
	scalar_set_unbounded64(s);
	scalar_set_unbounded32(s);
}

void scalar_set_unknown(struct bpf_scalar *s)
{
	s->var_off = TNUM_UNKNOWN;
	scalar_set_unbounded(s);
}

void scalar_set_const(struct bpf_scalar *s, u64 value)
{
	*s = (struct bpf_scalar){
		.var_off = tnum_const(value),
		.smin_value = (s64)value, .smax_value = (s64)value,
		.umin_value = value, .umax_value = value,
		.s32_min_value = (s32)value, .s32_max_value = (s32)value,
		.u32_min_value = (u32)value, .u32_max_value = (u32)value,
	};
}

/* --- deductions ------------------------------------------------------------------- */

/* The extremes of the bits: all unknown ones 0 or 1, but for the sign the other way round. */
static void lane_from_bits(struct lane *l)
{
	u64 sign = 1ULL << (l->bits - 1), high = l->t.value | l->t.mask;

	lane_meet_u(l, l->t.value, high);
	lane_meet_s(l, lane_sext(l->t.value | (l->t.mask & sign), l->bits),
		    lane_sext(high & ~(l->t.mask & sign), l->bits));
}

/*
 * Signed numbers from below 0 on are two unsigned ranges, at both ends. If the
 * unsigned range reaches only one of them, the sign is known.
 */
static void lane_find_sign(struct lane *l)
{
	u64 negative = (u64)l->smin & lane_mask(l->bits);

	if (l->smin >= 0 || l->smax < 0)
		return;
	if (l->umax < negative)
		lane_meet_u(l, 0, (u64)l->smax);
	else if (l->umin > (u64)l->smax)
		lane_meet_u(l, negative, lane_mask(l->bits));
	lane_meet_wrapped(l, l->umin, l->umax);
}

/* Of numbers with these bits, a short range may have only one, or none. */
static void lane_find_single(struct lane *l)
{
	u64 first, second;

	if (l->umin >= l->umax || tnum_is_const(l->t))
		return;
	if (!tnum_at_least(l->t, l->umin, &first) || first > l->umax)
		lane_set_empty(l);
	else if (first == l->umax || !tnum_at_least(l->t, first + 1, &second) || second > l->umax)
		lane_meet_u(l, first, first);
}

static void lane_deduce(struct lane *l)
{
	lane_from_bits(l);
	lane_meet_wrapped(l, l->umin, l->umax);
	lane_meet_wrapped_s(l, l->smin, l->smax);
	lane_find_sign(l);
	lane_find_single(l);
	lane_meet_tnum(l, tnum_range(l->umin, l->umax));
}

static void deduce_low_half(struct lane *low, const struct lane *all)
{
	low->t = tnum_subreg(all->t);
	lane_meet_wrapped(low, all->umin, all->umax);
	lane_meet_wrapped_s(low, all->smin, all->smax);
}

/* The ends of the 64-bit ranges must have a low half that is possible. */
static void deduce_from_low_half(struct lane *all, const struct lane *low)
{
	all->t = tnum_with_subreg(all->t, low->t);
	lane_meet_u(all, (all->umin & ~LOW32) | low->umin, (all->umax & ~LOW32) | low->umax);
	lane_meet_s(all, (s64)(((u64)all->smin & ~LOW32) | low->umin),
		    (s64)(((u64)all->smax & ~LOW32) | low->umax));
	/* numbers that are their own low half, sign extended */
	if (all->smin >= INT32_MIN && all->smax <= INT32_MAX)
		lane_meet_s(all, low->smin, low->smax);
}

void scalar_sync(struct bpf_scalar *s)
{
	struct lane all = lane_of(s, 64), low = lane_of(s, 32);
	struct bpf_scalar before;

	for (u32 round = 0; round < MAX_ROUNDS; round++) {
		before = *s;
		lane_deduce(&all);
		deduce_low_half(&low, &all);
		lane_deduce(&low);
		deduce_from_low_half(&all, &low);
		lane_store(s, &all);
		lane_store_ranges(s, &low);
		if (!memcmp(s, &before, sizeof(before)))
			break;
	}
}

void scalar_update_bounds(struct bpf_scalar *s)
{
	struct lane all = lane_of(s, 64), low = lane_of(s, 32);

	lane_from_bits(&all);
	lane_from_bits(&low);
	lane_store_ranges(s, &all);
	lane_store_ranges(s, &low);
}

static bool lane_is_sane(const struct lane *l)
{
	if (l->umin > l->umax || l->smin > l->smax)
		return false;
	return !tnum_is_const(l->t) ||
	       (l->umin == l->t.value && l->umax == l->t.value &&
		l->smin == lane_sext(l->t.value, l->bits) && l->smax == l->smin);
}

bool scalar_is_sane(const struct bpf_scalar *s)
{
	struct lane all = lane_of(s, 64), low = lane_of(s, 32);

	return lane_is_sane(&all) && lane_is_sane(&low);
}

/* --- changes of width ------------------------------------------------------------- */

/* The low @bits, from all that is known. */
static struct lane lane_narrow(const struct bpf_scalar *s, u32 bits)
{
	struct lane l = lane_unknown(bits);

	l.t = tnum_cast(s->var_off, (u8)(bits / 8));
	lane_meet_wrapped(&l, s->umin_value, s->umax_value);
	lane_meet_wrapped_s(&l, s->smin_value, s->smax_value);
	lane_meet_wrapped(&l, s->u32_min_value, s->u32_max_value);
	lane_meet_wrapped_s(&l, s->s32_min_value, s->s32_max_value);
	lane_deduce(&l);
	return l;
}

void scalar_zext_32(struct bpf_scalar *s)
{
	s->var_off = tnum_subreg(s->var_off);
	s->umin_value = s->u32_min_value;
	s->umax_value = s->u32_max_value;
	s->smin_value = s->u32_min_value;
	s->smax_value = s->u32_max_value;
	scalar_sync(s);
}

void scalar_truncate(struct bpf_scalar *s, u32 size)
{
	struct lane l;

	if (size == 8)
		return;
	if (size == 4) {
		scalar_zext_32(s);
		return;
	}
	l = lane_narrow(s, size * 8);
	s->var_off = l.t;
	s->umin_value = l.umin;
	s->umax_value = l.umax;
	s->smin_value = (s64)l.umin;
	s->smax_value = (s64)l.umax;
	scalar_set_unbounded32(s);
	scalar_sync(s);
}

void scalar_sign_extend(struct bpf_scalar *s, u32 size)
{
	struct lane l;

	if (size == 8)
		return;
	l = lane_narrow(s, size * 8);
	scalar_set_unknown(s);
	s->var_off = TNUM((u64)lane_sext(l.t.value, l.bits), (u64)lane_sext(l.t.mask, l.bits));
	s->smin_value = l.smin;
	s->smax_value = l.smax;
	scalar_sync(s);
}
