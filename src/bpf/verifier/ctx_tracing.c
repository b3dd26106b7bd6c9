// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs see that are attached to functions, tracepoints and the like:
 * registers, records of tracepoints, or arguments, which the prototype in the
 * kernel BTF describes.
 */
#include <errno.h>
#include <string.h>

#include "../btf/internal.h"
#include "mem_internal.h"

#define MAX_TRACE_SIZE 8192 /* of a tracepoint's record */
#define MAX_ARGS 12
#define MAX_SYSCALL_CTX 0xffff
#define RAW_TP_ARGS 5 /* of a function without a prototype */
/* The simulated machine is an x86-64, which programs are compiled for, whatever runs it. */
#define PT_REGS_SIZE (21 * 8) /* struct pt_regs */
#define PERF_EVENT_DATA_SIZE (PT_REGS_SIZE + 16) /* and the sample's period and address */

static int yes_or_no(bool yes)
{
	return yes ? 0 : -EACCES;
}

/* --- arguments ---------- */

/*
 * Arguments of tracepoints that may be NULL, or an error in the shape of a pointer,
 * though their types do not say so.
 */
static const struct {
	const char *name;
	u8 arg;
	bool is_err;
} odd_args[] = {
	{ "sched_pi_setprio", 1, false },   { "sched_process_wait", 0, false },
	{ "sched_stick_numa", 2, false },   { "sched_swap_numa", 2, false },
	{ "kfree_skb", 3, false },          { "mm_page_alloc", 0, false },
	{ "mm_page_pcpu_drain", 0, false }, { "qdisc_dequeue", 3, false },
	{ "signal_deliver", 1, true },      { "signal_generate", 1, true },
	{ "tcp_send_reset", 0, false },     { "tcp_send_reset", 1, false },
};

static void apply_odd_args(const struct bpf_prog *prog, u32 arg, struct bpf_insn_access_aux *info)
{
	if (prog->expected_attach_type != BPF_TRACE_RAW_TP)
		return;
	for (u32 i = 0; i < ARRAY_SIZE(odd_args); i++) {
		if (strcmp(prog->attach_func_name, odd_args[i].name) || odd_args[i].arg != arg)
			continue;
		if (odd_args[i].is_err)
			info->reg_type = SCALAR_VALUE;
		else
			info->reg_type |= PTR_MAYBE_NULL;
	}
}

/* Are its arguments pointers that can be trusted? Others may be in the middle of dying. */
static bool args_trusted(const struct bpf_prog *prog)
{
	static const char *const untrusted[] = {
		"bpf_lsm_bpf_map_free",	      "bpf_lsm_bpf_prog_free",
		"bpf_lsm_file_alloc_security", "bpf_lsm_file_free_security",
		"bpf_lsm_sk_alloc_security",   "bpf_lsm_sk_free_security",
		"bpf_lsm_task_free",
	};

	switch (prog->type) {
	case BPF_PROG_TYPE_TRACING:
		return prog->expected_attach_type == BPF_TRACE_RAW_TP ||
		       prog->expected_attach_type == BPF_TRACE_ITER;
	case BPF_PROG_TYPE_LSM:
		for (u32 i = 0; i < ARRAY_SIZE(untrusted); i++)
			if (!strcmp(prog->attach_func_name, untrusted[i]))
				return false;
		return true;
	default:
		return prog->type == BPF_PROG_TYPE_STRUCT_OPS;
	}
}

static u32 slots_of(const struct btf *btf, u32 type_id)
{
	return max(ALIGN_UP(btf_type_size(btf, type_id), 8U) / 8, 1U);
}

/* Which argument is at @off; the number of all when it is the result behind them. -1: none. */
static s32 arg_at(const struct bpf_prog *prog, s32 off)
{
	const struct btf_type *proto = prog->attach_func_proto;
	const struct btf_param *p = (const struct btf_param *)(proto + 1);
	const struct btf *btf = bpf_kernel_btf();
	u32 end = 0, i;

	for (i = prog->attach_first_arg; i < btf_vlen(proto); i++) {
		end += 8 * slots_of(btf, p[i].type);
		if ((u32)off < end)
			return (s32)(i - prog->attach_first_arg);
	}
	return (u32)off < end + 8 ? (s32)(i - prog->attach_first_arg) : -1;
}

