// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of helpers, and who may call them.
 *
 * Source: Documentation of the helpers in <linux/bpf.h>; argument types as in
 * Linux 6.12's prototypes.
 */
#include "helpers.h"

#include "prog_type_internal.h"

#define OUT_MEM (ARG_PTR_TO_MEM | MEM_UNINIT | MEM_WRITE)
#define IN_MEM (ARG_PTR_TO_MEM | MEM_RDONLY)
#define OUT_VALUE (ARG_PTR_TO_MAP_VALUE | MEM_UNINIT | MEM_WRITE)
#define OUT_FIXED (OUT_MEM | MEM_FIXED_SIZE | MEM_ALIGNED)
#define RINGBUF_DYNPTR (ARG_PTR_TO_DYNPTR | DYNPTR_TYPE_RINGBUF)

/* The name of the helper and the function that is it. */
#define FN(name_) .name = #name_, .fn = helper_##name_
#define AS(name_, fn_) .name = #name_, .fn = helper_##fn_
#define ARGS(...) .args = { __VA_ARGS__ }
#define TRACING .group = HELPERS_TRACING
#define STORAGE .group = HELPERS_STORAGE
#define FUNC_ARG .group = HELPERS_FUNC_ARG

static const struct bpf_func_proto protos[__BPF_FUNC_MAX_ID] = {
	/* maps */
	[BPF_FUNC_map_lookup_elem] = { FN(map_lookup_elem), .ret = RET_PTR_TO_MAP_VALUE,
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY) },
	[BPF_FUNC_map_update_elem] = { FN(map_update_elem),
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY, ARG_PTR_TO_MAP_VALUE, ARG_ANYTHING) },
	[BPF_FUNC_map_delete_elem] = { FN(map_delete_elem),
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY) },
	[BPF_FUNC_map_push_elem] = { FN(map_push_elem),
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_VALUE, ARG_ANYTHING) },
	[BPF_FUNC_map_pop_elem] = { FN(map_pop_elem), ARGS(ARG_CONST_MAP_PTR, OUT_VALUE) },
	[BPF_FUNC_map_peek_elem] = { FN(map_peek_elem), ARGS(ARG_CONST_MAP_PTR, OUT_VALUE) },
	[BPF_FUNC_map_lookup_percpu_elem] = { FN(map_lookup_percpu_elem),
		.ret = RET_PTR_TO_MAP_VALUE,
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY, ARG_ANYTHING) },
	[BPF_FUNC_for_each_map_elem] = { FN(for_each_map_elem),
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_FUNC, ARG_PTR_TO_STACK | PTR_MAYBE_NULL,
		     ARG_ANYTHING) },
	[BPF_FUNC_loop] = { FN(loop),
		ARGS(ARG_ANYTHING, ARG_PTR_TO_FUNC, ARG_PTR_TO_STACK | PTR_MAYBE_NULL,
		     ARG_ANYTHING) },
	[BPF_FUNC_tail_call] = { .name = "tail_call", .ret = RET_VOID,
		ARGS(ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_ANYTHING) },

	/* time, CPUs, chance */
	[BPF_FUNC_ktime_get_ns] = { FN(ktime_get_ns) },
	[BPF_FUNC_ktime_get_boot_ns] = { AS(ktime_get_boot_ns, ktime_get_ns) },
	[BPF_FUNC_ktime_get_coarse_ns] = { AS(ktime_get_coarse_ns, ktime_get_ns),
		.group = HELPERS_CLOCK },
	[BPF_FUNC_ktime_get_tai_ns] = { AS(ktime_get_tai_ns, ktime_get_ns) },
	[BPF_FUNC_jiffies64] = { FN(jiffies64) },
	[BPF_FUNC_get_smp_processor_id] = { FN(get_smp_processor_id) },
	[BPF_FUNC_get_numa_node_id] = { FN(get_numa_node_id) },
	[BPF_FUNC_get_prandom_u32] = { FN(get_prandom_u32) },

	/* tasks */
	[BPF_FUNC_get_current_task] = { FN(get_current_task), .gpl_only = true },
	[BPF_FUNC_get_current_task_btf] = { AS(get_current_task_btf, get_current_task),
		.gpl_only = true, .ret = RET_PTR_TO_BTF_ID, .ret_flags = PTR_TRUSTED,
		.btf = "task_struct" },
	[BPF_FUNC_get_current_pid_tgid] = { FN(get_current_pid_tgid) },
	[BPF_FUNC_get_current_uid_gid] = { FN(get_current_uid_gid), TRACING },
	[BPF_FUNC_get_current_comm] = { FN(get_current_comm), TRACING,
		ARGS(OUT_MEM, ARG_CONST_SIZE) },
	[BPF_FUNC_task_storage_get] = { FN(task_storage_get), STORAGE,
		.ret = RET_PTR_TO_MAP_VALUE, .btf = "task_struct",
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL,
		     ARG_PTR_TO_MAP_VALUE | PTR_MAYBE_NULL, ARG_ANYTHING) },
	[BPF_FUNC_task_storage_delete] = { FN(task_storage_delete), STORAGE, .btf = "task_struct",
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL) },
	[BPF_FUNC_cgrp_storage_get] = { FN(cgrp_storage_get), .ret = RET_PTR_TO_MAP_VALUE,
		.btf = "cgroup",
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL,
		     ARG_PTR_TO_MAP_VALUE | PTR_MAYBE_NULL, ARG_ANYTHING) },
	[BPF_FUNC_cgrp_storage_delete] = { FN(cgrp_storage_delete), .btf = "cgroup",
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL) },

	/* special fields */
	[BPF_FUNC_spin_lock] = { FN(spin_lock), .ret = RET_VOID, ARGS(ARG_PTR_TO_SPIN_LOCK) },
	[BPF_FUNC_spin_unlock] = { FN(spin_unlock), .ret = RET_VOID, ARGS(ARG_PTR_TO_SPIN_LOCK) },
	[BPF_FUNC_kptr_xchg] = { FN(kptr_xchg), .ret = RET_PTR_TO_KPTR,
		ARGS(ARG_KPTR_XCHG_DEST, ARG_ANYTHING | OBJ_RELEASE) },
	[BPF_FUNC_timer_init] = { FN(timer_init),
		ARGS(ARG_PTR_TO_TIMER, ARG_CONST_MAP_PTR, ARG_ANYTHING) },
	[BPF_FUNC_timer_set_callback] = { FN(timer_set_callback),
		ARGS(ARG_PTR_TO_TIMER, ARG_PTR_TO_FUNC) },
	[BPF_FUNC_timer_start] = { FN(timer_start),
		ARGS(ARG_PTR_TO_TIMER, ARG_ANYTHING, ARG_ANYTHING) },
	[BPF_FUNC_timer_cancel] = { FN(timer_cancel), ARGS(ARG_PTR_TO_TIMER) },
	[BPF_FUNC_per_cpu_ptr] = { FN(per_cpu_ptr), .ret = RET_PTR_TO_MEM_OR_BTF_ID,
		ARGS(ARG_PTR_TO_PERCPU_BTF_ID, ARG_ANYTHING) },
	[BPF_FUNC_this_cpu_ptr] = { FN(this_cpu_ptr), .ret = RET_PTR_TO_MEM_OR_BTF_ID,
		.ret_flags = PTR_TRUSTED, ARGS(ARG_PTR_TO_PERCPU_BTF_ID) },

	/* memory and text */
	[BPF_FUNC_probe_read] = { FN(probe_read), TRACING, .gpl_only = true,
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_probe_read_str] = { FN(probe_read_str), TRACING,
		.gpl_only = true, ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_probe_read_kernel] = { FN(probe_read_kernel), .gpl_only = true,
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_probe_read_kernel_str] = { FN(probe_read_kernel_str), .gpl_only = true,
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_probe_read_user] = { FN(probe_read_user), .gpl_only = true,
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_probe_read_user_str] = { FN(probe_read_user_str), .gpl_only = true,
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_copy_from_user] = { FN(copy_from_user), TRACING, .might_sleep = true,
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_strncmp] = { FN(strncmp),
		ARGS(IN_MEM, ARG_CONST_SIZE, ARG_PTR_TO_CONST_STR) },
	[BPF_FUNC_strtol] = { FN(strtol),
		ARGS(IN_MEM, ARG_CONST_SIZE, ARG_ANYTHING, OUT_FIXED), .arg_size = { [3] = 8 } },
	[BPF_FUNC_strtoul] = { FN(strtoul),
		ARGS(IN_MEM, ARG_CONST_SIZE, ARG_ANYTHING, OUT_FIXED), .arg_size = { [3] = 8 } },
	[BPF_FUNC_snprintf] = { FN(snprintf), .gpl_only = true,
		ARGS(OUT_MEM | PTR_MAYBE_NULL, ARG_CONST_SIZE_OR_ZERO, ARG_PTR_TO_CONST_STR,
		     IN_MEM | PTR_MAYBE_NULL, ARG_CONST_SIZE_OR_ZERO) },
	[BPF_FUNC_trace_printk] = { FN(trace_printk), .gpl_only = true,
		ARGS(IN_MEM, ARG_CONST_SIZE, ARG_ANYTHING, ARG_ANYTHING, ARG_ANYTHING) },
	[BPF_FUNC_trace_vprintk] = { FN(trace_vprintk), .gpl_only = true,
		ARGS(IN_MEM, ARG_CONST_SIZE, IN_MEM | PTR_MAYBE_NULL, ARG_CONST_SIZE_OR_ZERO) },

	/* ring buffers and dynptrs */
	[BPF_FUNC_perf_event_output] = { FN(perf_event_output), TRACING, .gpl_only = true,
		ARGS(ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_ANYTHING, IN_MEM,
		     ARG_CONST_SIZE_OR_ZERO) },
	[BPF_FUNC_ringbuf_output] = { FN(ringbuf_output),
		ARGS(ARG_CONST_MAP_PTR, IN_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_ringbuf_reserve] = { FN(ringbuf_reserve), .ret = RET_PTR_TO_RINGBUF_MEM,
		ARGS(ARG_CONST_MAP_PTR, ARG_CONST_ALLOC_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_ringbuf_submit] = { FN(ringbuf_submit), .ret = RET_VOID,
		ARGS(ARG_PTR_TO_RINGBUF_MEM | OBJ_RELEASE, ARG_ANYTHING) },
	[BPF_FUNC_ringbuf_discard] = { FN(ringbuf_discard), .ret = RET_VOID,
		ARGS(ARG_PTR_TO_RINGBUF_MEM | OBJ_RELEASE, ARG_ANYTHING) },
	[BPF_FUNC_ringbuf_query] = { FN(ringbuf_query), ARGS(ARG_CONST_MAP_PTR, ARG_ANYTHING) },
	[BPF_FUNC_user_ringbuf_drain] = { FN(user_ringbuf_drain),
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_FUNC, ARG_PTR_TO_STACK | PTR_MAYBE_NULL,
		     ARG_ANYTHING) },
	[BPF_FUNC_ringbuf_reserve_dynptr] = { FN(ringbuf_reserve_dynptr),
		ARGS(ARG_CONST_MAP_PTR, ARG_ANYTHING, ARG_ANYTHING, RINGBUF_DYNPTR | MEM_UNINIT) },
	[BPF_FUNC_ringbuf_submit_dynptr] = { FN(ringbuf_submit_dynptr), .ret = RET_VOID,
		ARGS(RINGBUF_DYNPTR | OBJ_RELEASE, ARG_ANYTHING) },
	[BPF_FUNC_ringbuf_discard_dynptr] = { FN(ringbuf_discard_dynptr), .ret = RET_VOID,
		ARGS(RINGBUF_DYNPTR | OBJ_RELEASE, ARG_ANYTHING) },
	[BPF_FUNC_dynptr_from_mem] = { FN(dynptr_from_mem),
		ARGS(ARG_PTR_TO_MEM | MEM_UNINIT, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING,
		     ARG_PTR_TO_DYNPTR | DYNPTR_TYPE_LOCAL | MEM_UNINIT) },
	[BPF_FUNC_dynptr_read] = { FN(dynptr_read),
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_PTR_TO_DYNPTR | MEM_RDONLY, ARG_ANYTHING,
		     ARG_ANYTHING) },
	[BPF_FUNC_dynptr_write] = { FN(dynptr_write),
		ARGS(ARG_PTR_TO_DYNPTR | MEM_RDONLY, ARG_ANYTHING, IN_MEM, ARG_CONST_SIZE_OR_ZERO,
		     ARG_ANYTHING) },
	[BPF_FUNC_dynptr_data] = { FN(dynptr_data), .ret = RET_PTR_TO_DYNPTR_MEM,
		ARGS(ARG_PTR_TO_DYNPTR | MEM_RDONLY, ARG_ANYTHING, ARG_CONST_ALLOC_SIZE_OR_ZERO) },

	/* tracing */
	[BPF_FUNC_get_func_arg] = { FN(get_func_arg), FUNC_ARG,
		ARGS(ARG_PTR_TO_CTX, ARG_ANYTHING, OUT_FIXED), .arg_size = { [2] = 8 } },
	[BPF_FUNC_get_func_ret] = { FN(get_func_ret), FUNC_ARG, ARGS(ARG_PTR_TO_CTX, OUT_FIXED),
		.arg_size = { [1] = 8 } },
	[BPF_FUNC_get_func_arg_cnt] = { FN(get_func_arg_cnt), FUNC_ARG, ARGS(ARG_PTR_TO_CTX) },
	[BPF_FUNC_get_attach_cookie] = { FN(get_attach_cookie), TRACING, ARGS(ARG_PTR_TO_CTX) },
};

