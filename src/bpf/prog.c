// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs: BPF_PROG_LOAD and their lives. Errnos are those of Linux's
 * bpf_prog_load(); libbpf finds out what a kernel can do by loading small
 * programs and looking at them.
 *
 * A program that is let go of while any program runs is freed later.
 */
#include "prog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "exec/exec.h"
#include "jit/jit.h"
#include "prog_type_internal.h"
#include "syscall/syscall.h"

#define LOAD_FLAGS                                                                                 \
	(BPF_F_STRICT_ALIGNMENT | BPF_F_ANY_ALIGNMENT | BPF_F_TEST_STATE_FREQ | BPF_F_SLEEPABLE |  \
	 BPF_F_TEST_RND_HI32 | BPF_F_XDP_HAS_FRAGS | BPF_F_TEST_REG_INVARIANTS)
#define MAX_BTF_TYPE 0xfffff
#define ENOTSUPP 524

/* --- life ----------------------------------------------------------------------------- */

static void free_exec(struct bpf_prog *prog)
{
	struct bpf_prog_exec *exec = prog->exec;

	if (!exec)
		return;
	bpf_regions_free(prog);
	free(exec->code);
	free(exec->consts);
	free(exec->kfuncs);
	free(exec->doubts);
	free(exec);
}

static void free_prog(void *arg)
{
	struct bpf_prog *prog = arg;
	u32 i;

	free_exec(prog);
	bpf_jit_free(prog);
	free(prog->facts);
	for (i = 0; i < prog->nr_maps; i++)
		bpf_map_put(prog->maps[i]);
	free(prog->maps);
	btf_put(prog->btf);
	btf_put(prog->attach_btf);
	free(prog->insns);
	free(prog->orig_insns);
	free(prog->subprogs);
	free(prog->func_info);
	free(prog->line_info);
	free(prog->kfunc_calls);
	free(prog);
}

static void release(struct bpf_obj *obj)
{
	struct bpf_prog *prog = container_of(obj, struct bpf_prog, obj);

	if (prog->own_type)
		bpf_own_type_unload(prog);
	if (bpf_exec_active())
		bpf_rcu_defer(free_prog, prog);
	else
		free_prog(prog);
}

void bpf_prog_get(struct bpf_prog *prog)
{
	bpf_obj_hold(&prog->obj);
}

void bpf_prog_put(struct bpf_prog *prog)
{
	if (prog)
		bpf_obj_put(&prog->obj);
}

struct bpf_prog *bpf_prog_from_fd(int fd)
{
	struct bpf_obj *obj = bpf_obj_from_fd(fd, BPF_OBJ_PROG);

	return obj ? container_of(obj, struct bpf_prog, obj) : NULL;
}

const char *bpf_prog_name(const struct bpf_prog *prog)
{
	return prog->name;
}

/* --- attributes -------------------------------------------------------------------------- */

static bool is_gpl(const char *license)
{
	static const char *const compatible[] = {
		"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL",
		"Dual MPL/GPL",
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(compatible); i++)
		if (!strcmp(license, compatible[i]))
			return true;
	return false;
}

/* Types whose context is known: to verify their programs, if not to run them. */
static bool type_known(enum bpf_prog_type type)
{
	if (bpf_own_type_find(type))
		return true;
	switch (type) {
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_XDP:
	case BPF_PROG_TYPE_PERF_EVENT:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_LWT_IN:
	case BPF_PROG_TYPE_LWT_OUT:
	case BPF_PROG_TYPE_LWT_XMIT:
	case BPF_PROG_TYPE_LWT_SEG6LOCAL:
	case BPF_PROG_TYPE_SOCK_OPS:
	case BPF_PROG_TYPE_SK_SKB:
	case BPF_PROG_TYPE_SK_MSG:
	case BPF_PROG_TYPE_SK_REUSEPORT:
	case BPF_PROG_TYPE_SK_LOOKUP:
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
	case BPF_PROG_TYPE_NETFILTER:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
	case BPF_PROG_TYPE_TRACING:
	case BPF_PROG_TYPE_STRUCT_OPS:
	case BPF_PROG_TYPE_LSM:
	case BPF_PROG_TYPE_SYSCALL:
		return true;
	default:
		return false;
	}
}

