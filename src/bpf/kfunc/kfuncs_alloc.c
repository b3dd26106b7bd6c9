// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects that programs allocate, of struct types of their own: a header in the
 * kernel heap, then the object. Their types live as long as any object of them,
 * and regions longer, until no program runs.
 */
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../../base/rbtree.h"
#include "../exec/exec.h"
#include "../graph.h"

struct alloc_type {
	struct bpf_region region; /* holds a reference of its BTF */
	struct btf_record *record;
	u64 objects;
	bool leaving; /* it is to be freed, unless there are new objects by then */
	struct alloc_type *next;
};

static const struct kheap_type object_type = { .name = "[allocated object]", .writable = true };
static struct alloc_type *types;

/* --- types ------------------------------------------------------------------------ */

static struct alloc_type *find_type(u32 btf_obj_id, u32 type_id)
{
	struct alloc_type *t;

	for (t = types; t; t = t->next)
		if (t->region.btf_id == type_id && t->region.btf->obj.id == btf_obj_id)
			return t;
	return NULL;
}

static struct alloc_type *get_type(struct btf *btf, u32 type_id)
{
	struct alloc_type *t = find_type(btf->obj.id, type_id);
	const struct btf_type *bt = btf_type_by_id(btf, type_id);
	int err;

	if (t || !bt || BTF_INFO_KIND(bt->info) != BTF_KIND_STRUCT)
		return t;
	t = xcalloc(1, sizeof(*t));
	t->record = btf_parse_record(btf, type_id, &err);
	btf_get(btf);
	t->region = (struct bpf_region){
		.kind = REGION_ALLOC,
		.name = btf_name(btf, bt->name_off),
		.size = btf_type_size(btf, type_id),
		.readable = true,
		.writable = true,
		.record = t->record,
		.btf = btf,
		.btf_id = type_id,
	};
	bpf_region_find_window(&t->region);
	t->next = types;
	types = t;
	return t;
}

static void free_type(void *arg)
{
	struct alloc_type *t = arg, **link = &types;

	t->leaving = false;
	if (t->objects) /* there are new ones */
		return;
	while (*link != t)
		link = &(*link)->next;
	*link = t->next;
	btf_record_free(t->record);
	btf_put(t->region.btf);
	free(t);
}

/* Registers may still have the region. */
static void put_type(struct alloc_type *t)
{
	if (--t->objects || t->leaving)
		return;
	t->leaving = true;
	bpf_rcu_defer(free_type, t);
}

const struct bpf_region *bpf_alloc_region(const struct bpf_alloc_header *h)
{
	struct alloc_type *t = find_type(h->btf_obj_id, h->type_id);

	return t ? &t->region : NULL;
}

/* --- objects ------------------------------------------------------------------------ */

void *bpf_alloc_new(struct btf *btf, u32 type_id, bool percpu)
{
	struct alloc_type *t = get_type(btf, type_id);
	struct bpf_alloc_header *h;
	u64 size;

	if (!t || !t->region.size)
		return NULL;
	size = percpu ? (u64)ALIGN_UP(t->region.size, 8U) * bpf_env->nr_cpus : t->region.size;
	h = kheap_alloc(&object_type, sizeof(*h) + size);
	t->objects++;
	if (!h) {
		put_type(t);
		return NULL;
	}
	*h = (struct bpf_alloc_header){ .btf_obj_id = btf->obj.id, .type_id = type_id,
					.size = t->region.size, .refs = 1 };
	return h + 1;
}

struct bpf_alloc_header *bpf_alloc_find(const void *ptr)
{
	struct bpf_alloc_header *h;
	struct kheap_object obj;

	if (!kheap_find(ptr, &obj) || obj.type != &object_type)
		return NULL;
	h = obj.base;
	return ptr >= (const void *)(h + 1) && h->refs ? h : NULL;
}

void bpf_alloc_drop(struct bpf_alloc_header *h)
{
	struct alloc_type *t = find_type(h->btf_obj_id, h->type_id);
	/* fields are freed as those of a map value are */
	struct bpf_map as_map = { .record = t->record };

	VRT_ASSERT(h->refs);
	if (--h->refs)
		return;
	bpf_map_free_fields(&as_map, h + 1);
	put_type(t);
	bpf_rcu_defer(kheap_free, h);
}

void bpf_alloc_exit(void)
{
	struct alloc_type *t;

	while ((t = types)) {
		t->objects = 0;
		free_type(t);
	}
}

/* --- lists and trees ------------------------------------------------------------------- */

static void drop_node(const struct btf_field *field, void *node)
{
	struct bpf_alloc_header *h = bpf_alloc_find((char *)node - field->node_offset);

	if (h)
		bpf_alloc_drop(h);
}

void bpf_graph_free(const struct btf_field *field, void *head)
{
	if (field->type == BPF_LIST_HEAD) {
		struct list_head *list = head;

		while (list->next && !list_empty(list)) {
			struct graph_list_node *n = list_first_entry(list, struct graph_list_node,
								     list);

			list_del_init(&n->list);
			n->owner = NULL;
			drop_node(field, n);
		}
	} else {
		struct rb_root *root = head;

		while (root->rb_node) {
			struct graph_rb_node *n = rb_entry(root->rb_node, struct graph_rb_node, rb);

			rb_remove(root, &n->rb, NULL);
			n->owner = NULL;
			drop_node(field, n);
		}
	}
}
