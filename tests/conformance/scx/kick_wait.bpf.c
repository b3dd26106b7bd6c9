// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCX_KICK_WAIT: the CPU that kicks another does not go on before that one has
 * been through a pick. CPU 0 kicks CPU 1, with SCX_KICK_PREEMPT, while a hog
 * runs there; when CPU 0 has been through a switch of its own, CPU 1 must have
 * stopped the hog, or asked what else there is to run.
 */
#include "parity.bpf.h"

u32 hog_runs, picks; /* CPU 1's: it runs one; how often it has looked for another task */
u32 kicked_at; /* CPU 0's: picks at the kick, plus 1; 0: there was none */
u32 switches; /* since then */

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	if (who_is(p) == HOG)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_INF, enq_flags);
	else
		insert_other(p, enq_flags);
}

void SCX_OP(running, struct task_struct *p)
{
	if (who_is(p) == HOG)
		hog_runs = 1;
	if (bpf_get_smp_processor_id())
		return;
	if (kicked_at && switches++) {
		if (picks + 1 != kicked_at)
			FACT(NOBODY, "waited");
		else
			FACT(NOBODY, "did not wait");
		kicked_at = 0;
	}
	if (!kicked_at && hog_runs) {
		switches = 0;
		kicked_at = picks + 1;
		scx_bpf_kick_cpu(1, SCX_KICK_PREEMPT | SCX_KICK_WAIT);
	}
}

void SCX_OP(stopping, struct task_struct *p, bool runnable)
{
	if (who_is(p) != HOG)
		return;
	hog_runs = 0;
	picks++;
}

void SCX_OP(dispatch, s32 cpu, struct task_struct *prev)
{
	if (cpu == 1)
		picks++;
}

PARITY_OPS(OP(enqueue), OP(dispatch), OP(running), OP(stopping));
