// SPDX-License-Identifier: GPL-2.0-only
/* Flags whose values differ between generations, on their way to programs and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/sched/ext/ext.h"

/* wakeup, head, selected, preempt */
#define IN_CORE 0x100000411ULL
#define IN_7_0 0x100110001ULL

static void same_values(void **state)
{
	static const enum kernel_generation all[] = { GENERATION_ANY, GENERATION_6_12 };

	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		kernel.config.generation = all[i];
		assert_int_equal(scx_enq_flags_to_bpf(IN_CORE), IN_CORE);
		assert_int_equal(scx_enq_flags_from_bpf(IN_CORE), IN_CORE);
	}
}

static void other_values(void **state)
{
	kernel.config.generation = GENERATION_7_0;
	assert_int_equal(scx_enq_flags_to_bpf(IN_CORE), IN_7_0);
	assert_int_equal(scx_enq_flags_from_bpf(IN_7_0), IN_CORE);
	/* the constants of another kernel are not those of this one */
	assert_int_equal(scx_enq_flags_from_bpf(IN_CORE), 0x100000001ULL);
}

static void flags_of_operations(void **state)
{
	kernel.config.generation = GENERATION_6_12;
	assert_false(scx_generation()->ops_flags & SCX_OPS_BUILTIN_IDLE_PER_NODE);
	kernel.config.generation = GENERATION_7_0;
	assert_true(scx_generation()->ops_flags & SCX_OPS_BUILTIN_IDLE_PER_NODE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_values),
		cmocka_unit_test(other_values),
		cmocka_unit_test(flags_of_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
