// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of helpers: all of Linux 6.12, those for networks in helpers/net.c.
 *
 * Source: Documentation of the helpers in <linux/bpf.h>; argument types as in
 * Linux 6.12's prototypes, but what a helper writes says so (MEM_WRITE).
 */
#include "table.h"

#include "../prog_type_internal.h"

#define BASE_LIRC .who = FOR_BASE | FOR_LIRC
#define TRACING .who = FOR_TRACING
#define STORAGE .who = FOR_TRACING | FOR_STRUCT_OPS
#define FUNC_ARG .who = FOR_TRACING_PROG, .available = bpf_prog_has_trampoline
#define OR_NULL .ret_flags = PTR_MAYBE_NULL

static const struct bpf_func_proto protos[__BPF_FUNC_MAX_ID] = {
	/* maps */
	[BPF_FUNC_map_lookup_elem] = { FN(map_lookup_elem), TIMELESS, BASE_LIRC, .pkt_access = true,
		.ret = RET_PTR_TO_MAP_VALUE, OR_NULL, ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY) },
	[BPF_FUNC_map_update_elem] = { FN(map_update_elem), TIMELESS, BASE_LIRC, .pkt_access = true,
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY, ARG_PTR_TO_MAP_VALUE, ARG_ANYTHING) },
	[BPF_FUNC_map_delete_elem] = { FN(map_delete_elem), TIMELESS, BASE_LIRC, .pkt_access = true,
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY) },
	[BPF_FUNC_map_push_elem] = { FN(map_push_elem), TIMELESS, BASE_LIRC, .pkt_access = true,
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_VALUE, ARG_ANYTHING) },
	[BPF_FUNC_map_pop_elem] = { FN(map_pop_elem), TIMELESS, BASE_LIRC,
		ARGS(ARG_CONST_MAP_PTR, OUT_VALUE) },
	[BPF_FUNC_map_peek_elem] = { FN(map_peek_elem), TIMELESS, BASE_LIRC,
		ARGS(ARG_CONST_MAP_PTR, OUT_VALUE) },
	[BPF_FUNC_map_lookup_percpu_elem] = { FN(map_lookup_percpu_elem), TIMELESS,
		.pkt_access = true, .ret = RET_PTR_TO_MAP_VALUE, OR_NULL,
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_MAP_KEY, ARG_ANYTHING) },
	[BPF_FUNC_for_each_map_elem] = { FN(for_each_map_elem), TIMELESS, CALLS_BACK,
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_FUNC, ARG_PTR_TO_STACK | PTR_MAYBE_NULL,
		     ARG_ANYTHING) },
	[BPF_FUNC_loop] = { FN(loop), TIMELESS, CALLS_BACK,
		ARGS(ARG_SCALAR, ARG_PTR_TO_FUNC, ARG_PTR_TO_STACK | PTR_MAYBE_NULL,
		     ARG_ANYTHING) },
	[BPF_FUNC_tail_call] = { NAME(tail_call), BASE_LIRC, .ret = RET_VOID,
		.changes_packet = true, ARGS(ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_ANYTHING) },

	/* time, CPUs, chance */
	[BPF_FUNC_ktime_get_ns] = { FN(ktime_get_ns), BASE_LIRC },
	[BPF_FUNC_ktime_get_boot_ns] = { AS(ktime_get_boot_ns, ktime_get_ns), BASE_LIRC },
	[BPF_FUNC_ktime_get_coarse_ns] = { AS(ktime_get_coarse_ns, ktime_get_ns),
		.who = FOR_SK_BASE | FOR_SOCK | FOR_REUSEPORT | FOR_SYSCTL },
	[BPF_FUNC_ktime_get_tai_ns] = { AS(ktime_get_tai_ns, ktime_get_ns) },
	[BPF_FUNC_jiffies64] = { FN(jiffies64) },
	[BPF_FUNC_get_smp_processor_id] = { FN(get_smp_processor_id), TIMELESS },
	[BPF_FUNC_get_numa_node_id] = { FN(get_numa_node_id), TIMELESS },
	[BPF_FUNC_get_prandom_u32] = { FN(get_prandom_u32), TIMELESS, BASE_LIRC },

	/* tasks */
	[BPF_FUNC_get_current_task] = { FN(get_current_task), TIMELESS, .gpl_only = true },
	[BPF_FUNC_get_current_task_btf] = { AS(get_current_task_btf, get_current_task), TIMELESS,
		.gpl_only = true, .ret = RET_PTR_TO_BTF_ID, .ret_flags = PTR_TRUSTED,
		.btf = "task_struct" },
	[BPF_FUNC_get_current_pid_tgid] = { FN(get_current_pid_tgid), TIMELESS },
	[BPF_FUNC_get_current_uid_gid] = { FN(get_current_uid_gid), TIMELESS,
		.who = FOR_TRACING | FOR_SK_MSG | FOR_CG_CURRENT },
	[BPF_FUNC_get_current_comm] = { FN(get_current_comm), TIMELESS,
		.who = FOR_TRACING | FOR_CG_CURRENT,
		ARGS(OUT_MEM, ARG_CONST_SIZE) },
	[BPF_FUNC_task_storage_get] = { FN(task_storage_get), TIMELESS, STORAGE,
		.ret = RET_PTR_TO_MAP_VALUE, OR_NULL, .btf = "task_struct",
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL,
		     ARG_PTR_TO_MAP_VALUE | PTR_MAYBE_NULL, ARG_ANYTHING) },
	[BPF_FUNC_task_storage_delete] = { FN(task_storage_delete), TIMELESS, STORAGE,
		.btf = "task_struct",
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL) },
	[BPF_FUNC_cgrp_storage_get] = { FN(cgrp_storage_get), TIMELESS,
		.ret = RET_PTR_TO_MAP_VALUE, OR_NULL, .btf = "cgroup",
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL,
		     ARG_PTR_TO_MAP_VALUE | PTR_MAYBE_NULL, ARG_ANYTHING) },
	[BPF_FUNC_cgrp_storage_delete] = { FN(cgrp_storage_delete), TIMELESS, .btf = "cgroup",
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL) },

	/* special fields */
	[BPF_FUNC_spin_lock] = { FN(spin_lock), .ret = RET_VOID, ARGS(ARG_PTR_TO_SPIN_LOCK) },
	[BPF_FUNC_spin_unlock] = { FN(spin_unlock), .ret = RET_VOID, ARGS(ARG_PTR_TO_SPIN_LOCK) },
	[BPF_FUNC_kptr_xchg] = { FN(kptr_xchg), TIMELESS, .ret = RET_PTR_TO_KPTR, OR_NULL,
		ARGS(ARG_KPTR_XCHG_DEST, ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL | OBJ_RELEASE) },
	[BPF_FUNC_timer_init] = { FN(timer_init), .gpl_only = true,
		ARGS(ARG_PTR_TO_TIMER, ARG_CONST_MAP_PTR, ARG_ANYTHING) },
	[BPF_FUNC_timer_set_callback] = { FN(timer_set_callback), .gpl_only = true,
		ARGS(ARG_PTR_TO_TIMER, ARG_PTR_TO_FUNC) },
	[BPF_FUNC_timer_start] = { FN(timer_start), .gpl_only = true,
		ARGS(ARG_PTR_TO_TIMER, ARG_ANYTHING, ARG_ANYTHING) },
	[BPF_FUNC_timer_cancel] = { FN(timer_cancel), .gpl_only = true, ARGS(ARG_PTR_TO_TIMER) },
	[BPF_FUNC_per_cpu_ptr] = { FN(per_cpu_ptr), TIMELESS, .ret = RET_PTR_TO_MEM_OR_BTF_ID,
		.ret_flags = PTR_MAYBE_NULL | MEM_RDONLY,
		ARGS(ARG_PTR_TO_PERCPU_BTF_ID, ARG_ANYTHING) },
	[BPF_FUNC_this_cpu_ptr] = { FN(this_cpu_ptr), TIMELESS, .ret = RET_PTR_TO_MEM_OR_BTF_ID,
		.ret_flags = MEM_RDONLY, ARGS(ARG_PTR_TO_PERCPU_BTF_ID) },

	/* memory and text */
	[BPF_FUNC_probe_read] = { FN(probe_read), TIMELESS, TRACING, .gpl_only = true,
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_probe_read_str] = { FN(probe_read_str), TIMELESS, TRACING,
		.gpl_only = true, ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_probe_read_kernel] = { FN(probe_read_kernel), TIMELESS, .gpl_only = true,
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_probe_read_kernel_str] = { FN(probe_read_kernel_str), TIMELESS, .gpl_only = true,
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_probe_read_user] = { FN(probe_read_user), TIMELESS, .gpl_only = true,
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_probe_read_user_str] = { FN(probe_read_user_str), TIMELESS, .gpl_only = true,
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_copy_from_user] = { FN(copy_from_user), TRACING, .might_sleep = true,
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_strncmp] = { FN(strncmp), TIMELESS,
		ARGS(IN_MEM, ARG_CONST_SIZE, ARG_PTR_TO_CONST_STR) },
	[BPF_FUNC_strtol] = { FN(strtol), TIMELESS,
		ARGS(IN_MEM, ARG_CONST_SIZE, ARG_ANYTHING, OUT_FIXED), .arg_size = { [3] = 8 } },
	[BPF_FUNC_strtoul] = { FN(strtoul), TIMELESS,
		ARGS(IN_MEM, ARG_CONST_SIZE, ARG_ANYTHING, OUT_FIXED), .arg_size = { [3] = 8 } },
	[BPF_FUNC_snprintf] = { FN(snprintf), TIMELESS, .gpl_only = true,
		ARGS(OUT_MEM | PTR_MAYBE_NULL, ARG_CONST_SIZE_OR_ZERO, ARG_PTR_TO_CONST_STR,
		     IN_MEM | PTR_MAYBE_NULL, ARG_CONST_SIZE_OR_ZERO) },
	[BPF_FUNC_trace_printk] = { FN(trace_printk), BASE_LIRC, .gpl_only = true,
		ARGS(IN_MEM, ARG_CONST_SIZE) },
	[BPF_FUNC_trace_vprintk] = { FN(trace_vprintk), .gpl_only = true,
		ARGS(IN_MEM, ARG_CONST_SIZE, IN_MEM | PTR_MAYBE_NULL, ARG_CONST_SIZE_OR_ZERO) },

	/* ring buffers and dynptrs */
	[BPF_FUNC_perf_event_output] = { FN(perf_event_output), TIMELESS, .gpl_only = true,
		.who = FOR_TRACING | FOR_SK_FILTER | FOR_TC | FOR_XDP | FOR_LWT | FOR_SOCK |
		       FOR_SOCK_ADDR | FOR_SOCK_OPS | FOR_SK_SKB | FOR_SK_MSG | FOR_SK_LOOKUP |
		       FOR_SYSCTL | FOR_SOCKOPT | FOR_CG_DEV,
		ARGS(ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_ANYTHING, IN_MEM,
		     ARG_CONST_SIZE_OR_ZERO) },
	[BPF_FUNC_ringbuf_output] = { FN(ringbuf_output), TIMELESS,
		ARGS(ARG_CONST_MAP_PTR, IN_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_ringbuf_reserve] = { FN(ringbuf_reserve), TIMELESS,
		.ret = RET_PTR_TO_RINGBUF_MEM, OR_NULL,
		ARGS(ARG_CONST_MAP_PTR, ARG_CONST_ALLOC_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_ringbuf_submit] = { FN(ringbuf_submit), TIMELESS, .ret = RET_VOID,
		ARGS(ARG_PTR_TO_RINGBUF_MEM | OBJ_RELEASE, ARG_ANYTHING) },
	[BPF_FUNC_ringbuf_discard] = { FN(ringbuf_discard), TIMELESS, .ret = RET_VOID,
		ARGS(ARG_PTR_TO_RINGBUF_MEM | OBJ_RELEASE, ARG_ANYTHING) },
	[BPF_FUNC_ringbuf_query] = { FN(ringbuf_query), TIMELESS,
		ARGS(ARG_CONST_MAP_PTR, ARG_ANYTHING) },
	[BPF_FUNC_user_ringbuf_drain] = { FN(user_ringbuf_drain), CALLS_BACK,
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_FUNC, ARG_PTR_TO_STACK | PTR_MAYBE_NULL,
		     ARG_ANYTHING) },
	[BPF_FUNC_ringbuf_reserve_dynptr] = { FN(ringbuf_reserve_dynptr), TIMELESS,
		ARGS(ARG_CONST_MAP_PTR, ARG_ANYTHING, ARG_ANYTHING, 
		     RINGBUF_DYNPTR | MEM_UNINIT | MEM_WRITE) },
	[BPF_FUNC_ringbuf_submit_dynptr] = { FN(ringbuf_submit_dynptr), TIMELESS, .ret = RET_VOID,
		ARGS(RINGBUF_DYNPTR | OBJ_RELEASE, ARG_ANYTHING) },
	[BPF_FUNC_ringbuf_discard_dynptr] = { FN(ringbuf_discard_dynptr), TIMELESS, .ret = RET_VOID,
		ARGS(RINGBUF_DYNPTR | OBJ_RELEASE, ARG_ANYTHING) },
	[BPF_FUNC_dynptr_from_mem] = { FN(dynptr_from_mem), TIMELESS,
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING,
		     ARG_PTR_TO_DYNPTR | DYNPTR_TYPE_LOCAL | MEM_UNINIT | MEM_WRITE) },
	[BPF_FUNC_dynptr_read] = { FN(dynptr_read), TIMELESS,
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_PTR_TO_DYNPTR | MEM_RDONLY, ARG_ANYTHING,
		     ARG_ANYTHING) },
	[BPF_FUNC_dynptr_write] = { FN(dynptr_write), TIMELESS,
		ARGS(ARG_PTR_TO_DYNPTR | MEM_RDONLY, ARG_ANYTHING, IN_MEM, ARG_CONST_SIZE_OR_ZERO,
		     ARG_ANYTHING) },
	[BPF_FUNC_dynptr_data] = { FN(dynptr_data), TIMELESS, .ret = RET_PTR_TO_DYNPTR_MEM, OR_NULL,
		ARGS(ARG_PTR_TO_DYNPTR | MEM_RDONLY, ARG_ANYTHING, ARG_CONST_ALLOC_SIZE_OR_ZERO) },

	/* tracing */
	[BPF_FUNC_get_func_arg] = { FN(get_func_arg), TIMELESS, FUNC_ARG,
		ARGS(ARG_PTR_TO_CTX, ARG_ANYTHING, OUT_FIXED), .arg_size = { [2] = 8 } },
	[BPF_FUNC_get_func_ret] = { FN(get_func_ret), TIMELESS, FUNC_ARG,
		ARGS(ARG_PTR_TO_CTX, OUT_FIXED), .arg_size = { [1] = 8 } },
	[BPF_FUNC_get_func_arg_cnt] = { FN(get_func_arg_cnt), TIMELESS, FUNC_ARG,
		ARGS(ARG_PTR_TO_CTX) },
	[BPF_FUNC_get_attach_cookie] = { FN(get_attach_cookie), TIMELESS, TRACING,
		.available = bpf_prog_has_cookie, ARGS(ARG_PTR_TO_CTX) },

	/* not executed here: tasks, memory and what perf counts */
	[BPF_FUNC_perf_event_read] = { NAME(perf_event_read), .who = FOR_TRACING, .gpl_only = true,
		ARGS(ARG_CONST_MAP_PTR, ARG_ANYTHING) },
	[BPF_FUNC_get_stackid] = { NAME(get_stackid), .who = FOR_TRACING, .gpl_only = true,
		ARGS(ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_ANYTHING) },
	[BPF_FUNC_probe_write_user] = { NAME(probe_write_user), .who = FOR_TRACING,
		.gpl_only = true, ARGS(ARG_ANYTHING, IN_MEM, ARG_CONST_SIZE) },
	[BPF_FUNC_current_task_under_cgroup] = { NAME(current_task_under_cgroup),
		.who = FOR_TRACING | FOR_CG_CURRENT, ARGS(ARG_CONST_MAP_PTR, ARG_ANYTHING) },
	[BPF_FUNC_perf_event_read_value] = { NAME(perf_event_read_value), .who = FOR_TRACING,
		.gpl_only = true, ARGS(ARG_CONST_MAP_PTR, ARG_ANYTHING, OUT_MEM, ARG_CONST_SIZE) },
	[BPF_FUNC_perf_prog_read_value] = { NAME(perf_prog_read_value), .who = FOR_PERF,
		.gpl_only = true, ARGS(ARG_PTR_TO_CTX, OUT_MEM, ARG_CONST_SIZE) },
	[BPF_FUNC_override_return] = { NAME(override_return), .who = FOR_KPROBE, .gpl_only = true,
		ARGS(ARG_PTR_TO_CTX, ARG_ANYTHING) },
	[BPF_FUNC_get_stack] = { NAME(get_stack), .who = FOR_TRACING, .gpl_only = true,
		ARGS(ARG_PTR_TO_CTX, OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_get_current_cgroup_id] = { NAME(get_current_cgroup_id) },
	[BPF_FUNC_send_signal] = { NAME(send_signal), .who = FOR_TRACING, ARGS(ARG_ANYTHING) },
	[BPF_FUNC_send_signal_thread] = { NAME(send_signal_thread), .who = FOR_TRACING,
		ARGS(ARG_ANYTHING) },
	[BPF_FUNC_read_branch_records] = { NAME(read_branch_records), .who = FOR_PERF,
		.gpl_only = true,
		ARGS(ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | PTR_MAYBE_NULL | MEM_WRITE,
		     ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },
	[BPF_FUNC_get_ns_current_pid_tgid] = { NAME(get_ns_current_pid_tgid),
		ARGS(ARG_ANYTHING, ARG_ANYTHING, OUT_MEM, ARG_CONST_SIZE) },
	[BPF_FUNC_get_current_ancestor_cgroup_id] = { NAME(get_current_ancestor_cgroup_id),
		ARGS(ARG_ANYTHING) },
	[BPF_FUNC_get_func_ip] = { NAME(get_func_ip), .who = FOR_TRACING, .gpl_only = true,
		ARGS(ARG_PTR_TO_CTX) },
	[BPF_FUNC_get_branch_snapshot] = { NAME(get_branch_snapshot), .who = FOR_TRACING,
		.gpl_only = true, ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO) },
	[BPF_FUNC_find_vma] = { NAME(find_vma), .who = FOR_TRACING, .btf = "task_struct",
		ARGS(ARG_PTR_TO_BTF_ID, ARG_ANYTHING, ARG_PTR_TO_FUNC,
		     ARG_PTR_TO_STACK | PTR_MAYBE_NULL, ARG_ANYTHING) },
	[BPF_FUNC_copy_from_user_task] = { NAME(copy_from_user_task), .who = FOR_TRACING,
		.gpl_only = true, .might_sleep = true, .btf = "task_struct",
		ARGS(OUT_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING, ARG_PTR_TO_BTF_ID,
		     ARG_ANYTHING) },

	/* not executed here: text and paths */
	[BPF_FUNC_seq_printf] = { NAME(seq_printf), .who = FOR_TRACING_PROG,
		.available = bpf_prog_is_iter, .gpl_only = true, .btf = "seq_file",
		ARGS(ARG_PTR_TO_BTF_ID, IN_MEM, ARG_CONST_SIZE, IN_MEM | PTR_MAYBE_NULL,
		     ARG_CONST_SIZE_OR_ZERO) },
	[BPF_FUNC_seq_write] = { NAME(seq_write), .who = FOR_TRACING_PROG,
		.available = bpf_prog_is_iter, .gpl_only = true, .btf = "seq_file",
		ARGS(ARG_PTR_TO_BTF_ID, IN_MEM, ARG_CONST_SIZE_OR_ZERO) },
	[BPF_FUNC_d_path] = { NAME(d_path), .who = FOR_TRACING_PROG, .allowed = bpf_prog_may_d_path,
		.btf = "path",
		ARGS(ARG_PTR_TO_BTF_ID, ARG_PTR_TO_MEM | MEM_WRITE, ARG_CONST_SIZE_OR_ZERO) },
	[BPF_FUNC_snprintf_btf] = { NAME(snprintf_btf),
		ARGS(ARG_PTR_TO_MEM | MEM_WRITE, ARG_CONST_SIZE, IN_MEM, ARG_CONST_SIZE,
		     ARG_ANYTHING) },
	[BPF_FUNC_seq_printf_btf] = { NAME(seq_printf_btf), .who = FOR_TRACING_PROG,
		.available = bpf_prog_is_iter, .gpl_only = true, .btf = "seq_file",
		ARGS(ARG_PTR_TO_BTF_ID, IN_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING) },

	/* not executed here: LSM, SYSCALL, cgroups, remote controls */
	[BPF_FUNC_rc_repeat] = { NAME(rc_repeat), .who = FOR_LIRC, .gpl_only = true,
		ARGS(ARG_PTR_TO_CTX) },
	[BPF_FUNC_rc_keydown] = { NAME(rc_keydown), .who = FOR_LIRC, .gpl_only = true,
		ARGS(ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING, ARG_ANYTHING) },
	[BPF_FUNC_get_local_storage] = { NAME(get_local_storage), .who = FOR_CGROUP,
		.ret = RET_PTR_TO_MAP_VALUE, ARGS(ARG_CONST_MAP_PTR, ARG_ANYTHING) },
	[BPF_FUNC_rc_pointer_rel] = { NAME(rc_pointer_rel), .who = FOR_LIRC, .gpl_only = true,
		ARGS(ARG_PTR_TO_CTX, ARG_ANYTHING, ARG_ANYTHING) },
	[BPF_FUNC_sysctl_get_name] = { NAME(sysctl_get_name), .who = FOR_SYSCTL,
		ARGS(ARG_PTR_TO_CTX, ARG_PTR_TO_MEM | MEM_WRITE, ARG_CONST_SIZE, ARG_ANYTHING) },
	[BPF_FUNC_sysctl_get_current_value] = { NAME(sysctl_get_current_value), .who = FOR_SYSCTL,
		ARGS(ARG_PTR_TO_CTX, OUT_MEM, ARG_CONST_SIZE) },
	[BPF_FUNC_sysctl_get_new_value] = { NAME(sysctl_get_new_value), .who = FOR_SYSCTL,
		ARGS(ARG_PTR_TO_CTX, OUT_MEM, ARG_CONST_SIZE) },
	[BPF_FUNC_sysctl_set_new_value] = { NAME(sysctl_set_new_value), .who = FOR_SYSCTL,
		ARGS(ARG_PTR_TO_CTX, IN_MEM, ARG_CONST_SIZE) },
	[BPF_FUNC_inode_storage_get] = { NAME(inode_storage_get), .who = FOR_LSM,
		.ret = RET_PTR_TO_MAP_VALUE, .ret_flags = PTR_MAYBE_NULL, .btf = "inode",
		ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL,
		     ARG_PTR_TO_MAP_VALUE | PTR_MAYBE_NULL, ARG_ANYTHING) },
	[BPF_FUNC_inode_storage_delete] = { NAME(inode_storage_delete), .who = FOR_LSM,
		.btf = "inode", ARGS(ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID | PTR_MAYBE_NULL) },
	[BPF_FUNC_bprm_opts_set] = { NAME(bprm_opts_set), .who = FOR_LSM, .btf = "linux_binprm",
		ARGS(ARG_PTR_TO_BTF_ID, ARG_ANYTHING) },
	[BPF_FUNC_ima_inode_hash] = { NAME(ima_inode_hash), .who = FOR_LSM, .might_sleep = true,
		.allowed = bpf_prog_may_sleep_in_lsm, .btf = "inode",
		ARGS(ARG_PTR_TO_BTF_ID, OUT_MEM, ARG_CONST_SIZE) },
	[BPF_FUNC_sys_bpf] = { NAME(sys_bpf), .who = FOR_SYSCALL, .might_sleep = true,
		ARGS(ARG_ANYTHING, IN_MEM, ARG_CONST_SIZE) },
	[BPF_FUNC_btf_find_by_name_kind] = { NAME(btf_find_by_name_kind), .who = FOR_SYSCALL,
		.might_sleep = true, ARGS(IN_MEM, ARG_CONST_SIZE, ARG_ANYTHING, ARG_ANYTHING) },
	[BPF_FUNC_sys_close] = { NAME(sys_close), .who = FOR_SYSCALL, .might_sleep = true,
		ARGS(ARG_ANYTHING) },
	[BPF_FUNC_kallsyms_lookup_name] = { NAME(kallsyms_lookup_name), .who = FOR_SYSCALL,
		.arg_size = { [3] = 8 },
		ARGS(ARG_PTR_TO_MEM, ARG_CONST_SIZE_OR_ZERO, ARG_ANYTHING, OUT_FIXED) },
	[BPF_FUNC_get_retval] = { NAME(get_retval), .who = FOR_CGROUP,
		.available = bpf_prog_has_retval },
	[BPF_FUNC_set_retval] = { NAME(set_retval), .who = FOR_CGROUP,
		.available = bpf_prog_has_retval, ARGS(ARG_ANYTHING) },
	[BPF_FUNC_ima_file_hash] = { NAME(ima_file_hash), .who = FOR_LSM, .might_sleep = true,
		.allowed = bpf_prog_may_sleep_in_lsm, .btf = "file",
		ARGS(ARG_PTR_TO_BTF_ID, OUT_MEM, ARG_CONST_SIZE) },
};