static bool attach_type_ok(enum bpf_prog_type type, u32 attach)
{
	switch (type) {
	case BPF_PROG_TYPE_CGROUP_SOCK:
		return attach == BPF_CGROUP_INET_SOCK_CREATE ||
		       attach == BPF_CGROUP_INET_SOCK_RELEASE ||
		       attach == BPF_CGROUP_INET4_POST_BIND || attach == BPF_CGROUP_INET6_POST_BIND;
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
		switch (attach) {
		case BPF_CGROUP_INET4_BIND:
		case BPF_CGROUP_INET6_BIND:
		case BPF_CGROUP_INET4_CONNECT:
		case BPF_CGROUP_INET6_CONNECT:
		case BPF_CGROUP_UNIX_CONNECT:
		case BPF_CGROUP_INET4_GETPEERNAME:
		case BPF_CGROUP_INET6_GETPEERNAME:
		case BPF_CGROUP_UNIX_GETPEERNAME:
		case BPF_CGROUP_INET4_GETSOCKNAME:
		case BPF_CGROUP_INET6_GETSOCKNAME:
		case BPF_CGROUP_UNIX_GETSOCKNAME:
		case BPF_CGROUP_UDP4_SENDMSG:
		case BPF_CGROUP_UDP6_SENDMSG:
		case BPF_CGROUP_UNIX_SENDMSG:
		case BPF_CGROUP_UDP4_RECVMSG:
		case BPF_CGROUP_UDP6_RECVMSG:
		case BPF_CGROUP_UNIX_RECVMSG:
			return true;
		default:
			return false;
		}
	case BPF_PROG_TYPE_CGROUP_SKB:
		return attach == BPF_CGROUP_INET_INGRESS || attach == BPF_CGROUP_INET_EGRESS;
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
		return attach == BPF_CGROUP_SETSOCKOPT || attach == BPF_CGROUP_GETSOCKOPT;
	case BPF_PROG_TYPE_SK_LOOKUP:
		return attach == BPF_SK_LOOKUP;
	case BPF_PROG_TYPE_SK_REUSEPORT:
		return attach == BPF_SK_REUSEPORT_SELECT ||
		       attach == BPF_SK_REUSEPORT_SELECT_OR_MIGRATE;
	case BPF_PROG_TYPE_NETFILTER:
		return attach == BPF_NETFILTER;
	case BPF_PROG_TYPE_SYSCALL:
		return !attach;
	default:
		return true;
	}
}

static bool uses_btf_id(enum bpf_prog_type type)
{
	return type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM ||
	       type == BPF_PROG_TYPE_STRUCT_OPS;
}

/* Of the BTF to attach to: the kernel's, named or by default. */
static int check_attach_btf(const union bpf_attr *attr)
{
	struct bpf_obj *obj;
	int err = 0;

	if (attr->attach_btf_id > MAX_BTF_TYPE ||
	    (attr->attach_btf_id && !uses_btf_id(attr->prog_type)))
		return -EINVAL;
	if (!attr->attach_prog_fd) /* the same field as attach_btf_obj_fd */
		return 0;
	obj = bpf_obj_from_fd((int)attr->attach_prog_fd, BPF_OBJ_BTF);
	if (!obj) /* another program: freplace and its like do not exist here */
		return -EINVAL;
	if (!container_of(obj, struct btf, obj)->kernel)
		err = -ENOTSUPP;
	else if (!attr->attach_btf_id)
		err = -EINVAL;
	bpf_obj_put(obj);
	return err;
}

static int check_attr(union bpf_attr *attr)
{
	if (attr->prog_flags & BPF_F_TOKEN_FD) /* there are no tokens */
		return -EBADF;
	if (attr->prog_flags & ~LOAD_FLAGS)
		return -EINVAL;
	if (attr->prog_type == BPF_PROG_TYPE_CGROUP_SOCK && !attr->expected_attach_type)
		attr->expected_attach_type = BPF_CGROUP_INET_SOCK_CREATE;
	if (attr->prog_type == BPF_PROG_TYPE_SK_REUSEPORT && !attr->expected_attach_type)
		attr->expected_attach_type = BPF_SK_REUSEPORT_SELECT;
	if (!attr->insn_cnt || attr->insn_cnt > BPF_MAX_INSNS)
		return -E2BIG;
	if (attr->prog_ifindex) /* there are no devices */
		return -EINVAL;
	if (!attach_type_ok(attr->prog_type, attr->expected_attach_type))
		return -EINVAL;
	if (!attr->insns || !attr->license)
		return -EFAULT;
	return check_attach_btf(attr) ?: type_known(attr->prog_type) ? 0 : -EINVAL;
}

