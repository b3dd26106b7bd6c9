// SPDX-License-Identifier: GPL-2.0-only
/*
 * What functions of the program take, by the BTF of their prototypes and by
 * tags ("arg:nonnull"): of global ones, which are verified for all of that, and
 * of static ones, to know early that a call cannot be right.
 *
 * Source: Documentation/bpf/libbpf/program_types.rst and the bpf_helpers.h of
 * libbpf (__arg_ctx, __arg_nonnull, __arg_nullable, __arg_trusted, __arg_arena).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../btf/internal.h"
#include "../prog_type_internal.h"
#include "verifier.h"

enum {
	TAG_CTX = 1 << 0,
	TAG_NONNULL = 1 << 1,
	TAG_TRUSTED = 1 << 2,
	TAG_NULLABLE = 1 << 3,
	TAG_ARENA = 1 << 4,
};

/* --- tags ------------------------------------------------------------------------ */

static const struct btf_type *skip_modifiers(const struct btf *btf, u32 id)
{
	return btf_type_skip_modifiers(btf, id, NULL);
}

/*
 * The next tag after type *@id of component @idx (-1: the whole) of @type_id that
 * starts with @prefix: what follows the prefix, or NULL.
 */
static const char *next_decl_tag(const struct btf *btf, u32 type_id, s32 idx, const char *prefix,
				 u32 *id)
{
	size_t len = strlen(prefix);

	while (++*id < btf->nr_types) {
		const struct btf_type *t = btf_type_by_id(btf, *id);
		const char *name;

		if (btf_kind(t) != BTF_KIND_DECL_TAG || t->type != type_id ||
		    ((const struct btf_decl_tag *)(t + 1))->component_idx != idx)
			continue;
		name = btf_name(btf, t->name_off);
		if (!strncmp(name, prefix, len))
			return name + len;
	}
	return NULL;
}

static int tags_of(struct bpf_verifier_env *env, u32 func_id, u32 arg, bool is_global, u32 *tags)
{
	static const struct {
		const char *name;
		u32 tag;
	} known[] = {
		{ "ctx", TAG_CTX },		{ "nonnull", TAG_NONNULL },
		{ "trusted", TAG_TRUSTED },	{ "nullable", TAG_NULLABLE },
		{ "arena", TAG_ARENA },
	};
	const char *name;
	u32 id = 0, i;

	*tags = 0;
	while ((name = next_decl_tag(env->prog->btf, func_id, (s32)arg, "arg:", &id))) {
		if (!is_global) {
			verbose(env, "arg#%u type tag is not supported in static functions\n", arg);
			return -EOPNOTSUPP;
		}
		for (i = 0; i < ARRAY_SIZE(known) && strcmp(name, known[i].name); i++)
			;
		if (i == ARRAY_SIZE(known)) {
			verbose(env, "arg#%u has unsupported set of tags\n", arg);
			return -EOPNOTSUPP;
		}
		*tags |= known[i].tag;
	}
	return 0;
}

void find_exception_callback(struct bpf_verifier_env *env)
{
	const struct bpf_prog *prog = env->prog;
	u32 subprog;

	if (!prog->exception_cb)
		return;
	subprog = subprog_of(env, prog->exception_cb);
	env->exception_callback_subprog = subprog;
	/* it is as good as called, with all of the stack to itself */
	env->subprogs[subprog].is_exception_cb = true;
	env->subprogs[subprog].is_cb = true;
	env->subprogs[subprog].is_async_cb = true;
	env->subprogs[subprog].called = true;
}

/* --- contexts ---------------------------------------------------------------------- */

