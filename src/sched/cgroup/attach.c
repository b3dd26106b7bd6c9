// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which group a task is in. A forked task begins in its parent's, a kernel thread
 * in the root; both move by cgroup_attach_task(), with the task's queue locked and
 * the task off it for a moment.
 *
 * A task counts as populating its group until it is dead, and keeps the group's
 * memory until its own goes.
 */
#include "../../base/alloc.h"
#include "internal.h"

static void join(struct task_struct *p, struct cgroup *cgrp)
{
	struct group *g = cgroup_group(cgrp);

	cgroup_tryget(cgrp);
	p->sched_task_group = &g->tg;
	p->cgroups = g->css_set;
	list_add_tail(&p->cg_list, &g->css_set->tasks);
	g->css_set->refcount.refs++;
	if (!g->css_set->nr_tasks++)
		cgrp->nr_populated_csets++;
}

static void leave(struct task_struct *p)
{
	struct css_set *css_set = p->cgroups;

	list_del_init(&p->cg_list);
	css_set->refcount.refs--;
	if (!--css_set->nr_tasks)
		css_set->dfl_cgrp->nr_populated_csets--;
}

void cgroup_fork(struct task_struct *p, const struct task_struct *parent)
{
	struct cgroup *cgrp = parent ? task_dfl_cgroup(parent) : root_cgroup();

	INIT_LIST_HEAD(&p->cg_list);
	/* the parent is dead, and its group is gone since */
	if (cgroup_group(cgrp)->dead)
		cgrp = root_cgroup();
	join(p, cgrp);
}

void cgroup_task_dead(struct task_struct *p)
{
	if (!list_empty(&p->cg_list))
		leave(p);
}

void cgroup_task_free(struct task_struct *p)
{
	cgroup_task_dead(p);
	cgroup_put(task_dfl_cgroup(p));
}

/* --- moving ------------------------------------------------------------------- */

struct move {
	struct task *task;
	struct cgroup *from;
	bool prepared; /* from cgroup_prep_move() on, until it is told how it ended */
};

struct attach {
	struct cgroup *to;
	struct task *task;
	bool process; /* with all threads of its process */
	struct move *moves;
	u32 nr;
	int err;
};

static bool gone(const struct task *t)
{
	return t->dead || t->ts.__state == TASK_DEAD;
}

static void move_task(struct move *m, struct cgroup *to)
{
	struct task_struct *p = &m->task->ts;
	struct sched_change c;
	struct rq *rq;

	task_pin(p);
	rq = task_rq_lock(p);
	if (!gone(m->task)) {
		sched_change_begin(&c, p, DEQUEUE_SAVE | DEQUEUE_MOVE);
		leave(p);
		join(p, to);
		fair_change_group(p);
		scx_group_move(p, m->from, to);
		m->prepared = false;
		sched_change_end(&c);
		/* its new group may have no bandwidth left */
		if (c.running)
			resched_curr(rq);
		cgroup_put(m->from);
	}
	rq_unlock(rq);
	task_unpin(p);
}

static int prepare(struct attach *a)
{
	int err = 0;

	for (u32 i = 0; i < a->nr && !err; i++) {
		struct move *m = &a->moves[i];

		m->from = task_dfl_cgroup(&m->task->ts);
		if (m->from == a->to)
			continue;
		err = scx_group_prep_move(&m->task->ts, m->from, a->to);
		m->prepared = !err;
	}
	return err;
}

/*
 * Kernel threads that must keep their CPU stay in the root: in Linux they could
 * be trapped by another controller's limits.
 */
static int check_attach(const struct attach *a)
{
	if (cgroup_group(a->to)->dead)
		return -ENODEV;
	if (gone(a->task))
		return -ESRCH;
	return a->task->ts.flags & PF_NO_SETAFFINITY ? -EINVAL : 0;
}

static void collect(struct attach *a)
{
	struct task *t;

	a->moves = xcalloc(a->process ? kernel.nr_tasks : 1, sizeof(*a->moves));
	if (!a->process) {
		a->moves[a->nr++].task = a->task;
	} else {
		list_for_each_entry(t, &kernel.tasks, all) {
			if (t->ts.tgid == a->task->ts.tgid && !gone(t))
				a->moves[a->nr++].task = t;
		}
	}
	for (u32 i = 0; i < a->nr; i++)
		task_get(a->moves[i].task);
}

static void attach_inside(void *arg)
{
	struct attach *a = arg;

	cgroup_lock();
	a->err = check_attach(a);
	if (!a->err) {
		collect(a);
		a->err = prepare(a);
		for (u32 i = 0; i < a->nr; i++) {
			struct move *m = &a->moves[i];

			if (m->prepared && !a->err)
				move_task(m, a->to);
			/* refused for another thread, or it has died meanwhile */
			if (m->prepared)
				scx_group_cancel_move(&m->task->ts, m->from, a->to);
			task_put(m->task);
		}
		free(a->moves);
	}
	cgroup_unlock();
}

int cgroup_attach_task(struct cgroup *cgrp, struct task *task)
{
	struct attach attach = { .to = cgrp, .task = task };

	kernel_run_inside(attach_inside, &attach);
	return attach.err;
}

int cgroup_attach_process(struct cgroup *cgrp, struct task *task)
{
	struct attach attach = { .to = cgrp, .task = task, .process = true };

	kernel_run_inside(attach_inside, &attach);
	return attach.err;
}

int task_set_cgroup(struct task *task, const char *path)
{
	struct cgroup *cgrp;
	int err;

	cgrp = cgroup_make_path(path, &err);
	return cgrp ? cgroup_attach_task(cgrp, task) : err;
}

struct cgroup *task_cgroup(struct task *task)
{
	return task_dfl_cgroup(&task->ts);
}
