// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks in and out of enclaves: by task_set_policy(), at ghost_start(), by fork,
 * and by exit. Being in an enclave means to have a status word, to be on the
 * enclave's list, and to hold a reference to it; the class follows at once.
 *
 * Locking: with the task's rq locked, or while nobody else knows the task.
 */
#include "internal.h"

/* Of a real-time task nothing is remembered: it goes back to fair as all do. */
static s32 policy_after(const struct task_struct *p)
{
	return p->policy == SCHED_FIFO || p->policy == SCHED_RR ? SCHED_NORMAL : (s32)p->policy;
}

int ghost_admit(struct ghost_enclave *e, struct task_struct *p)
{
	struct ghost_task *gt = ghost_task_of(p);

	VRT_ASSERT(!gt->enclave);
	gt->sw = ghost_sw_alloc(e, gt->gtid, &gt->sw_index);
	if (!gt->sw) {
		if (!e->nr_refused++)
			kernel_logf(false, "ghOSt: enclave %u: all %u status words are in use; %s[%d] stays where it is",
				    e->id, e->region->capacity, p->comm, p->pid);
		return -ENOSPC;
	}
	gt->enclave = e;
	gt->old_policy = policy_after(p);
	gt->is_new = gt->yielded = gt->blocked = false;
	gt->runnable_since = 0;
	gt->last_ran_cpu = p->cpu;
	list_add_tail(&gt->node, &e->tasks);
	e->nr_tasks++;
	ghost_get(e);
	return 0;
}

void ghost_release(struct task_struct *p)
{
	struct ghost_task *gt = ghost_task_of(p);
	struct ghost_enclave *e = gt->enclave;

	ghost_sw_free(e, gt->sw_index);
	if (!list_empty(&gt->node)) {
		list_del_init(&gt->node);
		e->nr_tasks--;
	}
	gt->sw = NULL;
	gt->enclave = NULL;
	ghost_put(e);
}

/* --- by a system call ---------------------------------------------------------------- */

int ghost_set_policy(struct task_struct *p, s32 policy)
{
	struct ghost_enclave *e;

	if (is_agent(p))
		return -EPERM;
	if (policy != SCHED_GHOST || ghost_task_of(p)->enclave)
		return 0;
	if (p->flags & PF_KTHREAD)
		return -EPERM;
	if (p->__state == TASK_DEAD)
		return -ESRCH;
	e = ghost_enclave_for(p);
	return e ? ghost_admit(e, p) : -EBADF;
}

/* --- at the start ---------------------------------------------------------------------- */

static bool is_taken(const struct task *t)
{
	return (t->ts.policy == SCHED_NORMAL || t->ts.policy == SCHED_BATCH) &&
	       !(t->ts.flags & PF_KTHREAD) && t->group != TASK_GROUP_SYSTEM;
}

static void take(struct ghost_enclave *e, struct task *t)
{
	struct task_struct *p = &t->ts;
	struct rq *rq;

	task_get(t);
	task_pin(p);
	rq = task_rq_lock(p);
	if (ghost_active(e) && is_taken(t) && !t->ghost.enclave && p->__state != TASK_DEAD &&
	    !ghost_admit(e, p)) {
		task_apply_policy(p, SCHED_GHOST, 0);
		task_change_class(p, &ghost_sched_class);
	}
	rq_unlock(rq);
	task_unpin(p);
	task_put(t);
}

void ghost_take_all(struct ghost_enclave *e)
{
	cpu_sync();
	/* by pid: tasks come and go meanwhile; one that is being made is ghost_fork()'s */
	for (u32 pid = 1; pid < kernel.nr_pids; pid++) {
		struct task *t = task_from_pid((s32)pid);

		if (t && !list_empty(&t->all) && is_taken(t))
			take(e, t);
	}
}

/* --- by fork ----------------------------------------------------------------------------- */

/* The enclave of its parent, if it was forked there; otherwise one that takes all. */
static struct ghost_enclave *enclave_of_fork(const struct task *t, const struct task *parent)
{
	struct ghost_enclave *e;

	if (!is_taken(t))
		return NULL;
	if (parent && is_ghost(&parent->ts) && ghost_active(parent->ghost.enclave))
		return parent->ghost.enclave;
	list_for_each_entry(e, &ghost.enclaves, node) {
		if (ghost_active(e) && e->config.take_all)
			return e;
	}
	return NULL;
}

void ghost_fork(struct task *t, const struct task *parent)
{
	struct task_struct *p = &t->ts;
	struct ghost_enclave *e;

	t->ghost.gtid = (s64)((u64)p->pid << GHOST_TID_SEQNUM_BITS | ++ghost.gtid_seqnum);
	t->ghost.parent_gtid = task_of(p->real_parent)->ghost.gtid;
	INIT_LIST_HEAD(&t->ghost.node);
	INIT_LIST_HEAD(&t->ghost.run_node);
	e = enclave_of_fork(t, parent);
	if (!e || ghost_admit(e, p))
		return;
	t->ghost.is_new = true;
	p->policy = SCHED_GHOST;
	p->sched_class = &ghost_sched_class.id;
}

/* --- by exit ------------------------------------------------------------------------------ */

void ghost_task_dead(struct task_struct *p)
{
	struct rq *rq;

	if (!ghost_task_of(p)->enclave)
		return;
	rq = task_rq_lock(p);
	if (!is_agent(p))
		ghost_msg_dead(rq, p);
	ghost_release(p);
	rq_unlock(rq);
}
