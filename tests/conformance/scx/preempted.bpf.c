// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task that a higher class takes the CPU from, with slice left, is first in
 * line afterwards, before others in the local queue, and ops.enqueue() is not
 * asked. The workload's real-time task does that to the hogs.
 */
#include "parity.bpf.h"

/* Of CPU 1: who was preempted; 0: nobody. */
s32 preempted;
u32 waiting; /* hogs in the local queue */

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	if (who_is(p) != HOG) {
		insert_other(p, enq_flags);
		return;
	}
	if (p->pid == preempted)
		FACT(HOG, "preempted: enqueued");
	waiting++;
	dsq_insert(p, SCX_DSQ_LOCAL, 1000 * MSEC, enq_flags);
}

void SCX_OP(running, struct task_struct *p)
{
	if (bpf_get_smp_processor_id() != 1)
		return;
	if (preempted && p->pid != preempted)
		FACT(HOG, "preempted: another ran");
	if (preempted && p->pid == preempted && waiting)
		FACT(HOG, "preempted: first");
	if (who_is(p) == HOG && waiting && !preempted)
		waiting--;
	preempted = 0;
}

void SCX_OP(stopping, struct task_struct *p, bool runnable)
{
	if (who_is(p) == HOG && runnable && p->scx.slice)
		preempted = p->pid;
}

PARITY_OPS(OP(enqueue), OP(running), OP(stopping));