/* --- loading ------------------------------------------------------------------------------- */

/* Identifies the instructions (FNV-1a; Linux takes a piece of SHA-1). */
static void set_tag(struct bpf_prog *prog)
{
	const u8 *p = (const u8 *)prog->orig_insns;
	u64 hash = 0xcbf29ce484222325ULL;
	size_t i;

	for (i = 0; i < prog->len * sizeof(struct bpf_insn); i++)
		hash = (hash ^ p[i]) * 0x100000001b3ULL;
	memcpy(prog->tag, &hash, sizeof(prog->tag));
}

static struct bpf_prog *new_prog(const union bpf_attr *attr, int *err)
{
	struct bpf_prog *prog = xcalloc(1, sizeof(*prog));
	size_t bytes = attr->insn_cnt * sizeof(struct bpf_insn);
	char license[128];

	bpf_obj_init(&prog->obj, BPF_OBJ_PROG, release);
	prog->type = attr->prog_type;
	prog->own_type = bpf_own_type_find(attr->prog_type);
	prog->expected_attach_type = attr->expected_attach_type;
	prog->flags = attr->prog_flags;
	prog->sleepable = attr->prog_flags & BPF_F_SLEEPABLE;
	prog->len = attr->insn_cnt;
	prog->attach_btf_id = attr->attach_btf_id;
	prog->exec = xcalloc(1, sizeof(*prog->exec));
	prog->insns = xcalloc(1, bytes);
	prog->orig_insns = xcalloc(1, bytes);
	memcpy(prog->insns, bpf_user_ptr(attr->insns), bytes);
	memcpy(prog->orig_insns, prog->insns, bytes);
	strncpy(license, bpf_user_ptr(attr->license), sizeof(license) - 1);
	license[sizeof(license) - 1] = '\0';
	prog->gpl_compatible = is_gpl(license);
	if (prog->attach_btf_id) {
		prog->attach_btf = bpf_kernel_btf();
		btf_get(prog->attach_btf);
	}
	set_tag(prog);
	*err = bpf_obj_name_copy(prog->name, attr->prog_name);
	return prog;
}

/* Only what has been verified is compiled: compiled code checks nothing. */
static int make_executable(struct bpf_prog *prog)
{
	int err = 0;

	if (prog->facts && !bpf_env->interpreted && bpf_jit_available())
		err = bpf_jit_compile(prog);
	else
		bpf_interp_decode(prog);
	return err;
}

const char *bpf_engine(bool interpreted)
{
	static char compiled[32];

	if (interpreted || !bpf_jit_available())
		return "interpreter";
	snprintf(compiled, sizeof(compiled), "jit (%s)", bpf_jit_arch());
	return compiled;
}

static int load(struct bpf_prog *prog, union bpf_attr *attr)
{
	struct bpf_log log;
	int err, log_err;

	err = bpf_log_init(&log, attr->log_level, bpf_user_ptr(attr->log_buf), attr->log_size);
	if (err)
		return err;
	err = bpf_check(prog, attr, &log);
	log_err = bpf_log_finish(&log, &attr->log_true_size);
	if (!err)
		err = log_err;
	return err ?: make_executable(prog);
}

int bpf_prog_load(union bpf_attr *attr, u32 size)
{
	struct bpf_prog *prog;
	int err, fd;

	err = check_attr(attr);
	if (err)
		return err;
	prog = new_prog(attr, &err);
	if (!err)
		err = load(prog, attr);
	if (!err && prog->own_type)
		err = bpf_own_type_load(prog);
	fd = err ? err : bpf_obj_new_fd(&prog->obj);
	if (fd < 0)
		bpf_prog_put(prog);
	return fd;
}
