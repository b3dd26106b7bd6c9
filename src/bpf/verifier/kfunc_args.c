// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments of kfuncs: what their prototypes in the kernel BTF ask of them
 * (../kfunc.c reads those), against what registers hold.
 */
#include <errno.h>
#include <string.h>

#include "call_internal.h"

/* An argument, and the register that it is in. */
struct arg {
	const struct bpf_kfunc_arg *arg;
	u32 index, regno;
	struct bpf_reg_state *reg;
	struct kfunc_call *call;
};

static bool wants_trusted(const struct kfunc_call *call)
{
	return call->flags & (KF_TRUSTED_ARGS | KF_RELEASE);
}

/* --- types ---------------------------------------------------------------------------- */

const char *btf_kind_text(const struct btf_type *t)
{
	static const char *const names[] = {
		[BTF_KIND_UNKN] = "UNKNOWN",	   [BTF_KIND_INT] = "INT",
		[BTF_KIND_PTR] = "PTR",		   [BTF_KIND_ARRAY] = "ARRAY",
		[BTF_KIND_STRUCT] = "STRUCT",	   [BTF_KIND_UNION] = "UNION",
		[BTF_KIND_ENUM] = "ENUM",	   [BTF_KIND_FWD] = "FWD",
		[BTF_KIND_TYPEDEF] = "TYPEDEF",	   [BTF_KIND_VOLATILE] = "VOLATILE",
		[BTF_KIND_CONST] = "CONST",	   [BTF_KIND_RESTRICT] = "RESTRICT",
		[BTF_KIND_FUNC] = "FUNC",	   [BTF_KIND_FUNC_PROTO] = "FUNC_PROTO",
		[BTF_KIND_VAR] = "VAR",		   [BTF_KIND_DATASEC] = "DATASEC",
		[BTF_KIND_FLOAT] = "FLOAT",	   [BTF_KIND_DECL_TAG] = "DECL_TAG",
		[BTF_KIND_TYPE_TAG] = "TYPE_TAG",  [BTF_KIND_ENUM64] = "ENUM64",
	};
	u32 kind = t ? btf_kind(t) : BTF_KIND_UNKN;

	return kind < ARRAY_SIZE(names) ? names[kind] : names[0];
}

static bool is_scalar(const struct btf_type *t)
{
	return t && (btf_kind(t) == BTF_KIND_INT || btf_kind(t) == BTF_KIND_ENUM ||
		     btf_kind(t) == BTF_KIND_ENUM64);
}

static bool is_scalar_member(struct bpf_verifier_env *env, const struct btf *btf, u32 id, u32 depth);

static bool is_struct_of_scalars(struct bpf_verifier_env *env, const struct btf *btf,
				 const struct btf_type *t, u32 depth)
{
	if (!btf_is_struct(t))
		return false;
	for (u32 i = 0; i < btf_vlen(t); i++)
		if (!is_scalar_member(env, btf, btf_members(t)[i].type, depth))
			return false;
	return true;
}

static bool is_scalar_member(struct bpf_verifier_env *env, const struct btf *btf, u32 id, u32 depth)
{
	const struct btf_type *t = btf_type_skip_modifiers(btf, id, NULL);

	if (btf_is_struct(t)) {
		if (depth < 3)
			return is_struct_of_scalars(env, btf, t, depth + 1);
		verbose(env, "max struct nesting depth exceeded\n");
		return false;
	}
	if (t && btf_kind(t) == BTF_KIND_ARRAY) {
		if (!btf_array_of(t)->nelems)
			return false;
		t = btf_type_skip_modifiers(btf, btf_array_of(t)->type, NULL);
	}
	return is_scalar(t);
}

bool is_scalar_struct(struct bpf_verifier_env *env, const struct btf *btf, const struct btf_type *t)
{
	return is_struct_of_scalars(env, btf, t, 0);
}

