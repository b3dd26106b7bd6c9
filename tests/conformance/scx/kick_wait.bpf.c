// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCX_KICK_WAIT: the CPU that kicks another does not go on before that one has
 * been through a pick. CPU 0 kicks CPU 1, with SCX_KICK_PREEMPT, while a hog
 * runs there; when CPU 0 has been through a switch of its own, CPU 1 must have
 * stopped the hog, or asked what else there is to run.
 *
 * CPU 1 makes that a wait worth the name: t0 is sent there, and when it is woken
 * by an interrupt there, ops.select_cpu() takes its time, with interrupts off. It
 * is an operation without the runqueue's lock, for which the kick alone would wait.
 */
#include "parity.bpf.h"

#define BUSY_NS (3 * MSEC)
#define MAX_SPINS (1 << 20)

/* Without it the other CPU is kicked all the same, but nobody waits for it. */
const volatile bool wait = true;

/*
 * How often it had, or had not. We see the pick a moment after the kernel has
 * told the waiting CPU of it, and an emulated CPU may be stopped in between: now
 * and then it looks as if nobody had waited. Without the flag it is often so.
 */
u64 nr_waited, nr_passed;
#define SELDOM(part, all) ((part) * 6 <= (all))
#define ENOUGH 8

u64 busy_until; /* CPU 1's: in ops.select_cpu() */
u32 hog_runs, picks; /* CPU 1's: it runs one; how often it has looked for another task */
u32 kicked_at; /* CPU 0's: picks at the kick, plus 1; 0: there was none */
u32 switches; /* since then */

static bool is_t0(const struct task_struct *p)
{
	return who_is(p) == PERIODIC && !number_of(p);
}

s32 SCX_OP(select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	u32 i;

	if (!is_t0(p) || bpf_get_smp_processor_id() != 1 || !hog_runs)
		return prev_cpu;
	busy_until = bpf_ktime_get_ns() + BUSY_NS;
	bpf_for(i, 0, MAX_SPINS)
		if (bpf_ktime_get_ns() >= busy_until)
			break;
	return prev_cpu;
}

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	if (who_is(p) == HOG)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_INF, enq_flags);
	else if (is_t0(p))
		dsq_insert(p, SCX_DSQ_LOCAL_ON | 1, MSEC, enq_flags | SCX_ENQ_PREEMPT);
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
		if (picks + 1 == kicked_at)
			nr_passed++;
		else
			nr_waited++;
		kicked_at = 0;
	}
	if (!kicked_at && hog_runs && bpf_ktime_get_ns() < busy_until) {
		switches = 0;
		kicked_at = picks + 1;
		scx_bpf_kick_cpu(1, SCX_KICK_PREEMPT | (wait ? SCX_KICK_WAIT : 0));
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

void SCX_OP(parity_exit, struct scx_exit_info *info)
{
	if (nr_waited + nr_passed < ENOUGH)
		return;
	if (wait && SELDOM(nr_passed, nr_waited + nr_passed))
		FACT_OF_LIFE(NOBODY, "waits");
	else if (wait || nr_passed > 1)
		FACT_OF_LIFE(NOBODY, "goes on");
}

PARITY_OPS(OP(select_cpu), OP(enqueue), OP(dispatch), OP(running), OP(stopping),
	   .exit = (void *)parity_exit);
