/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers: functions that programs call by number. One table says for each
 * what it takes and returns, in the words of Linux's bpf_func_proto; whoever
 * checks calls, at load or at run time, reads that table.
 */
#ifndef VRT_BPF_HELPERS_H
#define VRT_BPF_HELPERS_H

#include "../exec/exec.h"

enum bpf_arg_type {
	ARG_DONTCARE, /* no such argument */
	ARG_CONST_MAP_PTR,
	ARG_PTR_TO_MAP_KEY, /* of the map before it */
	ARG_PTR_TO_MAP_VALUE,
	ARG_PTR_TO_MEM, /* its size is the next argument, or fixed: arg_size */
	ARG_CONST_SIZE,
	ARG_CONST_SIZE_OR_ZERO,
	ARG_PTR_TO_CTX,
	ARG_ANYTHING,
	ARG_PTR_TO_SPIN_LOCK,
	ARG_PTR_TO_BTF_ID, /* arg_btf */
	ARG_PTR_TO_RINGBUF_MEM,
	ARG_CONST_ALLOC_SIZE_OR_ZERO,
	ARG_PTR_TO_PERCPU_BTF_ID,
	ARG_PTR_TO_FUNC,
	ARG_PTR_TO_STACK,
	ARG_PTR_TO_CONST_STR,
	ARG_PTR_TO_TIMER,
	ARG_KPTR_XCHG_DEST,
	ARG_PTR_TO_DYNPTR,
	ARG_PTR_TO_ARENA, /* of global functions */
	ARG_SCALAR, /* a number, and nothing else */
	ARG_PTR_TO_SOCK_COMMON,
	ARG_PTR_TO_SOCKET,
	ARG_PTR_TO_BTF_ID_SOCK_COMMON, /* those, or a struct sock_common of the kernel */
	__ARG_TYPE_MAX,
	ARG_TYPE_MASK = 0xff,

	/*
	 * On top: flags of arguments and results here, and of what registers hold
	 * (verifier/state.h)
	 */
	PTR_MAYBE_NULL = 1 << 8,
	MEM_UNINIT = 1 << 9,
	MEM_WRITE = 1 << 10,
	MEM_RDONLY = 1 << 11,
	MEM_FIXED_SIZE = 1 << 12,
	MEM_ALIGNED = 1 << 13,
	OBJ_RELEASE = 1 << 14,
	DYNPTR_TYPE_LOCAL = 1 << 15,
	DYNPTR_TYPE_RINGBUF = 1 << 16,
	PTR_TRUSTED = 1 << 17,
	PTR_UNTRUSTED = 1 << 18,
	MEM_RINGBUF = 1 << 19,
	MEM_USER = 1 << 20,
	MEM_PERCPU = 1 << 21,
	MEM_ALLOC = 1 << 22, /* an object that the program allocated */
	MEM_RCU = 1 << 23,
	NON_OWN_REF = 1 << 24, /* an object that is on a list or tree, whose lock is held */
	DYNPTR_TYPE_SKB = 1 << 25,
	DYNPTR_TYPE_XDP = 1 << 26,
	DYNPTR_TYPE_MASK = DYNPTR_TYPE_LOCAL | DYNPTR_TYPE_RINGBUF | DYNPTR_TYPE_SKB |
			   DYNPTR_TYPE_XDP,
};

enum bpf_return_type {
	RET_INTEGER,
	RET_VOID,
	RET_PTR_TO_MAP_VALUE, /* of the map in argument 1 */
	RET_PTR_TO_RINGBUF_MEM, /* of the size in argument 2 */
	RET_PTR_TO_DYNPTR_MEM, /* of the size in argument 3 */
	RET_PTR_TO_BTF_ID, /* ret_btf, or else btf */
	RET_PTR_TO_MEM_OR_BTF_ID, /* what the per-CPU variable in argument 1 is */
	RET_PTR_TO_KPTR, /* what the field in argument 1 held */
	RET_PTR_TO_SOCKET,
	RET_PTR_TO_SOCK_COMMON,
	RET_PTR_TO_TCP_SOCK,
};

