// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task whose slice is over, when there is no other: it goes on without another
 * word; with SCX_OPS_ENQ_LAST it stops and is handed over with SCX_ENQ_LAST.
 * Which of the two is a flag of the table: last.bpf.c and enq_last.bpf.c.
 */
#ifndef LAST_FLAGS
#define LAST_FLAGS 0
#endif
#include "parity.bpf.h"

/* Of each hog: the last time that something was said of it, it was ops.dispatch(). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, s32);
	__type(value, u32);
} asked SEC(".maps");

static void set_asked(const struct task_struct *p, u32 value)
{
	s32 pid = p->pid;

	bpf_map_update_elem(&asked, &pid, &value, BPF_ANY);
}

static bool was_asked(const struct task_struct *p)
{
	s32 pid = p->pid;
	u32 *value = bpf_map_lookup_elem(&asked, &pid);

	return value && *value;
}

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	if (who_is(p) == HOG && enq_flags & SCX_ENQ_LAST)
		FACT(HOG, "handed over as last");
	if (who_is(p) == HOG)
		dsq_insert(p, SCX_DSQ_LOCAL, MSEC, enq_flags);
	else
		insert_other(p, enq_flags);
}

void SCX_OP(dispatch, s32 cpu, struct task_struct *prev)
{
	if (!prev || who_is(prev) != HOG || !(prev->scx.flags & SCX_TASK_QUEUED))
		return;
	set_asked(prev, 1);
}

/* It has not stopped meanwhile. */
void SCX_OP(tick, struct task_struct *p)
{
	if (who_is(p) == HOG && was_asked(p))
		FACT(HOG, "went on");
}

void SCX_OP(stopping, struct task_struct *p, bool runnable)
{
	if (who_is(p) == HOG)
		set_asked(p, 0);
}

PARITY_OPS(OP(enqueue), OP(dispatch), OP(tick), OP(stopping), .flags = LAST_FLAGS);