static int no_such_arg(struct bpf_verifier_env *env, s32 off)
{
	verbose(env, "func '%s' doesn't have %d-th argument\n", env->prog->attach_func_name,
		off / 8 + 1);
	return -EACCES;
}

/* The type of the argument, or of the result for programs that see it. -errno, said. */
static int arg_type(struct bpf_verifier_env *env, s32 off, u32 *arg, u32 *type_id, bool *result)
{
	const struct bpf_prog *prog = env->prog;
	const struct btf_type *proto = prog->attach_func_proto;
	const struct btf_param *p = (const struct btf_param *)(proto + 1);
	s32 n = arg_at(prog, off);

	if (n < 0)
		return no_such_arg(env, off);
	*arg = (u32)n;
	if (*arg + prog->attach_first_arg < btf_vlen(proto)) {
		*type_id = p[*arg + prog->attach_first_arg].type;
		*result = false;
		return 0;
	}
	*type_id = proto->type;
	*result = true;
	switch (prog->expected_attach_type) {
	case BPF_LSM_MAC:
		return prog->type == BPF_PROG_TYPE_LSM ? 0 : no_such_arg(env, off);
	case BPF_TRACE_FEXIT:
	case BPF_MODIFY_RETURN:
		return prog->type == BPF_PROG_TYPE_TRACING ? 0 : no_such_arg(env, off);
	default:
		return no_such_arg(env, off);
	}
}

static const char *kind_str(const struct btf_type *t)
{
	static const char *const names[] = {
		[BTF_KIND_UNKN] = "UNKNOWN",   [BTF_KIND_INT] = "INT",
		[BTF_KIND_PTR] = "PTR",	       [BTF_KIND_ARRAY] = "ARRAY",
		[BTF_KIND_STRUCT] = "STRUCT",  [BTF_KIND_UNION] = "UNION",
		[BTF_KIND_ENUM] = "ENUM",      [BTF_KIND_FWD] = "FWD",
		[BTF_KIND_FUNC_PROTO] = "FUNC_PROTO", [BTF_KIND_FLOAT] = "FLOAT",
		[BTF_KIND_ENUM64] = "ENUM64",
	};
	u32 kind = t ? btf_kind(t) : 0;

	return kind < ARRAY_SIZE(names) && names[kind] ? names[kind] : "UNKNOWN";
}

static bool is_number(const struct btf_type *t)
{
	switch (t ? btf_kind(t) : BTF_KIND_UNKN) {
	case BTF_KIND_INT:
		return t->size <= 8;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_STRUCT: /* passed by value */
		return true;
	default:
		return false;
	}
}

/* A pointer: to a struct of the kernel, or to something that is only an address for us. */
static int ptr_arg(struct bpf_verifier_env *env, const struct btf_type *ptr, u32 arg,
		   struct bpf_insn_access_aux *info)
{
	struct bpf_prog *prog = env->prog;
	struct btf *btf = bpf_kernel_btf();
	const struct btf_type *tag = btf_type_by_id(btf, ptr->type);
	const struct btf_type *t = btf_type_skip_modifiers(btf, ptr->type, &info->btf_id);

	/* to void, or numbers: nothing that could be walked through */
	if (!info->btf_id || (t && btf_kind(t) == BTF_KIND_INT))
		return 0;
	if (!btf_is_struct(t)) {
		verbose(env, "func '%s' arg%u type %s is not a struct\n", prog->attach_func_name,
			arg, kind_str(t));
		return -EACCES;
	}
	info->btf = btf;
	info->reg_type = PTR_TO_BTF_ID;
	if (args_trusted(prog))
		info->reg_type |= PTR_TRUSTED;
	if (arg < prog->nr_ctx_args && prog->ctx_args[arg].maybe_null)
		info->reg_type |= PTR_MAYBE_NULL;
	if (btf_kind(tag) == BTF_KIND_TYPE_TAG) {
		if (!strcmp(btf_name(btf, tag->name_off), "user"))
			info->reg_type |= MEM_USER;
		else if (!strcmp(btf_name(btf, tag->name_off), "percpu"))
			info->reg_type |= MEM_PERCPU;
	}
	apply_odd_args(prog, arg, info);
	return 0;
}

