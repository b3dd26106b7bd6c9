/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ghOSt keeps per task and per CPU; embedded in struct task and struct
 * cpu_rq, and guarded by the rq lock unless noted.
 */
#ifndef VRT_SCHED_GHOST_TYPES_H
#define VRT_SCHED_GHOST_TYPES_H

#include "../../base/list.h"

struct ghost_cpu;
struct ghost_enclave;
struct ghost_status_word;
struct task;
struct task_struct;

struct ghost_task {
	s64 gtid; /* of every task, from its creation */
	s64 parent_gtid;
	struct ghost_enclave *enclave; /* NULL: not in ghOSt */
	struct ghost_status_word *sw;
	u32 sw_index;
	s32 old_policy; /* what it goes back to when the enclave ends */
	struct list_head node; /* on enclave->tasks; touched between two payments only */
	struct list_head run_node; /* on its rq's list while it is queued */
	u64 runnable_since; /* ns; 0: it runs or sleeps */
	s32 last_ran_cpu, waker_cpu;
	/* what it did on its CPU and what is told when it leaves: at most one */
	bool is_new, yielded, blocked;
	bool skip_ttwu_queue; /* the waker's CPU activates it */
	struct task *switchto; /* that it hands its CPU to, pinned; between the call and the switch */
};

struct ghost_rq {
	struct ghost_enclave *enclave; /* that this CPU is in, or NULL */
	struct task_struct *agent; /* without one nothing can be latched here */
	struct list_head agents; /* runnable ones: old agents leave while a new one is there */
	u32 agent_barrier;

	struct list_head tasks; /* queued here, the running one included */
	u32 nr_running;
	struct task_struct *latched; /* queued here, and next to run */
	s32 run_flags; /* of the task that was latched last */
	bool must_resched; /* the current task may not go on */
	bool check_prev; /* it leaves, and nothing has been told of it */
	bool dont_idle;
	bool available; /* as told last: nothing above ghOSt to run */
	s32 switchto; /* length of the chain; negative: it ends with this pick */
	u64 cpu_seqnum;
	u64 resched_seqnum; /* force the task off if the above is still this */

	struct ghost_cpu *cpu; /* as the CPU that executes programs: no lock (internal.h) */
};

#endif
