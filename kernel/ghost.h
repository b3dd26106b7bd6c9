/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ghOSt as BPF programs see it: the contexts of its programs, messages with
 * their payloads, flags, and the status words that userspace reads. Numbers,
 * names and layouts are those of ABI 91, on which compiled programs depend.
 *
 * A program is of one of the types below and is loaded with the attach type
 * GHOST_ATTACH(...), which carries the version of the ABI; it is attached by
 * BPF_LINK_CREATE to the ctl descriptor of an enclave.
 */
#ifndef VRT_KERNEL_GHOST_H
#define VRT_KERNEL_GHOST_H

#include "types.h"

#define GHOST_VERSION 91

#define BPF_PROG_TYPE_GHOST_SCHED 1000
#define BPF_PROG_TYPE_GHOST_MSG 1001
#define BPF_PROG_TYPE_GHOST_SELECT_RQ 1002

#define BPF_GHOST_SCHED_PNT 2000
#define BPF_GHOST_MSG_SEND 2001
#define BPF_GHOST_SELECT_RQ 2002

/* Of a load's expected_attach_type. */
#define GHOST_ATTACH(type) (GHOST_VERSION << 16 | (type))

/* Helpers, by number. */
#define BPF_FUNC_ghost_wake_agent 3000
#define BPF_FUNC_ghost_run_gtid 3001
#define BPF_FUNC_ghost_resched_cpu 3002
#define BPF_FUNC_ghost_resched_cpu2 3003

/*
 * A gtid names a task for ever: its pid in the upper bits, and a number that
 * no other task has. Positive for every task.
 */
#define GHOST_TID_SEQNUM_BITS 41
#define GHOST_TID_PID_BITS 22

enum ghost_special_gtid {
	GHOST_NULL_GTID = 0,
	GHOST_AGENT_GTID = -1,
	GHOST_IDLE_GTID = -2,
};

/* --- messages ------------------------------------------------------------- */

enum ghost_msg_type {
	MSG_NOP = 0,

	/* of a task: their number is the task's barrier */
	MSG_TASK_DEAD = 64,
	MSG_TASK_BLOCKED,
	MSG_TASK_WAKEUP,
	MSG_TASK_NEW,
	MSG_TASK_PREEMPT,
	MSG_TASK_YIELD,
	MSG_TASK_DEPARTED,
	MSG_TASK_SWITCHTO,
	MSG_TASK_AFFINITY_CHANGED,
	MSG_TASK_ON_CPU,
	MSG_TASK_PRIORITY_CHANGED,
	MSG_TASK_LATCH_FAILURE,

	/* of a CPU: their number is the barrier of the CPU's agent */
	MSG_CPU_TICK = 128,
	MSG_CPU_TIMER_EXPIRED,
	MSG_CPU_NOT_IDLE,
	MSG_CPU_AVAILABLE,
	MSG_CPU_BUSY,
	MSG_CPU_AGENT_BLOCKED,
	MSG_CPU_AGENT_WAKEUP,
};

/* Where a task's status word is: the region, and the index in it. */
struct ghost_sw_info {
	u32 id;
	u32 index;
};

struct ghost_msg_payload_task_dead {
	u64 gtid;
	s32 cpu;
};

struct ghost_msg_payload_task_blocked {
	u64 gtid;
	u64 runtime; /* on CPUs so far, ns */
	u64 cpu_seqnum;
	s32 cpu;
	char from_switchto; /* its CPU had been handed to it by another task */
};

struct ghost_msg_payload_task_wakeup {
	u64 gtid;
	u64 agent_data;
	char deferrable;
	s32 last_ran_cpu;
	s32 wake_up_cpu; /* on whose runqueue it is */
	s32 waker_cpu;
};

struct ghost_msg_payload_task_new {
	u64 gtid;
	u64 parent_gtid;
	u64 runtime;
	u16 runnable;
	s32 nice;
	struct ghost_sw_info sw_info;
	u64 agent_data;
};

struct ghost_msg_payload_task_preempt {
	u64 gtid;
	u64 runtime;
	u64 cpu_seqnum;
	u64 agent_data;
	s32 cpu;
	char from_switchto;
	char was_latched; /* it never got onto the CPU that it was latched for */
};

struct ghost_msg_payload_task_yield {
	u64 gtid;
	u64 runtime;
	u64 cpu_seqnum;
	u64 agent_data;
	s32 cpu;
	char from_switchto;
};

struct ghost_msg_payload_task_departed {
	u64 gtid;
	u64 cpu_seqnum;
	s32 cpu;
	char from_switchto;
	char was_current;
};

struct ghost_msg_payload_task_switchto {
	u64 gtid;
	u64 runtime;
	u64 cpu_seqnum;
	s32 cpu;
};

struct ghost_msg_payload_task_affinity_changed {
	u64 gtid;
};

struct ghost_msg_payload_task_on_cpu {
	u64 gtid;
	u64 commit_time;
	u64 cpu_seqnum;
	s32 cpu;
};

struct ghost_msg_payload_task_priority_changed {
	u64 gtid;
	s32 nice;
};

struct ghost_msg_payload_task_latch_failure {
	u64 gtid;
	s32 error; /* errno, positive */
};

struct ghost_msg_payload_cpu_tick {
	s32 cpu;
	s32 is_agent; /* it interrupted the agent, not a task */
};

struct ghost_msg_payload_timer {
	s32 cpu;
	u64 type;
	u64 cookie;
};

struct ghost_msg_payload_cpu_not_idle {
	s32 cpu;
	u64 next_gtid;
};