typedef u64 (*bpf_helper_fn)(u64 a1, u64 a2, u64 a3, u64 a4, u64 a5);

struct bpf_func_proto {
	const char *name; /* without "bpf_" */
	/* with checked arguments; absent: nothing here executes it; tail_call: the interpreter */
	bpf_helper_fn fn;
	u32 who; /* sets of programs, FOR_* of helpers/table.h; 0: FOR_BASE */
	enum bpf_return_type ret;
	u32 ret_flags;
	u32 args[5]; /* enum bpf_arg_type and flags */
	u32 arg_size[5]; /* MEM_FIXED_SIZE */
	const char *btf; /* kernel struct of arguments and results of type BTF_ID */
	const char *ret_btf; /* of results, when another one */
	bool gpl_only, might_sleep;
	bool pkt_access; /* arguments may be in packets */
	bool changes_packet; /* pointers into packets are void afterwards */
	bool timeless, calls_back; /* as KF_TIMELESS, KF_CALLS_BACK */
	/* for whom it does not exist, and who may not call it where it is attached; NULL: nobody */
	bool (*available)(const struct bpf_prog *prog);
	bool (*allowed)(const struct bpf_prog *prog);
};

/*
 * The helper, or NULL when there is none of that number. @prog, which may be
 * NULL, matters for those that its type brings (prog_type.h), and those that
 * take other arguments in programs of its type.
 */
const struct bpf_func_proto *bpf_helper_proto(const struct bpf_prog *prog, u32 id);
/* "bpf_<name>", also of those that only Linux has; "unknown". */
const char *bpf_helper_name(const struct bpf_prog *prog, u32 id);
/* Do programs of this kind have it? Whether they may call it says proto->allowed(). */
bool bpf_helper_available(const struct bpf_prog *prog, const struct bpf_func_proto *proto);

/* What rows ask of a program, for ->available() and ->allowed(): helpers/allowed.c. */
bool bpf_prog_has_trampoline(const struct bpf_prog *prog);
bool bpf_prog_has_cookie(const struct bpf_prog *prog);
bool bpf_prog_has_retval(const struct bpf_prog *prog);
bool bpf_prog_inet_connects(const struct bpf_prog *prog);
bool bpf_prog_sockopt_works(const struct bpf_prog *prog);
bool bpf_prog_is_iter(const struct bpf_prog *prog);
bool bpf_prog_is_not_seg6(const struct bpf_prog *prog);
bool bpf_prog_may_d_path(const struct bpf_prog *prog);
bool bpf_prog_may_sleep_in_lsm(const struct bpf_prog *prog);
bool bpf_prog_may_sk_storage(const struct bpf_prog *prog);

/* Checks arguments, calls, and puts the result in @r[0]; x->stopped if it went wrong. */
void bpf_helper_call(struct bpf_exec *x, u32 id, struct bpf_reg *r);
/* Argument @arg, from 0, alone; @r as above. False when stopped. */
bool bpf_helper_check_arg(struct bpf_exec *x, u32 id, u32 arg, struct bpf_reg *r);
/* Of a helper that nothing here executes: stops. */
void bpf_helper_absent(struct bpf_exec *x);
/* What a call takes beyond its instruction; @map: what it is given, or NULL. */
u64 bpf_helper_ns(const struct bpf_map *map);
/* Looks up the kernel types that helpers name. */
void bpf_helpers_init(void);

/* --- dynptrs: helpers/dynptr.c ------------------------------------------------- */

enum bpf_dynptr_type {
	BPF_DYNPTR_INVALID,
	BPF_DYNPTR_LOCAL,
	BPF_DYNPTR_RINGBUF,
	BPF_DYNPTR_USER,
	BPF_DYNPTR_SKB,
	BPF_DYNPTR_XDP,
};

