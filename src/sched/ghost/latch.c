// SPDX-License-Identifier: GPL-2.0-only
/*
 * run_gtid(): latches a task for a CPU. The task is moved to the CPU's runqueue
 * and remembered there as the one to pick; nothing is rescheduled.
 *
 * Beyond what ABI 91 documents, a task is not latched for a CPU that its affinity
 * excludes (EINVAL): whatever a program does, a task runs only where it may.
 *
 * Locking: no lock on entry. The task's rq is locked, then the CPU's; the task is
 * on none in between, as in every migration. It is not pinned: a waker may hold
 * the pin while it waits for this very CPU to let the task go.
 */
#include "internal.h"

#define RUN_FLAGS                                                                                  \
	(RTLA_ON_PREEMPT | RTLA_ON_BLOCKED | RTLA_ON_YIELD | NEED_L1D_FLUSH | ELIDE_PREEMPT |      \
	 SEND_TASK_ON_CPU | DO_NOT_PREEMPT)

void ghost_unlatch(struct rq *rq)
{
	struct ghost_rq *gr = ghost_of(rq);
	struct task_struct *p = gr->latched;

	gr->latched = NULL;
	/* the program expects to hear that it got there before it hears that it left */
	if (gr->run_flags & SEND_TASK_ON_CPU)
		ghost_msg_on_cpu(rq, p);
	ghost_msg_preempt(rq, p, true);
	gr->run_flags &= ~(SEND_TASK_ON_CPU | ELIDE_PREEMPT);
}

/* Also one that is exiting and has no pid any more, but must still be run to its end. */
static struct task *find_task(const struct ghost_enclave *e, s64 gtid)
{
	struct task *t;

	if (gtid <= 0)
		return NULL;
	t = task_from_pid((s32)(gtid >> GHOST_TID_SEQNUM_BITS));
	if (t)
		return t->ghost.gtid == gtid ? t : NULL;
	list_for_each_entry(t, &e->tasks, ghost.node) {
		if (t->ghost.gtid == gtid)
			return t;
	}
	return NULL;
}

/* With the task's rq locked. */
static int validate(const struct ghost_enclave *e, const struct task_struct *p, u32 barrier)
{
	const struct ghost_task *gt = ghost_task_of(p);

	if (!is_ghost(p))
		return -EINVAL;
	if (gt->enclave != e)
		return -EXDEV;
	if (p->__state == TASK_DEAD || gt->sw->barrier != barrier)
		return -ESTALE;
	if (p->on_rq != 1)
		return -EINVAL;
	if (p->on_cpu)
		return -EBUSY;
	return is_cpu_allowed(p, this_cpu->id) ? 0 : -EINVAL;
}

/* @rq is locked; returns this CPU's, locked, with the task on it. */
static struct rq *move_here(struct rq *rq, struct task_struct *p)
{
	struct ghost_rq *gr = ghost_of(rq);
	struct rq *dst = this_rq();

	/* latched elsewhere: the program knows, it latches it anew */
	if (gr->latched == p) {
		gr->latched = NULL;
		gr->run_flags &= ~ELIDE_PREEMPT;
	}
	if (rq == dst)
		return rq;
	update_rq_clock(rq);
	deactivate_task(rq, p, DEQUEUE_MIGRATING);
	set_task_cpu(p, dst->cpu);
	rq_unlock(rq);
	rq_lock(dst);
	update_rq_clock(dst);
	activate_task(dst, p, ENQUEUE_MIGRATING);
	return dst;
}

/* This CPU's rq is locked, and the task is on it. */
static int latch(struct ghost_enclave *e, struct rq *rq, struct task_struct *p, s32 run_flags)
{
	struct ghost_rq *gr = ghost_of(rq);

	/* the enclave may have ended while no lock was held */
	if (!gr->agent || gr->enclave != e || !is_ghost(p))
		return -EINVAL;
	if ((run_flags & DO_NOT_PREEMPT) && (is_ghost(rq->curr) || gr->latched))
		return -ESTALE;
	if (gr->latched)
		ghost_unlatch(rq);
	gr->latched = p;
	gr->must_resched = false;
	gr->run_flags = run_flags;
	gr->cpu_seqnum++;
	return 0;
}

/* What can be said without looking at the task. */
static int check_cpu(const struct ghost_enclave *e, s32 run_flags)
{
	const struct ghost_rq *gr = ghost_of(this_rq());

	if (!cpumask_test_cpu(this_cpu->id, kernel.active))
		return -ERANGE;
	if (run_flags & ~RUN_FLAGS)
		return -EINVAL;
	if (e->ending)
		return -ENODEV;
	return gr->enclave == e ? 0 : -EXDEV;
}

int ghost_run_gtid(struct ghost_enclave *e, s64 gtid, u32 barrier, s32 run_flags)
{
	int err = check_cpu(e, run_flags);
	struct task *t;
	struct rq *rq;

	if (err)
		return err;
	t = find_task(e, gtid);
	if (!t || is_agent(&t->ts))
		return -ENOENT;
	task_get(t);
	rq = task_rq_lock(&t->ts);
	err = validate(e, &t->ts, barrier);
	if (!err) {
		rq = move_here(rq, &t->ts);
		err = latch(e, rq, &t->ts, run_flags);
	}
	if (err && is_ghost(&t->ts) && t->ghost.enclave == e)
		ghost_msg_latch_failure(rq, &t->ts, -err);
	rq_unlock(rq);
	task_put(t);
	return err;
}
