// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program will be attached to, and from that what its context is: the
 * arguments of a struct_ops member, of a tracepoint or of a kernel function, as
 * the kernel BTF describes them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../btf/internal.h"
#include "check.h"
#include "../prog_type_internal.h"
#include "../struct_ops.h"

#define FAIL(env, err, ...) (bpf_log((env)->log, __VA_ARGS__), (err))
#define ENOTSUPP 524
#define LSM_PREFIX "bpf_lsm_"

/* --- arguments ----------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && !strcmp(name + n - m, suffix);
}

static const struct btf_param *params_of(const struct btf_type *proto)
{
	return (const struct btf_param *)(proto + 1);
}

static void describe_arg(const struct btf *btf, u32 type_id, const char *name,
			 struct bpf_ctx_arg *arg)
{
	const struct btf_type *t = btf_type_skip_modifiers(btf, type_id, NULL), *to;
	u32 id;

	*arg = (struct bpf_ctx_arg){ .size = (u8)min(btf_type_size(btf, type_id), 8U) };
	if (!btf_type_is_ptr(t))
		return;
	arg->is_ptr = true;
	arg->size = 8;
	arg->maybe_null = ends_with(name, "__nullable");
	to = btf_type_skip_modifiers(btf, t->type, &id);
	if (btf_is_struct(to))
		arg->btf_id = id;
}

/*
 * The context is the arguments of @proto, the function @name, from @first on; @stub
 * (may be NULL) names them.
 */
static int set_args(struct bpf_check_env *env, const char *name, const struct btf_type *proto,
		    const struct btf_type *stub, u32 first)
{
	const struct btf *btf = bpf_kernel_btf();
	struct bpf_prog *prog = env->prog;
	u32 nr = btf_vlen(proto), i;

	if (nr - first > ARRAY_SIZE(prog->ctx_args) - 1)
		return FAIL(env, -EINVAL, "a function with more than %zu arguments\n",
			    ARRAY_SIZE(prog->ctx_args) - 1);
	for (i = first; i < nr; i++) {
		const struct btf_param *p = &params_of(stub ? stub : proto)[i];

		describe_arg(btf, params_of(proto)[i].type, btf_name(btf, p->name_off),
			     &prog->ctx_args[i - first]);
	}
	prog->nr_ctx_args = nr - first;
	prog->attach_func_proto = proto;
	prog->attach_func_name = name;
	prog->attach_first_arg = first;
	return 0;
}

static const struct btf_type *func_proto(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_type_skip_modifiers(btf, id, NULL);

	if (btf_type_is_ptr(t))
		t = btf_type_skip_modifiers(btf, t->type, NULL);
	return t && btf_kind(t) == BTF_KIND_FUNC_PROTO ? t : NULL;
}

/* --- struct_ops -------------------------------------------------------------------------- */

/* <ops>__<member>, whose parameters are named with their endings; NULL if there is none. */
static const struct btf_type *stub_of(const struct btf *btf, const char *ops, const char *member,
				      const struct btf_type *proto)
{
	char name[128];
	const struct btf_type *stub;
	s32 id;

	snprintf(name, sizeof(name), "%s__%s", ops, member);
	id = btf_find_by_name_kind(btf, name, BTF_KIND_FUNC);
	if (id < 0)
		return NULL;
	stub = btf_type_by_id(btf, btf_type_by_id(btf, (u32)id)->type);
	return btf_vlen(stub) == btf_vlen(proto) ? stub : NULL;
}

static int check_struct_ops(struct bpf_check_env *env)
{
	struct bpf_prog *prog = env->prog;
	const struct btf *btf = bpf_kernel_btf();
	const struct bpf_struct_ops *ops;
	const struct btf_type *proto;
	const struct btf_member *m;
	const char *name;
	u32 index = prog->expected_attach_type;

	if (!prog->gpl_compatible)
		return FAIL(env, -EINVAL,
			    "struct ops programs must have a GPL compatible license\n");
	if (!prog->attach_btf_id)
		return -ENOTSUPP;
	ops = bpf_struct_ops_find(prog->attach_btf_id);
	if (!ops)
		return FAIL(env, -ENOTSUPP, "attach_btf_id %u is not a supported kernel struct\n",
			    prog->attach_btf_id);
	if (index >= btf_vlen(ops->type))
		return FAIL(env, -EINVAL, "attach to invalid member idx %u of struct %s\n", index,
			    ops->name);
	m = btf_members(ops->type) + index;
	name = btf_name(btf, m->name_off);
	proto = func_proto(btf, m->type);
	if (!proto)
		return FAIL(env, -EINVAL, "attach to invalid member %s(@idx %u) of struct %s\n",
			    name, index, ops->name);
	prog->st_ops = ops;
	if (ops->check_member) {
		int err = ops->check_member(ops->type, m, prog);

		if (err)
			return FAIL(env, err, "attach to unsupported member %s of struct %s\n",
				    name, ops->name);
	}
	return set_args(env, name, proto, stub_of(btf, ops->name, name, proto), 0);
}

/* --- tracing ------------------------------------------------------------------------------- */

/* tp_btf: a typedef btf_trace_<name> of a pointer to a function that takes void * first. */
static int check_raw_tp(struct bpf_check_env *env, const struct btf_type *t, const char *name)
{
	const struct btf_type *proto;

	if (btf_kind(t) != BTF_KIND_TYPEDEF)
		return FAIL(env, -EINVAL, "attach_btf_id %u is not a typedef\n",
			    env->prog->attach_btf_id);
	if (strncmp(name, "btf_trace_", 10))
		return FAIL(env, -EINVAL, "attach_btf_id %u points to wrong type name %s\n",
			    env->prog->attach_btf_id, name);
	proto = func_proto(bpf_kernel_btf(), t->type);
	if (!proto || !btf_vlen(proto))
		return -EINVAL;
	return set_args(env, name + 10, proto, NULL, 1);
}

