/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sched_ext: constants, argument containers, the per-task entity and
 * struct sched_ext_ops, with the names and values of Linux 6.12, and what came
 * later (generation.h says which). Compiled BPF objects depend on them through
 * CO-RE (names) and constants (values).
 *
 * Source of the rules: Documentation/scheduler/sched-ext.rst.
 */
#ifndef VRT_KERNEL_EXT_H
#define VRT_KERNEL_EXT_H

#include "generation.h"
#include "types.h"

struct task_struct;
struct cgroup;
struct rq;

enum scx_public_consts {
	SCX_OPS_NAME_LEN = 128,
	SCX_SLICE_DFL = 20 * 1000000, /* ns */
	SCX_SLICE_INF = 0xffffffffffffffffULL, /* never expires, may stop the tick */
};

enum scx_consts {
	SCX_DSP_DFL_MAX_BATCH = 32,
	SCX_DSP_MAX_LOOPS = 32,
	SCX_WATCHDOG_MAX_TIMEOUT = 30 * 250, /* jiffies at HZ=250 */
	SCX_EXIT_BT_LEN = 64,
	SCX_EXIT_MSG_LEN = 1024,
	SCX_EXIT_DUMP_DFL_LEN = 32768,
	SCX_CPUPERF_ONE = 1024,
	SCX_OPS_TASK_ITER_BATCH = 32,
};

/*
 * DSQ ids: bit 63 marks the built-in ones, bit 62 the local queue of the CPU
 * whose number is in the low 32 bits.
 */
enum scx_dsq_id_flags {
	SCX_DSQ_FLAG_BUILTIN = 1ULL << 63,
	SCX_DSQ_FLAG_LOCAL_ON = 1ULL << 62,

	SCX_DSQ_INVALID = SCX_DSQ_FLAG_BUILTIN | 0,
	SCX_DSQ_GLOBAL = SCX_DSQ_FLAG_BUILTIN | 1,
	SCX_DSQ_LOCAL = SCX_DSQ_FLAG_BUILTIN | 2,
	SCX_DSQ_LOCAL_ON = SCX_DSQ_FLAG_BUILTIN | SCX_DSQ_FLAG_LOCAL_ON,
	SCX_DSQ_LOCAL_CPU_MASK = 0xffffffffULL,
};

enum scx_exit_kind {
	SCX_EXIT_NONE,
	SCX_EXIT_DONE,

	SCX_EXIT_UNREG = 64,
	SCX_EXIT_UNREG_BPF,
	SCX_EXIT_UNREG_KERN,
	SCX_EXIT_SYSRQ,

	SCX_EXIT_ERROR = 1024,
	SCX_EXIT_ERROR_BPF,
	SCX_EXIT_ERROR_STALL,
};

enum scx_exit_code {
	SCX_ECODE_RSN_HOTPLUG = 1ULL << 32,
	SCX_ECODE_ACT_RESTART = 1ULL << 48,
};

enum scx_exit_flags {
	SCX_EFLAG_INITIALIZED = 1ULL << 0, /* ops.init() has succeeded */
};

/* What ops.exit() is told. Strings live as long as the call. */
struct scx_exit_info {
	enum scx_exit_kind kind;
	s64 exit_code;
	u64 flags KERNEL_SINCE(7.0); /* SCX_EFLAG_* */
	const char *reason;
	unsigned long *bt;
	u32 bt_len;
	char *msg;
	char *dump;
};

enum scx_ops_flags {
	SCX_OPS_KEEP_BUILTIN_IDLE = 1ULL << 0,
	SCX_OPS_ENQ_LAST = 1ULL << 1,
	SCX_OPS_ENQ_EXITING = 1ULL << 2,
	SCX_OPS_SWITCH_PARTIAL = 1ULL << 3,
	SCX_OPS_ENQ_MIGRATION_DISABLED = 1ULL << 4,
	SCX_OPS_ALLOW_QUEUED_WAKEUP = 1ULL << 5,
	SCX_OPS_BUILTIN_IDLE_PER_NODE = 1ULL << 6,
	SCX_OPS_HAS_CGROUP_WEIGHT = 1ULL << 16,

