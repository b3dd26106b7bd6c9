// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ghOSt does at every pick of a CPU, in this order:
 *
 *	ghost_pick_prologue()	before any class is asked: what the task that ran has
 *				done is told, and BPF-PNT runs with no rq lock held
 *	ghost_preempted()	a class above has something: the task that ran, and one
 *				that is latched, are told to be preempted at once
 *	ghost_pick()		the latched task, or the one that ran
 *	ghost_prepare_switch()	last things to tell before the switch
 *
 * A task that stays on its CPU is not told of. One that leaves is told of once:
 * BLOCKED or YIELD, and otherwise PREEMPT; gr->check_prev is set as long as it is
 * not known whether there will be something to tell.
 *
 * Locking: the rq is locked; the prologue drops the lock for PNT.
 */
#include "../fair/fair.h"
#include "internal.h"

/* --- whom the CPU is for ---------------------------------------------------------- */

bool ghost_others_runnable(const struct rq *rq)
{
	return (rq->stop && rq->stop->on_rq == 1) || rq->rt.rt_nr_running ||
	       fair_nr_runnable(rq) || rq->scx.local_dsq.nr;
}

void ghost_update_availability(struct rq *rq, bool available)
{
	struct ghost_rq *gr = ghost_of(rq);
	struct ghost_status_word *sw;

	available &= cpumask_test_cpu(cpu_of(rq), kernel.active);
	if (!gr->agent || !ghost_active(gr->enclave) || available == gr->available)
		return;
	gr->available = available;
	sw = ghost_task_of(gr->agent)->sw;
	if (available) {
		sw->flags |= GHOST_SW_CPU_AVAIL;
		ghost_msg_cpu(rq, MSG_CPU_AVAILABLE);
	} else {
		sw->flags &= ~GHOST_SW_CPU_AVAIL;
		ghost_msg_cpu(rq, MSG_CPU_BUSY);
	}
}

/* --- before any class is asked ------------------------------------------------------- */

/* Tells what @prev did by itself. False when there is nothing more to tell of it. */
static bool tell_prev(struct rq *rq, struct task_struct *prev)
{
	struct ghost_task *gt = ghost_task_of(prev);

	if (!is_ghost(prev))
		return false;
	if (gt->is_new) {
		gt->is_new = gt->blocked = gt->yielded = false;
		ghost_msg_new(rq, prev, prev->on_rq == 1);
		return false;
	}
	if (gt->yielded) {
		gt->yielded = false;
		ghost_msg_yield(rq, prev);
		return false;
	}
	if (gt->blocked) {
		gt->blocked = false;
		ghost_msg_blocked(rq, prev);
		return false;
	}
	return true;
}

/* May @prev go on if nothing else is to run? */
static bool may_go_on(const struct rq *rq, const struct task_struct *prev)
{
	return is_ghost(prev) && prev->on_rq == 1 && prev->__state == TASK_RUNNING &&
	       !ghost_of(rq)->must_resched && !ghost_of(rq)->switchto;
}

static void run_pnt(struct rq *rq, struct task_struct *prev, struct ghost_enclave *e)
{
	struct ghost_rq *gr = ghost_of(rq);
	struct bpf_ghost_sched *ctx = this_ghost()->sched;

	memset(ctx, 0, sizeof(*ctx));
	ctx->agent_on_rq = ctx->agent_runnable = gr->agent && gr->agent->on_rq == 1;
	ctx->might_yield = ghost_others_runnable(rq);
	if (gr->latched)
		ctx->next_gtid = ghost_task_of(gr->latched)->gtid;
	else if (may_go_on(rq, prev))
		ctx->next_gtid = ghost_task_of(prev)->gtid;
	rq_unlock(rq);
	e->picks++;
	ghost_run_prog(e, e->pnt, ctx);
	rq_lock(rq);
	update_rq_clock(rq);
	gr->dont_idle |= ctx->dont_idle;
	gr->must_resched |= ctx->must_resched != 0;
}

void ghost_pick_prologue(struct rq *rq, struct task_struct *prev)
{
	struct ghost_rq *gr = ghost_of(rq);
	struct ghost_enclave *e = gr->enclave;

	gr->check_prev = tell_prev(rq, prev);
	gr->switchto = -gr->switchto;
	if (gr->resched_seqnum == gr->cpu_seqnum)
		gr->must_resched = true;
	gr->dont_idle = false;
	if (!e || !ghost_active(e) || !cpu_online(cpu_of(rq)))
		return;
	ghost_update_availability(rq, !ghost_others_runnable(rq));
	if (e->pnt)
		run_pnt(rq, prev, e);
}

/* --- picking ------------------------------------------------------------------------ */

void ghost_preempted(struct rq *rq, bool by_others)
{
	struct ghost_rq *gr = ghost_of(rq);

	if (gr->check_prev) {
		gr->check_prev = false;
		ghost_msg_preempt(rq, rq->curr, false);
		/* having been told of, it must go */
		gr->must_resched = true;
	}
	if (gr->latched && (by_others || !(gr->run_flags & DEFER_LATCHED_PREEMPTION_BY_AGENT)))
		ghost_unlatch(rq);
}

struct task_struct *ghost_pick(struct rq *rq)
{
	struct ghost_rq *gr = ghost_of(rq);
	struct task_struct *prev = rq->curr, *next = NULL;

	/* the last one of a chain is told of in any case: nobody knows it else */
	if (!gr->switchto && (gr->run_flags & ELIDE_PREEMPT)) {
		gr->check_prev = false;
		gr->run_flags &= ~ELIDE_PREEMPT;
	}
	if (!gr->agent)
		return NULL;
	if (gr->latched) {
		next = gr->latched;
		gr->latched = NULL;
		VRT_ASSERT(next != prev && is_ghost(next) && next->on_rq == 1 && !next->on_cpu);
	} else if (may_go_on(rq, prev)) {
		next = prev;
		gr->check_prev = false;
	}
	gr->must_resched = false;
	return next;
}

void ghost_prepare_switch(struct rq *rq, struct task_struct *prev, struct task_struct *next)
{
	struct ghost_rq *gr = ghost_of(rq);

	ghost_update_availability(rq, is_ghost(next) || is_agent(next) || is_idle_task(next));
	if (is_ghost(prev)) {
		/* it entered while the lock was dropped in the middle of the pick */
		if (ghost_task_of(prev)->is_new)
			tell_prev(rq, prev);
		else if (gr->check_prev)
			ghost_msg_preempt(rq, prev, false);
		ghost_task_of(prev)->sw->flags &= ~GHOST_SW_TASK_ONCPU;
	}
	gr->check_prev = false;
	/* another class came while the lock was dropped, or stop, which asks nobody */
	if (gr->latched && !is_agent(next))
		ghost_unlatch(rq);
	if (is_ghost(next) && (gr->run_flags & SEND_TASK_ON_CPU)) {
		gr->run_flags &= ~SEND_TASK_ON_CPU;
		ghost_msg_on_cpu(rq, next);
	}
	if (gr->switchto < 0)
		gr->switchto = 0;
}

bool ghost_dont_idle(struct rq *rq)
{
	bool look_again = ghost_of(rq)->dont_idle;

	ghost_of(rq)->dont_idle = false;
	return look_again;
}
