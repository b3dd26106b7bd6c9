// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BTF of generated programs: functions, the value of a map with one of each of the
 * kernel's special fields, and the objects that it can hold.
 */
#include <stdio.h>

#include "../unit/btf_builder.h"
#include "progen_internal.h"

s32 progen_task_struct;

static struct {
	u32 u32_id, state, tree_object, list_object;
	u32 main, catching; /* the main program; with a callback of exceptions */
	u32 exception; /* that callback */
	u32 funcs[2][PROGEN_FUNCS]; /* static, global */
} ids;

u32 tree_object(void)
{
	return ids.tree_object;
}

u32 list_object(void)
{
	return ids.list_object;
}

void progen_state_types(u32 *key, u32 *value)
{
	*key = ids.u32_id;
	*value = ids.state;
}

/* The kernel's own business: @size bytes. */
static u32 opaque(struct btf_builder *b, u32 word, const char *name, u32 size)
{
	u32 id = btf_add(b, name, BTF_KIND_STRUCT, size / 8, size);

	for (u32 i = 0; i < size / 8; i++)
		btf_add_member(b, "o", word, i * 8);
	return id;
}

static void add_objects(struct btf_builder *b, u32 word)
{
	u32 rb = opaque(b, word, "bpf_rb_node", 32), list = opaque(b, word, "bpf_list_node", 24);
	u32 refs = btf_add(b, "bpf_refcount", BTF_KIND_STRUCT, 1, 4);

	btf_add_member(b, "o", ids.u32_id, 0);
	ids.tree_object = btf_add(b, "in_tree", BTF_KIND_STRUCT, 3, OBJECT_NODE + 40);
	btf_add_member(b, "key", word, OBJECT_KEY);
	btf_add_member(b, "node", rb, OBJECT_NODE);
	btf_add_member(b, "refs", refs, OBJECT_NODE + 32);
	ids.list_object = btf_add(b, "in_list", BTF_KIND_STRUCT, 2, OBJECT_NODE + 24);
	btf_add_member(b, "key", word, OBJECT_KEY);
	btf_add_member(b, "link", list, OBJECT_NODE);
}

static void tag(struct btf_builder *b, const char *text, u32 type, u32 component)
{
	btf_add(b, text, BTF_KIND_DECL_TAG, 0, type);
	btf_word(b, component);
}

static void add_state(struct btf_builder *b, u32 word)
{
	u32 timer = opaque(b, word, "bpf_timer", 16), wq = opaque(b, word, "bpf_wq", 16);
	u32 root = opaque(b, word, "bpf_rb_root", 16), head = opaque(b, word, "bpf_list_head", 16);
	u32 mask = opaque(b, word, "bpf_cpumask", 8);
	u32 lock = btf_add(b, "bpf_spin_lock", BTF_KIND_STRUCT, 1, 4);

	btf_add_member(b, "val", ids.u32_id, 0);
	mask = btf_add(b, "kptr", BTF_KIND_TYPE_TAG, 0, mask);
	mask = btf_add(b, "", BTF_KIND_PTR, 0, mask);
	add_objects(b, word);
	ids.state = btf_add(b, "state", BTF_KIND_STRUCT, 10, PROGEN_STATE_SIZE);
	for (u32 i = 0; i < PROGEN_STATE_NUMBERS / 8; i++)
		btf_add_member(b, "n", word, 8 * i);
	btf_add_member(b, "timer", timer, PROGEN_STATE_TIMER);
	btf_add_member(b, "wq", wq, PROGEN_STATE_WQ);
	btf_add_member(b, "lock", lock, PROGEN_STATE_LOCK);
	btf_add_member(b, "mask", mask, PROGEN_STATE_MASK);
	btf_add_member(b, "root", root, PROGEN_STATE_ROOT);
	btf_add_member(b, "head", head, PROGEN_STATE_HEAD);
	tag(b, "contains:in_tree:node", ids.state, 8);
	tag(b, "contains:in_list:link", ids.state, 9);
}

/* int f(long a, long b), but for what becomes of exceptions. */
static void add_functions(struct btf_builder *b, u32 word)
{
	u32 result = btf_add(b, "int", BTF_KIND_INT, 0, 4), proto, one;

	btf_word(b, BTF_INT_SIGNED << 24 | 32);
	proto = btf_add(b, "", BTF_KIND_FUNC_PROTO, 2, result);
	btf_add_param(b, "a", word);
	btf_add_param(b, "b", word);
	one = btf_add(b, "", BTF_KIND_FUNC_PROTO, 1, result);
	btf_add_param(b, "a", word);
	ids.main = btf_add(b, "main", BTF_KIND_FUNC, BTF_FUNC_GLOBAL, proto);
	ids.catching = btf_add(b, "catching", BTF_KIND_FUNC, BTF_FUNC_GLOBAL, proto);
	ids.exception = btf_add(b, "caught", BTF_KIND_FUNC, BTF_FUNC_GLOBAL, one);
	tag(b, "exception_callback:caught", ids.catching, (u32)-1);
	for (u32 i = 0; i < 2 * PROGEN_FUNCS; i++) {
		bool global = i >= PROGEN_FUNCS;
		char name[8];

		snprintf(name, sizeof(name), "%c%u", global ? 'g' : 's', i % PROGEN_FUNCS);
		ids.funcs[global][i % PROGEN_FUNCS] =
			btf_add(b, name, BTF_KIND_FUNC, global ? BTF_FUNC_GLOBAL : BTF_FUNC_STATIC,
				proto);
	}
}

u32 progen_btf(void **raw)
{
	static struct btf_builder b;
	u32 word, size;

	btf_start(&b);
	word = btf_add_int(&b, "long", 8);
	ids.u32_id = btf_add_int(&b, "unsigned int", 4);
	add_state(&b, word);
	add_functions(&b, word);
	*raw = btf_finish(&b, &size);
	return size;
}

static u32 function_type(const struct progen *p, u32 i)
{
	if (p->funcs[i].is == PROGEN_EXCEPTION)
		return ids.exception;
	if (i)
		return ids.funcs[p->funcs[i].is == PROGEN_GLOBAL][i];
	for (u32 j = 1; j < p->nr_funcs; j++)
		if (p->funcs[j].is == PROGEN_EXCEPTION)
			return ids.catching;
	return ids.main;
}

u32 progen_func_info(const struct progen *p, struct bpf_func_info *info)
{
	for (u32 i = 0; i < p->nr_funcs; i++)
		info[i] = (struct bpf_func_info){ .insn_off = p->funcs[i].start,
						  .type_id = function_type(p, i) };
	return p->nr_funcs;
}
