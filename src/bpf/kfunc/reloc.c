// SPDX-License-Identifier: GPL-2.0-only
/*
 * Polymorphic kfuncs: which function a call of a kfunc gets depends on the
 * member of the struct_ops type that calls it, and so does whether it may be
 * called there at all. Both are decided once, at load.
 *
 * A type answers for itself (kfunc_validate_reloc()), or declares a table of
 * rules, which is resolved to BTF ids here when the type is registered and
 * answers for it. A kfunc that the table of one type names belongs to that
 * type: programs of others may not call it. The functions that rules put in the
 * place of others cannot be called by their own names.
 *
 * A call that was bound to another function keeps the name that the program
 * uses, for messages.
 */
#include "reloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../../base/strbuf.h"
#include "../btf/internal.h"
#include "kfunc.h"

#define FAIL(env, err, ...) (bpf_log((env)->log, __VA_ARGS__), (err))
#define MAX_TABLES 64

struct row {
	u32 kfunc, impl; /* BTF ids of FUNCs; impl 0: itself */
	u64 members; /* bits by index */
	bool async;
};

struct table {
	const struct bpf_struct_ops *ops;
	struct row *rows;
	u32 nr;
};

/* @kfunc as programs call it, with the function of another. */
struct bound {
	struct bpf_kfunc kfunc;
	struct bpf_kfunc_desc desc;
	u32 impl;
	struct bound *next;
};

static struct table tables[MAX_TABLES];
static u32 nr_tables;
static struct bound *bound_kfuncs;

static const char *func_name(u32 id)
{
	const struct btf *btf = bpf_kernel_btf();

	return btf_name(btf, btf_type_by_id(btf, id)->name_off);
}

static const char *member_name(const struct bpf_struct_ops *ops, u32 index)
{
	return btf_name(bpf_kernel_btf(), (btf_members(ops->type) + index)->name_off);
}

/* --- resolving a table ------------------------------------------------------------- */

static void complain(const struct bpf_struct_ops *ops, const struct bpf_kfunc_rule *rule,
		     const char *why, const char *what)
{
	struct strbuf line = { 0 };

	strbuf_printf(&line, "%s: the rule of kfunc %s %s '%s'", ops->name, rule->kfunc, why, what);
	if (bpf_env->printk)
		bpf_env->printk(strbuf_str(&line));
	strbuf_free(&line);
}

/* Can whoever calls @a get @b? A result that nobody expects does no harm. */
static bool takes_place_of(u32 b, u32 a)
{
	const struct btf *btf = bpf_kernel_btf();
	const struct btf_type *pa = btf_type_by_id(btf, btf_type_by_id(btf, a)->type);
	const struct btf_type *pb = btf_type_by_id(btf, btf_type_by_id(btf, b)->type);
	const struct btf_param *x = (const struct btf_param *)(pa + 1);
	const struct btf_param *y = (const struct btf_param *)(pb + 1);
	u32 i;

	if ((pa->type && pa->type != pb->type) || btf_vlen(pa) != btf_vlen(pb))
		return false;
	for (i = 0; i < btf_vlen(pa); i++)
		if (x[i].type != y[i].type)
			return false;
	return true;
}

static bool has_func(const char *name)
{
	return btf_find_by_name_kind(bpf_kernel_btf(), name, BTF_KIND_FUNC) >= 0;
}

static s32 find_func(const struct bpf_struct_ops *ops, const struct bpf_kfunc_rule *rule,
		     const char *name)
{
	s32 id = btf_find_by_name_kind(bpf_kernel_btf(), name, BTF_KIND_FUNC);

	if (id < 0)
		complain(ops, rule, "names a function that the kernel BTF lacks:", name);
	return id;
}

static int add_place(const struct bpf_struct_ops *ops, const struct bpf_kfunc_rule *rule,
		     const char *name, struct row *row)
{
	u32 i;

	if (!strcmp(name, "async")) {
		row->async = true;
		return 0;
	}
	if (!strcmp(name, "*")) {
		row->members = ~0ULL;
		row->async = true;
		return 0;
	}
	for (i = 0; i < btf_vlen(ops->type); i++)
		if (!strcmp(name, member_name(ops, i))) {
			row->members |= 1ULL << i;
			return 0;
		}
	complain(ops, rule, "names a member that the type lacks:", name);
	return -ENOENT;
}

static int add_places(const struct bpf_struct_ops *ops, const struct bpf_kfunc_rule *rule,
		      struct row *row)
{
	char *names = xstrdup(rule->members), *rest = names, *name;
	int err = 0;

	while (!err && (name = strtok_r(rest, " ", &rest)))
		err = add_place(ops, rule, name, row);
	free(names);
	return err;
}