/*
 * What a struct bpf_dynptr on the stack stands for. It is kept beside the
 * stack, in the shadow of the two slots, so that no store can forge it.
 */
struct bpf_dynptr_state {
	enum bpf_dynptr_type type;
	bool rdonly;
	u8 *data; /* where it began; NULL: a null dynptr */
	u32 offset, size; /* the part of it that there is now */
	const struct bpf_region *region; /* NULL: of a run that is not checked */
	const struct bpf_dynptr_state *outer; /* lent ones: the one before */
};

/*
 * The dynptr that argument @arg of the call, whose value is @ptr, points at; false
 * when stopped: there is none.
 */
bool bpf_dynptr_get(struct bpf_exec *x, u32 arg, u64 ptr, struct bpf_dynptr_state *state);
/* Makes the two slots that it points at a dynptr. False when stopped. */
bool bpf_dynptr_set(struct bpf_exec *x, u32 arg, u64 ptr, const struct bpf_dynptr_state *state);
/* The slots are plain memory again. */
void bpf_dynptr_clear(struct bpf_exec *x, u32 arg, u64 ptr);
/*
 * A callback's argument for a dynptr that is on no stack. Until it is taken back
 * @state, whose data nobody else has lent, must stay.
 */
void bpf_dynptr_lend(struct bpf_exec *x, struct bpf_reg *reg, struct bpf_dynptr_state *state);
void bpf_dynptr_take_back(struct bpf_exec *x, const struct bpf_dynptr_state *state);

/* --- text: printf.c --------------------------------------------------------------- */

#define BPF_PRINTF_MAX_ARGS 12
#define BPF_PRINTF_BUF 1024

/* Is there a NUL in the object that @str lies in? Its length, or -EINVAL. */
long bpf_probe_strlen(u64 str);
/* Is @fmt one that programs may use, for up to @nr_args arguments? 0 or -EINVAL. */
int bpf_printf_check(const char *fmt, u32 nr_args);

/* The functions by name; each is in one of the helpers_*.c. */
#define BPF_HELPER(name) u64 helper_##name(u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
#define BPF_HELPERS(X)                                                                             \
	X(map_lookup_elem) X(map_update_elem) X(map_delete_elem) X(map_push_elem)                  \
	X(map_pop_elem) X(map_peek_elem) X(map_lookup_percpu_elem) X(for_each_map_elem) X(loop)    \
	X(ktime_get_ns) X(jiffies64) X(get_smp_processor_id) X(get_numa_node_id)                   \
	X(get_prandom_u32) X(get_current_task) X(get_current_pid_tgid) X(get_current_uid_gid)      \
	X(get_current_comm) X(task_storage_get) X(task_storage_delete) X(cgrp_storage_get)         \
	X(cgrp_storage_delete) X(spin_lock) X(spin_unlock) X(kptr_xchg) X(per_cpu_ptr)             \
	X(this_cpu_ptr) X(probe_read) X(probe_read_str) X(probe_read_kernel)                       \
	X(probe_read_kernel_str) X(probe_read_user) X(probe_read_user_str) X(copy_from_user)       \
	X(strncmp) X(strtol) X(strtoul) X(snprintf)                                                \
	X(trace_printk) X(trace_vprintk) X(ringbuf_output) X(ringbuf_reserve) X(ringbuf_submit)    \
	X(ringbuf_discard) X(ringbuf_query) X(user_ringbuf_drain) X(timer_init)                    \
	X(timer_set_callback) X(timer_start) X(timer_cancel) X(dynptr_from_mem) X(dynptr_read)     \
	X(dynptr_write) X(dynptr_data) X(ringbuf_reserve_dynptr) X(ringbuf_submit_dynptr)          \
	X(ringbuf_discard_dynptr) X(get_func_arg) X(get_func_ret) X(get_func_arg_cnt)              \
	X(get_attach_cookie) X(perf_event_output)
#define BPF_HELPER_DECLARE(name) BPF_HELPER(name);
BPF_HELPERS(BPF_HELPER_DECLARE)

#endif
