// SPDX-License-Identifier: GPL-2.0-only
/*
 * Red-black trees. The colour is in the lowest bit of the parent pointer (1:
 * black), as in Linux, because programs can see it. Invariants: the root is
 * black, a red node has no red child, and every path from a node down to a
 * missing child passes the same number of black nodes.
 *
 * The two sides of a case are written once: a side is LEFT or RIGHT, and
 * child() picks the pointer.
 */
#include "rbtree.h"

enum side { LEFT, RIGHT };

#define BLACK 1UL

static inline struct rb_node **child(struct rb_node *node, enum side side)
{
	return side == LEFT ? &node->rb_left : &node->rb_right;
}

static inline struct rb_node *parent_of(const struct rb_node *node)
{
	return (struct rb_node *)(node->__rb_parent_color & ~BLACK);
}

static inline bool is_red(const struct rb_node *node)
{
	return node && !(node->__rb_parent_color & BLACK);
}

static inline void set_parent(struct rb_node *node, struct rb_node *parent)
{
	node->__rb_parent_color = (unsigned long)parent | (node->__rb_parent_color & BLACK);
}

static inline void set_red(struct rb_node *node)
{
	node->__rb_parent_color &= ~BLACK;
}

static inline void set_black(struct rb_node *node)
{
	node->__rb_parent_color |= BLACK;
}

static inline enum side side_of(const struct rb_node *node, const struct rb_node *parent)
{
	return parent->rb_left == node ? LEFT : RIGHT;
}

/* Makes @parent (or the root) point at @new instead of @old. */
static void replace_child(struct rb_root *root, struct rb_node *parent, struct rb_node *old,
			  struct rb_node *new)
{
	if (parent)
		*child(parent, side_of(old, parent)) = new;
	else
		root->rb_node = new;
	if (new)
		set_parent(new, parent);
}

/* @top goes down to @side; its other child takes its place. Colours stay with the nodes. */
static void rotate(struct rb_root *root, struct rb_node *top, enum side side, rb_update_fn update)
{
	struct rb_node *up = *child(top, !side), *middle = *child(up, side);

	replace_child(root, parent_of(top), top, up);
	*child(top, !side) = middle;
	if (middle)
		set_parent(middle, top);
	*child(up, side) = top;
	set_parent(top, up);
	if (update) {
		update(top);
		update(up);
	}
}

void rb_propagate(struct rb_node *node, rb_update_fn update)
{
	for (; node && update; node = parent_of(node))
		update(node);
}

/* @node is red and may have a red parent. */
static void fix_insert(struct rb_root *root, struct rb_node *node, rb_update_fn update)
{
	struct rb_node *parent, *grand, *uncle;
	enum side side;

	while (is_red(parent = parent_of(node))) {
		grand = parent_of(parent);
		side = side_of(parent, grand);
		uncle = *child(grand, !side);
		if (is_red(uncle)) {
			set_black(parent);
			set_black(uncle);
			set_red(grand);
			node = grand;
			continue;
		}
		if (side_of(node, parent) != side) {
			rotate(root, parent, side, update);
			parent = node;
		}
		set_black(parent);
		set_red(grand);
		rotate(root, grand, !side, update);
		break;
	}
	set_black(root->rb_node);
}

void rb_insert(struct rb_root *root, struct rb_node *node, rb_less_fn less, rb_update_fn update)
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = child(parent, less(node, parent) ? LEFT : RIGHT);
	}
	node->rb_left = NULL;
	node->rb_right = NULL;
	node->__rb_parent_color = (unsigned long)parent; /* red */
	*link = node;
	rb_propagate(node, update);
	fix_insert(root, node, update);
}

/* Paths through @parent's child on @side are one black node short. */
static void fix_remove(struct rb_root *root, struct rb_node *parent, enum side side,
		       rb_update_fn update)
{
	struct rb_node *node, *sibling, *near, *far;

	for (;; side = side_of(node, parent)) {
		node = *child(parent, side);
		if (is_red(node)) {
			set_black(node);
			return;
		}
		sibling = *child(parent, !side);
		if (is_red(sibling)) {
			set_black(sibling);
			set_red(parent);
			rotate(root, parent, side, update);
			sibling = *child(parent, !side);
		}
		near = *child(sibling, side);
		far = *child(sibling, !side);
		if (is_red(near) || is_red(far))
			break;
		set_red(sibling);
		node = parent;
		parent = parent_of(node);
		if (is_red(node) || !parent) {
			set_black(node);
			return;
		}
	}
	/* A nephew is red: it pays for the missing one. */
	if (!is_red(far)) {
		set_black(near);
		set_red(sibling);
		rotate(root, sibling, !side, update);
		far = sibling;
		sibling = near;
	}
	if (is_red(parent))
		set_red(sibling);
	else
		set_black(sibling);
	set_black(parent);
	set_black(far);
	rotate(root, parent, side, update);
}

/* Puts @next, which is in no tree now, where @node is. */
static void take_place(struct rb_root *root, struct rb_node *node, struct rb_node *next)
{
	*next = *node;
	replace_child(root, parent_of(node), node, next);
	if (next->rb_left)
		set_parent(next->rb_left, next);
	if (next->rb_right)
		set_parent(next->rb_right, next);
}

/*
 * Takes @node, which has at most one child, out. Returns its parent and the
 * side where it hung; *black says whether that path lost a black node.
 */
static struct rb_node *unlink_node(struct rb_root *root, struct rb_node *node, enum side *side,
				   bool *black)
{
	struct rb_node *parent = parent_of(node);
	struct rb_node *only = node->rb_left ? node->rb_left : node->rb_right;

	*side = parent ? side_of(node, parent) : LEFT;
	*black = !is_red(node);
	replace_child(root, parent, node, only);
	return parent;
}

void rb_remove(struct rb_root *root, struct rb_node *node, rb_update_fn update)
{
	struct rb_node *parent, *next = NULL;
	enum side side;
	bool black;

	if (node->rb_left && node->rb_right) {
		next = rb_next(node);
		parent = unlink_node(root, next, &side, &black);
		take_place(root, node, next);
		if (parent == node)
			parent = next;
	} else {
		parent = unlink_node(root, node, &side, &black);
	}
	rb_propagate(parent, update);
	if (black && parent)
		fix_remove(root, parent, side, update);
	else if (root->rb_node)
		set_black(root->rb_node);
	RB_CLEAR_NODE(node);
}

static struct rb_node *outermost(struct rb_node *node, enum side side)
{
	while (node && *child(node, side))
		node = *child(node, side);
	return node;
}

/* The neighbour of @node in order, towards @side. */
static struct rb_node *neighbour(struct rb_node *node, enum side side)
{
	struct rb_node *parent;

	if (*child(node, side))
		return outermost(*child(node, side), !side);
	while ((parent = parent_of(node)) && side_of(node, parent) == side)
		node = parent;
	return parent;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	return outermost(root->rb_node, LEFT);
}

struct rb_node *rb_last(const struct rb_root *root)
{
	return outermost(root->rb_node, RIGHT);
}

struct rb_node *rb_next(const struct rb_node *node)
{
	return neighbour((struct rb_node *)node, RIGHT);
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	return neighbour((struct rb_node *)node, LEFT);
}
