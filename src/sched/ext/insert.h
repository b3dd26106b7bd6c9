/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Verdicts: scx_bpf_dispatch() and scx_bpf_dispatch_vtime() under all of their names.
 * Where the verdict goes depends on the operation that gives it (contexts.c). All is
 * inline, as which way a kfunc has is a constant. They are KF_TIMELESS.
 */
#ifndef VRT_SCHED_EXT_INSERT_H
#define VRT_SCHED_EXT_INSERT_H

#include "ext.h"

/* A way to record a verdict, and the operations that it is for. */
struct scx_insertion {
	u32 mask; /* SCX_KF_* */
	void (*record)(struct task_struct *p, u64 dsq_id, u64 enq_flags);
};

static inline void scx_dispatch_by_operation(struct task_struct *p, u64 dsq_id, u64 enq_flags)
{
	if (this_hand()->ddsp_task)
		scx_dispatch_direct(p, dsq_id, enq_flags);
	else
		scx_dispatch_buffered(p, dsq_id, enq_flags);
}

static const struct scx_insertion scx_direct = { SCX_KF_ENQUEUE, scx_dispatch_direct };
static const struct scx_insertion scx_buffered = { SCX_KF_DISPATCH, scx_dispatch_buffered };
/* This one chooses between the others while running: for calls that were not bound at load. */
static const struct scx_insertion scx_by_operation = { SCX_KF_ENQUEUE | SCX_KF_DISPATCH,
						       scx_dispatch_by_operation };

/* Error exit: at least one of them is wrong. False. */
bool scx_refuse_insert(u32 mask, struct task_struct *p, u64 enq_flags);

static inline bool scx_may_insert(u32 mask, struct task_struct *p, u64 enq_flags)
{
	return likely(scx_kf_permits(curr_task()->scx.kf_mask, mask) && p &&
		      !(enq_flags & __SCX_ENQ_INTERNAL_MASK)) ||
	       scx_refuse_insert(mask, p, enq_flags);
}

/* 0 keeps what is left, but a task that is dispatched has some */
static inline void scx_set_slice(struct task_struct *p, u64 slice)
{
	if (slice)
		p->scx.slice = slice;
	else if (!p->scx.slice)
		p->scx.slice = 1;
}

/* False: an error exit. */
static inline bool scx_insert(const struct scx_insertion *how, struct task_struct *p, u64 dsq_id,
			      u64 slice, u64 enq_flags)
{
	if (!scx_may_insert(how->mask, p, enq_flags))
		return false;
	scx_set_slice(p, slice);
	how->record(p, dsq_id, scx_enq_flags_from_bpf(enq_flags));
	return true;
}

static inline bool scx_insert_vtime(const struct scx_insertion *how, struct task_struct *p,
				    u64 dsq_id, u64 slice, u64 vtime, u64 enq_flags)
{
	if (!scx_may_insert(how->mask, p, enq_flags))
		return false;
	scx_set_slice(p, slice);
	p->scx.dsq_vtime = vtime;
	how->record(p, dsq_id, scx_enq_flags_from_bpf(enq_flags) | SCX_ENQ_DSQ_PRIQ);
	return true;
}

#endif