/* The kernel's type behind registers that have a type of their own; NULL: none. */
static const char *kernel_type_of(u32 reg_type)
{
	switch (base_type(reg_type)) {
	case PTR_TO_SOCKET:
		return "sock";
	case PTR_TO_SOCK_COMMON:
		return "sock_common";
	case PTR_TO_TCP_SOCK:
		return "tcp_sock";
	case CONST_PTR_TO_MAP:
		return "bpf_map";
	default:
		return NULL;
	}
}

static const struct btf_type *pointee(const struct arg *a)
{
	return a->arg->btf_id ? btf_type_by_id(bpf_kernel_btf(), a->arg->btf_id) : NULL;
}

static const char *pointee_kind(const struct arg *a)
{
	return a->arg->btf_id ? btf_kind_text(pointee(a)) : "UNKNOWN";
}

static const char *pointee_name(const struct arg *a)
{
	return type_name(bpf_kernel_btf(), a->arg->btf_id);
}

/* --- numbers ---------------------------------------------------------------------------- */

static int known_constant(struct bpf_verifier_env *env, const struct bpf_reg_state *reg, u32 regno,
			  struct kfunc_call *call)
{
	VRT_ASSERT(!call->const_found);
	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env, "R%u must be a known constant\n", regno);
		return -EINVAL;
	}
	call->const_found = true;
	call->const_value = reg->s.var_off.value;
	return mark_chain_precision(env, regno);
}

/* The size of the memory that is returned. */
static int result_size(struct bpf_verifier_env *env, const struct arg *a)
{
	if (!tnum_is_const(a->reg->s.var_off)) {
		verbose(env, "R%u is not a const\n", a->regno);
		return -EINVAL;
	}
	a->call->r0_size = a->reg->s.var_off.value;
	if (a->call->r0_size > (u32)-1) {
		verbose(env, "R%u rdonly/rdwr_buf_size exceeds u32 max\n", a->regno);
		return -EINVAL;
	}
	return mark_chain_precision(env, a->regno);
}

static int check_number(struct bpf_verifier_env *env, const struct arg *a)
{
	if (a->reg->type != SCALAR_VALUE) {
		verbose(env, "R%u is not a scalar\n", a->regno);
		return -EINVAL;
	}
	if (a->arg->kind == KARG_CONST)
		return known_constant(env, a->reg, a->regno, a->call);
	if (!strcmp(a->arg->name, "rdonly_buf_size")) {
		a->call->r0_rdonly = true;
		return result_size(env, a);
	}
	return strcmp(a->arg->name, "rdwr_buf_size") ? 0 : result_size(env, a);
}

/* --- what a pointer argument is ---------------------------------------------------------- */

/* Beyond what the prototype says, it depends on what the register holds. */
enum kind {
	KIND_NULL,
	KIND_CTX,
	KIND_ALLOC,
	KIND_REFCOUNTED,
	KIND_DYNPTR,
	KIND_ITER,
	KIND_GRAPH_ROOT,
	KIND_GRAPH_NODE,
	KIND_WORKQUEUE,
	KIND_STR,
	KIND_MAP,
	KIND_BTF_ID,
	KIND_CALLBACK,
	KIND_MEM,
	KIND_MEM_SIZE,
};

static int not_supported(struct bpf_verifier_env *env, const struct arg *a)
{
	verbose(env, "kernel function %s args#%u pointer type %s %s is not supported\n",
		a->call->name, a->index, pointee_kind(a), pointee_name(a));
	return -EINVAL;
}

