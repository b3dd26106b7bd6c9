// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may call which helper: sets by program type, and what some helpers ask of
 * a program beyond its type.
 *
 * Source: the *_func_proto() functions of Linux 6.12.
 */
#include <string.h>

#include "../btf/btf.h"
#include "table.h"

/* Types that are called from the kernel's own code, at places of all kinds. */
#define TRACING_SETS (FOR_BASE | FOR_TRACING)
#define NET_SETS (FOR_BASE | FOR_SK_BASE)
#define CGROUP_SETS (FOR_BASE | FOR_CGROUP | FOR_CG_CURRENT)

static const u32 sets_of[__MAX_BPF_PROG_TYPE] = {
	[BPF_PROG_TYPE_KPROBE] = TRACING_SETS | FOR_KPROBE,
	[BPF_PROG_TYPE_TRACEPOINT] = TRACING_SETS,
	[BPF_PROG_TYPE_PERF_EVENT] = TRACING_SETS | FOR_PERF,
	[BPF_PROG_TYPE_RAW_TRACEPOINT] = TRACING_SETS,
	[BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE] = TRACING_SETS,
	[BPF_PROG_TYPE_TRACING] = TRACING_SETS | FOR_TRACING_PROG,
	[BPF_PROG_TYPE_LSM] = TRACING_SETS | FOR_TRACING_PROG | FOR_LSM,
	[BPF_PROG_TYPE_SYSCALL] = TRACING_SETS | FOR_TRACING_PROG | FOR_SYSCALL,
	[BPF_PROG_TYPE_STRUCT_OPS] = FOR_BASE | FOR_STRUCT_OPS,
	[BPF_PROG_TYPE_NETFILTER] = FOR_BASE,
	[BPF_PROG_TYPE_LIRC_MODE2] = FOR_LIRC,

	[BPF_PROG_TYPE_SOCKET_FILTER] = NET_SETS | FOR_SK_FILTER,
	[BPF_PROG_TYPE_SCHED_CLS] = NET_SETS | FOR_TC,
	[BPF_PROG_TYPE_SCHED_ACT] = NET_SETS | FOR_TC,
	[BPF_PROG_TYPE_XDP] = NET_SETS | FOR_XDP,
	[BPF_PROG_TYPE_LWT_IN] = NET_SETS | FOR_LWT | FOR_LWT_IN,
	[BPF_PROG_TYPE_LWT_OUT] = NET_SETS | FOR_LWT,
	[BPF_PROG_TYPE_LWT_XMIT] = NET_SETS | FOR_LWT | FOR_LWT_XMIT,
	[BPF_PROG_TYPE_LWT_SEG6LOCAL] = NET_SETS | FOR_LWT | FOR_LWT_SEG6,
	[BPF_PROG_TYPE_SK_SKB] = NET_SETS | FOR_SK_SKB,
	[BPF_PROG_TYPE_SK_MSG] = NET_SETS | FOR_SK_MSG,
	[BPF_PROG_TYPE_FLOW_DISSECTOR] = NET_SETS | FOR_FLOW,
	[BPF_PROG_TYPE_SK_LOOKUP] = NET_SETS | FOR_SK_LOOKUP,
	[BPF_PROG_TYPE_SK_REUSEPORT] = FOR_BASE | FOR_REUSEPORT,

	[BPF_PROG_TYPE_CGROUP_SKB] = NET_SETS | FOR_CGROUP | FOR_SK_FILTER | FOR_CG_SKB,
	[BPF_PROG_TYPE_SOCK_OPS] = NET_SETS | FOR_CGROUP | FOR_SOCK_OPS,
	[BPF_PROG_TYPE_CGROUP_SOCK_ADDR] = NET_SETS | CGROUP_SETS | FOR_SOCK_ADDR,
	[BPF_PROG_TYPE_CGROUP_SOCK] = CGROUP_SETS | FOR_SOCK,
	[BPF_PROG_TYPE_CGROUP_DEVICE] = CGROUP_SETS | FOR_CG_DEV,
	[BPF_PROG_TYPE_CGROUP_SYSCTL] = CGROUP_SETS | FOR_SYSCTL,
	[BPF_PROG_TYPE_CGROUP_SOCKOPT] = CGROUP_SETS | FOR_SOCKOPT,
};

bool bpf_helper_available(const struct bpf_prog *prog, const struct bpf_func_proto *proto)
{
	u32 sets = FOR_BASE, who = proto->who ? proto->who : FOR_BASE;

	if (!prog->own_type)
		sets = sets_of[prog->type];
	if (prog->type == BPF_PROG_TYPE_LSM && prog->expected_attach_type == BPF_LSM_CGROUP)
		sets |= FOR_CGROUP;
	return sets & who && (!proto->available || proto->available(prog));
}

/* --- what helpers ask of a program ---------------------------------------------- */

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(*names, name))
		names++;
	return *names != NULL;
}

/* The function that the program is attached to. */
static const char *attach_name(const struct bpf_prog *prog)
{
	const struct btf_type *t =
		prog->attach_btf ? btf_type_by_id(prog->attach_btf, prog->attach_btf_id) : NULL;

	return t ? btf_name(prog->attach_btf, t->name_off) : "";
}

