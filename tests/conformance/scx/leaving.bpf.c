// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task that goes to sleep stops first, and is quiescent then: of what happens
 * to it last before ops.quiescent() it is told that it is not runnable any more.
 */
#include "parity.bpf.h"

/* The last operation of each task: running or stopping, and what the latter said. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, s32);
	__type(value, u32);
} last SEC(".maps");

enum { RAN = 1, STOPPED, STOPPED_RUNNABLE };

static void note(const struct task_struct *p, u32 what)
{
	s32 pid = p->pid;

	bpf_map_update_elem(&last, &pid, &what, BPF_ANY);
}

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	insert_other(p, enq_flags);
}

void SCX_OP(running, struct task_struct *p)
{
	note(p, RAN);
}

void SCX_OP(stopping, struct task_struct *p, bool runnable)
{
	note(p, runnable ? STOPPED_RUNNABLE : STOPPED);
}

void SCX_OP(quiescent, struct task_struct *p, u64 deq_flags)
{
	s32 pid = p->pid;
	u32 *what = bpf_map_lookup_elem(&last, &pid), who = who_is(p);

	if (!what || who == NOBODY || !(deq_flags & SCX_DEQ_SLEEP))
		return;
	if (*what == STOPPED)
		FACT(who, "stopping, quiescent");
	else if (*what == STOPPED_RUNNABLE)
		FACT(who, "stopped before");
	else
		FACT(who, "quiescent alone");
}

PARITY_OPS(OP(enqueue), OP(running), OP(stopping), OP(quiescent));
