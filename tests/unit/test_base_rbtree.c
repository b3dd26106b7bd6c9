// SPDX-License-Identifier: GPL-2.0-only
/* The red-black tree against a sorted array, with its invariants checked after every step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/base/rbtree.h"
#include "../../src/base/rng.h"

#define MAX_NODES 400
#define BLACK 1UL

struct item {
	struct rb_node node;
	u64 key;
	u64 sum; /* of the keys of the subtree */
	u32 count; /* of the nodes of the subtree */
};

static struct item *item_of(const struct rb_node *node)
{
	return rb_entry(node, struct item, node);
}

static bool less(const struct rb_node *a, const struct rb_node *b)
{
	return item_of(a)->key < item_of(b)->key;
}

static void update(struct rb_node *node)
{
	struct item *item = item_of(node);

	item->sum = item->key;
	item->count = 1;
	for (u32 i = 0; i < 2; i++) {
		struct rb_node *child = i ? node->rb_right : node->rb_left;

		if (child) {
			item->sum += item_of(child)->sum;
			item->count += item_of(child)->count;
		}
	}
}

/* Returns the black height; checks colours, parents and (if @augmented) the sums. */
static u32 check(const struct rb_node *node, const struct rb_node *parent, bool augmented)
{
	bool black;
	u32 left, right;
	u64 sum;

	if (!node)
		return 1;
	black = node->__rb_parent_color & BLACK;
	assert_ptr_equal((void *)(node->__rb_parent_color & ~BLACK), parent);
	if (!parent || !(parent->__rb_parent_color & BLACK))
		assert_true(black);
	left = check(node->rb_left, node, augmented);
	right = check(node->rb_right, node, augmented);
	assert_int_equal(left, right);
	if (augmented) {
		sum = item_of(node)->sum;
		update((struct rb_node *)node);
		assert_int_equal(item_of(node)->sum, sum);
	}
	return left + black;
}

/* The model: items sorted by key, equal ones by insertion. */
static struct item *sorted[MAX_NODES];
static u32 nr_sorted;

static void model_insert(struct item *item)
{
	u32 i = nr_sorted++;

	for (; i && sorted[i - 1]->key > item->key; i--)
		sorted[i] = sorted[i - 1];
	sorted[i] = item;
}

static void model_remove(const struct item *item)
{
	u32 i = 0;

	while (sorted[i] != item)
		i++;
	memmove(&sorted[i], &sorted[i + 1], (--nr_sorted - i) * sizeof(sorted[0]));
}

static void compare(const struct rb_root_cached *root)
{
	const struct rb_root *tree = &root->rb_root;
	struct rb_node *node = rb_first(tree);
	u64 sum = 0;

	assert_ptr_equal(root->rb_leftmost, node);
	for (u32 i = 0; i < nr_sorted; i++, node = rb_next(node)) {
		assert_ptr_equal(item_of(node), sorted[i]);
		sum += sorted[i]->key;
	}
	assert_null(node);
	node = rb_last(tree);
	for (u32 i = nr_sorted; i-- > 0; node = rb_prev(node))
		assert_ptr_equal(item_of(node), sorted[i]);
	assert_null(node);
	if (nr_sorted) {
		assert_int_equal(item_of(tree->rb_node)->sum, sum);
		assert_int_equal(item_of(tree->rb_node)->count, nr_sorted);
	}
}

static void random_operations(u64 seed, u32 key_range)
{
	static struct item items[MAX_NODES];
	struct rb_root_cached root = RB_ROOT_CACHED;
	struct rng rng;

	rng_init(&rng, seed);
	nr_sorted = 0;
	for (u32 i = 0; i < MAX_NODES; i++)
		RB_CLEAR_NODE(&items[i].node);
	for (u32 step = 0; step < 6000; step++) {
		struct item *item = &items[rng_below(&rng, MAX_NODES)];

		if (RB_EMPTY_NODE(&item->node)) {
			item->key = rng_below(&rng, key_range);
			rb_insert_cached(&root, &item->node, less, update);
			model_insert(item);
		} else {
			rb_remove_cached(&root, &item->node, update);
			assert_true(RB_EMPTY_NODE(&item->node));
			model_remove(item);
		}
		check(root.rb_root.rb_node, NULL, true);
		if (step % 16 == 0)
			compare(&root);
	}
	while (nr_sorted) {
		struct item *item = sorted[rng_below(&rng, nr_sorted)];

		rb_remove_cached(&root, &item->node, update);
		model_remove(item);
		check(root.rb_root.rb_node, NULL, true);
		compare(&root);
	}
	assert_true(RB_EMPTY_ROOT(&root.rb_root));
	assert_null(root.rb_leftmost);
}

static void test_distinct_keys(void **state)
{
	random_operations(1, 1U << 30);
}

/* Few keys: the order of equal ones must be that of insertion. */
static void test_equal_keys(void **state)
{
	random_operations(2, 7);
}

static void test_ascending_is_balanced(void **state)
{
	static struct item items[MAX_NODES];
	struct rb_root root = RB_ROOT;
	u32 depth = 0;

	for (u32 i = 0; i < MAX_NODES; i++) {
		items[i].key = i;
		rb_insert(&root, &items[i].node, less, NULL);
	}
	check(root.rb_node, NULL, false);
	for (struct rb_node *node = root.rb_node; node; node = node->rb_right)
		depth++;
	assert_in_range(depth, 8, 18); /* at most 2 log2(n + 1) */
}

static void test_propagate(void **state)
{
	static struct item items[100];
	struct rb_root root = RB_ROOT;

	for (u32 i = 0; i < 100; i++) {
		items[i].key = i;
		rb_insert(&root, &items[i].node, less, update);
	}
	assert_int_equal(item_of(root.rb_node)->sum, 4950);
	items[99].key = 1099; /* keeps its place in the order */
	rb_propagate(&items[99].node, update);
	assert_int_equal(item_of(root.rb_node)->sum, 5950);
	check(root.rb_node, NULL, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distinct_keys),
		cmocka_unit_test(test_equal_keys),
		cmocka_unit_test(test_ascending_is_balanced),
		cmocka_unit_test(test_propagate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
