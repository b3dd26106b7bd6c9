// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCX_KICK_PREEMPT ends the slice of what runs on a CPU, here at once and that of
 * a task whose slice has no end; without it a kick changes nothing for such a
 * task.
 */
#include "parity.bpf.h"

const volatile bool preempt;

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 who = who_is(p);

	if (who == HOG)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_INF, enq_flags);
	else if (who == PINNED)
		dsq_insert(p, SCX_DSQ_LOCAL, 2 * MSEC, enq_flags);
	else
		insert_other(p, enq_flags);
	if (who == PINNED)
		scx_bpf_kick_cpu(1, preempt ? SCX_KICK_PREEMPT : 0);
}

void SCX_OP(stopping, struct task_struct *p, bool runnable)
{
	if (who_is(p) != HOG)
		return;
	if (!runnable)
		FACT(HOG, "stops by itself");
	else if (!p->scx.slice)
		FACT(HOG, "its slice was ended");
}

PARITY_OPS(OP(enqueue), OP(stopping));
