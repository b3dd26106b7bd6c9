// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prototypes of helpers, against facts of Linux 6.12: every helper has one, it
 * is consistent, and programs find those of their type.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "../../src/bpf/helpers/helpers.h"

static const struct bpf_func_proto *proto_for(enum bpf_prog_type type, u32 attach, u32 id)
{
	struct bpf_prog prog = { .type = type, .expected_attach_type = attach };
	const struct bpf_func_proto *proto = bpf_helper_proto(&prog, id);

	return proto && bpf_helper_available(&prog, proto) ? proto : NULL;
}

static bool may_call(enum bpf_prog_type type, u32 attach, u32 id)
{
	return proto_for(type, attach, id) != NULL;
}

static u32 base(u32 arg)
{
	return arg & ARG_TYPE_MASK;
}

static bool is_size(u32 arg)
{
	return base(arg) == ARG_CONST_SIZE || base(arg) == ARG_CONST_SIZE_OR_ZERO;
}

/* Memory has a size, in the next argument or fixed, and sizes belong to memory. */
static void check_pairs(const struct bpf_func_proto *p)
{
	u32 i;

	assert_false(is_size(p->args[0]));
	for (i = 0; i < 5; i++) {
		bool next = i < 4 && is_size(p->args[i + 1]);
		bool fixed = p->args[i] & MEM_FIXED_SIZE;

		if (base(p->args[i]) != ARG_PTR_TO_MEM) {
			assert_false(next);
			continue;
		}
		assert_true(next != fixed);
		assert_int_equal(p->arg_size[i] != 0, fixed);
		assert_false(p->args[i] & MEM_RDONLY && p->args[i] & MEM_WRITE);
	}
}

static void test_all(void **state)
{
	u32 id, i, raw;

	for (id = 1; id < __BPF_FUNC_MAX_ID; id++) {
		const struct bpf_func_proto *p = bpf_helper_proto(NULL, id);

		assert_non_null(p);
		assert_string_equal(p->name, bpf_helper_name(NULL, id) + strlen("bpf_"));
		check_pairs(p);
		for (i = raw = 0; i < 5; i++) {
			raw += base(p->args[i]) == ARG_PTR_TO_MEM && p->args[i] & MEM_UNINIT;
			if (base(p->args[i]) == ARG_PTR_TO_BTF_ID && id != BPF_FUNC_kptr_xchg)
				assert_non_null(p->btf);
			assert_true(i == 4 || p->args[i] || !p->args[i + 1]);
		}
		assert_true(raw <= 1);
		if (p->ret == RET_PTR_TO_BTF_ID)
			assert_true(p->btf || p->ret_btf);
		if (p->changes_packet)
			assert_int_equal(base(p->args[0]), ARG_PTR_TO_CTX);
	}
	assert_null(bpf_helper_proto(NULL, 0));
	assert_null(bpf_helper_proto(NULL, __BPF_FUNC_MAX_ID));
}

