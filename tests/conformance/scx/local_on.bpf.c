// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCX_DSQ_LOCAL_ON puts a task into the queue of the CPU that is named, wherever
 * it woke up; a CPU that the task may not run on is an error.
 */
#include "parity.bpf.h"

const volatile bool forbidden;

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 who = who_is(p);

	if (who == PERIODIC)
		dsq_insert(p, SCX_DSQ_LOCAL_ON | (number_of(p) & 1), 2 * MSEC, enq_flags);
	else if (who == PINNED && forbidden)
		dsq_insert(p, SCX_DSQ_LOCAL_ON | 0, 2 * MSEC, enq_flags);
	else
		insert_other(p, enq_flags);
}

/* All from ops.enqueue(): nobody puts a task in a queue before. */
s32 SCX_OP(select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void SCX_OP(quiescent, struct task_struct *p, u64 deq_flags)
{
	parity_quiescent(p, deq_flags);
}

void SCX_OP(running, struct task_struct *p)
{
	s32 pid = p->pid;
	struct way *way = bpf_map_lookup_elem(&ways, &pid);

	/* the first time after a sleep that we have seen */
	if (who_is(p) != PERIODIC || !way || !way->begun || forbidden)
		return;
	way->begun = 0;
	if (bpf_get_smp_processor_id() == (number_of(p) & 1))
		FACT(PERIODIC, "where it was sent");
	else
		FACT(PERIODIC, "elsewhere");
}

PARITY_OPS(OP(select_cpu), OP(enqueue), OP(running), OP(quiescent));
