/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracked (or tristate) numbers: what is known of the single bits of a value.
 * A bit is unknown where mask is 1, and otherwise what it is in value; a bit is
 * never 1 in both. Every operation gives a tnum that contains all results that
 * members of its operands can give.
 *
 * Source: Vishwanathan et al., "Sound, Precise, and Fast Abstract Interpretation
 * with Tristate Numbers", CGO 2022.
 */
#ifndef VRT_BPF_VERIFIER_TNUM_H
#define VRT_BPF_VERIFIER_TNUM_H

#include "../../base/util.h"

struct tnum {
	u64 value, mask;
};

#define TNUM(_v, _m) ((struct tnum){ .value = (_v), .mask = (_m) })
#define TNUM_UNKNOWN TNUM(0, ~0ULL)

static inline struct tnum tnum_const(u64 value)
{
	return TNUM(value, 0);
}

static inline bool tnum_is_const(struct tnum a)
{
	return !a.mask;
}

static inline bool tnum_equals_const(struct tnum a, u64 value)
{
	return !a.mask && a.value == value;
}

static inline bool tnum_is_unknown(struct tnum a)
{
	return !~a.mask;
}

/* The smallest that contains all of [min, max]. */
struct tnum tnum_range(u64 min, u64 max);
struct tnum tnum_lshift(struct tnum a, u8 shift);
struct tnum tnum_rshift(struct tnum a, u8 shift);
/* @insn_bitness: 32 or 64, of the value that is shifted. */
struct tnum tnum_arshift(struct tnum a, u8 min_shift, u8 insn_bitness);
struct tnum tnum_add(struct tnum a, struct tnum b);
struct tnum tnum_sub(struct tnum a, struct tnum b);
struct tnum tnum_neg(struct tnum a);
struct tnum tnum_and(struct tnum a, struct tnum b);
struct tnum tnum_or(struct tnum a, struct tnum b);
struct tnum tnum_xor(struct tnum a, struct tnum b);
struct tnum tnum_mul(struct tnum a, struct tnum b);
/* What both say; they must have a member in common, or the result means nothing. */
/* The least member that is not below @min. False: there is none. */
bool tnum_at_least(struct tnum a, u64 min, u64 *member);
struct tnum tnum_intersect(struct tnum a, struct tnum b);
/* Members of either. */
struct tnum tnum_union(struct tnum a, struct tnum b);
/* The low @size bytes; the others are 0. */
struct tnum tnum_cast(struct tnum a, u8 size);
/* Is every member a multiple of @size, a power of two? */
bool tnum_is_aligned(struct tnum a, u64 size);
/* Is every member of @b one of @a? */
bool tnum_in(struct tnum a, struct tnum b);
struct tnum tnum_subreg(struct tnum a); /* the low 32 bits */
struct tnum tnum_clear_subreg(struct tnum a);
struct tnum tnum_with_subreg(struct tnum reg, struct tnum subreg);
struct tnum tnum_const_subreg(struct tnum a, u32 value);

#endif
