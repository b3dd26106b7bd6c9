// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a slice is noticed at a tick: a task whose slice is over at a tick
 * stops; one with slice left goes on. A few ticks more may come before the
 * kernel gets to it: on emulated CPUs one interrupt often follows the other.
 */
#include "parity.bpf.h"

/* Of CPU 1: what the tick saw that was the last word about the running task. */
enum { NOTHING, SLICE_LEFT, SLICE_OVER };
u32 saw, late;

#define MAX_LATE 8

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	if (who_is(p) == HOG)
		dsq_insert(p, SCX_DSQ_LOCAL, 15 * MSEC, enq_flags);
	else
		insert_other(p, enq_flags);
}

void SCX_OP(dispatch, s32 cpu, struct task_struct *prev)
{
	if (cpu == 1)
		saw = NOTHING;
}

void SCX_OP(tick, struct task_struct *p)
{
	if (who_is(p) != HOG)
		return;
	late = saw == SLICE_OVER ? late + 1 : 0;
	if (late > MAX_LATE)
		FACT(HOG, "goes on without slice");
	if (saw == SLICE_LEFT)
		FACT(HOG, "goes on with slice left");
	saw = p->scx.slice ? SLICE_LEFT : SLICE_OVER;
}

void SCX_OP(running, struct task_struct *p)
{
	if (bpf_get_smp_processor_id() == 1)
		saw = NOTHING;
}

void SCX_OP(stopping, struct task_struct *p, bool runnable)
{
	if (who_is(p) != HOG)
		return;
	if (runnable && !p->scx.slice && saw == SLICE_OVER)
		FACT(HOG, "stops after the tick");
	saw = NOTHING;
}

PARITY_OPS(OP(enqueue), OP(dispatch), OP(tick), OP(running), OP(stopping));
