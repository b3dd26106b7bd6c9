// SPDX-License-Identifier: GPL-2.0-only
/* The kernel heap: addresses, alignment, lookup of interior pointers, reuse, reservations. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/base/kheap.h"
#include "../../src/base/rng.h"

static const struct kheap_type apple = { .name = "apple" }, pear = { .name = "pear" };

static void test_alignment_and_zeros(void **state)
{
	for (u64 size = 0; size < 5000; size += size < 300 ? 1 : 97) {
		char *obj = kheap_alloc(&apple, size);

		assert_true(kheap_contains((u64)obj, size));
		assert_int_equal((u64)obj % (size >= 64 ? 64 : 16), 0);
		for (u64 i = 0; i < size; i++)
			assert_int_equal(obj[i], 0);
		memset(obj, 0xff, size);
		kheap_free(obj);
	}
}

static void check_bounds(char *obj, u64 size, const struct kheap_type *type)
{
	struct kheap_object found = {};
	u64 offsets[] = { 0, size / 2, size - 1 };

	for (u32 i = 0; i < ARRAY_SIZE(offsets); i++) {
		assert_true(kheap_find(obj + offsets[i], &found));
		assert_ptr_equal(found.base, obj);
		assert_int_equal(found.size, size);
		assert_ptr_equal(found.type, type);
	}
	/* behind its end is nothing, or another object */
	if (kheap_find(obj + size, &found))
		assert_ptr_not_equal(found.base, obj);
}

static void test_find_every_byte(void **state)
{
	static const u64 sizes[] = {
		1, 16, 17, 48, 63, 64, 65, 200, 257, 1000, 5000, 20480, 32768,
	};
	struct kheap_object found;

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 n = sizes[i];
		char *obj = kheap_alloc(&pear, n);

		for (u64 at = 0; at < n; at++) {
			assert_true(kheap_find(obj + at, &found));
			assert_ptr_equal(found.base, obj);
		}
		assert_false(kheap_find(obj + n, &found));
		kheap_free(obj);
		for (u64 at = 0; at < n; at += 7)
			assert_false(kheap_find(obj + at, &found));
	}
	assert_false(kheap_find((void *)(KHEAP_BASE - 1), &found));
	assert_false(kheap_find((void *)(KHEAP_BASE + KHEAP_SIZE), &found));
	assert_false(kheap_find((void *)(KHEAP_BASE + KHEAP_SIZE - 1), &found));
	assert_false(kheap_find(NULL, &found));
}

/* Many objects of many sizes come and go; none overlaps, all are found with their bounds. */
static void test_random(void **state)
{
	enum { NR = 3000 };
	static struct {
		unsigned char *obj;
		u64 size;
		const struct kheap_type *type;
	} objects[NR];
	struct kheap_stats before, stats;
	u64 live = 0;
	struct rng rng;

	rng_init(&rng, 3);
	kheap_stats(&before);
	for (u32 step = 0; step < 60000; step++) {
		u32 i = rng_below(&rng, NR);

		if (objects[i].obj) {
			u64 size = objects[i].size;

			check_bounds((char *)objects[i].obj, size, objects[i].type);
			/* what was written is still there: nobody else was given it */
			assert_int_equal(objects[i].obj[0], i & 0xff);
			assert_int_equal(objects[i].obj[size - 1], i & 0xff);
			kheap_free(objects[i].obj);
			objects[i].obj = NULL;
			live -= size;
			continue;
		}
		objects[i].size = 1 + rng_below(&rng, 1UL << rng_below(&rng, 18));
		objects[i].type = step & 1 ? &apple : &pear;
		objects[i].obj = kheap_alloc(objects[i].type, objects[i].size);
		assert_int_equal(objects[i].obj[0], 0);
		assert_int_equal(objects[i].obj[objects[i].size - 1], 0);
		objects[i].obj[0] = objects[i].obj[objects[i].size - 1] = i & 0xff;
		live += objects[i].size;
	}
	kheap_stats(&stats);
	assert_int_equal(stats.live - before.live, live);
	assert_true(stats.spans >= stats.live);
	for (u32 i = 0; i < NR; i++)
		kheap_free(objects[i].obj);
	kheap_stats(&stats);
	assert_int_equal(stats.live, before.live);
	assert_int_equal(stats.spans, before.spans);
}

static void test_types_do_not_share_spans(void **state)
{
	char *a = kheap_alloc(&apple, 32), *b = kheap_alloc(&pear, 32);
	char *c = kheap_alloc(&apple, 32);

	assert_int_not_equal((u64)a / KHEAP_SPAN, (u64)b / KHEAP_SPAN);
	assert_int_equal((u64)a / KHEAP_SPAN, (u64)c / KHEAP_SPAN);
	kheap_free(a);
	kheap_free(b);
	kheap_free(c);
}

static void test_freed_is_poisoned_and_reused_first(void **state)
{
	unsigned char *keep = kheap_alloc(&apple, 100), *obj = kheap_alloc(&apple, 100);

	memset(obj, 1, 100);
	kheap_free(obj);
	for (u32 i = 0; i < 100; i++)
		assert_int_equal(obj[i], KHEAP_POISON);
	assert_ptr_equal(kheap_alloc(&apple, 90), obj);
	for (u32 i = 0; i < 90; i++)
		assert_int_equal(obj[i], 0);
	kheap_free(obj);
	kheap_free(keep);
}

/*
 * A pool keeps a slab in which nothing lives, so that what comes and goes alone stays
 * where it is; but an empty heap gives out addresses as at first.
 */