/* Plain memory, or an object of the kernel: as the register says. */
static int kind_of_memory(struct bpf_verifier_env *env, const struct arg *a)
{
	const struct btf_type *t = pointee(a);
	bool sized = a->arg->kind == KARG_MEM_SIZE && (a->reg + 1)->type == SCALAR_VALUE;

	if (base_type(a->reg->type) == PTR_TO_BTF_ID || kernel_type_of(a->reg->type))
		return btf_is_struct(t) ? KIND_BTF_ID : not_supported(env, a);
	if (a->arg->kind == KARG_CALLBACK)
		return KIND_CALLBACK;
	if (is_scalar(t) || is_scalar_struct(env, bpf_kernel_btf(), t) ||
	    (sized && !a->arg->btf_id))
		return sized ? KIND_MEM_SIZE : KIND_MEM;
	verbose(env, "arg#%u pointer type %s %s must point to %sscalar, or struct with scalar\n",
		a->index, pointee_kind(a), pointee_name(a), sized ? "void, " : "");
	return -EINVAL;
}

static int kind_of(struct bpf_verifier_env *env, const struct arg *a)
{
	const char *ctx = prog_ctx_name(env->prog);

	if (a->call->desc->special == KFUNC_CAST_TO_KERN_CTX ||
	    (ctx && !strcmp(ctx, pointee_name(a))))
		return KIND_CTX;
	if (a->arg->nullable && !a->arg->optional && register_is_null(a->reg))
		return KIND_NULL;
	switch (a->arg->kind) {
	case KARG_ALLOC:
		return a->arg->refcounted ? KIND_REFCOUNTED : KIND_ALLOC;
	case KARG_DYNPTR:
		return KIND_DYNPTR;
	case KARG_ITER:
		return KIND_ITER;
	case KARG_FIELD:
		return a->arg->field == BPF_WORKQUEUE ? KIND_WORKQUEUE : KIND_GRAPH_ROOT;
	case KARG_NODE:
		return KIND_GRAPH_NODE;
	case KARG_STR:
		return KIND_STR;
	case KARG_MAP:
		return KIND_MAP;
	default:
		return kind_of_memory(env, a);
	}
}

/* --- contexts ------------------------------------------------------------------------------- */

/* What the kernel itself has where programs see a context of their own; its id or -ENOENT. */
static s32 kern_ctx_btf_id(const struct bpf_prog *prog)
{
	static const struct {
		const char *ctx, *kernel;
	} types[] = {
		{ "__sk_buff", "sk_buff" },
		{ "xdp_md", "xdp_buff" },
		{ "bpf_sock", "sock" },
		{ "bpf_sock_addr", "bpf_sock_addr_kern" },
		{ "bpf_sock_ops", "bpf_sock_ops_kern" },
		{ "sk_msg_md", "sk_msg" },
		{ "bpf_perf_event_data", "bpf_perf_event_data_kern" },
		{ "bpf_sysctl", "bpf_sysctl_kern" },
		{ "bpf_sockopt", "bpf_sockopt_kern" },
		{ "sk_reuseport_md", "sk_reuseport_kern" },
		{ "bpf_sk_lookup", "bpf_sk_lookup_kern" },
	};
	const char *name = prog_ctx_name(prog);

	for (u32 i = 0; name && i < ARRAY_SIZE(types); i++)
		if (!strcmp(name, types[i].ctx))
			name = types[i].kernel;
	return name ? btf_find_by_name_kind(bpf_kernel_btf(), name, BTF_KIND_STRUCT) : -ENOENT;
}

/* --- the kinds, one by one ------------------------------------------------------------------ */

static int check_ctx(struct bpf_verifier_env *env, const struct arg *a)
{
	char buf[128];
	s32 id;

	if (a->reg->type != PTR_TO_CTX) {
		verbose(env, "arg#%u expected pointer to ctx, but got %s\n", a->index,
			reg_type_str(env, a->reg->type, buf));
		return -EINVAL;
	}
	if (a->call->desc->special != KFUNC_CAST_TO_KERN_CTX)
		return 0;
	id = kern_ctx_btf_id(env->prog);
	if (id < 0)
		return -EINVAL;
	a->call->ret_btf_id = (u32)id;
	return 0;
}

