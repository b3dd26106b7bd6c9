// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task that wakes up is asked about by ops.select_cpu(), then told of by
 * ops.runnable(), then handed over by ops.enqueue(). One that may run on one CPU
 * alone is not asked about.
 */
#include "parity.bpf.h"

s32 SCX_OP(select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	parity_op(p, 'S');
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

void SCX_OP(dequeue, struct task_struct *p, u64 deq_flags)
{
	parity_op(p, 'D');
}

void SCX_OP(running, struct task_struct *p)
{
	parity_running(p);
}

void SCX_OP(quiescent, struct task_struct *p, u64 deq_flags)
{
	parity_quiescent(p, deq_flags);
}

PARITY_OPS(OP(select_cpu), OP(runnable), OP(enqueue), OP(dequeue), OP(running), OP(quiescent));
