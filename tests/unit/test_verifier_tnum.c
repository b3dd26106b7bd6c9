// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracked numbers, against all numbers that they stand for: every operation on
 * every pair of tnums of four bits, at the low and the high end of 64 bits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/bpf/verifier/tnum.h"

#define WIDTH 4
#define VALUES (1U << WIDTH)
#define MAX_TNUMS 81 /* 3^WIDTH */

static struct tnum tnums[MAX_TNUMS];
static u32 nr_tnums;

static int make_tnums(void **state)
{
	for (u64 mask = 0; mask < VALUES; mask++)
		for (u64 value = 0; value < VALUES; value++)
			if (!(value & mask))
				tnums[nr_tnums++] = TNUM(value, mask);
	return nr_tnums == MAX_TNUMS ? 0 : -1;
}

static bool has(struct tnum t, u64 value)
{
	return (value & ~t.mask) == t.value;
}

static bool well_formed(struct tnum t)
{
	return !(t.value & t.mask);
}

/* The smallest tnum that has all values added to it. */
struct hull {
	u64 ones, zeros;
	u32 n;
};

static void hull_add(struct hull *h, u64 value)
{
	h->ones = h->n ? h->ones & value : value;
	h->zeros = h->n ? h->zeros & ~value : ~value;
	h->n++;
}

static struct tnum hull_tnum(const struct hull *h)
{
	return TNUM(h->ones, ~(h->ones | h->zeros));
}

static void assert_tnum_equal(struct tnum a, struct tnum b)
{
	assert_int_equal(a.value, b.value);
	assert_int_equal(a.mask, b.mask);
}

/* --- two operands -------------------------------------------------------------------- */

struct binary {
	struct tnum (*abstract)(struct tnum a, struct tnum b);
	u64 (*concrete)(u64 a, u64 b);
	bool exact; /* nothing is known that the result does not tell */
};

static u64 add(u64 a, u64 b)
{
	return a + b;
}

static u64 sub(u64 a, u64 b)
{
	return a - b;
}

static u64 mul(u64 a, u64 b)
{
	return a * b;
}

static u64 and(u64 a, u64 b)
{
	return a & b;
}

static u64 or(u64 a, u64 b)
{
	return a | b;
}

static u64 xor(u64 a, u64 b)
{
	return a ^ b;
}

static const struct binary binaries[] = {
	{ tnum_add, add, true }, { tnum_sub, sub, true }, { tnum_mul, mul, false },
	{ tnum_and, and, true }, { tnum_or, or, true },	  { tnum_xor, xor, true },
};

static void check_binary(const struct binary *op, struct tnum a, struct tnum b, u8 shift)
{
	struct tnum x = tnum_lshift(a, shift), y = tnum_lshift(b, shift);
	struct tnum r = op->abstract(x, y);
	struct hull hull = {};

	for (u64 i = 0; i < VALUES; i++) {
		for (u64 j = 0; j < VALUES; j++) {
			u64 value = op->concrete(i << shift, j << shift);

			if (!has(a, i) || !has(b, j))
				continue;
			assert_true(has(r, value));
			hull_add(&hull, value);
		}
	}
	assert_true(well_formed(r));
	if (op->exact)
		assert_tnum_equal(r, hull_tnum(&hull));
}

static void test_binary(void **state)
{
	for (u32 op = 0; op < ARRAY_SIZE(binaries); op++) {
		for (u32 i = 0; i < nr_tnums; i++) {
			for (u32 j = 0; j < nr_tnums; j++) {
				check_binary(&binaries[op], tnums[i], tnums[j], 0);
				check_binary(&binaries[op], tnums[i], tnums[j], 64 - WIDTH);
			}
		}
	}
}

/* --- sets ------------------------------------------------------------------------------ */

static void check_sets(struct tnum a, struct tnum b)
{
	struct tnum both = tnum_intersect(a, b), either = tnum_union(a, b);
	struct hull hull = {};
	bool subset = true, common = false;

	for (u64 v = 0; v < VALUES; v++) {
		if (has(a, v) && has(b, v)) {
			common = true;
			assert_true(has(both, v));
		}
		if (has(b, v) && !has(a, v))
			subset = false;
		if (has(a, v) || has(b, v))
			hull_add(&hull, v);
	}
	assert_tnum_equal(either, hull_tnum(&hull));
	assert_int_equal(tnum_in(a, b), subset);
	if (!common)
		return;
	for (u64 v = 0; v < VALUES; v++)
		assert_int_equal(has(both, v), has(a, v) && has(b, v));
}

static void test_sets(void **state)
{
	for (u32 i = 0; i < nr_tnums; i++)
		for (u32 j = 0; j < nr_tnums; j++)
			check_sets(tnums[i], tnums[j]);
}