static int check_alloc(struct bpf_verifier_env *env, const struct arg *a)
{
	enum bpf_special_kfunc special = a->call->desc->special;

	if (a->reg->type == (PTR_TO_BTF_ID | MEM_ALLOC)) {
		if (special != KFUNC_OBJ_DROP) {
			verbose(env, "arg#%u expected for bpf_obj_drop_impl()\n", a->index);
			return -EINVAL;
		}
	} else if (a->reg->type == (PTR_TO_BTF_ID | MEM_ALLOC | MEM_PERCPU)) {
		if (special != KFUNC_PERCPU_OBJ_DROP) {
			verbose(env, "arg#%u expected for bpf_percpu_obj_drop_impl()\n",
				a->index);
			return -EINVAL;
		}
	} else {
		verbose(env, "arg#%u expected pointer to allocated object\n", a->index);
		return -EINVAL;
	}
	if (!a->reg->ref_obj_id) {
		verbose(env, "allocated object must be referenced\n");
		return -EINVAL;
	}
	a->call->arg_btf = a->reg->btf;
	a->call->arg_btf_id = a->reg->btf_id;
	return 0;
}

static int check_refcounted(struct bpf_verifier_env *env, const struct arg *a)
{
	const struct bpf_reg_state *reg = a->reg;

	if (!type_is_ptr_alloc_obj(reg->type)) {
		verbose(env, "arg#%u is neither owning or non-owning ref\n", a->index);
		return -EINVAL;
	}
	if (!(reg->type & NON_OWN_REF) && reg->ref_obj_id)
		a->call->owning_ref = true;
	if (!record_has(reg_btf_record(reg), BPF_REFCOUNT)) {
		verbose(env, "arg#%u doesn't point to a type with bpf_refcount field\n", a->index);
		return -EINVAL;
	}
	a->call->arg_btf = reg->btf;
	a->call->arg_btf_id = reg->btf_id;
	return 0;
}

/* What a dynptr becomes that the kfunc initialises. */
static u32 new_dynptr_type(const struct kfunc_call *call)
{
	switch (call->desc->special) {
	case KFUNC_DYNPTR_FROM_SKB:
		return DYNPTR_TYPE_SKB;
	case KFUNC_DYNPTR_FROM_XDP:
		return DYNPTR_TYPE_XDP;
	case KFUNC_DYNPTR_CLONE:
		return dynptr_type_flag(call->dynptr.type);
	default:
		return 0;
	}
}

static int check_dynptr(struct bpf_verifier_env *env, const struct arg *a)
{
	u32 type = ARG_PTR_TO_DYNPTR, clone_ref = 0;
	const struct bpf_reg_state *dynptr;
	int err;

	if (a->reg->type == CONST_PTR_TO_DYNPTR && !a->arg->uninit)
		type |= MEM_RDONLY;
	if (a->arg->uninit) {
		type |= MEM_UNINIT | new_dynptr_type(a->call);
		clone_ref = a->call->dynptr.ref_obj_id;
	}
	err = process_dynptr_func(env, a->regno, a->call->insn_idx, type, clone_ref);
	if (err || a->arg->uninit)
		return err;
	dynptr = dynptr_of(env, a->reg);
	a->call->dynptr.id = dynptr->id;
	a->call->dynptr.type = dynptr->dynptr.type;
	a->call->dynptr.ref_obj_id = dynptr->ref_obj_id;
	return 0;
}

/* The lock that walking a css's tasks takes may be held elsewhere. */
static bool may_walk_css_tasks(const struct bpf_verifier_env *env)
{
	const struct bpf_prog *prog = env->prog;

	return prog->type == BPF_PROG_TYPE_LSM || bpf_prog_is_iter(prog) || in_sleepable(env);
}

