// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuncs on objects that programs allocate: making and dropping them, lists and
 * trees of them.
 *
 * Lists and trees may be changed only with the bpf_spin_lock beside them held.
 */
#include <errno.h>
#include <string.h>

#include "../../../kernel/kfuncs.h"
#include "../../base/list.h"
#include "../../base/rbtree.h"
#include "../graph.h"
#include "kfunc.h"

/* --- objects ----------------------------------------------------------------------- */

void *bpf_obj_new_impl(u64 local_type_id, void *meta)
{
	struct bpf_exec *x = bpf_exec_current;
	void *obj = NULL;

	if (x->prog->btf && local_type_id < x->prog->btf->nr_types)
		obj = bpf_alloc_new(x->prog->btf, (u32)local_type_id, false);
	if (x->checked)
		bpf_reg_alloc(&x->regs[0], obj);
	return obj;
}

void *bpf_percpu_obj_new_impl(u64 local_type_id, void *meta)
{
	struct bpf_exec *x = bpf_exec_current;
	void *obj = NULL;

	if (x->prog->btf && local_type_id < x->prog->btf->nr_types)
		obj = bpf_alloc_new(x->prog->btf, (u32)local_type_id, true);
	if (x->checked && obj)
		bpf_reg_opaque(&x->regs[0], &bpf_region_percpu_alloc, (u64)obj);
	else if (x->checked)
		bpf_reg_null(&x->regs[0], NULL);
	return obj;
}

/* Arguments are live allocated objects. */
void bpf_obj_drop_impl(void *p, void *meta)
{
	bpf_alloc_drop(bpf_alloc_find(p));
}

void bpf_percpu_obj_drop_impl(void *p, void *meta)
{
	bpf_alloc_drop(bpf_alloc_find(p));
}

void *bpf_refcount_acquire_impl(void *p, void *meta)
{
	struct bpf_exec *x = bpf_exec_current;
	struct bpf_alloc_header *h = bpf_alloc_find(p);

	if (!h) /* found under RCU, but gone */
		p = NULL;
	else
		h->refs++;
	if (x->checked)
		bpf_reg_alloc(&x->regs[0], p);
	return p;
}

static bool locked(void)
{
	struct bpf_exec *x = bpf_exec_current;

	return x->lock ? true : bpf_exec_fault(x, "the bpf_spin_lock must be held");
}

/* The object of the node belongs to a list or tree from now on. */
static void give_away(const void *node)
{
	bpf_ref_del(bpf_exec_current, bpf_alloc_find(node) + 1);
}

/* A node that is in use already cannot be added: the program's reference is given back. */
static int refuse_node(void *node, u64 off)
{
	bpf_alloc_drop(bpf_alloc_find((char *)node - off));
	return -EINVAL;
}

/* --- lists ---------------------------------------------------------------------------- */

static struct list_head *list_of(struct bpf_list_head *head)
{
	struct list_head *list = (struct list_head *)head;

	if (!list->next)
		INIT_LIST_HEAD(list);
	return list;
}

static int list_push(struct bpf_list_head *head, struct bpf_list_node *node, u64 off, bool back)
{
	struct graph_list_node *n = (struct graph_list_node *)node;

	if (!locked())
		return 0;
	give_away(node);
	if (n->owner)
		return refuse_node(node, off);
	if (back)
		list_add_tail(&n->list, list_of(head));
	else
		list_add(&n->list, list_of(head));
	n->owner = head;
	return 0;
}

int bpf_list_push_front_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta,
			     u64 off)
{
	return list_push(head, node, off, false);
}

int bpf_list_push_back_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta,
			    u64 off)
{
	return list_push(head, node, off, true);
}

static struct bpf_list_node *list_pop(struct bpf_list_head *head, bool back)
{
	struct list_head *list = list_of(head), *entry;
	struct graph_list_node *n;

	if (!locked() || list_empty(list))
		return NULL;
	entry = back ? list->prev : list->next;
	list_del_init(entry);
	n = list_entry(entry, struct graph_list_node, list);
	n->owner = NULL;
	return (struct bpf_list_node *)n;
}

struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head)
{
	return list_pop(head, false);
}

struct bpf_list_node *bpf_list_pop_back(struct bpf_list_head *head)
{
	return list_pop(head, true);
}

/* --- trees ------------------------------------------------------------------------------ */

/* The comparison of the insertion in progress; insertions may nest in it. */
static struct less {
	struct bpf_exec *x;
	u64 func;
} *less_now;

static bool call_less(const struct rb_node *a, const struct rb_node *b)
{
	struct less *less = less_now;
	struct bpf_reg args[2] = { { .v = (u64)a }, { .v = (u64)b } };
	u64 ret;

	if (less->x->checked) {
		bpf_reg_alloc(&args[0], a);
		bpf_reg_alloc(&args[1], b);
	}
	ret = bpf_exec_callback(less->x, less->func, args, 2);
	less_now = less;
	return ret != 0;
}

int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
			bool(less)(struct bpf_rb_node *a, const struct bpf_rb_node *b), void *meta,
			u64 off)
{
	struct graph_rb_node *n = (struct graph_rb_node *)node;
	struct less now = { .x = bpf_exec_current, .func = (u64)less }, *outer = less_now;

	if (!locked())
		return 0;
	give_away(node);
	if (n->owner)
		return refuse_node(node, off);
	less_now = &now;
	rb_insert((struct rb_root *)root, &n->rb, call_less, NULL);
	less_now = outer;
	n->owner = root;
	return 0;
}

struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *node)
{
	struct graph_rb_node *n = (struct graph_rb_node *)node;

	if (!locked() || n->owner != root)
		return NULL;
	rb_remove((struct rb_root *)root, &n->rb, NULL);
	n->owner = NULL;
	return node;
}

struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root)
{
	if (!locked())
		return NULL;
	return (struct bpf_rb_node *)rb_first((struct rb_root *)root);
}

static const struct bpf_kfunc kfuncs[] = {
	BPF_KFUNC_ENTRY(bpf_obj_new_impl, KF_ACQUIRE | KF_RET_NULL | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_percpu_obj_new_impl, KF_ACQUIRE | KF_RET_NULL | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_obj_drop_impl, KF_RELEASE | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_percpu_obj_drop_impl, KF_RELEASE | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_refcount_acquire_impl, KF_ACQUIRE | KF_RET_NULL | KF_RCU | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_list_push_front_impl, KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_list_push_back_impl, KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_list_pop_front, KF_ACQUIRE | KF_RET_NULL | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_list_pop_back, KF_ACQUIRE | KF_RET_NULL | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_rbtree_remove, KF_ACQUIRE | KF_RET_NULL | KF_TIMELESS),
	BPF_KFUNC_ENTRY(bpf_rbtree_add_impl, KF_TIMELESS | KF_CALLS_BACK),
	BPF_KFUNC_ENTRY(bpf_rbtree_first, KF_RET_NULL | KF_TIMELESS),
};

const struct bpf_kfunc_set bpf_obj_kfuncs = { .funcs = kfuncs, .nr = ARRAY_SIZE(kfuncs) };