static void test_range(void **state)
{
	for (u64 lo = 0; lo < 64; lo++) {
		struct hull hull = {};

		for (u64 hi = lo; hi < 64; hi++) {
			hull_add(&hull, hi);
			assert_tnum_equal(tnum_range(lo, hi), hull_tnum(&hull));
		}
	}
	assert_tnum_equal(tnum_range(0, ~0ULL), TNUM_UNKNOWN);
	assert_tnum_equal(tnum_range(~0ULL - 1, ~0ULL), TNUM(~1ULL, 1));
}

/* --- one operand --------------------------------------------------------------------------- */

static void check_shifts(struct tnum a, u8 at, u8 n)
{
	struct tnum t = tnum_lshift(a, at), low = tnum_subreg(tnum_rshift(t, 32));
	struct hull left = {}, right = {}, arith = {}, arith32 = {}, neg = {};

	for (u64 v = 0; v < VALUES; v++) {
		u64 x = v << at;

		if (!has(a, v))
			continue;
		hull_add(&left, x << n);
		hull_add(&right, x >> n);
		hull_add(&arith, (u64)((s64)x >> n));
		hull_add(&arith32, (u32)((s32)(u32)(x >> 32) >> (n & 31)));
		hull_add(&neg, -x);
	}
	assert_tnum_equal(tnum_lshift(t, n), hull_tnum(&left));
	assert_tnum_equal(tnum_rshift(t, n), hull_tnum(&right));
	assert_tnum_equal(tnum_arshift(t, n, 64), hull_tnum(&arith));
	assert_tnum_equal(tnum_arshift(low, n & 31, 32), hull_tnum(&arith32));
	assert_tnum_equal(tnum_neg(t), hull_tnum(&neg));
}

static void test_shifts(void **state)
{
	for (u32 i = 0; i < nr_tnums; i++) {
		for (u8 n = 0; n < 64; n++) {
			check_shifts(tnums[i], 0, n);
			check_shifts(tnums[i], 30, n);
			check_shifts(tnums[i], 64 - WIDTH, n);
		}
	}
}

static void test_aligned(void **state)
{
	for (u32 i = 0; i < nr_tnums; i++) {
		for (u64 size = 1; size < VALUES; size *= 2) {
			bool aligned = true;

			for (u64 v = 0; v < VALUES; v++)
				if (has(tnums[i], v) && v % size)
					aligned = false;
			assert_int_equal(tnum_is_aligned(tnums[i], size), aligned);
		}
		assert_true(tnum_is_aligned(tnums[i], 0));
	}
}

static void check_at_least(struct tnum a, u8 at, u64 min)
{
	struct tnum t = TNUM(a.value << at, a.mask << at);
	u64 least = ~0ULL, member;
	bool found = false;

	for (u64 v = 0; v < VALUES; v++) {
		if (!has(a, v) || v << at < min)
			continue;
		least = v << at < least ? v << at : least;
		found = true;
	}
	assert_int_equal(tnum_at_least(t, min, &member), found);
	if (found)
		assert_true(member == least);
}

static void test_at_least(void **state)
{
	for (u32 i = 0; i < nr_tnums; i++) {
		for (u64 min = 0; min < VALUES; min++) {
			check_at_least(tnums[i], 0, min);
			check_at_least(tnums[i], 64 - WIDTH, min << (64 - WIDTH));
			/* between two that are possible */
			check_at_least(tnums[i], 8, (min << 8) + 1);
			check_at_least(tnums[i], 8, (min << 8) + 0xff);
		}
		check_at_least(tnums[i], 0, ~0ULL);
	}
}

static void test_parts(void **state)
{
	struct tnum t = TNUM(0x1122334400660088, 0x0000000055000700);

	assert_tnum_equal(tnum_cast(t, 1), TNUM(0x88, 0));
	assert_tnum_equal(tnum_cast(t, 2), TNUM(0x0088, 0x0700));
	assert_tnum_equal(tnum_cast(t, 8), t);
	assert_tnum_equal(tnum_subreg(t), TNUM(0x00660088, 0x55000700));
	assert_tnum_equal(tnum_clear_subreg(t), TNUM(0x1122334400000000, 0));
	assert_tnum_equal(tnum_with_subreg(t, TNUM(0x99000000ff, 0xaa00000000)),
			  TNUM(0x11223344000000ff, 0));
	assert_tnum_equal(tnum_const_subreg(t, 7), TNUM(0x1122334400000007, 0));
	assert_true(tnum_is_unknown(TNUM_UNKNOWN));
	assert_true(tnum_equals_const(tnum_const(5), 5));
	assert_false(tnum_equals_const(TNUM(4, 1), 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binary),	cmocka_unit_test(test_sets),
		cmocka_unit_test(test_range),	cmocka_unit_test(test_shifts),
		cmocka_unit_test(test_aligned), cmocka_unit_test(test_parts),
		cmocka_unit_test(test_at_least),
	};

	return cmocka_run_group_tests(tests, make_tnums, NULL);
}
