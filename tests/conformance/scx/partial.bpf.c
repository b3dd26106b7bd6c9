// SPDX-License-Identifier: GPL-2.0-only
/*
 * With SCX_OPS_SWITCH_PARTIAL the scheduler has the tasks of policy SCHED_EXT
 * alone; ops.init_task() is for all.
 */
#include "parity.bpf.h"

s32 SCX_OP_SLEEPABLE(init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	if (p->policy == SCHED_NORMAL)
		FACT(NOBODY, "SCHED_OTHER: init_task");
	return 0;
}

void SCX_OP(enable, struct task_struct *p)
{
	if (p->policy == SCHED_NORMAL)
		FACT(NOBODY, "SCHED_OTHER: enable");
	if (p->policy == SCHED_EXT)
		FACT(NOBODY, "SCHED_EXT: enable");
}

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	insert_other(p, enq_flags);
}

void SCX_OP(running, struct task_struct *p)
{
	FACT(who_is(p), "runs");
}

PARITY_OPS(OP(init_task), OP(enable), OP(enqueue), OP(running),
	   .flags = SCX_OPS_SWITCH_PARTIAL);
