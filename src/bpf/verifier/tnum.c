// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracked numbers: arithmetic on values of which only some bits are known.
 * Sums follow from their two extremes: all unknown bits 0, and all 1; a bit that
 * differs between them, or is unknown in an operand, is unknown in the result.
 */
#include "tnum.h"

/* All bits that are not the same in both extremes, and those of @unknown. */
static struct tnum between(u64 low, u64 high, u64 unknown)
{
	u64 mask = (low ^ high) | unknown;

	return TNUM(low & ~mask, mask);
}

static u64 low_bits(u32 n)
{
	return n >= 64 ? ~0ULL : (1ULL << n) - 1;
}

struct tnum tnum_range(u64 min, u64 max)
{
	u64 differ = min ^ max, mask;

	if (!differ)
		return tnum_const(min);
	mask = low_bits(64 - (u32)__builtin_clzll(differ));
	return TNUM(min & ~mask, mask);
}

struct tnum tnum_lshift(struct tnum a, u8 shift)
{
	return TNUM(a.value << shift, a.mask << shift);
}

struct tnum tnum_rshift(struct tnum a, u8 shift)
{
	return TNUM(a.value >> shift, a.mask >> shift);
}

/* An unknown sign bit fills the mask, a known one the value. */
struct tnum tnum_arshift(struct tnum a, u8 min_shift, u8 insn_bitness)
{
	if (insn_bitness == 32)
		return TNUM((u32)((s32)a.value >> min_shift), (u32)((s32)a.mask >> min_shift));
	return TNUM((u64)((s64)a.value >> min_shift), (u64)((s64)a.mask >> min_shift));
}

struct tnum tnum_add(struct tnum a, struct tnum b)
{
	u64 low = a.value + b.value;

	return between(low, low + a.mask + b.mask, a.mask | b.mask);
}

struct tnum tnum_sub(struct tnum a, struct tnum b)
{
	u64 diff = a.value - b.value;
	struct tnum d = between(diff - b.mask, diff + a.mask, a.mask | b.mask);

	/* bits known are the same in both extremes, and in the difference of the values */
	return TNUM(diff & ~d.mask, d.mask);
}

struct tnum tnum_neg(struct tnum a)
{
	return tnum_sub(tnum_const(0), a);
}

struct tnum tnum_and(struct tnum a, struct tnum b)
{
	u64 ones = a.value & b.value;

	return TNUM(ones, (a.value | a.mask) & (b.value | b.mask) & ~ones);
}

struct tnum tnum_or(struct tnum a, struct tnum b)
{
	u64 ones = a.value | b.value;

	return TNUM(ones, (a.mask | b.mask) & ~ones);
}

struct tnum tnum_xor(struct tnum a, struct tnum b)
{
	u64 mask = a.mask | b.mask;

	return TNUM((a.value ^ b.value) & ~mask, mask);
}

/* Long multiplication: an unknown bit of @a means with or without its partial product. */
struct tnum tnum_mul(struct tnum a, struct tnum b)
{
	struct tnum sum = tnum_const(0);

	for (; a.value | a.mask; a = tnum_rshift(a, 1), b = tnum_lshift(b, 1)) {
		if (a.value & 1)
			sum = tnum_add(sum, b);
		else if (a.mask & 1)
			sum = tnum_union(sum, tnum_add(sum, b));
	}
	return sum;
}

struct tnum tnum_intersect(struct tnum a, struct tnum b)
{
	u64 mask = a.mask & b.mask;

	return TNUM((a.value | b.value) & ~mask, mask);
}

struct tnum tnum_union(struct tnum a, struct tnum b)
{
	return between(a.value, b.value, a.mask | b.mask);
}

struct tnum tnum_cast(struct tnum a, u8 size)
{
	u64 bits = low_bits(size * 8U);

	return TNUM(a.value & bits, a.mask & bits);
}

bool tnum_at_least(struct tnum a, u64 min, u64 *member)
{
	u64 differ = (min ^ a.value) & ~a.mask, high, up;

	*member = min;
	if (!differ)
		return true;
	/* up to the highest known bit that differs, @min will do; below it, the least will */
	high = low_bits(64 - (u32)__builtin_clzll(differ));
	*member = (min & ~high) | (a.value & high);
	if (*member > min)
		return true;
	/* that bit is a 0 where @min has a 1: an unknown bit above it must become one */
	up = a.mask & ~min & ~high;
	if (!up)
		return false;
	up &= -up;
	*member = (min & ~(up | (up - 1))) | up | (a.value & (up - 1));
	return true;
}

bool tnum_is_aligned(struct tnum a, u64 size)
{
	return !size || !((a.value | a.mask) & (size - 1));
}

bool tnum_in(struct tnum a, struct tnum b)
{
	return !(b.mask & ~a.mask) && (b.value & ~a.mask) == a.value;
}

struct tnum tnum_subreg(struct tnum a)
{
	return tnum_cast(a, 4);
}

struct tnum tnum_clear_subreg(struct tnum a)
{
	return TNUM(a.value & ~low_bits(32), a.mask & ~low_bits(32));
}

struct tnum tnum_with_subreg(struct tnum reg, struct tnum subreg)
{
	return tnum_or(tnum_clear_subreg(reg), tnum_subreg(subreg));
}

struct tnum tnum_const_subreg(struct tnum a, u32 value)
{
	return tnum_with_subreg(a, tnum_const(value));
}