const char *prog_ctx_name(const struct bpf_prog *prog)
{
	switch (prog->type) {
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_LWT_IN:
	case BPF_PROG_TYPE_LWT_OUT:
	case BPF_PROG_TYPE_LWT_XMIT:
	case BPF_PROG_TYPE_LWT_SEG6LOCAL:
	case BPF_PROG_TYPE_SK_SKB:
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
		return "__sk_buff";
	case BPF_PROG_TYPE_XDP:
		return "xdp_md";
	case BPF_PROG_TYPE_CGROUP_SOCK:
		return "bpf_sock";
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
		return "bpf_sock_addr";
	case BPF_PROG_TYPE_SOCK_OPS:
		return "bpf_sock_ops";
	case BPF_PROG_TYPE_SK_MSG:
		return "sk_msg_md";
	case BPF_PROG_TYPE_KPROBE:
		return "pt_regs";
	case BPF_PROG_TYPE_PERF_EVENT:
		return "bpf_perf_event_data";
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
		return "bpf_raw_tracepoint_args";
	case BPF_PROG_TYPE_CGROUP_DEVICE:
		return "bpf_cgroup_dev_ctx";
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
		return "bpf_sysctl";
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
		return "bpf_sockopt";
	case BPF_PROG_TYPE_SK_REUSEPORT:
		return "sk_reuseport_md";
	case BPF_PROG_TYPE_SK_LOOKUP:
		return "bpf_sk_lookup";
	case BPF_PROG_TYPE_NETFILTER:
		return "bpf_nf_ctx";
	default:
		return prog->own_type ? prog->own_type->ops->ctx : NULL;
	}
}

static bool named_struct(const struct btf *btf, const struct btf_type *t, const char *name)
{
	return btf_is_struct(t) && !strcmp(btf_name(btf, t->name_off), name);
}

/* The typedef is the name of the context of programs on probes, whatever it stands for. */
static bool is_user_pt_regs(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_type_by_id(btf, id);

	while (id && btf_is_modifier(t)) {
		if (btf_kind(t) == BTF_KIND_TYPEDEF &&
		    !strcmp(btf_name(btf, t->name_off), "bpf_user_pt_regs_t"))
			return true;
		id = t->type;
		t = btf_type_by_id(btf, id);
	}
	return false;
}

/* Does an argument of that pointer type without a tag mean the context? */
static bool is_ctx_pointer(const struct bpf_prog *prog, const struct btf_type *ptr)
{
	const char *name = prog_ctx_name(prog);

	if (prog->type == BPF_PROG_TYPE_KPROBE && is_user_pt_regs(prog->btf, ptr->type))
		return true;
	return name && named_struct(prog->btf, skip_modifiers(prog->btf, ptr->type), name);
}

static bool is_u64(const struct btf_type *t)
{
	return t && btf_kind(t) == BTF_KIND_INT && t->size == 8;
}

/* Types that stand for the context besides its struct, where a tag says that it is one. */
static bool other_ctx_type(const struct bpf_prog *prog, const struct btf_type *ptr,
			   const struct btf_type *t)
{
	const struct btf *btf = prog->btf;

	switch (prog->type) {
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_PERF_EVENT:
		return is_user_pt_regs(btf, ptr->type) || named_struct(btf, t, "pt_regs");
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
	case BPF_PROG_TYPE_LSM:
	case BPF_PROG_TYPE_STRUCT_OPS:
		return is_u64(t);
	case BPF_PROG_TYPE_TRACING:
		if (prog->expected_attach_type == BPF_TRACE_ITER)
			return btf_is_struct(t) &&
			       !strncmp(btf_name(btf, t->name_off), "bpf_iter__", 10);
		return is_u64(t) || (prog->expected_attach_type == BPF_TRACE_RAW_TP &&
				     named_struct(btf, t, "bpf_raw_tracepoint_args"));
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_SYSCALL:
		return true;
	default:
		return false;
	}
}

static int check_tagged_ctx(struct bpf_verifier_env *env, const struct btf_type *ptr, u32 arg)
{
	const struct bpf_prog *prog = env->prog;
	const struct btf_type *t = skip_modifiers(prog->btf, ptr->type);
	const char *name = prog_ctx_name(prog);

	if (btf_kind(t) == BTF_KIND_UNKN ||
	    (btf_is_struct(t) && name && named_struct(prog->btf, t, name)) ||
	    other_ctx_type(prog, ptr, t))
		return 0;
	if (btf_is_struct(t) && !*btf_name(prog->btf, t->name_off))
		verbose(env, "arg#%u type doesn't have a name\n", arg);
	else if (name)
		verbose(env, "arg#%u should be `struct %s *`\n", arg, name);
	else
		verbose(env, "arg#%u should be void pointer\n", arg);
	return -EINVAL;
}

