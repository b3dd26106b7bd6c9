// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops.init() and ops.exit() are called once; of each task init_task comes first,
 * then enable, and in the end as many have been disabled and exited, before
 * ops.exit().
 */
#include "parity.bpf.h"

u64 nr_init, nr_exit, nr_init_task, nr_exit_task, nr_enable, nr_disable;

enum { INITIALISED = 1, ENABLED = 2, FORKED = 4 };
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u32);
} states SEC(".maps");

/* A dead task's number may be used again: what a task is known by is where it is. */
static u32 state_of(const struct task_struct *p)
{
	u64 key = (u64)p;
	u32 *state = bpf_map_lookup_elem(&states, &key);

	return state ? *state : 0;
}

static void set_state(const struct task_struct *p, u32 state)
{
	u64 key = (u64)p;

	if (state)
		bpf_map_update_elem(&states, &key, &state, BPF_ANY);
	else
		bpf_map_delete_elem(&states, &key);
}

s32 SCX_OP_SLEEPABLE(init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	__sync_fetch_and_add(&nr_init_task, 1);
	if (state_of(p))
		FACT_OF_LIFE(NOBODY, "init_task twice");
	if (args->fork)
		FACT_OF_LIFE(NOBODY, "init_task at fork");
	else
		FACT_OF_LIFE(NOBODY, "init_task of old tasks");
	set_state(p, INITIALISED | (args->fork ? FORKED : 0));
	return 0;
}

void SCX_OP(enable, struct task_struct *p)
{
	u32 state = state_of(p);

	__sync_fetch_and_add(&nr_enable, 1);
	if (!(state & INITIALISED))
		FACT_OF_LIFE(NOBODY, "enable before init_task");
	if (state & ENABLED)
		FACT_OF_LIFE(NOBODY, "enable twice");
	set_state(p, state | ENABLED);
}

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	if (state_of(p) & ENABLED)
		FACT_OF_LIFE(NOBODY, "enqueue when enabled");
	else
		FACT_OF_LIFE(NOBODY, "enqueue not enabled");
	insert_other(p, enq_flags);
}

void SCX_OP(running, struct task_struct *p)
{
	u32 who = who_is(p);

	if (who != NOBODY && state_of(p) & FORKED)
		FACT_OF_LIFE(who, "was initialised at fork");
	else if (who != NOBODY)
		FACT_OF_LIFE(who, "was not told of at fork");
}

void SCX_OP(disable, struct task_struct *p)
{
	u32 state = state_of(p);

	__sync_fetch_and_add(&nr_disable, 1);
	if (!(state & ENABLED))
		FACT_OF_LIFE(NOBODY, "disable, not enabled");
	set_state(p, state & ~ENABLED);
}

void SCX_OP(exit_task, struct task_struct *p, struct scx_exit_task_args *args)
{
	__sync_fetch_and_add(&nr_exit_task, 1);
	if (state_of(p) & ENABLED)
		FACT_OF_LIFE(NOBODY, "exit_task when enabled");
	if (!state_of(p))
		FACT_OF_LIFE(NOBODY, "exit_task twice");
	set_state(p, 0);
}

s32 SCX_OP_SLEEPABLE(init)
{
	if (nr_init++)
		FACT_OF_LIFE(NOBODY, "init twice");
	if (nr_init_task)
		FACT_OF_LIFE(NOBODY, "init_task before init");
	return 0;
}

void SCX_OP(parity_exit, struct scx_exit_info *info)
{
	if (nr_exit++)
		FACT_OF_LIFE(NOBODY, "exit twice");
	if (nr_init == 1)
		FACT_OF_LIFE(NOBODY, "init, exit");
	if (nr_init_task == nr_exit_task)
		FACT_OF_LIFE(NOBODY, "init_task = exit_task");
	if (nr_enable == nr_disable)
		FACT_OF_LIFE(NOBODY, "enable = disable");
	if (info->kind == SCX_EXIT_UNREG)
		FACT_OF_LIFE(NOBODY, "exit: unregistered");
}

PARITY_OPS(OP(init_task), OP(enable), OP(enqueue), OP(running), OP(disable), OP(exit_task),
	   OP(init), .exit = (void *)parity_exit);
