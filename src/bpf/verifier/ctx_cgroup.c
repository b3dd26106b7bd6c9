// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs of cgroups see: sockets that are made, addresses that are bound
 * or connected to, options of sockets, devices and sysctls. What is there depends
 * on where the program is attached.
 *
 * Source: the UAPI headers, and what Linux's kernel/bpf/cgroup.c and
 * net/core/filter.c let through.
 */
#include "ctx_table.h"

#define ON(what) CTX_BIT(BPF_CGROUP_##what)

_Static_assert(__MAX_BPF_ATTACH_TYPE <= 64, "attach types are bits of a u64");

/* --- struct bpf_sock ---------- */

#define SOCK(field) AT(struct bpf_sock, field)
#define LIFE (ON(INET_SOCK_CREATE) | ON(INET_SOCK_RELEASE))
#define BOUND (ON(INET4_POST_BIND) | ON(INET6_POST_BIND))

static const struct ctx_field sock_fields[] = {
	{ SOCK(bound_dev_if), READ(4), WRITE(4), .readers = LIFE, .writers = LIFE },
	{ SOCK(family), READ_UPTO(4), .first_only = true },
	{ RANGE(struct bpf_sock, type, type), READ_UPTO(4), .first_only = true },
	{ SOCK(protocol), READ_UPTO(4), .first_only = true },
	{ RANGE(struct bpf_sock, mark, priority), READ(4), WRITE(4), .readers = LIFE,
	  .writers = LIFE },
	{ SOCK(src_ip4), READ_UPTO(4), .readers = ON(INET4_POST_BIND) },
	{ SOCK(src_ip6), READ_UPTO(4), .readers = ON(INET6_POST_BIND) },
	{ SOCK(src_port), READ_UPTO(4), .first_only = true, .readers = BOUND },
	{ SOCK(dst_port), READ_UPTO(2), .as_u32 = true },
	{ RANGE(struct bpf_sock, dst_ip4, dst_ip6), READ_UPTO(4) },
	{ SOCK(state), READ_UPTO(4), .first_only = true },
	{ SOCK(rx_queue_mapping), READ_UPTO(4), .first_only = true },
};

static const struct ctx_table sock_table_by_hook =
	TABLE(sock_fields, struct bpf_sock, CTX_BY_ATTACH_TYPE);

/* --- struct bpf_sock_addr ---------- */

#define ADDR(field) AT(struct bpf_sock_addr, field)
#define IP4                                                                                        \
	(ON(INET4_BIND) | ON(INET4_CONNECT) | ON(INET4_GETPEERNAME) | ON(INET4_GETSOCKNAME) |      \
	 ON(UDP4_SENDMSG) | ON(UDP4_RECVMSG))
#define IP6                                                                                        \
	(ON(INET6_BIND) | ON(INET6_CONNECT) | ON(INET6_GETPEERNAME) | ON(INET6_GETSOCKNAME) |      \
	 ON(UDP6_SENDMSG) | ON(UDP6_RECVMSG))

static const struct ctx_field sock_addr_fields[] = {
	{ ADDR(user_family), READ(4) },
	{ ADDR(user_ip4), READ_UPTO(4), WRITE(4), .readers = IP4, .writers = IP4 },
	{ ADDR(user_ip6), READ_UPTO(8), .write_min = 4, .write_max = 8, .readers = IP6,
	  .writers = IP6 },
	{ ADDR(user_port), READ_UPTO(4), WRITE(4) },
	{ RANGE(struct bpf_sock_addr, family, protocol), READ(4) },
	{ ADDR(msg_src_ip4), READ_UPTO(4), WRITE(4), .readers = ON(UDP4_SENDMSG),
	  .writers = ON(UDP4_SENDMSG) },
	{ ADDR(msg_src_ip6), READ_UPTO(8), .write_min = 4, .write_max = 8,
	  .readers = ON(UDP6_SENDMSG), .writers = ON(UDP6_SENDMSG) },
	{ ADDR(sk), READ(8), .type = PTR_TO_SOCKET },
};

static const struct ctx_table sock_addr_table =
	TABLE(sock_addr_fields, struct bpf_sock_addr, CTX_BY_ATTACH_TYPE);

/* --- struct bpf_sockopt ---------- */

static const struct ctx_field sockopt_fields[] = {
	{ AT(struct bpf_sockopt, sk), READ(8), .type = PTR_TO_SOCKET },
	{ AT(struct bpf_sockopt, optval), READ(8), .type = PTR_TO_PACKET },
	{ AT(struct bpf_sockopt, optval_end), READ(8), .type = PTR_TO_PACKET_END },
	{ RANGE(struct bpf_sockopt, level, optname), READ(4), WRITE(4),
	  .writers = ON(SETSOCKOPT) },
	{ AT(struct bpf_sockopt, optlen), READ(4), WRITE(4) },
	{ AT(struct bpf_sockopt, retval), READ(4), WRITE(4), .readers = ON(GETSOCKOPT),
	  .writers = ON(GETSOCKOPT) },
};

static const struct ctx_table sockopt_table =
	TABLE(sockopt_fields, struct bpf_sockopt, CTX_BY_ATTACH_TYPE);

/* --- devices and sysctls ---------- */

static const struct ctx_field device_fields[] = {
	{ AT(struct bpf_cgroup_dev_ctx, access_type), READ_UPTO(4) },
	{ RANGE(struct bpf_cgroup_dev_ctx, major, minor), READ(4) },
};

static const struct ctx_table device_table =
	TABLE(device_fields, struct bpf_cgroup_dev_ctx, CTX_FOR_ALL);

static const struct ctx_field sysctl_fields[] = {
	{ AT(struct bpf_sysctl, write), READ_UPTO(4) },
	{ AT(struct bpf_sysctl, file_pos), READ_UPTO(4), WRITE(4) },
};

static const struct ctx_table sysctl_table = TABLE(sysctl_fields, struct bpf_sysctl, CTX_FOR_ALL);

const struct ctx_table *ctx_cgroup_table(enum bpf_prog_type type)
{
	switch (type) {
	case BPF_PROG_TYPE_CGROUP_SOCK:
		return &sock_table_by_hook;
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
		return &sock_addr_table;
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
		return &sockopt_table;
	case BPF_PROG_TYPE_CGROUP_DEVICE:
		return &device_table;
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
		return &sysctl_table;
	default:
		return NULL;
	}
}