/* Hooks that programs have no business with. */
static int check_lsm(struct bpf_check_env *env, const char *name)
{
	static const char *const disabled[] = {
		"audit_rule_match", "getprocattr", "getselfattr", "inode_copy_up_xattr",
		"inode_getsecurity", "inode_listsecurity", "inode_need_killpriv", "ismaclabel",
		"key_getsecurity", "setprocattr", "vm_enough_memory", "xfrm_decode_session",
	};
	u32 id = env->prog->attach_btf_id, i;

	if (!env->prog->gpl_compatible)
		return FAIL(env, -EINVAL, "LSM programs must have a GPL compatible license\n");
	if (strncmp(name, LSM_PREFIX, strlen(LSM_PREFIX)))
		return FAIL(env, -EINVAL, "attach_btf_id %u points to wrong type name %s\n", id,
			    name);
	for (i = 0; i < ARRAY_SIZE(disabled); i++)
		if (!strcmp(name + strlen(LSM_PREFIX), disabled[i]))
			return FAIL(env, -EINVAL, "attach_btf_id %u points to disabled hook %s\n",
				    id, name);
	return 0;
}

static int check_function(struct bpf_check_env *env, const struct btf_type *t, const char *name)
{
	struct bpf_prog *prog = env->prog;
	const struct btf *btf = bpf_kernel_btf();
	const struct btf_type *proto;
	int err;

	if (btf_kind(t) != BTF_KIND_FUNC)
		return FAIL(env, -EINVAL, "attach_btf_id %u is not a function\n",
			    prog->attach_btf_id);
	err = prog->type == BPF_PROG_TYPE_LSM ? check_lsm(env, name) : 0;
	if (err)
		return err;
	proto = btf_type_by_id(btf, t->type);
	err = set_args(env, name, proto, NULL, 0);
	if (!err && (prog->expected_attach_type == BPF_TRACE_FEXIT ||
		     prog->expected_attach_type == BPF_MODIFY_RETURN))
		describe_arg(btf, proto->type, "", &prog->ctx_args[prog->nr_ctx_args++]);
	return err;
}

/* Iterators: the function bpf_iter_<name>; all arguments but the first are missing at the end. */
static int check_iter(struct bpf_check_env *env, const struct btf_type *t, const char *name)
{
	int err = check_function(env, t, name);
	u32 i;

	if (err)
		return err;
	if (strncmp(name, "bpf_iter_", 9))
		return -EINVAL;
	for (i = 1; i < env->prog->nr_ctx_args; i++)
		env->prog->ctx_args[i].maybe_null = env->prog->ctx_args[i].is_ptr;
	return 0;
}

static int check_tracing(struct bpf_check_env *env)
{
	struct bpf_prog *prog = env->prog;
	const struct btf *btf = bpf_kernel_btf();
	const struct btf_type *t;
	const char *name;

	if (!prog->attach_btf_id)
		return FAIL(env, -EINVAL, "Tracing programs must provide btf_id\n");
	t = btf_type_by_id(btf, prog->attach_btf_id);
	if (!t)
		return FAIL(env, -EINVAL, "attach_btf_id %u is invalid\n", prog->attach_btf_id);
	name = btf_name(btf, t->name_off);
	if (!*name)
		return FAIL(env, -EINVAL, "attach_btf_id %u doesn't have a name\n",
			    prog->attach_btf_id);
	switch (prog->expected_attach_type) {
	case BPF_TRACE_RAW_TP:
		return check_raw_tp(env, t, name);
	case BPF_TRACE_ITER:
		return check_iter(env, t, name);
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
	case BPF_MODIFY_RETURN:
	case BPF_LSM_MAC:
		return check_function(env, t, name);
	default:
		return -EINVAL;
	}
}

/* --- who may sleep ---------------------------------------------------------------------------- */

static bool can_sleep(const struct bpf_prog *prog)
{
	if (prog->own_type)
		return prog->own_type->ops->may_sleep;
	switch (prog->type) {
	case BPF_PROG_TYPE_TRACING:
		return prog->expected_attach_type == BPF_TRACE_FENTRY ||
		       prog->expected_attach_type == BPF_TRACE_FEXIT ||
		       prog->expected_attach_type == BPF_MODIFY_RETURN ||
		       prog->expected_attach_type == BPF_TRACE_ITER;
	case BPF_PROG_TYPE_LSM:
	case BPF_PROG_TYPE_KPROBE: /* only for uprobes */
	case BPF_PROG_TYPE_STRUCT_OPS:
		return true;
	default:
		return false;
	}
}

int bpf_check_attach(struct bpf_check_env *env)
{
	struct bpf_prog *prog = env->prog;

	if (prog->type == BPF_PROG_TYPE_SYSCALL)
		return prog->sleepable ? 0 :
		       FAIL(env, -EINVAL, "Syscall programs can only be sleepable\n");
	if (prog->sleepable && !can_sleep(prog))
		return FAIL(env, -EINVAL,
			    "Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable\n");
	if (prog->own_type)
		return prog->own_type->ops->check ? prog->own_type->ops->check(prog, env->log) : 0;
	switch (prog->type) {
	case BPF_PROG_TYPE_STRUCT_OPS:
		return check_struct_ops(env);
	case BPF_PROG_TYPE_TRACING:
	case BPF_PROG_TYPE_LSM:
		return check_tracing(env);
	default:
		return 0;
	}
}
