// SPDX-License-Identifier: GPL-2.0-only
/* Histograms against the sorted values themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../src/base/hist.h"
#include "../../src/base/rng.h"

#define NR 20000

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Of the sorted values: the smallest one that num/den of all do not exceed. */
static u64 true_quantile(const u64 *values, u64 n, u64 num, u64 den)
{
	u64 rank = (n * num + den - 1) / den;

	return values[rank ? rank - 1 : 0];
}

static void check_quantiles(const struct hist *h, const u64 *values, u64 n)
{
	for (u64 num = 0; num <= HIST_PER_100K; num += 37) {
		u64 want = true_quantile(values, n, num, HIST_PER_100K);
		u64 got = hist_quantile(h, num, HIST_PER_100K);

		assert_true(got >= want);
		assert_true(got - want <= want / 128);
	}
	assert_int_equal(hist_quantile(h, 1, 1), values[n - 1]);
}

/* @bits: magnitude of the values */
static void check_random(u64 seed, u32 bits)
{
	static u64 values[NR];
	struct hist h = {};
	struct rng rng;
	u64 sum = 0;

	rng_init(&rng, seed);
	for (u32 i = 0; i < NR; i++) {
		values[i] = rng_next(&rng) >> (64 - 1 - rng_below(&rng, bits));
		hist_record(&h, values[i]);
		sum += values[i];
	}
	qsort(values, NR, sizeof(values[0]), compare);
	assert_int_equal(h.count, NR);
	assert_int_equal(h.min, values[0]);
	assert_int_equal(h.max, values[NR - 1]);
	if (bits < 48) {
		assert_int_equal(h.sum, sum);
		assert_int_equal(hist_mean(&h), sum / NR);
	}
	check_quantiles(&h, values, NR);
	hist_free(&h);
}

static void test_error_bound(void **state)
{
	check_random(1, 8);
	check_random(2, 20);
	check_random(3, 40);
	check_random(4, 64);
}

static void test_small_values_are_exact(void **state)
{
	struct hist h = {};

	for (u64 v = 0; v < 256; v++)
		hist_record(&h, v);
	for (u64 v = 0; v < 256; v++)
		assert_int_equal(hist_quantile(&h, v + 1, 256), v);
	hist_free(&h);
}

/* Every bucket: no gap, no overlap, narrower than 1/128; the ends of each are in it. */
static void test_buckets_tile(void **state)
{
	u64 low, high, count, expected = 0;
	struct hist h = {};
	u32 pos = 0, n = 0;

	for (u32 shift = 0; shift < 64; shift++)
		for (u64 m = 128; m < 256; m++)
			if (!(m << shift >> shift ^ m))
				hist_record_n(&h, m << shift, 2);
	for (u64 v = 0; v < 128; v++)
		hist_record(&h, v);
	while (hist_next(&h, &pos, &low, &high, &count)) {
		struct hist ends = {};
		u64 l, u, c;
		u32 p = 0;

		assert_int_equal(low, expected);
		assert_true(high >= low && (high - low) <= low / 128);
		hist_record(&ends, low);
		hist_record(&ends, high);
		assert_true(hist_next(&ends, &p, &l, &u, &c));
		assert_int_equal(c, 2);
		hist_free(&ends);
		expected = high + 1;
		n++;
	}
	assert_int_equal(expected, 0); /* up to ~0 */
	assert_int_equal(n, 7424);
	hist_free(&h);
}

static void test_merge_is_recording_both(void **state)
{
	struct hist a = {}, b = {}, both = {}, empty = {};
	struct rng rng;

	rng_init(&rng, 5);
	for (u32 i = 0; i < 1000; i++) {
		u64 x = rng_exponential(&rng, 1000), y = rng_exponential(&rng, 1000000);

		hist_record(&a, x);
		hist_record(&b, y);
		hist_record(&both, x);
		hist_record(&both, y);
	}
	hist_merge(&a, &b);
	hist_merge(&a, &empty);
	assert_int_equal(a.count, 2000);
	assert_int_equal(a.sum, both.sum);
	assert_int_equal(a.min, both.min);
	assert_int_equal(a.max, both.max);
	for (u32 i = 0; i <= 1000; i++)
		assert_int_equal(hist_quantile(&a, i, 1000), hist_quantile(&both, i, 1000));
	hist_merge(&empty, &both);
	assert_int_equal(empty.min, both.min);
	hist_free(&a);
	hist_free(&b);
	hist_free(&both);
	hist_free(&empty);
}

static void test_edges(void **state)
{
	struct hist h = {};

	assert_int_equal(hist_quantile(&h, 99, 100), 0);
	assert_int_equal(hist_mean(&h), 0);
	hist_record_n(&h, ~0ULL, 3);
	assert_int_equal(h.sum, ~0ULL); /* saturated */
	assert_int_equal(hist_quantile(&h, 1, 2), ~0ULL);
	assert_int_equal(hist_quantile(&h, 5, 2), ~0ULL);
	hist_record_n(&h, 5, 0);
	assert_int_equal(h.count, 3);
	hist_reset(&h);
	assert_int_equal(h.count, 0);
	hist_record(&h, 1000);
	assert_int_equal(hist_quantile(&h, 0, 1), 1000);
	assert_int_equal(h.min, 1000);
	hist_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_bound),
		cmocka_unit_test(test_small_values_are_exact),
		cmocka_unit_test(test_buckets_tile),
		cmocka_unit_test(test_merge_is_recording_both),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
