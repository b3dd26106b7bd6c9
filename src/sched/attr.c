// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of tasks and their change: policy, priority, class and affinity.
 * A queued task is taken off its queue, changed, and put back; a running one is
 * put and set again (struct sched_change).
 *
 * Locking: changes are made with the task's rq locked; the functions named as
 * system calls take it themselves.
 */
#include "sched.h"

/* --- attributes ---------------------------------------------------------------------- */

u32 task_weight(const struct task_struct *p)
{
	if (p->policy == SCHED_IDLE)
		return WEIGHT_IDLEPRIO;
	return sched_prio_to_weight[p->static_prio - MAX_RT_PRIO];
}

const struct sched_class_ops *setscheduler_class(const struct task_struct *p)
{
	if (class_of(p) == &stop_sched_class || class_of(p) == &ghost_agent_sched_class)
		return class_of(p);
	if (p->policy == SCHED_GHOST)
		return &ghost_sched_class;
	if (p->policy == SCHED_FIFO || p->policy == SCHED_RR)
		return &rt_sched_class;
	return scx_wants_class(p) ? &ext_sched_class : &fair_sched_class;
}

void sched_change_begin(struct sched_change *c, struct task_struct *p, u64 flags)
{
	struct rq *rq = task_rq(p);

	*c = (struct sched_change){
		.p = p, .flags = flags | DEQUEUE_NOCLOCK, .queued = p->on_rq == 1,
		.running = task_current(rq, p),
	};
	update_rq_clock(rq);
	if (c->queued)
		dequeue_task(rq, p, c->flags);
	if (c->running)
		class_of(p)->put_prev_task(rq, p, NULL);
}

void sched_change_end(struct sched_change *c)
{
	struct rq *rq = task_rq(c->p);

	if (c->queued)
		enqueue_task(rq, c->p, c->flags);
	if (c->running)
		class_of(c->p)->set_next_task(rq, c->p, false);
}

/* Called with the rq locked and the task between begin and end. */
static void change_class(struct rq *rq, struct task_struct *p,
			 const struct sched_class_ops *class)
{
	p->sched_class = &class->id;
	if (class->switching_to)
		class->switching_to(rq, p);
}

void task_change_class(struct task_struct *p, const struct sched_class_ops *class)
{
	const struct sched_class_ops *old = class_of(p);
	struct rq *rq = task_rq(p);
	struct sched_change c;

	VRT_ASSERT(rq_locked(rq));
	if (class != old && old->switching_from) {
		update_rq_clock(rq);
		old->switching_from(rq, p);
	}
	sched_change_begin(&c, p, DEQUEUE_SAVE | DEQUEUE_MOVE);
	if (class != old)
		change_class(rq, p, class);
	sched_change_end(&c);
	if (class == old)
		return;
	if (old->switched_from)
		old->switched_from(rq, p);
	trace_emit(TRACE_CLASS, p->pid, class->trace, 0);
	if (class->switched_to)
		class->switched_to(rq, p);
	if (c.running || c.queued) {
		/* whoever runs here may not be the right one any more */
		resched_curr(rq);
	}
}

int task_set_policy(struct task *t, s32 policy, u32 rt_priority)
{
	struct task_struct *p = &t->ts;
	bool rt = policy == SCHED_FIFO || policy == SCHED_RR;
	int err = 0;
	struct rq *rq;

	if (policy != SCHED_NORMAL && policy != SCHED_BATCH && policy != SCHED_IDLE &&
	    policy != SCHED_EXT && policy != SCHED_GHOST && !rt)
		return -EINVAL;
	if (rt ? rt_priority < 1 || rt_priority > 99 : rt_priority != 0)
		return -EINVAL;
	task_pin(p);
	rq = task_rq_lock(p);
	if (policy == SCHED_EXT && scx_on && p->scx.disallow)
		err = -EACCES;
	if (!err)
		err = ghost_set_policy(p, policy);
	if (!err) {
		task_apply_policy(p, policy, rt_priority);
		task_change_class(p, setscheduler_class(p));
		trace_prio(p);
	}
	rq_unlock(rq);
	task_unpin(p);
	return err;
}

void task_apply_policy(struct task_struct *p, s32 policy, u32 rt_priority)
{
	p->policy = policy;
	p->rt_priority = rt_priority;
	p->normal_prio = rt_priority ? MAX_RT_PRIO - 1 - (s32)rt_priority : p->static_prio;
	p->prio = p->normal_prio;
}