static int check_iter(struct bpf_verifier_env *env, const struct arg *a)
{
	struct kfunc_call *call = a->call;
	int err;

	if (call->desc->special == KFUNC_ITER_CSS_TASK_NEW && !may_walk_css_tasks(env)) {
		verbose(env,
			"css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable progs\n");
		return -EINVAL;
	}
	err = process_iter_arg(env, a->regno, call->insn_idx, call->desc, &call->iter.spi,
			       &call->iter.frameno);
	if (!err && call->iter.spi >= 0)
		call->ref_obj_id = iter_state_of(env->cur, call->iter.spi,
						 call->iter.frameno)->ref_obj_id;
	return err;
}

static int check_workqueue(struct bpf_verifier_env *env, const struct arg *a)
{
	if (a->reg->type == PTR_TO_MAP_VALUE)
		return process_wq_func(env, a->regno, a->call);
	verbose(env, "arg#%u doesn't point to a map value\n", a->index);
	return -EINVAL;
}

static int check_str(struct bpf_verifier_env *env, const struct arg *a)
{
	if (a->reg->type == PTR_TO_MAP_VALUE)
		return check_reg_const_str(env, a->reg, a->regno);
	verbose(env, "arg#%u doesn't point to a const string\n", a->index);
	return -EINVAL;
}

/* struct __sk_buff stands for struct sk_buff, and so on. */
static bool is_projection(const char *shown, const char *real)
{
	return (!strcmp(shown, "__sk_buff") && !strcmp(real, "sk_buff")) ||
	       (!strcmp(shown, "xdp_md") && !strcmp(real, "xdp_buff"));
}

/* "x" and "x___init": the same memory in another state of life. */
static bool is_nocast_alias(const char *a, const char *b)
{
	static const char suffix[] = "___init";
	size_t n = strlen(a), m = strlen(b);
	const char *longer = n > m ? a : b;
	size_t least = min(n, m);

	return n != m && max(n, m) == least + strlen(suffix) && !strncmp(a, b, least) &&
	       !strcmp(longer + least, suffix);
}

/* The kernel type that @reg points to: its id, 0 when there is none. */
static u32 reg_type_id(const struct bpf_reg_state *reg)
{
	s32 id;

	if (base_type(reg->type) == PTR_TO_BTF_ID)
		return reg->btf_id;
	id = btf_find_by_name_kind(bpf_kernel_btf(), kernel_type_of(reg->type), BTF_KIND_STRUCT);
	return id > 0 ? (u32)id : 0;
}

static int check_object_type(struct bpf_verifier_env *env, const struct arg *a)
{
	const struct bpf_reg_state *reg = a->reg;
	bool btf_reg = base_type(reg->type) == PTR_TO_BTF_ID;
	const struct btf *btf = btf_reg ? reg->btf : bpf_kernel_btf();
	const char *want = pointee_name(a), *have;
	bool strict;
	u32 id = reg_type_id(reg);

	btf_type_skip_modifiers(btf, id, &id);
	have = id ? type_name(btf, id) : kernel_type_of(reg->type);
	/* what is given back or held must be of the very type */
	strict = (a->call->flags & KF_RELEASE && reg->ref_obj_id) || is_nocast_alias(have, want);
	if ((id && btf_struct_ids_match(env, btf, id, reg->off, bpf_kernel_btf(), a->arg->btf_id,
					strict)) ||
	    is_projection(want, have))
		return 0;
	verbose(env,
		"kernel function %s args#%u expected pointer to %s %s but R%u has a pointer to %s %s\n",
		a->call->name, a->index, pointee_kind(a), want, a->regno,
		id ? btf_kind_text(btf_type_by_id(btf, id)) : "STRUCT", have);
	return -EINVAL;
}

static int check_btf_id(struct bpf_verifier_env *env, const struct arg *a)
{
	u32 type = a->reg->type;
	char buf[128];

	if (kernel_type_of(type) || (base_type(type) == PTR_TO_BTF_ID &&
				     (!has_unsafe_flags(type) || is_rcu_reg(a->reg))))
		return check_object_type(env, a);
	verbose(env, "arg#%u is %s ", a->index, reg_type_str(env, type, buf));
	verbose(env, "expected %s or socket\n",
		reg_type_str(env, base_type(type) | (type_flag(type) & TRUSTED_FLAGS), buf));
	return -EINVAL;
}

