/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Red-black trees over the kernel's struct rb_node, optionally augmented: a
 * node may keep a value computed from its subtree.
 *
 * Nodes are embedded in their objects; the tree never allocates. A node that
 * is in no tree must have been cleared with RB_CLEAR_NODE() if RB_EMPTY_NODE()
 * is asked of it.
 */
#ifndef VRT_BASE_RBTREE_H
#define VRT_BASE_RBTREE_H

#include "util.h"

#define RB_ROOT ((struct rb_root){ NULL })
#define RB_ROOT_CACHED ((struct rb_root_cached){ { NULL }, NULL })
#define RB_EMPTY_ROOT(root) ((root)->rb_node == NULL)
#define RB_EMPTY_NODE(node) ((node)->__rb_parent_color == (unsigned long)(node))
#define RB_CLEAR_NODE(node) ((node)->__rb_parent_color = (unsigned long)(node))
#define rb_entry(ptr, type, member) container_of(ptr, type, member)

typedef bool (*rb_less_fn)(const struct rb_node *a, const struct rb_node *b);

/*
 * Recomputes @node's value from itself and its two children. Called bottom-up
 * for every node whose subtree changed. NULL: not augmented.
 */
typedef void (*rb_update_fn)(struct rb_node *node);

/* Inserts after all nodes that are not greater (a stable order). O(log n). */
void rb_insert(struct rb_root *root, struct rb_node *node, rb_less_fn less, rb_update_fn update);
/* @node must be in @root. Leaves it cleared. O(log n). */
void rb_remove(struct rb_root *root, struct rb_node *node, rb_update_fn update);
/* Recompute from @node up to the root after its own key-independent value changed. */
void rb_propagate(struct rb_node *node, rb_update_fn update);

struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

static inline void rb_insert_cached(struct rb_root_cached *root, struct rb_node *node,
				    rb_less_fn less, rb_update_fn update)
{
	if (!root->rb_leftmost || less(node, root->rb_leftmost))
		root->rb_leftmost = node;
	rb_insert(&root->rb_root, node, less, update);
}

static inline void rb_remove_cached(struct rb_root_cached *root, struct rb_node *node,
				    rb_update_fn update)
{
	if (root->rb_leftmost == node)
		root->rb_leftmost = rb_next(node);
	rb_remove(&root->rb_root, node, update);
}

#endif
