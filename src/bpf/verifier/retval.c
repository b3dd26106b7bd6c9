// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs may return, by type and by what they are attached to.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../btf/internal.h"
#include "verifier.h"

#define MAX_ERRNO 4095
#define ENOTSUPP 524

bool retval_range_within(struct bpf_retval_range range, const struct bpf_reg_state *reg,
			 bool return_32bit)
{
	if (return_32bit)
		return range.minval <= reg->s.s32_min_value &&
		       reg->s.s32_max_value <= range.maxval;
	return range.minval <= reg->s.smin_value && reg->s.smax_value <= range.maxval;
}

void verbose_invalid_scalar(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			    struct bpf_retval_range range, const char *ctx, const char *reg_name)
{
	verbose(env, "%s the register %s has", ctx, reg_name);
	if (reg->s.smin_value > LLONG_MIN)
		verbose(env, " smin=%lld", (long long)reg->s.smin_value);
	if (reg->s.smax_value < LLONG_MAX)
		verbose(env, " smax=%lld", (long long)reg->s.smax_value);
	if (reg->s.smin_value == LLONG_MIN && reg->s.smax_value == LLONG_MAX)
		verbose(env, " unknown scalar value");
	verbose(env, " should have been in [%d, %d]\n", range.minval, range.maxval);
}

/* --- ranges ------------------------------------------------------------------------ */

/* What a program must return. @any: whatever it likes; @nothing: r0 need not be set. */
struct wanted {
	struct bpf_retval_range range;
	bool any, nothing, return_32bit;
};

#define RANGE(min, max) ((struct wanted){ .range = { min, max } })
#define ANYTHING ((struct wanted){ .any = true })

/* The prototype of what the program is attached to or implements, or NULL. */
static const struct btf_type *attach_proto(const struct bpf_prog *prog)
{
	const struct btf *btf = bpf_kernel_btf();
	const struct btf_type *t;

	if (prog->st_ops) {
		t = prog->st_ops->type;
		t = btf_type_skip_modifiers(
			btf, btf_members(t)[prog->expected_attach_type].type, NULL);
		return btf_type_skip_modifiers(btf, t->type, NULL);
	}
	t = prog->attach_btf_id ? btf_type_by_id(btf, prog->attach_btf_id) : NULL;
	return t && btf_kind(t) == BTF_KIND_FUNC ? btf_type_by_id(btf, t->type) : NULL;
}

static struct wanted sock_addr(enum bpf_attach_type attach)
{
	switch (attach) {
	case BPF_CGROUP_UDP4_RECVMSG:
	case BPF_CGROUP_UDP6_RECVMSG:
	case BPF_CGROUP_UNIX_RECVMSG:
	case BPF_CGROUP_INET4_GETPEERNAME:
	case BPF_CGROUP_INET6_GETPEERNAME:
	case BPF_CGROUP_UNIX_GETPEERNAME:
	case BPF_CGROUP_INET4_GETSOCKNAME:
	case BPF_CGROUP_INET6_GETSOCKNAME:
	case BPF_CGROUP_UNIX_GETSOCKNAME:
		return RANGE(1, 1);
	case BPF_CGROUP_INET4_BIND:
	case BPF_CGROUP_INET6_BIND:
		return RANGE(0, 3);
	default:
		return RANGE(0, 1);
	}
}

/* Hooks that say yes or no; all others return 0 or an error. */
static struct wanted lsm_hook(const struct bpf_prog *prog, const struct btf_type *proto)
{
	static const char *const yes_or_no[] = { "bpf_lsm_audit_rule_known",
						 "bpf_lsm_inode_xattr_skipcap" };
	const struct btf *btf = bpf_kernel_btf();
	const struct btf_type *func = btf_type_by_id(btf, prog->attach_btf_id);
	struct wanted w = { .range = { -MAX_ERRNO, 0 }, .return_32bit = true };

	if (proto && !proto->type)
		return (struct wanted){ .nothing = true };
	for (u32 i = 0; func && i < ARRAY_SIZE(yes_or_no); i++)
		if (!strcmp(btf_name(btf, func->name_off), yes_or_no[i]))
			w.range = (struct bpf_retval_range){ 0, 1 };
	return w;
}

bool lsm_retval_range(const struct bpf_prog *prog, struct bpf_retval_range *range)
{
	struct wanted w;

	if (prog->type != BPF_PROG_TYPE_LSM || prog->expected_attach_type != BPF_LSM_MAC)
		return false;
	w = lsm_hook(prog, attach_proto(prog));
	*range = w.range;
	return !w.nothing;
}

static struct wanted tracing(const struct bpf_prog *prog)
{
	switch (prog->expected_attach_type) {
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
		return RANGE(0, 0);
	case BPF_TRACE_ITER:
		return RANGE(0, 1);
	default:
		return ANYTHING;
	}
}

static struct wanted wanted_of(const struct bpf_prog *prog)
{
	const struct btf_type *proto = attach_proto(prog);

	switch (prog->type) {
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
		return sock_addr(prog->expected_attach_type);
	case BPF_PROG_TYPE_CGROUP_SKB:
		return prog->expected_attach_type == BPF_CGROUP_INET_EGRESS ? RANGE(0, 3) :
									      RANGE(0, 1);
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_SOCK_OPS:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
	case BPF_PROG_TYPE_SK_LOOKUP:
	case BPF_PROG_TYPE_NETFILTER:
		return RANGE(0, 1);
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
		return prog->attach_btf_id ? RANGE(0, 0) : ANYTHING;
	case BPF_PROG_TYPE_TRACING:
		return tracing(prog);
	case BPF_PROG_TYPE_LSM:
		return lsm_hook(prog, proto);
	case BPF_PROG_TYPE_STRUCT_OPS:
		return (struct wanted){ .any = true, .nothing = proto && !proto->type };
	default:
		return ANYTHING;
	}
}

/* --- the check ----------------------------------------------------------------------- */

static int enforce(struct bpf_verifier_env *env, u32 regno, const char *reg_name,
		   const struct wanted *wanted, const char *when)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	char type[128];
	int err;

	if (reg->type != SCALAR_VALUE) {
		verbose(env, "%s the register R%u is not a known value (%s)\n", when, regno,
			reg_type_str(env, reg->type, type));
		return -EINVAL;
	}
	err = mark_chain_precision(env, regno);
	if (err)
		return err;
	if (retval_range_within(wanted->range, reg, wanted->return_32bit))
		return 0;
	verbose_invalid_scalar(env, reg, wanted->range, when, reg_name);
	return -EINVAL;
}

/* A global function returns a number to whoever calls it. */
static int check_subprog_return(struct bpf_verifier_env *env, u32 regno)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	char type[128];

	if (reg->type == SCALAR_VALUE)
		return 0;
	verbose(env, "At subprogram exit the register R%u is not a scalar value (%s)\n", regno,
		reg_type_str(env, reg->type, type));
	return -EINVAL;
}

int check_return_code(struct bpf_verifier_env *env, u32 regno, const char *reg_name)
{
	const struct bpf_func_state *func = env->cur->frame[0];
	bool ends_program = !func->subprogno || func->in_exception_callback_fn;
	struct wanted wanted = wanted_of(env->prog);
	int err;

	if (ends_program && wanted.nothing)
		return 0;
	err = check_reg_arg(env, regno, SRC_OP);
	if (err)
		return err;
	if (func->in_async_callback_fn)
		return enforce(env, regno, reg_name, &RANGE(0, 0), "At async callback return");
	if (!ends_program)
		return check_subprog_return(env, regno);
	return wanted.any ? 0 : enforce(env, regno, reg_name, &wanted, "At program exit");
}
