// SPDX-License-Identifier: GPL-2.0-only
/* Fibers: switching, stacks, reuse, and freeing one in the middle of something. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/sim/fiber.h"

static struct fiber *main_fiber;
static char trace[200];

static void note(const char *what)
{
	strcat(trace, what);
}

static void ping(void *arg)
{
	struct fiber **pong = arg;

	note("a");
	fiber_switch(*pong);
	note("c");
	fiber_switch(main_fiber);
	note("never");
}

static void pong(void *arg)
{
	struct fiber **ping = arg;

	note("b");
	fiber_switch(*ping);
	note("never");
}

static void test_switching(void **state)
{
	struct fiber *a, *b;

	main_fiber = fiber_current();
	trace[0] = '\0';
	a = fiber_new(ping, &b);
	b = fiber_new(pong, &a);
	assert_non_null(a);
	assert_non_null(b);
	fiber_switch(a);
	note("d");
	assert_ptr_equal(fiber_current(), main_fiber);
	assert_string_equal(trace, "abcd");
	fiber_free(a);
	fiber_free(b);
}

/* Uses most of the stack, with locals that the sanitizer surrounds by red zones. */
static u64 deep(u32 depth)
{
	volatile char local[300];

	memset((char *)local, depth, sizeof(local));
	if (!depth) {
		fiber_switch(main_fiber);
		return 0;
	}
	return deep(depth - 1) + local[17];
}

static u64 result;

static void diver(void *arg)
{
	char text[64];
	u32 depth = *(u32 *)arg;

	/* variadic functions with vectors need an aligned stack */
	snprintf(text, sizeof(text), "%.1f", (double)depth);
	result = deep(depth);
	if (!strcmp(text, "50.0"))
		result += 1000000;
	fiber_switch(main_fiber);
}

static void test_deep_stack_and_alignment(void **state)
{
	u32 depth = 50, expected = 0;
	struct fiber *f;

	main_fiber = fiber_current();
	f = fiber_new(diver, &depth);
	for (u32 i = 1; i <= depth; i++)
		expected += i;
	result = 0;
	fiber_switch(f); /* at the bottom */
	assert_int_equal(result, 0);
	fiber_switch(f);
	assert_int_equal(result, expected + 1000000);
	fiber_free(f);
}

/* A fiber dropped in the depth must leave a stack that others can use. */
static void test_reuse_after_drop(void **state)
{
	u32 depths[] = { 60, 10, 50, 3, 50 };

	main_fiber = fiber_current();
	for (u32 i = 0; i < ARRAY_SIZE(depths); i++) {
		struct fiber *f = fiber_new(diver, &depths[i]);

		fiber_switch(f);
		fiber_free(f);
	}
	fiber_trim();
}

static void counter(void *arg)
{
	for (u64 *n = arg;; ++*n)
		fiber_switch(main_fiber);
}

static void test_many(void **state)
{
	enum { NR = 600 };
	static struct fiber *fibers[NR];
	static u64 counts[NR];

	main_fiber = fiber_current();
	for (u32 i = 0; i < NR; i++)
		assert_non_null(fibers[i] = fiber_new(counter, &counts[i]));
	for (u32 round = 0; round < 20; round++)
		for (u32 i = 0; i < NR; i++)
			if (round % (i % 3 + 1) == 0)
				fiber_switch(fibers[i]);
	for (u32 i = 0; i < NR; i++) {
		/* the first switch only starts it */
		assert_int_equal(counts[i], (19 / (i % 3 + 1) + 1) - 1);
		fiber_free(fibers[i]);
	}
	fiber_trim();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_switching),
		cmocka_unit_test(test_deep_stack_and_alignment),
		cmocka_unit_test(test_reuse_after_drop),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
