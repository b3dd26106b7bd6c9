// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a CPU runs next: the task that it runs, while that has slice left; its
 * local queue; the global one; only then it asks ops.dispatch().
 *
 * On CPU 1 the pinned task goes through the local queue and the global one by
 * turns, and hogs through a queue of ours. All that is counted here of CPU 1
 * changes under that CPU's lock.
 */
#include "parity.bpf.h"

#define QUEUE 1
#define COUNTED 1

u32 turns;

/* Where the pinned task waits: 1 local, 2 global. */
u32 place;

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 who = who_is(p);

	if (who == PINNED) {
		place = 1 + turns++ % 2;
		dsq_insert(p, place == 1 ? SCX_DSQ_LOCAL : SCX_DSQ_GLOBAL, 2 * MSEC, enq_flags);
	} else if (who == HOG) {
		dsq_insert(p, QUEUE, MSEC, enq_flags);
	} else {
		insert_other(p, enq_flags);
	}
}

void SCX_OP(dispatch, s32 cpu, struct task_struct *prev)
{
	if (scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL))
		FACT(NOBODY, "asked before local");
	if (cpu == COUNTED && place == 2)
		FACT(NOBODY, "asked before global");
	if (cpu == COUNTED && scx_bpf_dsq_nr_queued(QUEUE))
		FACT(NOBODY, "asked at last");
	if (prev && prev->scx.flags & SCX_TASK_QUEUED) {
		if (prev->scx.slice)
			FACT(NOBODY, "asked, slice left");
		else
			FACT(NOBODY, "asked, no slice left");
	}
	if (cpu == COUNTED)
		dsq_move_to_local(QUEUE);
}

void SCX_OP(running, struct task_struct *p)
{
	if (who_is(p) != PINNED)
		return;
	if (place == 1)
		FACT(PINNED, "from local");
	if (place == 2)
		FACT(PINNED, "from global");
	place = 0;
}

s32 SCX_OP_SLEEPABLE(init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

PARITY_OPS(OP(enqueue), OP(dispatch), OP(running), OP(init));