	SCX_OPS_ALL_FLAGS = SCX_OPS_KEEP_BUILTIN_IDLE | SCX_OPS_ENQ_LAST |
			    SCX_OPS_ENQ_EXITING | SCX_OPS_SWITCH_PARTIAL |
			    SCX_OPS_ENQ_MIGRATION_DISABLED | SCX_OPS_ALLOW_QUEUED_WAKEUP |
			    SCX_OPS_BUILTIN_IDLE_PER_NODE | SCX_OPS_HAS_CGROUP_WEIGHT,
};

struct scx_init_task_args {
	bool fork;
	struct cgroup *cgroup;
};

struct scx_exit_task_args {
	bool cancelled;
};

struct scx_cgroup_init_args {
	u32 weight; /* 1..10000 */
};

enum scx_cpu_preempt_reason {
	SCX_CPU_PREEMPT_RT,
	SCX_CPU_PREEMPT_DL,
	SCX_CPU_PREEMPT_STOP,
	SCX_CPU_PREEMPT_UNKNOWN,
};

struct scx_cpu_acquire_args {
};

struct scx_cpu_release_args {
	enum scx_cpu_preempt_reason reason;
	struct task_struct *task;
};

struct scx_dump_ctx {
	enum scx_exit_kind kind;
	s64 exit_code;
	const char *reason;
	u64 at_ns;
	u64 at_jiffies;
};

enum scx_wake_flags {
	SCX_WAKE_FORK = 0x04, /* WF_FORK */
	SCX_WAKE_TTWU = 0x08, /* WF_TTWU */
	SCX_WAKE_SYNC = 0x10, /* WF_SYNC */
};

enum scx_enq_flags {
	SCX_ENQ_WAKEUP = 0x01, /* ENQUEUE_WAKEUP */
	SCX_ENQ_HEAD = 0x10, /* ENQUEUE_HEAD */
	SCX_ENQ_CPU_SELECTED = 0x400, /* ENQUEUE_RQ_SELECTED */

	SCX_ENQ_PREEMPT = 1ULL << 32,
	SCX_ENQ_REENQ = 1ULL << 40,
	SCX_ENQ_LAST = 1ULL << 41,

	__SCX_ENQ_INTERNAL_MASK = 0xffULL << 56,
	SCX_ENQ_CLEAR_OPSS = 1ULL << 56,
	SCX_ENQ_DSQ_PRIQ = 1ULL << 57,
};

enum scx_deq_flags {
	SCX_DEQ_SLEEP = 0x01, /* DEQUEUE_SLEEP */
	SCX_DEQ_CORE_SCHED_EXEC = 1ULL << 32,
};

enum scx_pick_idle_cpu_flags {
	SCX_PICK_IDLE_CORE = 1ULL << 0,
	SCX_PICK_IDLE_IN_NODE = 1ULL << 1,
};

enum scx_kick_flags {
	SCX_KICK_IDLE = 1ULL << 0,
	SCX_KICK_PREEMPT = 1ULL << 1,
	SCX_KICK_WAIT = 1ULL << 2,
};

enum scx_ops_enable_state {
	SCX_OPS_ENABLING,
	SCX_OPS_ENABLED,
	SCX_OPS_DISABLING,
	SCX_OPS_DISABLED,
};

/* scx_entity.ops_state: who owns a task, the core or the BPF scheduler. */
enum scx_ops_state {
	SCX_OPSS_NONE,
	SCX_OPSS_QUEUEING,
	SCX_OPSS_QUEUED,
	SCX_OPSS_DISPATCHING,

	SCX_OPSS_QSEQ_SHIFT = 2, /* the rest is a sequence number of this enqueue */
};

enum scx_ent_flags {
	SCX_TASK_QUEUED = 1 << 0,
	SCX_TASK_RESET_RUNNABLE_AT = 1 << 2,
	SCX_TASK_DEQD_FOR_SLEEP = 1 << 3,

	SCX_TASK_STATE_SHIFT = 8,
	SCX_TASK_STATE_BITS = 2,
	SCX_TASK_STATE_MASK = ((1 << SCX_TASK_STATE_BITS) - 1) << SCX_TASK_STATE_SHIFT,

	SCX_TASK_CURSOR = 1 << 30,
};