/* Two rules for one place contradict each other. */
static bool overlaps(const struct table *t, const struct row *row)
{
	u32 i;

	for (i = 0; i < t->nr; i++)
		if (t->rows[i].kfunc == row->kfunc && (t->rows[i].members & row->members ||
						       (t->rows[i].async && row->async)))
			return true;
	return false;
}

static int add_row(struct table *t, const struct bpf_kfunc_rule *rule)
{
	struct row *row = &t->rows[t->nr];
	s32 kfunc, impl = 0;
	int err;

	if (t->ops->partial_rules && !has_func(rule->kfunc))
		return 0;
	kfunc = find_func(t->ops, rule, rule->kfunc);
	if (kfunc >= 0 && rule->impl)
		impl = find_func(t->ops, rule, rule->impl);
	if (kfunc < 0 || impl < 0)
		return -ENOENT;
	row->kfunc = (u32)kfunc;
	row->impl = (u32)impl;
	err = add_places(t->ops, rule, row);
	if (err)
		return err;
	if (impl && !takes_place_of((u32)impl, (u32)kfunc)) {
		complain(t->ops, rule, "names a function of another type:", rule->impl);
		return -EINVAL;
	}
	if (overlaps(t, row)) {
		complain(t->ops, rule, "repeats a place of an earlier one:", rule->members);
		return -EEXIST;
	}
	t->nr++;
	return 0;
}

int bpf_kfunc_table_register(struct bpf_struct_ops *ops)
{
	const struct bpf_kfunc_rule *rule;
	struct table *t = &tables[nr_tables];
	u32 nr = 0;
	int err = 0;

	if (nr_tables == MAX_TABLES)
		return -E2BIG;
	for (rule = ops->kfunc_rules; rule && rule->kfunc; rule++)
		nr++;
	*t = (struct table){ .ops = ops, .rows = xcalloc(max(nr, 1U), sizeof(*t->rows)) };
	for (rule = ops->kfunc_rules; rule && rule->kfunc && !err; rule++)
		err = add_row(t, rule);
	if (err) {
		free(t->rows);
		return err;
	}
	if (!ops->kfunc_validate_reloc)
		ops->kfunc_validate_reloc = bpf_kfunc_table_validate;
	nr_tables++;
	return 0;
}

void bpf_kfunc_tables_exit(void)
{
	struct bound *b;

	while (nr_tables)
		free(tables[--nr_tables].rows);
	while ((b = bound_kfuncs)) {
		bound_kfuncs = b->next;
		free(b);
	}
}

/* --- asking it ------------------------------------------------------------------------ */

static const struct table *table_of(const struct bpf_struct_ops *ops)
{
	u32 i;

	for (i = 0; i < nr_tables; i++)
		if (tables[i].ops == ops)
			return &tables[i];
	return NULL;
}

/* The first row about @kfunc, or NULL. */
static const struct row *row_of(const struct table *t, u32 kfunc)
{
	u32 i;

	for (i = 0; i < t->nr; i++)
		if (t->rows[i].kfunc == kfunc)
			return &t->rows[i];
	return NULL;
}

/* The table that has rules for @kfunc: that of @ops, or else another; NULL: none has. */
static const struct table *table_about(const struct bpf_struct_ops *ops, u32 kfunc)
{
	const struct table *t = table_of(ops);
	u32 i;

	if (t && row_of(t, kfunc))
		return t;
	for (i = 0; i < nr_tables; i++)
		if (row_of(&tables[i], kfunc))
			return &tables[i];
	return NULL;
}

s32 bpf_kfunc_table_validate(const struct btf_type *type, const struct btf_member *member,
			     struct bpf_prog *prog, u32 kfunc_id)
{
	const struct table *t = table_about(prog->st_ops, kfunc_id);
	u64 bit = member ? 1ULL << (member - btf_members(type)) : 0;
	u32 i;

	if (!t)
		return 0;
	if (t->ops != prog->st_ops)
		return t->ops->contexts_at_run ? 0 : -EACCES;
	for (i = 0; i < t->nr; i++)
		if (t->rows[i].kfunc == kfunc_id &&
		    (member ? (t->rows[i].members & bit) != 0 : t->rows[i].async))
			return (s32)t->rows[i].impl;
	return -EACCES;
}

/* What @id stands in for, or 0. */
static u32 implements(u32 id)
{
	u32 t, i;

	for (t = 0; t < nr_tables; t++)
		for (i = 0; i < tables[t].nr; i++)
			if (tables[t].rows[i].impl == id && tables[t].rows[i].kfunc != id)
				return tables[t].rows[i].kfunc;
	return 0;
}

/* --- saying no ---------------------------------------------------------------------------- */