static void test_types(void **state)
{
	static const struct {
		enum bpf_prog_type type;
		u32 attach, id;
		bool may;
	} facts[] = {
		{ BPF_PROG_TYPE_XDP, 0, BPF_FUNC_map_lookup_elem, true },
		{ BPF_PROG_TYPE_XDP, 0, BPF_FUNC_xdp_adjust_head, true },
		{ BPF_PROG_TYPE_XDP, 0, BPF_FUNC_skb_load_bytes, false },
		{ BPF_PROG_TYPE_XDP, 0, BPF_FUNC_ktime_get_coarse_ns, true },
		{ BPF_PROG_TYPE_SCHED_CLS, 0, BPF_FUNC_skb_change_head, true },
		{ BPF_PROG_TYPE_SOCKET_FILTER, 0, BPF_FUNC_skb_load_bytes, true },
		{ BPF_PROG_TYPE_SOCKET_FILTER, 0, BPF_FUNC_skb_store_bytes, false },
		{ BPF_PROG_TYPE_CGROUP_SKB, 0, BPF_FUNC_skb_load_bytes, true },
		{ BPF_PROG_TYPE_CGROUP_SKB, 0, BPF_FUNC_get_local_storage, true },
		{ BPF_PROG_TYPE_SOCKET_FILTER, 0, BPF_FUNC_get_local_storage, false },
		{ BPF_PROG_TYPE_STRUCT_OPS, 0, BPF_FUNC_task_storage_get, true },
		{ BPF_PROG_TYPE_STRUCT_OPS, 0, BPF_FUNC_get_current_comm, false },
		{ BPF_PROG_TYPE_STRUCT_OPS, 0, BPF_FUNC_ktime_get_coarse_ns, false },
		{ BPF_PROG_TYPE_TRACEPOINT, 0, BPF_FUNC_get_stackid, true },
		{ BPF_PROG_TYPE_TRACEPOINT, 0, BPF_FUNC_override_return, false },
		{ BPF_PROG_TYPE_KPROBE, 0, BPF_FUNC_override_return, true },
		{ BPF_PROG_TYPE_KPROBE, 0, BPF_FUNC_sys_bpf, false },
		{ BPF_PROG_TYPE_SYSCALL, 0, BPF_FUNC_sys_bpf, true },
		{ BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, BPF_FUNC_get_func_arg, true },
		{ BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, BPF_FUNC_get_func_arg, false },
		{ BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, BPF_FUNC_get_attach_cookie, true },
		{ BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, BPF_FUNC_get_attach_cookie, false },
		{ BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, BPF_FUNC_seq_printf, true },
		{ BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, BPF_FUNC_seq_printf, false },
		{ BPF_PROG_TYPE_LSM, BPF_LSM_MAC, BPF_FUNC_inode_storage_get, true },
		{ BPF_PROG_TYPE_LSM, BPF_LSM_MAC, BPF_FUNC_get_retval, false },
		{ BPF_PROG_TYPE_LSM, BPF_LSM_CGROUP, BPF_FUNC_get_retval, true },
		{ BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, BPF_FUNC_bind, true },
		{ BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND, BPF_FUNC_bind, false },
		{ BPF_PROG_TYPE_LIRC_MODE2, 0, BPF_FUNC_rc_repeat, true },
		{ BPF_PROG_TYPE_LIRC_MODE2, 0, BPF_FUNC_spin_lock, false },
		{ BPF_PROG_TYPE_LWT_OUT, 0, BPF_FUNC_skb_pull_data, true },
		{ BPF_PROG_TYPE_LWT_SEG6LOCAL, 0, BPF_FUNC_skb_pull_data, false },
		{ BPF_PROG_TYPE_NETFILTER, 0, BPF_FUNC_probe_read_kernel, true },
		{ BPF_PROG_TYPE_NETFILTER, 0, BPF_FUNC_probe_read, false },
		{ BPF_PROG_TYPE_EXT, 0, BPF_FUNC_map_lookup_elem, false },
	};
	u32 i;

	for (i = 0; i < sizeof(facts) / sizeof(*facts); i++)
		if (may_call(facts[i].type, facts[i].attach, facts[i].id) != facts[i].may)
			fail_msg("type %d: %s", facts[i].type, bpf_helper_name(NULL, facts[i].id));
}

/* The same helper, other arguments. */
static void test_variants(void **state)
{
	struct bpf_prog prog = { .type = BPF_PROG_TYPE_KPROBE };
	u32 id = BPF_FUNC_get_socket_cookie;

	assert_int_equal(proto_for(BPF_PROG_TYPE_SCHED_CLS, 0, id)->args[0], ARG_PTR_TO_CTX);
	assert_int_equal(proto_for(BPF_PROG_TYPE_TRACING, 0, id)->args[0],
			 ARG_PTR_TO_BTF_ID_SOCK_COMMON | PTR_MAYBE_NULL);
	id = BPF_FUNC_sk_storage_get;
	assert_int_equal(proto_for(BPF_PROG_TYPE_CGROUP_SOCK, 0, id)->args[1], ARG_PTR_TO_CTX);
	assert_int_equal(proto_for(BPF_PROG_TYPE_LSM, 0, id)->args[1],
			 ARG_PTR_TO_BTF_ID_SOCK_COMMON);
	assert_non_null(proto_for(BPF_PROG_TYPE_TRACING, 0, id)->allowed);
	id = BPF_FUNC_get_cgroup_classid;
	assert_int_equal(proto_for(BPF_PROG_TYPE_SK_MSG, 0, id)->args[0], ARG_DONTCARE);
	assert_false(bpf_helper_proto(&prog, BPF_FUNC_get_stack)->might_sleep);
	prog.sleepable = true;
	assert_true(bpf_helper_proto(&prog, BPF_FUNC_get_stack)->might_sleep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_variants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