/* --- arguments ------------------------------------------------------------------------ */

static int bad_tags(struct bpf_verifier_env *env, u32 arg)
{
	verbose(env, "arg#%u has invalid combination of tags\n", arg);
	return -EINVAL;
}

/* The kernel's type of the same name; flavours (name___flavour) are one type. */
static int kernel_type(struct bpf_verifier_env *env, const struct btf_type *ptr, u32 arg)
{
	const struct btf *btf = env->prog->btf;
	const struct btf_type *t = skip_modifiers(btf, ptr->type);
	const char *name = t ? btf_name(btf, t->name_off) : "void";
	char plain[128], *flavour;
	s32 id;

	snprintf(plain, sizeof(plain), "%s", name);
	flavour = strstr(plain, "___");
	if (flavour)
		*flavour = '\0';
	id = btf_is_struct(t) ? btf_find_by_name_kind(bpf_kernel_btf(), plain, (u8)btf_kind(t)) :
				-ENOENT;
	if (id < 0)
		verbose(env, "arg#%u reference type('%s %s') has no matches\n", arg,
			btf_is_struct(t) ? "STRUCT" : "UNKNOWN", name);
	return id;
}

static int memory_argument(struct bpf_verifier_env *env, const struct btf_type *ptr, u32 tags,
			   u32 arg, struct bpf_subprog_arg *out)
{
	const struct btf *btf = env->prog->btf;
	const struct btf_type *t = skip_modifiers(btf, ptr->type);

	if (tags & TAG_NULLABLE)
		return bad_tags(env, arg);
	out->mem_size = btf_type_size(btf, ptr->type);
	if (!out->mem_size) {
		verbose(env, "arg#%u reference type('%s %s') size cannot be determined: %d\n", arg,
			!t ? "UNKNOWN" : btf_kind(t) == BTF_KIND_FWD ? "FWD" : "STRUCT",
			t ? btf_name(btf, t->name_off) : "", -EINVAL);
		return -EINVAL;
	}
	out->type = ARG_PTR_TO_MEM | (tags & TAG_NONNULL ? 0 : PTR_MAYBE_NULL);
	return 0;
}

static bool points_to_dynptr(const struct btf *btf, const struct btf_type *ptr)
{
	const struct btf_type *t = skip_modifiers(btf, ptr->type);

	return t && (btf_kind(t) == BTF_KIND_STRUCT || btf_kind(t) == BTF_KIND_FWD) &&
	       !strcmp(btf_name(btf, t->name_off), "bpf_dynptr");
}

static int pointer_argument(struct bpf_verifier_env *env, const struct btf_type *ptr, u32 tags,
			    u32 arg, bool is_global, struct bpf_subprog_arg *out)
{
	if (tags & TAG_CTX || is_ctx_pointer(env->prog, ptr)) {
		if (tags & ~TAG_CTX)
			return bad_tags(env, arg);
		out->type = ARG_PTR_TO_CTX;
		return tags & TAG_CTX ? check_tagged_ctx(env, ptr, arg) : 0;
	}
	if (points_to_dynptr(env->prog->btf, ptr)) {
		out->type = ARG_PTR_TO_DYNPTR | MEM_RDONLY;
		return tags ? bad_tags(env, arg) : 0;
	}
	if (tags & TAG_TRUSTED) {
		int id = kernel_type(env, ptr, arg);

		if (tags & TAG_NONNULL)
			return bad_tags(env, arg);
		if (id < 0)
			return id;
		out->type = ARG_PTR_TO_BTF_ID | PTR_TRUSTED |
			    (tags & TAG_NULLABLE ? PTR_MAYBE_NULL : 0);
		out->btf_id = (u32)id;
		return 0;
	}
	if (tags & TAG_ARENA) {
		if (tags & ~TAG_ARENA) {
			verbose(env, "arg#%u arena cannot be combined with any other tags\n", arg);
			return -EINVAL;
		}
		out->type = ARG_PTR_TO_ARENA;
		return 0;
	}
	return is_global ? memory_argument(env, ptr, tags, arg, out) : -EINVAL;
}