static void add_to_list(struct strbuf *list, const char *prefix, const char *what, u32 i, u32 nr)
{
	strbuf_printf(list, "%s%s%s", !i ? "" : i + 1 < nr ? ", " : " and ", prefix, what);
}

/* "ops.select_cpu, ops.enqueue and ops.dispatch" */
static void list_places(const struct table *t, u32 kfunc, struct strbuf *list)
{
	u32 nr = 0, i, n = 0;
	bool async = false;
	u64 members = 0;

	for (i = 0; i < t->nr; i++)
		if (t->rows[i].kfunc == kfunc) {
			members |= t->rows[i].members;
			async |= t->rows[i].async;
		}
	nr = (u32)__builtin_popcountll(members) + async;
	for (i = 0; i < btf_vlen(t->ops->type); i++)
		if (members >> i & 1)
			add_to_list(list, "ops.", member_name(t->ops, i), n++, nr);
	if (async)
		add_to_list(list, "", "callbacks of timers and work queues", n, nr);
}

/* "ops.running"; "a callback of a timer" */
static void describe_place(const struct bpf_prog *prog, u8 context, bool with_type,
			   struct strbuf *out)
{
	if (context == BPF_CONTEXT_MAIN)
		strbuf_printf(out, "ops.%s",
			      member_name(prog->st_ops, (u32)prog->expected_attach_type));
	else
		strbuf_puts(out, context == BPF_CONTEXT_TIMER ? "a callback of a timer" :
								"a callback of a work queue");
	if (with_type)
		strbuf_printf(out, " of %s", prog->st_ops->name);
}

static void say_no(const struct bpf_check_env *env, u32 i, u32 kfunc, u8 context)
{
	const struct table *t = table_about(env->prog->st_ops, kfunc);
	bool foreign = t && t->ops != env->prog->st_ops;
	struct strbuf from = { 0 }, list = { 0 };

	describe_place(env->prog, context, foreign, &from);
	if (t)
		list_places(t, kfunc, &list);
	bpf_log(env->log, "kfunc %s cannot be called from %s%s%s%s%s\n", func_name(kfunc),
		strbuf_str(&from), t ? ": it may be called from " : "", strbuf_str(&list),
		foreign ? " of " : "", foreign ? t->ops->name : "");
	strbuf_free(&from);
	strbuf_free(&list);
}

static int refuse(struct bpf_check_env *env, u32 i, u32 kfunc, u8 context, int err)
{
	bpf_check_log_insn(env, i);
	say_no(env, i, kfunc, context);
	return err;
}

/* --- binding calls --------------------------------------------------------------------------- */

static const struct bpf_kfunc_desc *bind(const struct bpf_kfunc_desc *desc,
					 const struct bpf_kfunc_desc *impl)
{
	struct bound *b;

	for (b = bound_kfuncs; b; b = b->next)
		if (b->desc.btf_id == desc->btf_id && b->impl == impl->btf_id)
			return &b->desc;
	b = xcalloc(1, sizeof(*b));
	b->kfunc = *desc->kfunc;
	b->kfunc.fn = impl->kfunc->fn;
	b->desc = *desc;
	b->desc.kfunc = &b->kfunc;
	b->impl = impl->btf_id;
	b->next = bound_kfuncs;
	bound_kfuncs = b;
	return &b->desc;
}

/* One place's answer for a call: an id, 0 or -errno with a line in the log. */
static s32 ask(struct bpf_check_env *env, u32 i, u32 kfunc, u8 context)
{
	struct bpf_prog *prog = env->prog;
	const struct bpf_struct_ops *ops = prog->st_ops;
	const struct btf_member *m = NULL;
	s32 id;

	if (context == BPF_CONTEXT_MAIN)
		m = btf_members(ops->type) + (u32)prog->expected_attach_type;
	id = ops->kfunc_validate_reloc(ops->type, m, prog, kfunc);
	if (id >= 0)
		return ops->contexts_at_run || id == (s32)kfunc ? 0 : id;
	if (!ops->contexts_at_run)
		return refuse(env, i, kfunc, context, id);
	bpf_check_log_insn(env, i);
	say_no(env, i, kfunc, context);
	bpf_log(env->log, "accepted nevertheless: contexts are checked while running\n");
	return 0;
}

/* All places that a call can be reached from must agree; what @more are not have been asked. */
static s32 ask_all(struct bpf_check_env *env, u32 i, u32 kfunc, u8 contexts, u8 more)
{
	s32 id = 0, first = -1;
	u8 context;

	for (context = BPF_CONTEXT_MAIN; context <= BPF_CONTEXT_WQ; context <<= 1) {
		if (!(contexts & context))
			continue;
		if (env->prog->st_ops->contexts_at_run && !(more & context))
			continue;
		id = ask(env, i, kfunc, context);
		if (id < 0)
			return id;
		if (first < 0)
			first = id;
		if (id == first)
			continue;
		bpf_check_log_insn(env, i);
		return FAIL(env, -EACCES,
			    "kfunc %s is %s where the program runs and %s in callbacks of timers and work queues: this call can be reached from both\n",
			    func_name(kfunc), func_name(first ? (u32)first : kfunc),
			    func_name(id ? (u32)id : kfunc));
	}
	return id;
}

