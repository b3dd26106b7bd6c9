// SPDX-License-Identifier: GPL-2.0-only
/* The generator: published values, streams, and the shape of its distributions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/base/rng.h"

/* splitmix64 from seed 0, as in its authors' test vector */
static void test_seeding(void **state)
{
	struct rng rng;

	rng_init(&rng, 0);
	assert_int_equal(rng.s[0], 0xe220a8397b1dcdaf);
	assert_int_equal(rng.s[1], 0x6e789e6aa1b965f4);
	assert_int_equal(rng.s[2], 0x06c45d188009454f);
	assert_int_equal(rng.s[3], 0xf88bb8a8724c81ec);
}

/* xoshiro256** from state 1, 2, 3, 4: the first values of the reference implementation */
static void test_xoshiro(void **state)
{
	struct rng rng = { { 1, 2, 3, 4 } };

	assert_int_equal(rng_next(&rng), 11520);
	assert_int_equal(rng_next(&rng), 0);
	assert_int_equal(rng_next(&rng), 1509978240);
	assert_int_equal(rng_next(&rng), 1215971899390074240);
}

static void test_forks_are_independent(void **state)
{
	struct rng a, b;

	rng_fork(&a, 1, "web", 0);
	rng_fork(&b, 1, "web", 0);
	for (u32 i = 0; i < 10; i++)
		assert_int_equal(rng_next(&a), rng_next(&b));
	rng_fork(&b, 1, "web", 1);
	assert_int_not_equal(rng_next(&a), rng_next(&b));
	rng_fork(&b, 2, "web", 0);
	assert_int_not_equal(a.s[0], b.s[0]);
	rng_fork(&b, 1, "bew", 0);
	assert_int_not_equal(a.s[0], b.s[0]);
}

static void test_below(void **state)
{
	u32 count[10] = {};
	struct rng rng;

	rng_init(&rng, 7);
	assert_int_equal(rng_below(&rng, 0), 0);
	assert_int_equal(rng_below(&rng, 1), 0);
	for (u32 i = 0; i < 100000; i++)
		count[rng_below(&rng, 10)]++;
	for (u32 i = 0; i < 10; i++)
		assert_in_range(count[i], 9600, 10400); /* 4 standard deviations */
}

static void test_exponential(void **state)
{
	enum { NR = 200000, MEAN = 1000000 };
	u64 sum = 0, above_mean = 0, above_3 = 0;
	struct rng rng;

	rng_init(&rng, 9);
	for (u32 i = 0; i < NR; i++) {
		u64 x = rng_exponential(&rng, MEAN);

		sum += x;
		above_mean += x > MEAN;
		above_3 += x > 3 * MEAN;
	}
	assert_in_range(sum / NR, MEAN * 99 / 100, MEAN * 101 / 100);
	assert_in_range(above_mean, NR * 0.3679 - 900, NR * 0.3679 + 900); /* e^-1 */
	assert_in_range(above_3, NR * 0.04979 - 400, NR * 0.04979 + 400); /* e^-3 */
	assert_int_equal(rng_exponential(&rng, 0), 0);
	rng_exponential(&rng, ~0ULL); /* no overflow */
}

/* Each value is the logarithm of the number drawn. */
static void test_exponential_is_exact(void **state)
{
	for (u32 i = 0; i < 1000; i++) {
		struct rng a, b;
		double want;
		u64 got;

		rng_init(&a, i);
		b = a;
		want = -log((double)rng_next(&a) / 18446744073709551616.0) * 1e12;
		got = rng_exponential(&b, 1000000000000);
		assert_true(fabs((double)got - want) < 2000); /* 2e-9 of the mean */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seeding),
		cmocka_unit_test(test_xoshiro),
		cmocka_unit_test(test_forks_are_independent),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_exponential),
		cmocka_unit_test(test_exponential_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