enum scx_task_state {
	SCX_TASK_NONE, /* ops.init_task() not called yet */
	SCX_TASK_INIT, /* it succeeded, the fork may still be cancelled */
	SCX_TASK_READY, /* initialised, but not on sched_ext */
	SCX_TASK_ENABLED, /* on sched_ext */
	SCX_TASK_NR_STATES,
};

enum scx_ent_dsq_flags {
	SCX_TASK_DSQ_ON_PRIQ = 1 << 0,
};

/* Which kfunc sets the operation in progress allows (6.12 checks at run time). */
enum scx_kf_mask {
	SCX_KF_UNLOCKED = 0,
	SCX_KF_CPU_RELEASE = 1 << 0,
	SCX_KF_DISPATCH = 1 << 1,
	SCX_KF_ENQUEUE = 1 << 2,
	SCX_KF_SELECT_CPU = 1 << 3,
	SCX_KF_REST = 1 << 4,

	__SCX_KF_RQ_LOCKED = SCX_KF_CPU_RELEASE | SCX_KF_DISPATCH | SCX_KF_ENQUEUE |
			     SCX_KF_SELECT_CPU | SCX_KF_REST,
	__SCX_KF_TERMINAL = SCX_KF_ENQUEUE | SCX_KF_SELECT_CPU | SCX_KF_REST,
};

enum scx_dsq_lnode_flags {
	SCX_DSQ_LNODE_ITER_CURSOR = 1 << 0,
	__SCX_DSQ_LNODE_PRIV_SHIFT = 16,
};

enum scx_dsq_iter_flags {
	SCX_DSQ_ITER_REV = 1U << 16,

	__SCX_DSQ_ITER_HAS_SLICE = 1U << 30,
	__SCX_DSQ_ITER_HAS_VTIME = 1U << 31,

	__SCX_DSQ_ITER_USER_FLAGS = SCX_DSQ_ITER_REV,
	__SCX_DSQ_ITER_ALL_FLAGS = __SCX_DSQ_ITER_USER_FLAGS | __SCX_DSQ_ITER_HAS_SLICE |
				   __SCX_DSQ_ITER_HAS_VTIME,
};

/* Arguments of kfuncs that would have more than five. */
struct scx_bpf_dsq_insert_vtime_args {
	u64 dsq_id;
	u64 slice;
	u64 vtime;
	u64 enq_flags;
} KERNEL_SINCE(7.0);

struct scx_bpf_select_cpu_and_args {
	s32 prev_cpu;
	u64 wake_flags;
	u64 flags;
} KERNEL_SINCE(7.0);

/* The opaque iterator that lives on the BPF stack. */
struct bpf_iter_scx_dsq {
	u64 __opaque[6];
} __attribute__((aligned(8)));

enum scx_rq_flags {
	SCX_RQ_ONLINE = 1 << 0,
	SCX_RQ_CAN_STOP_TICK = 1 << 1,
	SCX_RQ_BAL_PENDING = 1 << 2,
	SCX_RQ_BAL_KEEP = 1 << 3,
	SCX_RQ_BYPASSING = 1 << 4,

	SCX_RQ_IN_WAKEUP = 1 << 16,
	SCX_RQ_IN_BALANCE = 1 << 17,
};

/*
 * A dispatch queue: FIFO, or ordered by scx.dsq_vtime. @list holds the tasks
 * in dispatch order in both cases. Whether a queue is a vtime one is known
 * from its tree alone.
 */
struct scx_dispatch_q {
	raw_spinlock_t lock;
	struct list_head list;
	struct rb_root priq;
	u32 nr;
	u32 seq; /* counts insertions; bounds the BPF iterator */
	u64 id;
};

struct scx_dsq_list_node {
	struct list_head node;
	u32 flags;
	u32 priv;
};

/* Embedded in task_struct: all that sched_ext keeps of a task. */
struct sched_ext_entity {
	/* a cache line: where it is queued, which its neighbours there touch, too */
	struct scx_dispatch_q *dsq;
	struct scx_dsq_list_node dsq_list;
	struct list_head runnable_node;
	u32 dsq_seq;
	u32 dsq_flags;
	u32 flags;
	s32 sticky_cpu;