static void test_empty_slabs(void **state)
{
	void *fence = kheap_alloc(&pear, 100), *obj = kheap_alloc(&apple, 100), *again;
	struct kheap_object found;
	struct kheap_stats stats;

	kheap_stats(&stats);
	assert_int_equal(stats.objects, 2);
	kheap_free(obj);
	assert_false(kheap_find(obj, &found));
	kheap_stats(&stats);
	assert_int_equal(stats.spans, 2 * KHEAP_SPAN);
	again = kheap_alloc(&apple, 100);
	assert_ptr_equal(again, obj);
	kheap_free(again);
	kheap_free(fence);
	kheap_stats(&stats);
	assert_int_equal(stats.spans, 0);
	assert_ptr_equal(kheap_alloc(&apple, 100), fence);
	kheap_free(fence);
}

static void test_large(void **state)
{
	u64 size = 3 * KHEAP_SPAN + 5;
	char *a = kheap_alloc(&apple, size), *b = kheap_alloc(&pear, size), *c;

	check_bounds(a, size, &apple);
	memset(a, 7, size);
	kheap_free(a);
	assert_int_equal(a[0], 0); /* readable, but empty */
	c = kheap_alloc(&pear, 2 * KHEAP_SPAN);
	assert_ptr_equal(c, a); /* first fit */
	assert_int_equal(c[2 * KHEAP_SPAN - 1], 0);
	kheap_free(c);
	kheap_free(b);
	assert_null(kheap_alloc(&apple, KHEAP_SIZE + 1));
	assert_null(kheap_alloc(&apple, ~0UL));
}

/* Free neighbours become one, in whatever order they are freed. */
static void test_free_spans_merge(void **state)
{
	static const u8 orders[][3] = { { 0, 1, 2 }, { 2, 1, 0 }, { 0, 2, 1 }, { 1, 0, 2 } };

	for (u32 i = 0; i < ARRAY_SIZE(orders); i++) {
		char *part[3], *fence, *whole;

		for (u32 j = 0; j < 3; j++)
			part[j] = kheap_alloc(&apple, 5 * KHEAP_SPAN);
		fence = kheap_alloc(&pear, 5 * KHEAP_SPAN);
		for (u32 j = 0; j < 3; j++)
			kheap_free(part[orders[i][j]]);
		whole = kheap_alloc(&pear, 15 * KHEAP_SPAN);
		assert_ptr_equal(whole, part[0]);
		kheap_free(whole);
		kheap_free(fence);
	}
}

/* A small object in a span that was used must still come out zeroed as part of a large one. */
static void test_large_over_used_spans(void **state)
{
	char *small[8], *large;

	for (u32 i = 0; i < 8; i++) {
		small[i] = kheap_alloc(i & 1 ? &apple : &pear, 32768);
		memset(small[i], 9, 32768);
	}
	for (u32 i = 0; i < 8; i++)
		kheap_free(small[i]);
	large = kheap_alloc(&apple, 4 * KHEAP_SPAN);
	for (u64 i = 0; i < 4 * KHEAP_SPAN; i++)
		assert_int_equal(large[i], 0);
	kheap_free(large);
}

static void test_reserve(void **state)
{
	u64 size = KHEAP_SPAN + 4096;
	char *range = kheap_reserve(&apple, size), *mapped;
	struct kheap_object found;
	int fd = memfd_create("test", 0);

	assert_int_equal((u64)range % 4096, 0);
	assert_true(kheap_find(range + size - 1, &found));
	assert_int_equal(found.size, size);
	assert_int_equal(ftruncate(fd, size), 0);
	mapped = mmap(range, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	assert_ptr_equal(mapped, range);
	memset(mapped, 3, size);
	kheap_release(range);
	assert_false(kheap_find(range, &found));
	assert_int_equal(range[0], 0);
	assert_int_equal(range[size - 1], 0);
	mapped = kheap_alloc(&pear, size);
	assert_ptr_equal(mapped, range);
	memset(mapped, 4, size);
	kheap_free(mapped);
	close(fd);
}

static int crashes(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		/* cmocka's handlers would go on with the next test */
		signal(SIGABRT, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		close(STDERR_FILENO);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void free_twice(void)
{
	void *keep = kheap_alloc(&apple, 24), *obj = kheap_alloc(&apple, 24);

	kheap_free(obj);
	kheap_free(obj);
	kheap_free(keep);
}

static void free_interior(void)
{
	kheap_free((char *)kheap_alloc(&apple, 64) + 8);
}

static void write_unused(void)
{
	*(volatile char *)(KHEAP_BASE + KHEAP_SIZE - 1) = 1;
}

static void read_unused(void)
{
	if (*(volatile char *)(KHEAP_BASE + KHEAP_SIZE - 1))
		abort();
}

static void test_misuse_is_noticed(void **state)
{
	assert_true(crashes(free_twice));
	assert_true(crashes(free_interior));
	assert_true(crashes(write_unused));
	assert_false(crashes(read_unused));
}

static int setup(void **state)
{
	return kheap_init() || kheap_init(); /* the second time is harmless */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alignment_and_zeros),
		cmocka_unit_test(test_find_every_byte),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_types_do_not_share_spans),
		cmocka_unit_test(test_freed_is_poisoned_and_reused_first),
		cmocka_unit_test(test_empty_slabs),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_free_spans_merge),
		cmocka_unit_test(test_large_over_used_spans),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_misuse_is_noticed),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