struct ghost_msg_payload_cpu_available {
	s32 cpu;
};

struct ghost_msg_payload_cpu_busy {
	s32 cpu;
};

struct ghost_msg_payload_agent_blocked {
	s32 cpu;
};

struct ghost_msg_payload_agent_wakeup {
	s32 cpu;
};

/* Context of ghost_msg/msg_send. Returning 1 keeps the message from userspace. */
struct bpf_ghost_msg {
	union {
		struct ghost_msg_payload_task_dead dead;
		struct ghost_msg_payload_task_blocked blocked;
		struct ghost_msg_payload_task_wakeup wakeup;
		struct ghost_msg_payload_task_new newt;
		struct ghost_msg_payload_task_preempt preempt;
		struct ghost_msg_payload_task_yield yield;
		struct ghost_msg_payload_task_departed departed;
		struct ghost_msg_payload_task_switchto switchto;
		struct ghost_msg_payload_task_affinity_changed affinity;
		struct ghost_msg_payload_task_on_cpu on_cpu;
		struct ghost_msg_payload_task_priority_changed priority;
		struct ghost_msg_payload_task_latch_failure latch_failure;
		struct ghost_msg_payload_cpu_tick cpu_tick;
		struct ghost_msg_payload_timer timer;
		struct ghost_msg_payload_cpu_not_idle cpu_not_idle;
		struct ghost_msg_payload_cpu_available cpu_available;
		struct ghost_msg_payload_cpu_busy cpu_busy;
		struct ghost_msg_payload_agent_blocked agent_blocked;
		struct ghost_msg_payload_agent_wakeup agent_wakeup;
	};
	u16 type; /* enum ghost_msg_type */
	u32 seqnum;
	s32 pref_cpu; /* whose agent to wake for it; -1: any, -2: none */
};

/* --- picking -------------------------------------------------------------- */

/* Context of ghost_sched/pnt. The first three say, the next two ask. */
struct bpf_ghost_sched {
	u8 agent_on_rq;
	u8 agent_runnable;
	u8 might_yield; /* a class above ghOSt has something to run here */
	u8 dont_idle; /* if the CPU would go idle, look again at once */
	u8 must_resched; /* the task that ran leaves the CPU, whatever comes */
	u64 next_gtid; /* runs next unless another task is latched; 0: none */
};

/*
 * Context of ghost_select_rq/select_rq: on whose runqueue shall a task be that wakes
 * up or is new? Returns a CPU, or a negative number: as without the program.
 */
struct bpf_ghost_select_rq {
	u64 gtid;
	u32 task_cpu; /* where it was */
	u32 waker_cpu;
	u32 sd_flag; /* 4: it is new, 8: it wakes up */
	u32 wake_flags; /* 1: the waker is about to sleep, 2: it is new */
	u8 skip_ttwu_queue; /* the waker's CPU shall do all of the work */
};

/* Of run_gtid(). */
enum ghost_run_flags {
	RTLA_ON_PREEMPT = 1 << 0, /* return to the local agent when the task ... */
	RTLA_ON_BLOCKED = 1 << 1,
	RTLA_ON_YIELD = 1 << 2,
	RTLA_ON_IDLE = 1 << 5,
	NEED_L1D_FLUSH = 1 << 6,
	NEED_CPU_NOT_IDLE = 1 << 7,
	ELIDE_PREEMPT = 1 << 9, /* no TASK_PREEMPT for the task that it replaces */
	SEND_TASK_ON_CPU = 1 << 10,
	DEFER_LATCHED_PREEMPTION_BY_AGENT = 1 << 11,
	DO_NOT_PREEMPT = 1 << 12, /* not in place of a task that runs or is latched */
};

/* Of resched_cpu2(): what must run on the CPU, and what happens then. */
enum ghost_resched_flags {
	RESCHED_ANY_CLASS = 1 << 0,
	RESCHED_GHOST_CLASS = 1 << 1,
	RESCHED_IDLE_CLASS = 1 << 2,
	RESCHED_OTHER_CLASS = 1 << 3,
	SET_MUST_RESCHED = 1 << 4,
	WAKE_AGENT = 1 << 5,
};

/* --- status words --------------------------------------------------------- */

#define GHOST_SW_REGION_VERSION 0
#define GHOST_MAX_SW_ENTRIES 65536

enum ghost_sw_flags {
	GHOST_SW_F_INUSE = 1 << 0,
	GHOST_SW_F_CANFREE = 1 << 1,
	GHOST_SW_F_ALLOCATED = 1 << 2,
	/* of an agent */
	GHOST_SW_CPU_AVAIL = 1 << 8,
	GHOST_SW_BOOST_PRIO = 1 << 9,
	/* of a task */
	GHOST_SW_TASK_ONCPU = 1 << 16,
	GHOST_SW_TASK_RUNNABLE = 1 << 17,
	GHOST_SW_TASK_IS_AGENT = 1 << 18,
	GHOST_SW_TASK_MSG_GATED = 1 << 19,
};

struct ghost_status_word {
	u32 barrier;
	u32 flags; /* enum ghost_sw_flags */
	u64 gtid;
	s64 switch_time; /* when it got onto a CPU last */
	u64 runtime;
} __attribute__((aligned(32)));

struct ghost_sw_region_header {
	u32 version;
	u32 id;
	u32 numa_node;
	u32 start; /* offset of the first status word */
	u32 capacity;
	u32 available;
} __attribute__((aligned(64)));

#endif