	/* another: what becomes of it; a BPF scheduler may write @slice */
	atomic_long_t ops_state;
	unsigned long runnable_at; /* jiffies */
	u64 ddsp_dsq_id;
	u64 ddsp_enq_flags;
	u64 slice; /* ns */
	s32 holding_cpu;
	u32 weight;
	u32 ops_qseq;
	u32 kf_mask;
	struct task_struct *kf_tasks[2]; /* the second, seldom used, is on the next */

	/* and one for queues in the order of vtime, which a BPF scheduler may write */
	u64 dsq_vtime;
	struct rb_node dsq_priq;
	u64 core_sched_at;
	bool disallow; /* a BPF scheduler may write it */

	struct list_head tasks_node;
};

/* Per-CPU part, embedded in struct rq. */
struct scx_rq {
	struct scx_dispatch_q local_dsq;
	u32 nr_running;
	u32 flags;
	unsigned long pnt_seq; /* with these a cache line */

	struct list_head runnable_list; /* runnable tasks that are not running */
	struct list_head ddsp_deferred_locals;
	unsigned long ops_qseq;
	u64 extra_enq_flags;
	u32 cpuperf_target;
	bool cpu_released;
	struct cpumask *cpus_to_kick;
	struct cpumask *cpus_to_kick_if_idle;
	struct cpumask *cpus_to_preempt;
	struct cpumask *cpus_to_wait;
};

/*
 * The operations table. A member that is left out has the default behaviour
 * that sched-ext.rst describes. Member order and names are Linux 6.12's.
 */
struct sched_ext_ops {
	s32 (*select_cpu)(struct task_struct *p, s32 prev_cpu, u64 wake_flags);
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	void (*dequeue)(struct task_struct *p, u64 deq_flags);
	void (*dispatch)(s32 cpu, struct task_struct *prev);
	void (*tick)(struct task_struct *p);
	void (*runnable)(struct task_struct *p, u64 enq_flags);
	void (*running)(struct task_struct *p);
	void (*stopping)(struct task_struct *p, bool runnable);
	void (*quiescent)(struct task_struct *p, u64 deq_flags);
	bool (*yield)(struct task_struct *from, struct task_struct *to);
	bool (*core_sched_before)(struct task_struct *a, struct task_struct *b);
	void (*set_weight)(struct task_struct *p, u32 weight);
	void (*set_cpumask)(struct task_struct *p, const struct cpumask *cpumask);
	void (*update_idle)(s32 cpu, bool idle);
	void (*cpu_acquire)(s32 cpu, struct scx_cpu_acquire_args *args);
	void (*cpu_release)(s32 cpu, struct scx_cpu_release_args *args);
	s32 (*init_task)(struct task_struct *p, struct scx_init_task_args *args);
	void (*exit_task)(struct task_struct *p, struct scx_exit_task_args *args);
	void (*enable)(struct task_struct *p);
	void (*disable)(struct task_struct *p);
	void (*dump)(struct scx_dump_ctx *ctx);
	void (*dump_cpu)(struct scx_dump_ctx *ctx, s32 cpu, bool idle);
	void (*dump_task)(struct scx_dump_ctx *ctx, struct task_struct *p);
	s32 (*cgroup_init)(struct cgroup *cgrp, struct scx_cgroup_init_args *args);
	void (*cgroup_exit)(struct cgroup *cgrp);
	s32 (*cgroup_prep_move)(struct task_struct *p, struct cgroup *from, struct cgroup *to);
	void (*cgroup_move)(struct task_struct *p, struct cgroup *from, struct cgroup *to);
	void (*cgroup_cancel_move)(struct task_struct *p, struct cgroup *from,
				   struct cgroup *to);
	void (*cgroup_set_weight)(struct cgroup *cgrp, u32 weight);
	void (*cpu_online)(s32 cpu);
	void (*cpu_offline)(s32 cpu);
	s32 (*init)(void);
	void (*exit)(struct scx_exit_info *info);
	u32 dispatch_max_batch;
	u64 flags;
	u32 timeout_ms;
	u32 exit_dump_len;
	u64 hotplug_seq;
	char name[SCX_OPS_NAME_LEN];
};

#endif
