// SPDX-License-Identifier: GPL-2.0-only
/* CPU masks for machines whose size is, and is not, a multiple of the word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/base/cpumask.h"

static void set_list(struct cpumask *m, const char *list)
{
	assert_int_equal(cpumask_parse_list(list, m), 0);
}

static void test_bits_and_searches(void **state)
{
	struct cpumask m = {}, other = {};
	u32 cpu, n = 0, seen[8];

	nr_cpu_ids = 130;
	set_list(&m, "0,63-65,128");
	assert_int_equal(cpumask_weight(&m), 5);
	for_each_cpu(cpu, &m)
		seen[n++] = cpu;
	assert_int_equal(n, 5);
	assert_memory_equal(seen, ((u32[]){ 0, 63, 64, 65, 128 }), 5 * sizeof(u32));
	assert_int_equal(cpumask_next(66, &m), 128);
	assert_int_equal(cpumask_next(129, &m), 130);
	assert_int_equal(cpumask_next(5000, &m), 130);
	set_list(&other, "64,100");
	assert_int_equal(cpumask_next_and(0, &m, &other), 64);
	assert_int_equal(cpumask_next_and(65, &m, &other), 130);
	assert_int_equal(cpumask_next_and_wrap(65, &m, &other), 64);
	assert_int_equal(cpumask_next_and_wrap(0, &m, &other), 64);
	cpumask_clear(&other);
	assert_int_equal(cpumask_next_and_wrap(65, &m, &other), 130);
	assert_true(cpumask_test_and_clear_cpu(64, &m));
	assert_false(cpumask_test_and_clear_cpu(64, &m));
	assert_int_equal(cpumask_weight(&m), 4);
}

static void test_algebra(void **state)
{
	struct cpumask a = {}, b = {}, r = {}, want = {};

	nr_cpu_ids = 70;
	set_list(&a, "0-9,66");
	set_list(&b, "5-20,66-69");
	assert_true(cpumask_and(&r, &a, &b));
	set_list(&want, "5-9,66");
	assert_true(cpumask_equal(&r, &want));
	assert_true(cpumask_andnot(&r, &a, &b));
	set_list(&want, "0-4");
	assert_true(cpumask_equal(&r, &want));
	cpumask_or(&r, &a, &b);
	set_list(&want, "0-20,66-69");
	assert_true(cpumask_equal(&r, &want));
	cpumask_xor(&r, &a, &b);
	set_list(&want, "0-4,10-20,67-69");
	assert_true(cpumask_equal(&r, &want));
	assert_true(cpumask_intersects(&a, &b));
	assert_false(cpumask_subset(&a, &b));
	set_list(&want, "66");
	assert_true(cpumask_subset(&want, &b));
	assert_false(cpumask_andnot(&r, &want, &b));
	assert_true(cpumask_empty(&r));
	cpumask_setall(&r);
	assert_true(cpumask_full(&r));
	assert_int_equal(cpumask_weight(&r), 70);
	assert_int_equal(r.bits[1], 0x3f);
	cpumask_clear_cpu(69, &r);
	assert_false(cpumask_full(&r));
	cpumask_copy(&want, &r);
	assert_true(cpumask_equal(&want, &r));
}

/* Bits that no CPU has must count for nothing, whoever set them. */
static void test_bits_beyond_the_machine(void **state)
{
	struct cpumask m = {}, empty = {};

	nr_cpu_ids = 4;
	m.bits[0] = 0xfff0;
	assert_true(cpumask_empty(&m));
	assert_true(cpumask_equal(&m, &empty));
	assert_int_equal(cpumask_weight(&m), 0);
	assert_int_equal(cpumask_first(&m), 4);
	assert_false(cpumask_test_cpu(5, &m));
	m.bits[0] = 0xffff;
	assert_true(cpumask_full(&m));
}

static void test_parse_list_errors(void **state)
{
	struct cpumask m = {};

	nr_cpu_ids = 8;
	assert_int_equal(cpumask_parse_list("", &m), 0);
	assert_true(cpumask_empty(&m));
	assert_int_equal(cpumask_parse_list("0-7\n", &m), 0);
	assert_true(cpumask_full(&m));
	assert_int_equal(cpumask_parse_list("x", &m), 1);
	assert_int_equal(cpumask_parse_list("0,8", &m), 3);
	assert_int_equal(cpumask_parse_list("0,99999999999999999999999", &m), 3);
	assert_int_equal(cpumask_parse_list("3-2", &m), 3);
	assert_int_equal(cpumask_parse_list("1-", &m), 3);
	assert_int_equal(cpumask_parse_list("1,", &m), 2);
	assert_int_equal(cpumask_parse_list("1;2", &m), 2);
	assert_int_equal(cpumask_parse_list("1\n2", &m), 3);
	assert_int_equal(cpumask_parse_list("-1", &m), 1);
}

/* As Linux prints %*pb and %*pbl. */
static void test_print(void **state)
{
	struct cpumask m = {};
	char buf[64];

	nr_cpu_ids = 8;
	set_list(&m, "0,4-7");
	assert_int_equal(cpumask_print_hex(buf, sizeof(buf), &m), 2);
	assert_string_equal(buf, "f1");
	assert_int_equal(cpumask_print_list(buf, sizeof(buf), &m), 5);
	assert_string_equal(buf, "0,4-7");
	nr_cpu_ids = 36;
	set_list(&m, "0-3,33");
	cpumask_print_hex(buf, sizeof(buf), &m);
	assert_string_equal(buf, "2,0000000f");
	nr_cpu_ids = 64;
	set_list(&m, "63");
	cpumask_print_hex(buf, sizeof(buf), &m);
	assert_string_equal(buf, "80000000,00000000");
	assert_int_equal(cpumask_print_hex(buf, 6, &m), 5);
	assert_string_equal(buf, "80000");
	cpumask_clear(&m);
	assert_int_equal(cpumask_print_list(buf, sizeof(buf), &m), 0);
	assert_string_equal(buf, "");
	assert_int_equal(cpumask_print_list(NULL, 0, &m), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bits_and_searches),
		cmocka_unit_test(test_algebra),
		cmocka_unit_test(test_bits_beyond_the_machine),
		cmocka_unit_test(test_parse_list_errors),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