static int check_map(struct bpf_verifier_env *env, const struct arg *a)
{
	struct kfunc_call *call = a->call;

	if (a->reg->type != CONST_PTR_TO_MAP) {
		if (a->arg->btf_id && base_type(a->reg->type) == PTR_TO_BTF_ID)
			return check_btf_id(env, a); /* struct bpf_map * */
		verbose(env, "pointer in R%u isn't map pointer\n", a->regno);
		return -EINVAL;
	}
	/* inner maps of one template look the same: a work queue belongs to its own */
	if (call->map && (call->map != a->reg->map_ptr || call->map_uid != a->reg->map_uid)) {
		verbose(env,
			"workqueue pointer in R1 map_uid=%u doesn't match map pointer in R2 map_uid=%u\n",
			call->map_uid, a->reg->map_uid);
		return -EINVAL;
	}
	call->map = a->reg->map_ptr;
	call->map_uid = a->reg->map_uid;
	return 0;
}

static int check_mem(struct bpf_verifier_env *env, const struct arg *a)
{
	if (a->arg->size)
		return check_mem_reg(env, a->reg, a->regno, a->arg->size);
	verbose(env, "arg#%u reference type('%s %s') size cannot be determined: %d\n", a->index,
		pointee_kind(a), pointee_name(a), -EINVAL);
	return -EINVAL;
}

/* Memory that may be NULL is looked at as if it were not. */
static int check_sized_access(struct bpf_verifier_env *env, const struct arg *a)
{
	struct bpf_call_arg_meta meta = {};
	u32 type = a->reg->type;
	int err;

	a->reg->type &= ~(u32)PTR_MAYBE_NULL;
	err = check_mem_size_reg(env, a->reg + 1, a->regno + 1, BPF_READ, true, &meta);
	err = err ?: check_mem_size_reg(env, a->reg + 1, a->regno + 1, BPF_WRITE, true, &meta);
	a->reg->type = type;
	return err;
}

static int check_mem_size(struct bpf_verifier_env *env, const struct arg *a)
{
	int err = 0;

	if (!register_is_null(a->reg) || !a->arg->optional)
		err = check_sized_access(env, a);
	if (err) {
		verbose(env, "arg#%u arg#%u memory, len pair leads to invalid memory access\n",
			a->index, a->index + 1);
		return err;
	}
	if (!a->arg->const_size)
		return 0;
	return known_constant(env, a->reg + 1, a->regno + 1, a->call);
}

static int check_callback(struct bpf_verifier_env *env, const struct arg *a)
{
	if (a->reg->type != PTR_TO_FUNC) {
		verbose(env, "arg%u expected pointer to func\n", a->index);
		return -EINVAL;
	}
	a->call->subprogno = a->reg->subprogno;
	return 0;
}

static int check_kind(struct bpf_verifier_env *env, const struct arg *a, enum kind kind)
{
	switch (kind) {
	case KIND_NULL:
		return 0;
	case KIND_CTX:
		return check_ctx(env, a);
	case KIND_ALLOC:
		return check_alloc(env, a);
	case KIND_REFCOUNTED:
		return check_refcounted(env, a);
	case KIND_DYNPTR:
		return check_dynptr(env, a);
	case KIND_ITER:
		return check_iter(env, a);
	case KIND_GRAPH_ROOT:
		return process_graph_root(env, a->regno, a->call);
	case KIND_GRAPH_NODE:
		return process_graph_node(env, a->regno, a->call);
	case KIND_WORKQUEUE:
		return check_workqueue(env, a);
	case KIND_STR:
		return check_str(env, a);
	case KIND_MAP:
		return check_map(env, a);
	case KIND_BTF_ID:
		return check_btf_id(env, a);
	case KIND_CALLBACK:
		return check_callback(env, a);
	case KIND_MEM:
		return check_mem(env, a);
	case KIND_MEM_SIZE:
		return check_mem_size(env, a);
	}
	return -EFAULT;
}