int task_set_nice(struct task *t, s32 nice)
{
	struct task_struct *p = &t->ts;
	struct sched_change c;
	struct rq *rq;

	if (nice < -20 || nice > 19)
		return -EINVAL;
	task_pin(p);
	rq = task_rq_lock(p);
	p->static_prio = NICE_TO_PRIO(nice);
	if (p->rt_priority) {
		rq_unlock(rq);
		task_unpin(p);
		return 0;
	}
	sched_change_begin(&c, p, DEQUEUE_SAVE | DEQUEUE_MOVE);
	task_apply_policy(p, p->policy, 0);
	class_of(p)->reweight_task(rq, p, task_weight(p));
	sched_change_end(&c);
	trace_prio(p);
	rq_unlock(rq);
	task_unpin(p);
	return 0;
}

/* --- affinity ------------------------------------------------------------------------- */

void move_queued_task(struct rq *rq, struct task_struct *p, u32 cpu)
{
	struct rq *dst = cpu_rq(cpu);

	deactivate_task(rq, p, DEQUEUE_MIGRATING);
	set_task_cpu(p, cpu);
	rq_unlock(rq);
	rq_lock(dst);
	update_rq_clock(dst);
	activate_task(dst, p, ENQUEUE_MIGRATING);
	wakeup_preempt(dst, p, 0);
	rq_unlock(dst);
}

/* On the stopper of the task's CPU: it is not running now. */
static void migration_stop(void *arg)
{
	struct task_struct *p = arg;
	struct rq *rq = task_rq_lock(p);

	p->migration_pending = NULL;
	if (p->on_rq == 1 && !task_current(rq, p) && !p->migration_disabled &&
	    !cpumask_test_cpu(rq->cpu, p->cpus_ptr)) {
		update_rq_clock(rq);
		move_queued_task(rq, p, select_fallback_rq(rq->cpu, p));
	} else {
		rq_unlock(rq);
	}
	task_put(task_of(p));
}

int task_set_affinity(struct task *t, const struct cpumask *mask)
{
	struct task_struct *p = &t->ts;
	struct sched_change c;
	struct rq *rq;

	if (!cpumask_intersects(mask, kernel.active))
		return -EINVAL;
	if (p->flags & PF_NO_SETAFFINITY)
		return -EINVAL;
	task_pin(p);
	rq = task_rq_lock(p);
	sched_change_begin(&c, p, DEQUEUE_SAVE);
	cpumask_copy(&p->cpus_mask, mask);
	p->nr_cpus_allowed = cpumask_weight(mask);
	if (class_of(p)->set_cpus_allowed)
		class_of(p)->set_cpus_allowed(p, &p->cpus_mask);
	sched_change_end(&c);
	if (cpumask_test_cpu(rq->cpu, mask) || p->on_rq != 1 || p->migration_disabled) {
		rq_unlock(rq); /* migrate_enable() will see to it */
	} else if (!task_current(rq, p)) {
		move_queued_task(rq, p, select_fallback_rq(rq->cpu, p));
	} else {
		bool pending = p->migration_pending;

		p->migration_pending = p;
		rq_unlock(rq);
		if (!pending) {
			task_get(t);
			stop_one_cpu_nowait(rq->cpu, migration_stop, p);
		}
	}
	task_unpin(p);
	return 0;
}

void migrate_disable(void)
{
	curr_task()->migration_disabled++;
}

void migrate_enable(void)
{
	struct task_struct *p = curr_task();
	struct cpumask mask;

	VRT_ASSERT(p->migration_disabled);
	if (--p->migration_disabled || cpumask_test_cpu(p->cpu, p->cpus_ptr))
		return;
	/* its affinity has changed meanwhile: now it is to go */
	cpumask_copy(&mask, p->cpus_ptr);
	task_set_affinity(task_of(p), &mask);
}

struct task *kernel_task_named(const char *comm, const struct task *after)
{
	for (u32 pid = after ? (u32)after->ts.pid + 1 : 1; pid < kernel.nr_pids; pid++) {
		struct task *t = task_from_pid((s32)pid);

		if (t && !t->dead && !strcmp(t->ts.comm, comm))
			return t;
	}
	return NULL;
}
