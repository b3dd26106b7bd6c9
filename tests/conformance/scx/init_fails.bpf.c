// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching succeeds although ops.init(), or ops.init_task() of one task, fails:
 * the scheduler ends at once, and is told of it by ops.exit().
 */
#include "parity.bpf.h"

const volatile bool at_task;

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	FACT_OF_LIFE(NOBODY, "enqueue");
	insert_other(p, enq_flags);
}

s32 SCX_OP_SLEEPABLE(init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return at_task ? -12 : 0;
}

s32 SCX_OP_SLEEPABLE(init)
{
	return at_task ? 0 : -2;
}

void SCX_OP(parity_exit, struct scx_exit_info *info)
{
	if (info->kind == SCX_EXIT_ERROR)
		FACT_OF_LIFE(NOBODY, "exit: error");
	else
		FACT_OF_LIFE(NOBODY, "exit: no error");
}

PARITY_OPS(OP(enqueue), OP(init_task), OP(init), .exit = (void *)parity_exit);