static struct bpf_kfunc_call *call_at(const struct bpf_prog *prog, u32 i)
{
	u32 k;

	for (k = 0; k < prog->nr_kfunc_calls; k++)
		if (prog->kfunc_calls[k].insn == i)
			return &prog->kfunc_calls[k];
	return NULL;
}

static void remember(struct bpf_prog *prog, u32 i, u32 kfunc, u32 impl, u8 contexts)
{
	struct bpf_kfunc_call *call = call_at(prog, i);

	if (!call) {
		prog->kfunc_calls = xreallocarray(prog->kfunc_calls, prog->nr_kfunc_calls + 1,
						  sizeof(*prog->kfunc_calls));
		call = &prog->kfunc_calls[prog->nr_kfunc_calls++];
	}
	*call = (struct bpf_kfunc_call){
		.insn = i, .kfunc = kfunc, .impl = impl, .contexts = contexts,
	};
}

int bpf_kfunc_bind(struct bpf_check_env *env, u32 i, u8 contexts, u8 more,
		   const struct bpf_kfunc_desc *desc)
{
	struct bpf_prog *prog = env->prog;
	u32 kfunc = desc->btf_id, real = implements(kfunc);
	const struct bpf_kfunc_desc *impl;
	s32 id = 0;

	if (real) {
		bpf_check_log_insn(env, i);
		return FAIL(env, -EACCES,
			    "kfunc %s cannot be called by this name: call %s, for which it is chosen where it fits\n",
			    func_name(kfunc), func_name(real));
	}
	if (prog->st_ops)
		id = ask_all(env, i, kfunc, contexts, more);
	if (id < 0)
		return id;
	remember(prog, i, kfunc, id ? (u32)id : kfunc, contexts);
	impl = id ? bpf_kfunc_find((u32)id) : desc;
	if (impl && impl->kfunc->flags == desc->kfunc->flags &&
	    (!id || takes_place_of(impl->btf_id, kfunc)))
		return 0;
	bpf_check_log_insn(env, i);
	return FAIL(env, -EFAULT, "kfunc %s has no implementation that can take its place\n",
		    func_name(kfunc));
}

const struct bpf_kfunc_desc *bpf_kfunc_bound(const struct bpf_prog *prog, u32 i,
					     const struct bpf_kfunc_desc *desc)
{
	u32 impl = call_at(prog, i)->impl;

	return impl == desc->btf_id ? desc : bind(desc, bpf_kfunc_find(impl));
}

void bpf_kfunc_unreached(struct bpf_prog *prog, u32 i, u32 kfunc)
{
	remember(prog, i, kfunc, 0, 0);
}

static int by_insn(const void *a, const void *b)
{
	const struct bpf_kfunc_call *x = a, *y = b;

	return x->insn < y->insn ? -1 : x->insn > y->insn;
}

void bpf_kfunc_calls_done(struct bpf_prog *prog)
{
	if (prog->nr_kfunc_calls)
		qsort(prog->kfunc_calls, prog->nr_kfunc_calls, sizeof(*prog->kfunc_calls),
		      by_insn);
}

/* --- for people ---------------------------------------------------------------------------------- */

const char *bpf_prog_member(const struct bpf_prog *prog)
{
	return prog->st_ops ? member_name(prog->st_ops, (u32)prog->expected_attach_type) : NULL;
}

static void describe_contexts(const struct bpf_prog *prog, u8 contexts, char *buf, size_t size)
{
	const char *async = contexts & BPF_CONTEXT_ASYNC ? "async" : "";
	const char *member = contexts & BPF_CONTEXT_MAIN ? bpf_prog_member(prog) : NULL;

	member = member ? member : "";
	snprintf(buf, size, "%s%s%s", member, *member && *async ? "," : "", async);
}

bool bpf_prog_kfunc_site(const struct bpf_prog *prog, u32 i, struct bpf_kfunc_site *site)
{
	const struct bpf_kfunc_call *call;

	if (i >= prog->nr_kfunc_calls)
		return false;
	call = &prog->kfunc_calls[i];
	site->insn = call->insn;
	site->kfunc = func_name(call->kfunc);
	site->impl = call->impl ? func_name(call->impl) : NULL;
	describe_contexts(prog, call->contexts, site->from, sizeof(site->from));
	bpf_prog_where(prog, call->insn, site->where, sizeof(site->where));
	return true;
}
