// SPDX-License-Identifier: GPL-2.0-only
/* A runnable task that is put in no queue is seen by the watchdog. */
#include "parity.bpf.h"

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	if (who_is(p) != PERIODIC || number_of(p))
		insert_other(p, enq_flags);
}

PARITY_OPS(OP(enqueue), .timeout_ms = 100);