static bool is_number(const struct btf_type *t)
{
	return t && (btf_kind(t) == BTF_KIND_INT || btf_kind(t) == BTF_KIND_ENUM ||
		     btf_kind(t) == BTF_KIND_ENUM64);
}

static int prepare_argument(struct bpf_verifier_env *env, u32 func_id, u32 type_id, u32 arg,
			    struct bpf_subprog_info *sub)
{
	const struct btf_type *t = skip_modifiers(env->prog->btf, type_id);
	u32 tags;
	int err = tags_of(env, func_id, arg, sub->is_global || sub->is_exception_cb, &tags);

	if (err)
		return err;
	if (t && btf_type_is_ptr(t))
		return pointer_argument(env, t, tags, arg, sub->is_global, &sub->args[arg]);
	if (tags) {
		verbose(env, "arg#%u has pointer tag, but is not a pointer type\n", arg);
		return -EINVAL;
	}
	if (is_number(t)) {
		sub->args[arg].type = ARG_ANYTHING;
		return 0;
	}
	if (sub->is_global)
		verbose(env, "Arg#%u type %s in %s() is not supported yet.\n", arg,
			t && btf_is_struct(t) ? "STRUCT" : "UNKNOWN", sub->name);
	return -EINVAL;
}

int btf_prepare_func_args(struct bpf_verifier_env *env, u32 n)
{
	struct bpf_subprog_info *sub = &env->subprogs[n];
	const struct btf *btf = env->prog->btf;
	u32 func_id = env->prog->subprogs[n].func_type_id, nr;
	const struct btf_type *proto;
	const struct btf_param *params;
	int err;

	if (sub->args_known)
		return 0;
	if (!env->prog->nr_func_info || !func_id)
		return -EINVAL;
	proto = btf_type_by_id(btf, btf_type_by_id(btf, func_id)->type);
	params = (const struct btf_param *)(proto + 1);
	nr = btf_vlen(proto);
	if (nr > ARRAY_SIZE(sub->args)) {
		if (sub->is_global)
			verbose(env, "Global function %s() with %u > %zu args. Buggy compiler.\n",
				sub->name, nr, ARRAY_SIZE(sub->args));
		return -EINVAL;
	}
	if (!is_number(skip_modifiers(btf, proto->type))) {
		if (sub->is_global)
			verbose(env, "Global function %s() doesn't return scalar. Only those are supported.\n",
				sub->name);
		return -EINVAL;
	}
	for (u32 i = 0; i < nr; i++) {
		err = prepare_argument(env, func_id, params[i].type, i, sub);
		if (err)
			return err;
	}
	sub->arg_cnt = nr;
	sub->args_known = true;
	return 0;
}

/* --- at calls ---------------------------------------------------------------------------- */

static int check_object(struct bpf_verifier_env *env, const struct bpf_subprog_arg *arg,
			struct bpf_reg_state *reg, u32 regno)
{
	struct bpf_call_arg_meta meta = {};

	if (register_is_null(reg) && type_may_be_null(arg->type))
		return 0;
	return check_reg_type(env, regno, arg->type, &arg->btf_id, &meta) ?:
	       check_func_arg_reg_off(env, reg, regno, arg->type);
}

static int check_memory(struct bpf_verifier_env *env, const struct bpf_subprog_arg *arg,
			struct bpf_reg_state *reg, u32 regno)
{
	int err = check_func_arg_reg_off(env, reg, regno, ARG_DONTCARE);

	if (err)
		return err;
	if (check_mem_reg(env, reg, regno, arg->mem_size))
		return -EINVAL;
	if (!type_may_be_null(arg->type) && type_may_be_null(reg->type)) {
		verbose(env, "arg#%u is expected to be non-NULL\n", regno - 1);
		return -EINVAL;
	}
	return 0;
}

