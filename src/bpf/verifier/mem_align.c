// SPDX-License-Identifier: GPL-2.0-only
/*
 * Alignment. x86 accesses any address; programs that ask for strict alignment
 * (BPF_F_STRICT_ALIGNMENT) are held to what other machines need. The stack is
 * always strict: what it holds is tracked by whole slots. So are atomics.
 */
#include <errno.h>

#include "mem_internal.h"

/* Packets begin two bytes off, so that the header of IP is aligned. */
#define NET_IP_ALIGN 2

static const char *const descriptions[__BPF_REG_TYPE_MAX] = {
	[PTR_TO_FLOW_KEYS] = "flow keys ", [PTR_TO_MAP_KEY] = "key ",
	[PTR_TO_MAP_VALUE] = "value ",     [PTR_TO_CTX] = "context ",
	[PTR_TO_STACK] = "stack ",         [PTR_TO_SOCKET] = "sock ",
	[PTR_TO_SOCK_COMMON] = "sock_common ", [PTR_TO_TCP_SOCK] = "tcp_sock ",
	[PTR_TO_XDP_SOCK] = "xdp_sock ",
};

static bool is_aligned(const struct bpf_reg_state *reg, s64 off, s32 size)
{
	return tnum_is_aligned(tnum_add(reg->s.var_off, tnum_const((u64)(reg->off + off))),
			       (u64)size);
}

int check_ptr_alignment(struct bpf_verifier_env *env, const struct bpf_reg_state *reg, s32 off,
			s32 size, bool strict_once)
{
	const char *what = type_flag(reg->type) ? NULL : descriptions[base_type(reg->type)];
	bool strict = env->strict_alignment || strict_once || reg->type == PTR_TO_STACK;
	char buf[TNUM_STR_SIZE];

	if (!strict || size == 1 || reg->type == PTR_TO_ARENA)
		return 0;
	if (type_is_pkt_pointer(reg->type)) {
		if (is_aligned(reg, (s64)off + NET_IP_ALIGN, size))
			return 0;
		verbose(env, "misaligned packet access off %d+%s+%d+%d size %d\n", NET_IP_ALIGN,
			tnum_str(reg->s.var_off, buf), reg->off, off, size);
		return -EACCES;
	}
	if (is_aligned(reg, off, size))
		return 0;
	verbose(env, "misaligned %saccess off %s+%d+%d size %d\n", what ? what : "",
		tnum_str(reg->s.var_off, buf), reg->off, off, size);
	return -EACCES;
}
