// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task whose slice is over, when there is no other: it goes on without another
 * word; with SCX_OPS_ENQ_LAST it stops and is handed over with SCX_ENQ_LAST.
 * Which of the two is a flag of the table: last.bpf.c and enq_last.bpf.c.
 *
 * For hog0 there is no other, however slow the CPUs are: who can goes to CPU 0,
 * and what is left of CPU 1 waits in a queue that is opened when hog0 sleeps.
 */
#ifndef LAST_FLAGS
#define LAST_FLAGS 0
#endif
#include "parity.bpf.h"

#define QUEUE 1

/* The last word about hog0 was that of ops.dispatch(). */
bool asked;

static bool is_hog0(const struct task_struct *p)
{
	return who_is(p) == HOG && p->comm[3] == '0';
}

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 who = who_is(p);

	if (is_hog0(p)) {
		if (enq_flags & SCX_ENQ_LAST)
			FACT(HOG, "handed over as last");
		dsq_insert(p, SCX_DSQ_LOCAL, MSEC, enq_flags);
	} else if (who == HOG || who == PINNED) {
		dsq_insert(p, QUEUE, 2 * MSEC, enq_flags);
	} else if (who == PERIODIC || who == EXT) {
		dsq_insert(p, SCX_DSQ_LOCAL_ON | 0, 2 * MSEC, enq_flags);
	} else {
		insert_other(p, enq_flags);
	}
}

void SCX_OP(dispatch, s32 cpu, struct task_struct *prev)
{
	if (cpu != 1)
		return;
	if (prev && is_hog0(prev) && prev->scx.flags & SCX_TASK_QUEUED)
		asked = true;
	else
		dsq_move_to_local(QUEUE);
}

/* It has not stopped meanwhile. */
void SCX_OP(tick, struct task_struct *p)
{
	if (is_hog0(p) && asked)
		FACT(HOG, "went on");
}

void SCX_OP(stopping, struct task_struct *p, bool runnable)
{
	if (is_hog0(p))
		asked = false;
}

s32 SCX_OP_SLEEPABLE(init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

PARITY_OPS(OP(enqueue), OP(dispatch), OP(tick), OP(stopping), OP(init), .flags = LAST_FLAGS);