static int check_argument(struct bpf_verifier_env *env, const struct bpf_subprog_arg *arg,
			  struct bpf_reg_state *reg, u32 regno)
{
	int err;

	switch (arg->type & ARG_TYPE_MASK) {
	case ARG_ANYTHING:
		if (reg->type == SCALAR_VALUE)
			return 0;
		verbose(env, "R%u is not a scalar\n", regno);
		return -EINVAL;
	case ARG_PTR_TO_CTX:
		err = check_func_arg_reg_off(env, reg, regno, ARG_DONTCARE);
		if (err || reg->type == PTR_TO_CTX)
			return err;
		verbose(env, "arg#%u expects pointer to ctx\n", regno - 1);
		return -EINVAL;
	case ARG_PTR_TO_MEM:
		return check_memory(env, arg, reg, regno);
	case ARG_PTR_TO_ARENA:
		if (reg->type == PTR_TO_ARENA || reg->type == SCALAR_VALUE)
			return 0;
		verbose(env, "R%u is not a pointer to arena or scalar.\n", regno);
		return -EINVAL;
	case ARG_PTR_TO_DYNPTR:
		return check_func_arg_reg_off(env, reg, regno, ARG_PTR_TO_DYNPTR) ?:
		       process_dynptr_func(env, regno, (u32)-1, arg->type, 0);
	default:
		return check_object(env, arg, reg, regno);
	}
}

int btf_check_subprog_call(struct bpf_verifier_env *env, u32 subprog, struct bpf_reg_state *regs)
{
	struct bpf_subprog_info *sub = &env->subprogs[subprog];
	int err = btf_prepare_func_args(env, subprog);

	for (u32 i = 0; i < sub->arg_cnt && !err; i++)
		err = check_argument(env, &sub->args[i], &regs[i + 1], i + 1);
	return err;
}

/* --- global functions on their own ----------------------------------------------------------- */

static void set_argument(struct bpf_verifier_env *env, const struct bpf_subprog_arg *arg,
			 struct bpf_reg_state *reg)
{
	switch (arg->type & ARG_TYPE_MASK) {
	case ARG_PTR_TO_CTX:
		reg->type = PTR_TO_CTX;
		reg_mark_known_zero(reg);
		break;
	case ARG_PTR_TO_DYNPTR:
		mark_dynptr_reg(reg, BPF_DYNPTR_LOCAL, true, ++env->id_gen);
		break;
	case ARG_PTR_TO_MEM:
		reg->type = PTR_TO_MEM | (arg->type & PTR_MAYBE_NULL);
		reg_mark_known_zero(reg);
		reg->mem_size = arg->mem_size;
		reg->id = ++env->id_gen;
		break;
	case ARG_PTR_TO_BTF_ID:
		reg->type = PTR_TO_BTF_ID | (arg->type & (PTR_MAYBE_NULL | PTR_TRUSTED));
		reg_mark_known_zero(reg);
		reg->btf = bpf_kernel_btf();
		reg->btf_id = arg->btf_id;
		reg->id = ++env->id_gen;
		break;
	default: /* numbers; arena pointers, which callers may give as such */
		reg_mark_unknown(reg);
		break;
	}
}

int set_global_args(struct bpf_verifier_env *env, u32 subprog)
{
	struct bpf_subprog_info *sub = &env->subprogs[subprog];
	struct bpf_func_state *func = cur_func(env);
	int err = btf_prepare_func_args(env, subprog);

	if (err)
		return err;
	if (subprog == env->exception_callback_subprog) {
		func->in_exception_callback_fn = true;
		if (sub->arg_cnt != 1 || sub->args[0].type != ARG_ANYTHING) {
			verbose(env, "exception cb only supports single integer argument\n");
			return -EINVAL;
		}
	}
	for (u32 i = 0; i < sub->arg_cnt; i++)
		set_argument(env, &sub->args[i], &func->regs[i + 1]);
	return 0;
}
