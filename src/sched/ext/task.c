// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of each task under a scheduler: initialised when the scheduler comes
 * or the task is forked, enabled while the task is scheduled by it, disabled and
 * exited when either goes.
 *
 * Locking: enable and disable with the task's rq locked; init without, since
 * ops.init_task() may sleep.
 */
#include "../../base/alloc.h"
#include "ext.h"

enum scx_task_state scx_task_state(const struct task_struct *p)
{
	return (p->scx.flags & SCX_TASK_STATE_MASK) >> SCX_TASK_STATE_SHIFT;
}

void scx_set_task_state(struct task_struct *p, enum scx_task_state state)
{
	p->scx.flags &= ~(u32)SCX_TASK_STATE_MASK;
	p->scx.flags |= (u32)state << SCX_TASK_STATE_SHIFT;
}

void scx_init_task_entity(struct task_struct *p)
{
	struct sched_ext_entity *scx_e = &p->scx;

	memset(scx_e, 0, sizeof(*scx_e));
	INIT_LIST_HEAD(&scx_e->dsq_list.node);
	RB_CLEAR_NODE(&scx_e->dsq_priq);
	scx_e->sticky_cpu = -1;
	scx_e->holding_cpu = -1;
	INIT_LIST_HEAD(&scx_e->runnable_node);
	INIT_LIST_HEAD(&scx_e->tasks_node);
	scx_e->runnable_at = kernel.tick_ns ? kernel_now() / kernel.tick_ns : 0;
	scx_e->ddsp_dsq_id = SCX_DSQ_INVALID;
	scx_e->slice = SCX_SLICE_DFL;
}

int scx_ops_init_task(struct task_struct *p, bool fork)
{
	p->scx.disallow = false;
	if (SCX_HAS_OP(init_task)) {
		struct scx_init_task_args *args = sched_alloc(OBJ_SCX_INIT_TASK_ARGS,
							      sizeof(*args));
		s32 ret;

		args->fork = fork;
		args->cgroup = p->sched_task_group->css.cgroup;
		ret = SCX_CALL(SCX_KF_UNLOCKED, init_task, SCX_ARG(p), SCX_ARG(args));
		kheap_free(args);
		if (ret)
			return ops_sanitize_err("init_task", ret);
	}
	scx_set_task_state(p, SCX_TASK_INIT);
	if (p->scx.disallow && p->policy == SCHED_EXT) {
		if (fork) {
			scx_error("ops.init_task() set task->scx.disallow for %s[%d] during fork",
				  p->comm, p->pid);
		} else {
			p->policy = SCHED_NORMAL;
		}
	}
	p->scx.flags |= SCX_TASK_RESET_RUNNABLE_AT;
	return 0;
}

/* With the rq locked: the task is about to be scheduled by sched_ext. */
void scx_enable_task(struct task_struct *p)
{
	p->scx.weight = sched_weight_to_cgroup(task_weight(p));
	if (SCX_HAS_OP(enable))
		SCX_CALL_TASK(SCX_KF_REST, enable, p);
	scx_set_task_state(p, SCX_TASK_ENABLED);
	if (SCX_HAS_OP(set_weight))
		SCX_CALL_TASK(SCX_KF_REST, set_weight, p, p->scx.weight);
}

void scx_disable_task(struct task_struct *p)
{
	VRT_ASSERT(scx_task_state(p) == SCX_TASK_ENABLED);
	clear_direct_dispatch(p);
	if (SCX_HAS_OP(disable))
		SCX_CALL_TASK(SCX_KF_REST, disable, p);
	scx_set_task_state(p, SCX_TASK_READY);
}

/* With the rq locked. */
void scx_exit_task(struct task_struct *p)
{
	enum scx_task_state state = scx_task_state(p);

	if (state == SCX_TASK_NONE)
		return;
	if (state == SCX_TASK_ENABLED)
		scx_disable_task(p);
	if (SCX_HAS_OP(exit_task)) {
		struct scx_exit_task_args *args = sched_alloc(OBJ_SCX_EXIT_TASK_ARGS,
							      sizeof(*args));

		args->cancelled = state == SCX_TASK_INIT;
		SCX_CALL_TASK(SCX_KF_REST, exit_task, p, SCX_ARG(args));
		kheap_free(args);
	}
	scx_set_task_state(p, SCX_TASK_NONE);
}

/*
 * Forks and the enabling and disabling of a scheduler exclude each other: a task
 * is either seen by the walk over all tasks, or knows what the walk has done.
 * Neither side is switched away from while it holds the other out, so spinning
 * ends.
 */
void scx_lock_out_forks(void)
{
	cpu_sync();
	VRT_ASSERT(!scx.forks_locked_out);
	scx.forks_locked_out = true;
	while (scx.forks)
		cpu_spin_until(cpu_clock() + NSEC_PER_USEC);
}

void scx_let_in_forks(void)
{
	VRT_ASSERT(scx.forks_locked_out && !scx.forks);
	scx.forks_locked_out = false;
}

void scx_pre_fork(void)
{
	if (this_cpu)
		cpu_sync();
	while (scx.forks_locked_out)
		cpu_spin_until(cpu_clock() + NSEC_PER_USEC);
	scx.forks++;
}

int scx_fork(struct task_struct *p)
{
	return scx.init_task_enabled ? scx_ops_init_task(p, true) : 0;
}

void scx_post_fork(struct task_struct *p)
{
	struct rq *rq;

	VRT_ASSERT(scx.forks);
	if (scx_task_state(p) == SCX_TASK_INIT) {
		scx_set_task_state(p, SCX_TASK_READY);
		if (class_of(p) == &ext_sched_class) {
			rq = task_rq_lock(p);
			scx_enable_task(p);
			rq_unlock(rq);
		}
	}
	scx.forks--;
}

void scx_cancel_fork(void)
{
	VRT_ASSERT(scx.forks);
	scx.forks--;
}

void scx_task_dead(struct task_struct *p)
{
	struct rq *rq;

	if (scx_task_state(p) == SCX_TASK_NONE)
		return;
	rq = task_rq_lock(p);
	scx_exit_task(p);
	rq_unlock(rq);
}

/* Calls @fn for every task there is, dead ones included. Stops at the first error. */
int scx_for_each_task(int (*fn)(struct task_struct *p))
{
	struct task **tasks = xcalloc(kernel.nr_tasks + 1, sizeof(*tasks)), *t;
	u32 nr = 0, i;
	int err = 0;

	list_for_each_entry(t, &kernel.tasks, all) {
		task_get(t);
		tasks[nr++] = t;
	}
	VRT_ASSERT(nr <= kernel.nr_tasks + 1);
	for (i = 0; i < nr; i++) {
		/* one that has died meanwhile has been taken care of */
		if (!err && !tasks[i]->dead)
			err = fn(&tasks[i]->ts);
		/* it died under our hands, before it had anything to take leave of */
		if (tasks[i]->dead)
			scx_task_dead(&tasks[i]->ts);
		task_put(tasks[i]);
	}
	free(tasks);
	return err;
}
