// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task that ops.select_cpu() puts into a DSQ is not handed to ops.enqueue().
 * Nobody does it for a task that may run on one CPU alone.
 */
#include "parity.bpf.h"

s32 SCX_OP(select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	parity_op(p, 'S');
	dsq_insert(p, SCX_DSQ_LOCAL, 2 * MSEC, 0);
	return prev_cpu;
}

void SCX_OP(runnable, struct task_struct *p, u64 enq_flags)
{
	parity_op(p, 'R');
}

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	parity_enqueue(p, enq_flags);
	insert_other(p, enq_flags);
}

void SCX_OP(running, struct task_struct *p)
{
	parity_running(p);
}

void SCX_OP(quiescent, struct task_struct *p, u64 deq_flags)
{
	parity_quiescent(p, deq_flags);
}

PARITY_OPS(OP(select_cpu), OP(runnable), OP(enqueue), OP(running), OP(quiescent));
