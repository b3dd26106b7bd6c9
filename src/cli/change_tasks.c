// SPDX-License-Identifier: GPL-2.0-only
/*
 * --at with nice=, cpus= and cgroup=: what setpriority(2), sched_setaffinity(2) and
 * cgroup.procs do to tasks, for all tasks of a name. Threads of periodic programs
 * are such tasks.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../sched/cgroup/cgroup.h"
#include "session.h"

struct change {
	const struct timed_action *action;
	u32 nr; /* tasks of that name */
	int err; /* of the first that could not be changed */
};

static int change_one(struct task *task, const struct timed_action *a)
{
	switch (a->kind) {
	case TIMED_NICE:
		return task_set_nice(task, a->nice);
	case TIMED_CPUS:
		return task_set_affinity(task, &a->cpus);
	default:
		return cgroup_attach_task(cgroup_find(a->cgroup), task);
	}
}

static void change_all(void *arg)
{
	struct change *c = arg;
	struct task *task = NULL;

	while ((task = kernel_task_named(c->action->task, task))) {
		int err = change_one(task, c->action);

		c->nr++;
		if (!c->err)
			c->err = err;
	}
}

void change_tasks(struct session *s, const struct timed_action *a)
{
	struct change c = { .action = a };
	char message[192] = "";

	if (a->kind == TIMED_CGROUP && !cgroup_find(a->cgroup)) {
		snprintf(message, sizeof(message), "there is no cgroup '%.64s': --cgroup makes one",
			 a->cgroup);
	} else {
		kernel_run_inside(change_all, &c);
		if (!c.nr)
			snprintf(message, sizeof(message), "there is no task '%s'", a->task);
		else if (c.err)
			snprintf(message, sizeof(message), "task '%s' cannot be changed: %s",
				 a->task, strerror(-c.err));
	}
	note_action(s, a->text, *message ? message : NULL, NULL);
}