/* --- pointers ------------------------------------------------------------------------------- */

/* Objects whose life the kfunc relies on. */
static int check_trust(struct bpf_verifier_env *env, const struct arg *a, enum kind kind)
{
	bool rcu = a->call->flags & KF_RCU;

	if ((kind != KIND_MAP && kind != KIND_ALLOC && kind != KIND_BTF_ID) ||
	    (!wants_trusted(a->call) && !rcu) || is_trusted_reg(a->reg))
		return 0;
	if (!rcu) {
		verbose(env, "R%u must be referenced or trusted\n", a->regno);
		return -EINVAL;
	}
	if (is_rcu_reg(a->reg))
		return 0;
	verbose(env, "R%u must be a rcu pointer\n", a->regno);
	return -EINVAL;
}

static int note_reference(struct bpf_verifier_env *env, const struct arg *a)
{
	bool release = a->call->flags & KF_RELEASE;

	if (!a->reg->ref_obj_id)
		return 0;
	if (release && a->call->ref_obj_id) {
		verbose(env, "more than one arg with ref_obj_id R%u %u %u\n", a->regno,
			a->reg->ref_obj_id, a->call->ref_obj_id);
		return -EFAULT;
	}
	a->call->ref_obj_id = a->reg->ref_obj_id;
	if (release)
		a->call->release_regno = a->regno;
	return 0;
}

/* *@kind: what it was taken for. */
static int check_pointer(struct bpf_verifier_env *env, const struct arg *a, int *kind)
{
	bool may_be_null = register_is_null(a->reg) || type_may_be_null(a->reg->type);
	u32 arg_type = ARG_DONTCARE;
	int err;

	if ((wants_trusted(a->call) || a->call->flags & KF_RCU) && may_be_null &&
	    (!a->arg->nullable || a->arg->optional)) {
		verbose(env, "Possibly NULL pointer passed to trusted arg%u\n", a->index);
		return -EACCES;
	}
	err = note_reference(env, a);
	if (err)
		return err;
	*kind = kind_of(env, a);
	if (*kind < 0 || *kind == KIND_NULL)
		return min(*kind, 0);
	err = check_trust(env, a, (enum kind)*kind);
	if (err)
		return err;
	if (a->call->flags & KF_RELEASE && a->reg->ref_obj_id)
		arg_type |= OBJ_RELEASE;
	err = check_func_arg_reg_off(env, a->reg, a->regno, arg_type);
	return err ?: check_kind(env, a, (enum kind)*kind);
}

int check_kfunc_args(struct bpf_verifier_env *env, struct kfunc_call *call)
{
	const struct bpf_kfunc_desc *desc = call->desc;
	int err = 0, kind;

	for (u32 i = 0; i < desc->nr_args && !err; i++) {
		struct arg a = { .arg = &desc->args[i], .index = i, .regno = i + BPF_REG_1,
				 .reg = reg_state(env, (int)i + BPF_REG_1), .call = call };

		if (a.arg->unchecked)
			continue;
		if (a.arg->kind == KARG_SCALAR || a.arg->kind == KARG_CONST) {
			err = check_number(env, &a);
			continue;
		}
		kind = KIND_NULL;
		err = check_pointer(env, &a, &kind);
		i += kind == KIND_MEM_SIZE; /* the size has been looked at */
	}
	if (err || !(call->flags & KF_RELEASE) || call->release_regno)
		return err;
	verbose(env, "release kernel function %s expects refcounted PTR_TO_BTF_ID\n", call->name);
	return -EINVAL;
}