static int btf_ctx_access(struct bpf_verifier_env *env, s32 off, s32 size,
			  struct bpf_insn_access_aux *info)
{
	const struct bpf_prog *prog = env->prog;
	const struct btf *btf = bpf_kernel_btf();
	const struct btf_type *t;
	u32 arg, type_id;
	bool result;
	int err;

	if (off % 8) {
		verbose(env, "func '%s' offset %d is not multiple of 8\n", prog->attach_func_name,
			off);
		return -EACCES;
	}
	err = arg_type(env, off, &arg, &type_id, &result);
	if (err)
		return err;
	info->is_retval = result && prog->type == BPF_PROG_TYPE_LSM;
	t = btf_type_skip_modifiers(btf, type_id, NULL);
	if (result && prog->expected_attach_type == BPF_MODIFY_RETURN && !is_number(t)) {
		verbose(env, "ret type %s not allowed for fmod_ret\n", kind_str(t));
		return -EACCES;
	}
	if (is_number(t))
		return 0;
	if (!btf_type_is_ptr(t)) {
		verbose(env, "func '%s' arg%u '%s' has type %s. Only pointer access is allowed\n",
			prog->attach_func_name, arg, t ? btf_name(btf, t->name_off) : "",
			kind_str(t));
		return -EACCES;
	}
	if (size != 8) {
		verbose(env, "func '%s' size %d must be 8\n", prog->attach_func_name, size);
		return -EACCES;
	}
	return ptr_arg(env, t, arg, info);
}

/* --- plain structs ---------- */

static bool perf_event_access(s32 off, s32 size)
{
	if (off < 0 || off >= PERF_EVENT_DATA_SIZE || off % size)
		return false;
	return off >= PT_REGS_SIZE || size == 8;
}

/* struct bpf_nf_ctx: the state of the hook, and the packet. */
static int netfilter_access(s32 off, s32 size, struct bpf_insn_access_aux *info)
{
	static const char *const types[] = { "nf_hook_state", "sk_buff" };
	s32 id;

	if (off < 0 || off >= 16 || off % 8 || size != 8)
		return -EACCES;
	info->btf = bpf_kernel_btf();
	id = btf_find_by_name_kind(info->btf, types[off / 8], BTF_KIND_STRUCT);
	if (id < 0)
		return -EACCES;
	info->btf_id = (u32)id;
	info->reg_type = PTR_TO_BTF_ID | PTR_TRUSTED;
	return 0;
}

/* Arguments of a tracepoint as numbers; the first may be a buffer that can be written. */
static int raw_tp_access(const struct bpf_prog *prog, s32 off, s32 size,
			 struct bpf_insn_access_aux *info)
{
	if (off < 0 || off >= 8 * MAX_ARGS || off % size)
		return -EACCES;
	if (prog->type == BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE && !off) {
		if (size != 8)
			return -EACCES;
		info->reg_type = PTR_TO_TP_BUFFER;
	}
	return 0;
}

int ctx_tracing_access(struct bpf_verifier_env *env, s32 off, s32 size, enum bpf_access_type t,
		       struct bpf_insn_access_aux *info)
{
	const struct bpf_prog *prog = env->prog;

	if (prog->type == BPF_PROG_TYPE_SYSCALL) /* its size is looked at when it is run */
		return yes_or_no(off >= 0 && off < MAX_SYSCALL_CTX && !(off % size));
	if (t != BPF_READ)
		return -EACCES;
	switch (prog->type) {
	case BPF_PROG_TYPE_KPROBE:
		return yes_or_no(off >= 0 && !(off % size) && off + size <= PT_REGS_SIZE);
	case BPF_PROG_TYPE_TRACEPOINT:
		return yes_or_no(off >= 8 && off < MAX_TRACE_SIZE && !(off % size));
	case BPF_PROG_TYPE_PERF_EVENT:
		return yes_or_no(perf_event_access(off, size));
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
		return raw_tp_access(prog, off, size, info);
	case BPF_PROG_TYPE_NETFILTER:
		return netfilter_access(off, size, info);
	case BPF_PROG_TYPE_TRACING:
	case BPF_PROG_TYPE_LSM:
	case BPF_PROG_TYPE_STRUCT_OPS:
		if (off < 0 || off >= 8 * MAX_ARGS || off % size || !prog->attach_func_proto)
			return -EACCES;
		return btf_ctx_access(env, off, size, info);
	default:
		return -EACCES;
	}
}