/* Attached to a function, whose arguments it can ask for. */
bool bpf_prog_has_trampoline(const struct bpf_prog *prog)
{
	switch (prog->expected_attach_type) {
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
	case BPF_MODIFY_RETURN:
		return prog->type == BPF_PROG_TYPE_TRACING;
	case BPF_LSM_MAC:
		return prog->type == BPF_PROG_TYPE_LSM;
	default:
		return false;
	}
}

bool bpf_prog_has_cookie(const struct bpf_prog *prog)
{
	switch (prog->type) {
	case BPF_PROG_TYPE_TRACING:
		return prog->expected_attach_type == BPF_TRACE_RAW_TP ||
		       bpf_prog_has_trampoline(prog);
	case BPF_PROG_TYPE_LSM:
		return bpf_prog_has_trampoline(prog);
	case BPF_PROG_TYPE_SYSCALL: /* nobody attaches it */
		return false;
	default:
		return true;
	}
}

/* Does the place it is attached to look at a result that can be set? */
bool bpf_prog_has_retval(const struct bpf_prog *prog)
{
	switch (prog->expected_attach_type) {
	case BPF_CGROUP_INET_INGRESS:
	case BPF_CGROUP_INET_EGRESS:
	case BPF_CGROUP_SOCK_OPS:
	case BPF_CGROUP_UDP4_RECVMSG:
	case BPF_CGROUP_UDP6_RECVMSG:
	case BPF_CGROUP_UNIX_RECVMSG:
	case BPF_CGROUP_INET4_GETPEERNAME:
	case BPF_CGROUP_INET6_GETPEERNAME:
	case BPF_CGROUP_UNIX_GETPEERNAME:
	case BPF_CGROUP_INET4_GETSOCKNAME:
	case BPF_CGROUP_INET6_GETSOCKNAME:
	case BPF_CGROUP_UNIX_GETSOCKNAME:
		return false;
	default:
		return true;
	}
}

bool bpf_prog_inet_connects(const struct bpf_prog *prog)
{
	return prog->expected_attach_type == BPF_CGROUP_INET4_CONNECT ||
	       prog->expected_attach_type == BPF_CGROUP_INET6_CONNECT;
}

static bool sock_addr_sockopt_works(enum bpf_attach_type type)
{
	switch (type) {
	case BPF_CGROUP_INET4_BIND:
	case BPF_CGROUP_INET6_BIND:
	case BPF_CGROUP_INET4_CONNECT:
	case BPF_CGROUP_INET6_CONNECT:
	case BPF_CGROUP_UNIX_CONNECT:
	case BPF_CGROUP_UDP4_RECVMSG:
	case BPF_CGROUP_UDP6_RECVMSG:
	case BPF_CGROUP_UNIX_RECVMSG:
	case BPF_CGROUP_UDP4_SENDMSG:
	case BPF_CGROUP_UDP6_SENDMSG:
	case BPF_CGROUP_UNIX_SENDMSG:
	case BPF_CGROUP_INET4_GETPEERNAME:
	case BPF_CGROUP_INET6_GETPEERNAME:
	case BPF_CGROUP_INET4_GETSOCKNAME:
	case BPF_CGROUP_INET6_GETSOCKNAME:
		return true;
	default:
		return false;
	}
}

/* Is the lock of the socket held, or is the socket not yet anybody else's? */
bool bpf_prog_sockopt_works(const struct bpf_prog *prog)
{
	static const char *const hooks[] = {
		"bpf_lsm_sock_graft", "bpf_lsm_inet_csk_clone", "bpf_lsm_inet_conn_established",
		"bpf_lsm_socket_post_create", "bpf_lsm_socket_socketpair", NULL,
	};

	switch (prog->type) {
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
		return sock_addr_sockopt_works(prog->expected_attach_type);
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
		return prog->expected_attach_type == BPF_CGROUP_SETSOCKOPT;
	case BPF_PROG_TYPE_LSM:
		return prog->expected_attach_type == BPF_LSM_CGROUP &&
		       is_one_of(attach_name(prog), hooks);
	default:
		return true;
	}
}

bool bpf_prog_is_iter(const struct bpf_prog *prog)
{
	return prog->type == BPF_PROG_TYPE_TRACING &&
	       prog->expected_attach_type == BPF_TRACE_ITER;
}

bool bpf_prog_is_not_seg6(const struct bpf_prog *prog)
{
	return prog->type != BPF_PROG_TYPE_LWT_SEG6LOCAL;
}

bool bpf_prog_may_sleep_in_lsm(const struct bpf_prog *prog)
{
	return prog->type == BPF_PROG_TYPE_LSM && prog->sleepable;
}

/* Where the locks that the walk takes cannot be held already. */
bool bpf_prog_may_d_path(const struct bpf_prog *prog)
{
	static const char *const functions[] = {
		"security_file_permission", "security_inode_getattr", "security_file_open",
		"security_path_truncate", "vfs_truncate", "vfs_fallocate", "dentry_open",
		"vfs_getattr", "filp_close", NULL,
	};

	return bpf_prog_is_iter(prog) || bpf_prog_may_sleep_in_lsm(prog) ||
	       is_one_of(attach_name(prog), functions);
}

/* Not in the storage's own functions. */
bool bpf_prog_may_sk_storage(const struct bpf_prog *prog)
{
	switch (prog->expected_attach_type) {
	case BPF_TRACE_ITER:
	case BPF_TRACE_RAW_TP:
		return true;
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
		return strncmp(attach_name(prog), "bpf_sk_storage", 14) != 0;
	default:
		return false;
	}
}