static const struct bpf_own_helper *own_helper(const struct bpf_prog *prog, u32 id)
{
	return prog && prog->own_type ? bpf_own_helper_find(prog->own_type, id) : NULL;
}

const struct bpf_func_proto *bpf_helper_proto(const struct bpf_prog *prog, u32 id)
{
	const struct bpf_func_proto *other = NULL;
	const struct bpf_own_helper *own;

	if (likely(id < ARRAY_SIZE(protos))) {
		if (likely(protos[id].fn))
			return &protos[id];
		if (prog)
			other = bpf_helper_variant(prog, id);
		if (other)
			return other;
		if (protos[id].name)
			return &protos[id];
		return bpf_net_protos[id].name ? &bpf_net_protos[id] : NULL;
	}
	own = own_helper(prog, id);
	return own ? own->proto : NULL;
}

const char *bpf_helper_name(const struct bpf_prog *prog, u32 id)
{
	const struct bpf_own_helper *own;

#define FULL_NAME(name, value, ...) [value] = "bpf_" #name,
	static const char *const names[] = { ___BPF_FUNC_MAPPER(FULL_NAME, 0) };

	if (likely(id < ARRAY_SIZE(names)))
		return id && names[id] ? names[id] : "unknown";
	own = own_helper(prog, id);
	return own ? own->name : "unknown";
}
