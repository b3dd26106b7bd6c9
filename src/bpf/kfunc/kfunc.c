// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registry of kfuncs and kernel variables. A kfunc's prototype is read from
 * the kernel BTF once, when it is registered, and says from then on what its
 * arguments must be.
 *
 * Source of the suffixes: Documentation/bpf/kfuncs.rst.
 */
#include "kfunc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../btf/internal.h"

#define MAX_SETS 64
#define MAX_VARS 16

static struct bpf_kfunc_desc **descs; /* by type id of the kernel BTF */
static struct {
	const struct bpf_kfunc_set *set;
	u64 types; /* of programs that may call them, by hook_of() */
} sets[MAX_SETS];
static u32 nr_sets;

#define TYPE(type) (1ULL << BPF_PROG_TYPE_##type)
#define ALL_TYPES (~0ULL)

static const struct bpf_kernel_var *vars[MAX_VARS];
static u32 nr_vars;

/* --- prototypes --------------------------------------------------------------------- */

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && !strcmp(name + n - m, suffix);
}

/* Special fields that kfuncs work on, by the type of the argument. */
static bool special_argument(const char *type, struct bpf_kfunc_arg *arg)
{
	static const struct {
		const char *type;
		enum bpf_kfunc_arg_kind kind;
		u32 field;
	} specials[] = {
		{ "bpf_list_head", KARG_FIELD, BPF_LIST_HEAD },
		{ "bpf_list_node", KARG_NODE, BPF_LIST_NODE },
		{ "bpf_rb_root", KARG_FIELD, BPF_RB_ROOT },
		{ "bpf_rb_node", KARG_NODE, BPF_RB_NODE },
		{ "bpf_wq", KARG_FIELD, BPF_WORKQUEUE },
		{ "bpf_dynptr", KARG_DYNPTR, 0 },
		{ "bpf_map", KARG_MAP, 0 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(specials); i++) {
		if (strcmp(type, specials[i].type))
			continue;
		arg->kind = specials[i].kind;
		arg->field = specials[i].field;
		return true;
	}
	return false;
}

/* By the ending of its name: true when that says it all. */
static bool argument_by_name(const char *name, struct bpf_kfunc_arg *arg)
{
	arg->optional = has_suffix(name, "__opt");
	arg->nullable = arg->optional || has_suffix(name, "__nullable");
	arg->uninit = has_suffix(name, "__uninit");
	arg->refcounted = has_suffix(name, "__refcounted_kptr");
	if (arg->unchecked)
		arg->kind = KARG_IGNORE;
	else if (has_suffix(name, "__map"))
		arg->kind = KARG_MAP;
	else if (has_suffix(name, "__str"))
		arg->kind = KARG_STR;
	else if (has_suffix(name, "__iter"))
		arg->kind = KARG_ITER;
	else if (has_suffix(name, "__alloc") || arg->refcounted)
		arg->kind = KARG_ALLOC;
	else
		return false;
	return true;
}

/* What a pointer points to: past modifiers; *@writable unless const. */
static const struct btf_type *pointee(const struct btf *btf, const struct btf_type *ptr, u32 *id,
				      bool *writable)
{
	const struct btf_type *t = btf_type_by_id(btf, ptr->type);

	*id = ptr->type;
	*writable = true;
	while (t && *id && btf_is_modifier(t)) {
		if (btf_kind(t) == BTF_KIND_CONST)
			*writable = false;
		*id = t->type;
		t = btf_type_by_id(btf, *id);
	}
	return *id ? t : NULL;
}

static void pointer_argument(const struct btf *btf, const struct btf_type *ptr, const char *next,
			     u32 flags, u32 index, struct bpf_kfunc_arg *arg)
{
	const struct btf_type *t = pointee(btf, ptr, &arg->btf_id, &arg->writable);
	bool sized = has_suffix(next, "__sz") || has_suffix(next, "__szk");
	bool iter = flags & (KF_ITER_NEW | KF_ITER_NEXT | KF_ITER_DESTROY) && !index;

	arg->size = btf_type_size(btf, arg->btf_id);
	arg->const_size = has_suffix(next, "__szk");
	if (argument_by_name(arg->name, arg))
		return;
	if (iter)
		arg->kind = KARG_ITER;
	else if (sized)
		arg->kind = KARG_MEM_SIZE;
	else if (!t)
		arg->kind = KARG_IGNORE;
	else if (btf_kind(t) == BTF_KIND_FUNC_PROTO)
		arg->kind = KARG_CALLBACK;
	else if (!btf_is_struct(t) && btf_kind(t) != BTF_KIND_FWD)
		arg->kind = KARG_MEM;
	else if (!special_argument(btf_name(btf, t->name_off), arg))
		arg->kind = KARG_OBJECT;
}

static bool is_bool(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_type_skip_modifiers(btf, id, NULL);

	return t && btf_kind(t) == BTF_KIND_INT && BTF_INT_ENCODING(btf_int_data(t)) & BTF_INT_BOOL;
}

static bool is_signed(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_type_skip_modifiers(btf, id, NULL);

	if (!t)
		return false;
	if (btf_kind(t) == BTF_KIND_INT)
		return BTF_INT_ENCODING(btf_int_data(t)) & BTF_INT_SIGNED;
	return BTF_INFO_KFLAG(t->info);
}

static void parse_argument(const struct btf *btf, const struct btf_param *params, u32 i, u32 nr,
			   u32 flags, struct bpf_kfunc_arg *arg)
{
	const struct btf_type *t = btf_type_skip_modifiers(btf, params[i].type, NULL);
	const char *next = i + 1 < nr ? btf_name(btf, params[i + 1].name_off) : "";

	arg->name = btf_name(btf, params[i].name_off);
	arg->unchecked = has_suffix(arg->name, "__ign");
	if (btf_type_is_ptr(t)) {
		pointer_argument(btf, t, next, flags, i, arg);
		return;
	}
	arg->kind = has_suffix(arg->name, "__k") ? KARG_CONST : KARG_SCALAR;
	arg->size = btf_type_size(btf, params[i].type);
	arg->boolean = is_bool(btf, params[i].type);
}

static void parse_result(const struct btf *btf, u32 id, struct bpf_kfunc_desc *d)
{
	const struct btf_type *t = btf_type_skip_modifiers(btf, id, NULL), *to;
	const char *name;
	bool writable;

	if (!id || !t) {
		d->ret = KRET_VOID;
		return;
	}
	if (!btf_type_is_ptr(t)) {
		d->ret = KRET_SCALAR;
		d->ret_size = btf_type_size(btf, id);
		d->ret_signed = is_signed(btf, id);
		d->ret_bool = is_bool(btf, id);
		return;
	}
	to = pointee(btf, t, &d->ret_btf_id, &writable);
	d->ret_size = btf_type_size(btf, d->ret_btf_id);
	if (!to) {
		d->ret = KRET_CUSTOM;
		return;
	}
	name = btf_name(btf, to->name_off);
	if (!btf_is_struct(to) && btf_kind(to) != BTF_KIND_FWD)
		d->ret = KRET_MEM;
	else if (!strcmp(name, "bpf_list_node") || !strcmp(name, "bpf_rb_node"))
		d->ret = KRET_NODE;
	else
		d->ret = KRET_OBJECT;
}

static enum bpf_special_kfunc special_kfunc(const char *name)
{
	static const char *const names[NR_SPECIAL_KFUNCS] = {
		[KFUNC_ORDINARY] = "",
		[KFUNC_OBJ_NEW] = "bpf_obj_new_impl",
		[KFUNC_PERCPU_OBJ_NEW] = "bpf_percpu_obj_new_impl",
		[KFUNC_OBJ_DROP] = "bpf_obj_drop_impl",
		[KFUNC_PERCPU_OBJ_DROP] = "bpf_percpu_obj_drop_impl",
		[KFUNC_REFCOUNT_ACQUIRE] = "bpf_refcount_acquire_impl",
		[KFUNC_LIST_PUSH_FRONT] = "bpf_list_push_front_impl",
		[KFUNC_LIST_PUSH_BACK] = "bpf_list_push_back_impl",
		[KFUNC_LIST_POP_FRONT] = "bpf_list_pop_front",
		[KFUNC_LIST_POP_BACK] = "bpf_list_pop_back",
		[KFUNC_RBTREE_ADD] = "bpf_rbtree_add_impl",
		[KFUNC_RBTREE_REMOVE] = "bpf_rbtree_remove",
		[KFUNC_RBTREE_FIRST] = "bpf_rbtree_first",
		[KFUNC_CAST_TO_KERN_CTX] = "bpf_cast_to_kern_ctx",
		[KFUNC_RDONLY_CAST] = "bpf_rdonly_cast",
		[KFUNC_RCU_READ_LOCK] = "bpf_rcu_read_lock",
		[KFUNC_RCU_READ_UNLOCK] = "bpf_rcu_read_unlock",
		[KFUNC_PREEMPT_DISABLE] = "bpf_preempt_disable",
		[KFUNC_PREEMPT_ENABLE] = "bpf_preempt_enable",
		[KFUNC_DYNPTR_FROM_SKB] = "bpf_dynptr_from_skb",
		[KFUNC_DYNPTR_FROM_XDP] = "bpf_dynptr_from_xdp",
		[KFUNC_DYNPTR_SLICE] = "bpf_dynptr_slice",
		[KFUNC_DYNPTR_SLICE_RDWR] = "bpf_dynptr_slice_rdwr",
		[KFUNC_DYNPTR_CLONE] = "bpf_dynptr_clone",
		[KFUNC_THROW] = "bpf_throw",
		[KFUNC_WQ_SET_CALLBACK] = "bpf_wq_set_callback_impl",
		[KFUNC_ITER_CSS_TASK_NEW] = "bpf_iter_css_task_new",
		[KFUNC_SESSION_COOKIE] = "bpf_session_cookie",
	};
	u32 i;

	for (i = 1; i < NR_SPECIAL_KFUNCS; i++)
		if (!strcmp(name, names[i]))
			return (enum bpf_special_kfunc)i;
	return KFUNC_ORDINARY;
}

static int parse_kfunc(const struct btf *btf, u32 id, const struct bpf_kfunc *kfunc,
		       struct bpf_kfunc_desc *d)
{
	const struct btf_type *proto = btf_type_by_id(btf, btf_type_by_id(btf, id)->type);
	const struct btf_param *params = (const struct btf_param *)(proto + 1);
	u32 i;

	d->kfunc = kfunc;
	d->btf_id = id;
	d->special = special_kfunc(kfunc->name);
	d->nr_args = btf_vlen(proto);
	if (d->nr_args > ARRAY_SIZE(d->args))
		return -EINVAL;
	for (i = 0; i < d->nr_args; i++)
		parse_argument(btf, params, i, d->nr_args, kfunc->flags, &d->args[i]);
	parse_result(btf, proto->type, d);
	return 0;
}

/* --- registry -------------------------------------------------------------------------- */

static int register_one(const struct bpf_kfunc *kfunc)
{
	struct btf *btf = bpf_kernel_btf();
	s32 id = btf_find_by_name_kind(btf, kfunc->name, BTF_KIND_FUNC);
	struct bpf_kfunc_desc *d;
	int err;

	if (id < 0)
		return -ENOENT;
	if (descs[id]) /* of another set: the same function */
		return descs[id]->kfunc->fn == kfunc->fn ? 0 : -EEXIST;
	d = xcalloc(1, sizeof(*d));
	err = parse_kfunc(btf, (u32)id, kfunc, d);
	if (err) {
		free(d);
		return err;
	}
	descs[id] = d;
	return 0;
}

static void complain(const char *kfunc, int err)
{
	char line[160];

	snprintf(line, sizeof(line), "kfunc %s cannot be registered: %s", kfunc,
		 err == -ENOENT ? "the kernel BTF has no such function" :
		 err == -EEXIST ? "it is registered with another implementation" :
				  "its prototype has too many arguments");
	if (bpf_env->printk)
		bpf_env->printk(line);
}

static void add_set(const struct bpf_kfunc_set *set, u64 types)
{
	sets[nr_sets].set = set;
	sets[nr_sets++].types = types;
}

int bpf_register_kfuncs(const struct bpf_kfunc_set *set)
{
	u32 i;

	if (nr_sets == MAX_SETS)
		return -E2BIG;
	for (i = 0; i < set->nr; i++) {
		int err = register_one(&set->funcs[i]);

		if (err == -ENOENT && set->partial)
			continue;
		if (err) {
			complain(set->funcs[i].name, err);
			return err;
		}
	}
	if (set->prog_type >= __MAX_BPF_PROG_TYPE) /* of another room: is_for() */
		add_set(set, 0);
	else
		add_set(set, set->prog_type ? 1ULL << set->prog_type : ALL_TYPES);
	return 0;
}

/*
 * The subsystem's own sets. A kernel BTF that does not have a function (a small
 * one of a test) has no such kfunc.
 */
static void register_own(const struct bpf_kfunc_set *set, u64 types)
{
	u32 i;

	VRT_ASSERT(nr_sets < MAX_SETS);
	for (i = 0; i < set->nr; i++) {
		int err = register_one(&set->funcs[i]);

		VRT_ASSERT(!err || err == -ENOENT);
	}
	add_set(set, types);
}

int bpf_kfuncs_init(void)
{
	const u64 scheduling = TYPE(TRACING) | TYPE(STRUCT_OPS) | TYPE(SYSCALL);

	descs = xcalloc(bpf_kernel_btf()->nr_types, sizeof(*descs));
	register_own(&bpf_cpumask_kfuncs, scheduling);
	register_own(&bpf_iter_kfuncs, ALL_TYPES);
	register_own(&bpf_obj_kfuncs, scheduling | TYPE(SCHED_CLS) | TYPE(XDP) | TYPE(CGROUP_SKB));
	register_own(&bpf_dynptr_kfuncs, ALL_TYPES);
	register_own(&bpf_key_kfuncs, TYPE(TRACING));
	register_own(&bpf_misc_kfuncs, ALL_TYPES);
	bpf_cpumask_kfuncs_reset();
	return 0;
}

void bpf_kfuncs_exit(void)
{
	u32 i;

	for (i = 0; descs && i < bpf_kernel_btf()->nr_types; i++)
		free(descs[i]);
	free(descs);
	descs = NULL;
	nr_sets = nr_vars = 0;
}

const struct bpf_kfunc_desc *bpf_kfunc_find(u32 btf_id)
{
	return btf_id < bpf_kernel_btf()->nr_types ? descs[btf_id] : NULL;
}

/* Types of program that share what is registered for another. */
static enum bpf_prog_type hook_of(enum bpf_prog_type type)
{
	switch (type) {
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_PERF_EVENT:
	case BPF_PROG_TYPE_LSM:
		return BPF_PROG_TYPE_TRACING;
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
		return BPF_PROG_TYPE_CGROUP_SKB;
	default:
		return type;
	}
}

static bool in_set(const struct bpf_kfunc_set *set, const struct bpf_kfunc *kfunc)
{
	u32 i;

	for (i = 0; i < set->nr; i++)
		if (set->funcs[i].fn == kfunc->fn)
			return true;
	return false;
}

/* Types of other rooms may call whatever the subsystem has. */
static bool is_for(u32 i, const struct bpf_prog *prog)
{
	enum bpf_prog_type type = sets[i].set->prog_type;

	if (prog->own_type)
		return type == BPF_PROG_TYPE_UNSPEC || type == prog->type;
	return sets[i].types >> hook_of(prog->type) & 1;
}

int bpf_kfunc_allowed(const struct bpf_prog *prog, const struct bpf_kfunc_desc *desc)
{
	u32 i;

	for (i = 0; i < nr_sets; i++) {
		const struct bpf_kfunc_set *set = sets[i].set;

		if (is_for(i, prog) && in_set(set, desc->kfunc) &&
		    (!set->filter || !set->filter(prog, desc->kfunc)))
			return 0;
	}
	return -EACCES;
}

/* --- variables ---------------------------------------------------------------------------- */

int bpf_register_kernel_var(const struct bpf_kernel_var *var)
{
	if (btf_find_by_name_kind(bpf_kernel_btf(), var->name, BTF_KIND_VAR) < 0)
		return -ENOENT;
	if (nr_vars == MAX_VARS)
		return -E2BIG;
	vars[nr_vars++] = var;
	return 0;
}

const struct bpf_kernel_var *bpf_kernel_var_find(u32 btf_id, u32 *type_id)
{
	const struct btf *btf = bpf_kernel_btf();
	const struct btf_type *t = btf_type_by_id(btf, btf_id);
	u32 i;

	if (!t || btf_kind(t) != BTF_KIND_VAR)
		return NULL;
	btf_type_skip_modifiers(btf, t->type, type_id);
	for (i = 0; i < nr_vars; i++)
		if (!strcmp(vars[i]->name, btf_name(btf, t->name_off)))
			return vars[i];
	return NULL;
}
