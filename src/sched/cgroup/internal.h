/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the control groups: what their files share.
 *
 *	cgroup.c	the hierarchy: making and removing groups, their lifetime, paths
 *	cgroup/attach.c	which group a task is in; moving tasks
 *	cgroup/cpu.c	the cpu controller: weight, max, statistics
 *	cgroup/scx.c	what a BPF scheduler is told of groups
 *	cgroup/bpf.c	kfuncs
 *
 * A cgroup, its css_set and its task group are made and freed together: there is
 * one hierarchy and one controller. struct group (class_types.h) keeps the
 * private parts of the three.
 *
 * Locking: cgroup_lock() guards the shape of the hierarchy, settings of groups and
 * which tasks are where, as cgroup_mutex, cgroup_threadgroup_rwsem and
 * scx_cgroup_rwsem in Linux; it goes before a task's pin and the rq locks. Its
 * holder may call BPF programs, but does not sleep. What a task's CPU looks at
 * (sched_task_group, cgroups) changes with the task's rq locked besides.
 */
#ifndef VRT_SCHED_CGROUP_INTERNAL_H
#define VRT_SCHED_CGROUP_INTERNAL_H

#include "cgroup.h"
#include "../sched.h"

static inline struct group *group_of(const struct task_group *tg)
{
	return container_of(tg, struct group, tg);
}

static inline struct group *cgroup_group(const struct cgroup *cgrp)
{
	return group_of(container_of(cgrp->subsys[cpu_cgrp_id], struct task_group, css));
}

static inline struct cgroup *task_dfl_cgroup(const struct task_struct *p)
{
	return p->cgroups->dfl_cgrp;
}

/* --- cgroup.c ---------------------------------------------------------------- */

void cgroup_lock(void);
void cgroup_unlock(void);
/* False: nobody holds it any more, it is only not freed yet. */
bool cgroup_tryget(struct cgroup *cgrp);
void cgroup_put(struct cgroup *cgrp);
/* By its id, removed ones included whose memory is still there. */
struct cgroup *cgroup_by_id(u64 id);

/*
 * The group after @pos (NULL: the first) in the subtree of @root, parents before
 * children, or after them. @pos may have been removed meanwhile.
 */
struct cgroup *cgroup_next_pre(struct cgroup *pos, struct cgroup *root);
struct cgroup *cgroup_next_post(struct cgroup *pos, struct cgroup *root);

/* --- cgroup/cpu.c -------------------------------------------------------------- */

void group_init_cpu(struct group *g, struct task_group *parent);
/* It leaves the others: no task is in it, and none will be. */
void group_offline_cpu(struct group *g);

/* --- cgroup/scx.c --------------------------------------------------------------- */

/* 0 or what ops.cgroup_init() says */
int scx_group_online(struct task_group *tg);
void scx_group_offline(struct task_group *tg);
void scx_group_set_weight(struct task_group *tg, u32 weight);
/* A move lies between prep and either move (with the rq locked) or cancel. */
int scx_group_prep_move(struct task_struct *p, struct cgroup *from, struct cgroup *to);
void scx_group_move(struct task_struct *p, struct cgroup *from, struct cgroup *to);
void scx_group_cancel_move(struct task_struct *p, struct cgroup *from, struct cgroup *to);

#endif
