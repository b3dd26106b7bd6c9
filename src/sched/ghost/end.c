// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of an enclave: destroyed, its agent gone, a task not run in time, a
 * program stopped for what it did. From the moment that it is claimed no program
 * of the enclave runs and nothing is latched; then all its tasks go back to fair,
 * its agents exit and its CPUs are free.
 *
 * The claim may come in any context. The work needs task context: it is done by
 * the claimer, or left to ghOSt's kernel thread; several may be at it, each step
 * looks at what is left.
 */
#include <stdarg.h>

#include "internal.h"

/* --- the work --------------------------------------------------------------------- */

/* Nothing is picked from here on. What is latched stays queued. */
static void close_cpu(struct ghost_enclave *e, u32 cpu)
{
	struct rq *rq = cpu_rq(cpu);
	struct ghost_rq *gr = ghost_of(rq);
	struct task_struct *agent = NULL;

	rq_lock(rq);
	if (gr->enclave == e) {
		agent = gr->agent;
		gr->agent = NULL;
		gr->enclave = NULL;
		gr->latched = NULL;
		gr->run_flags = 0;
		gr->resched_seqnum = ~0ULL;
	}
	rq_unlock(rq);
	if (agent)
		ghost_agent_wake(agent);
}

static void to_fair(struct ghost_enclave *e, struct task *t)
{
	struct task_struct *p = &t->ts;
	struct rq *rq;

	task_get(t);
	task_pin(p);
	rq = task_rq_lock(p);
	if (t->ghost.enclave == e && p->__state != TASK_DEAD) {
		task_apply_policy(p, t->ghost.old_policy, 0);
		task_change_class(p, setscheduler_class(p));
	}
	rq_unlock(rq);
	task_unpin(p);
	task_put(t);
}

/* One that is dead leaves by itself: it is in the middle of its last switch. */
static struct task *first_alive(const struct ghost_enclave *e)
{
	struct task *t;

	list_for_each_entry(t, &e->tasks, ghost.node) {
		if (t->ts.__state != TASK_DEAD)
			return t;
	}
	return NULL;
}

static void finish(struct ghost_enclave *e)
{
	struct ghost_exit_record *r = &e->record;

	if (e->ended)
		return;
	e->ended = true;
	ghost_watchdog_stop(e);
	ghost_detach_programs(e);
	if (!e->started)
		return;
	r->active = false;
	kernel_logf(false, "ghOSt: enclave %u ended (%s)%s%s", e->id, r->reason,
		    r->message[0] ? ": " : "", r->message);
	trace_emit(TRACE_SCHED_DETACH, 0, r->kind, 0);
}

static void tear_down(struct ghost_enclave *e)
{
	struct task *t;
	u32 cpu;

	ghost_get(e);
	cpu_sync();
	for_each_cpu(cpu, &e->cpus)
		close_cpu(e, cpu);
	while ((t = first_alive(e)))
		to_fair(e, t);
	finish(e);
	ghost_put(e);
}

static void end_workfn(struct kthread_work *work)
{
	struct ghost_enclave *e = container_of(work, struct ghost_enclave, end_work);

	tear_down(e);
	ghost_put(e);
}

static void end_irqfn(struct irq_work *work)
{
	kthread_queue_work(ghost.worker, &container_of(work, struct ghost_enclave, end_irq)->end_work);
}

void ghost_end_init(struct ghost_enclave *e)
{
	irq_work_init(&e->end_irq, end_irqfn);
	kthread_init_work(&e->end_work, end_workfn);
}

/* --- the claim ----------------------------------------------------------------------- */

static bool claim(struct ghost_enclave *e, enum ghost_exit_kind kind, const char *reason)
{
	struct ghost_exit_record *r = &e->record;

	if (e->ending)
		return false;
	e->ending = true;
	r->kind = kind;
	r->time = cpu_clock();
	snprintf(r->reason, sizeof(r->reason), "%s", reason);
	return true;
}

void ghost_end(struct ghost_enclave *e, enum ghost_exit_kind kind, const char *reason,
	       const char *fmt, ...)
{
	va_list args;

	if (!claim(e, kind, reason))
		return;
	va_start(args, fmt);
	vsnprintf(e->record.message, sizeof(e->record.message), fmt, args);
	va_end(args);
	ghost_get(e);
	irq_work_queue(&e->end_irq);
}

void ghost_end_now(struct ghost_enclave *e, enum ghost_exit_kind kind, const char *reason)
{
	claim(e, kind, reason);
	tear_down(e);
}