static const struct bpf_own_helper *own_helper(const struct bpf_prog *prog, u32 id)
{
	return prog && prog->own_type ? bpf_own_helper_find(prog->own_type, id) : NULL;
}

const struct bpf_func_proto *bpf_helper_proto(const struct bpf_prog *prog, u32 id)
{
	const struct bpf_own_helper *own;

	if (likely(id < ARRAY_SIZE(protos)))
		return protos[id].name ? &protos[id] : NULL;
	own = own_helper(prog, id);
	return own ? own->proto : NULL;
}

const char *bpf_helper_name(const struct bpf_prog *prog, u32 id)
{
	const struct bpf_own_helper *own;

#define NAME(name, value, ...) [value] = "bpf_" #name,
	static const char *const names[] = { ___BPF_FUNC_MAPPER(NAME, 0) };

	if (likely(id < ARRAY_SIZE(names)))
		return id && names[id] ? names[id] : "unknown";
	own = own_helper(prog, id);
	return own ? own->name : "unknown";
}

static bool is_tracing(enum bpf_prog_type type)
{
	switch (type) {
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_PERF_EVENT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
	case BPF_PROG_TYPE_TRACING:
	case BPF_PROG_TYPE_LSM:
	case BPF_PROG_TYPE_SYSCALL:
		return true;
	default:
		return false;
	}
}

bool bpf_helper_allowed(const struct bpf_prog *prog, const struct bpf_func_proto *proto)
{
	switch (proto->group) {
	case HELPERS_BASE:
		return true;
	case HELPERS_TRACING:
		return is_tracing(prog->type);
	case HELPERS_STORAGE:
		return is_tracing(prog->type) || prog->type == BPF_PROG_TYPE_STRUCT_OPS;
	case HELPERS_CLOCK:
		return prog->type != BPF_PROG_TYPE_STRUCT_OPS;
	case HELPERS_FUNC_ARG:
		return prog->type == BPF_PROG_TYPE_TRACING && prog->nr_ctx_args &&
		       (prog->expected_attach_type == BPF_TRACE_FENTRY ||
			prog->expected_attach_type == BPF_TRACE_FEXIT ||
			prog->expected_attach_type == BPF_MODIFY_RETURN);
	}
	return false;
}
