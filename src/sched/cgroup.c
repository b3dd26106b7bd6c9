// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control groups: the root, which every task is in. The hierarchy below it is
 * not modelled yet; workloads that ask for groups are told so.
 */
#include "../../kernel/cgroup.h"
#include "ext/ext.h"
#include "sched.h"

#define ROOT_CGROUP_ID 1
#define CGROUP_WEIGHT_DFL 100

static struct {
	struct cgroup *cgroup;
	struct task_group *tg;
	struct css_set *css_set;
	void *storage; /* BPF local storage */
} root;

struct cgroup *root_cgroup(void)
{
	return root.cgroup;
}

static void init_css(struct cgroup_subsys_state *css, struct cgroup *cgroup)
{
	css->cgroup = cgroup;
	INIT_LIST_HEAD(&css->sibling);
	INIT_LIST_HEAD(&css->children);
	css->id = 1;
	css->refcnt.refs = 1;
	css->online_cnt.counter = 1;
}

void boot_cgroups(void)
{
	struct cgroup *cgroup = sched_alloc(OBJ_CGROUP, sizeof(*cgroup) + sizeof(cgroup));
	struct task_group *tg = sched_alloc(OBJ_TASK_GROUP, sizeof(*tg));
	struct css_set *css_set = sched_alloc(OBJ_CSS_SET, sizeof(*css_set));

	init_css(&cgroup->self, cgroup);
	init_css(&tg->css, cgroup);
	INIT_LIST_HEAD(&tg->list);
	INIT_LIST_HEAD(&tg->siblings);
	INIT_LIST_HEAD(&tg->children);
	tg->scx_weight = CGROUP_WEIGHT_DFL;
	tg->cfs_bandwidth.quota = ~0ULL;
	cgroup->subsys[cpu_cgrp_id] = &tg->css;
	cgroup->ancestors[0] = cgroup;
	cgroup->kn = sched_alloc(OBJ_KERNFS_NODE, sizeof(*cgroup->kn));
	cgroup->kn->id = ROOT_CGROUP_ID;
	css_set->subsys[cpu_cgrp_id] = &tg->css;
	css_set->dfl_cgrp = cgroup;
	css_set->refcount.refs = 1;
	INIT_LIST_HEAD(&css_set->tasks);
	root.cgroup = cgroup;
	root.tg = tg;
	root.css_set = css_set;
}

void free_cgroups(void)
{
	kheap_free(root.cgroup->kn);
	kheap_free(root.cgroup);
	kheap_free(root.tg);
	kheap_free(root.css_set);
}

void task_join_root_cgroup(struct task_struct *p)
{
	p->sched_task_group = root.tg;
	p->cgroups = root.css_set;
}

void **cgroup_storage_anchor(void *cgroup)
{
	VRT_ASSERT(cgroup == root.cgroup);
	return &root.storage;
}

/* --- sched_ext's view -------------------------------------------------------- */

int scx_init_cgroups(void)
{
	struct scx_cgroup_init_args *args;
	s32 ret;

	if (!SCX_HAS_OP(cgroup_init))
		return 0;
	args = sched_alloc(OBJ_SCX_CGROUP_INIT_ARGS, sizeof(*args));
	args->weight = root.tg->scx_weight;
	ret = SCX_CALL(SCX_KF_UNLOCKED, cgroup_init, SCX_ARG(root.cgroup), SCX_ARG(args));
	kheap_free(args);
	if (!ret) {
		root.tg->scx_flags |= 1;
		return 0;
	}
	ret = ops_sanitize_err("cgroup_init", ret);
	scx_error("ops.cgroup_init() failed (%d)", ret);
	return ret;
}

void scx_exit_cgroups(void)
{
	if (root.tg->scx_flags && SCX_HAS_OP(cgroup_exit))
		SCX_CALL(SCX_KF_UNLOCKED, cgroup_exit, SCX_ARG(root.cgroup));
	root.tg->scx_flags = 0;
}

/* --- kfuncs ------------------------------------------------------------------- */

struct cgroup *bpf_cgroup_acquire(struct cgroup *cgrp)
{
	cgrp->self.refcnt.refs++;
	return cgrp;
}

void bpf_cgroup_release(struct cgroup *cgrp)
{
	VRT_ASSERT(cgrp->self.refcnt.refs > 0);
	/* the root stays; a program cannot make it go by releasing too often */
	if (cgrp->self.refcnt.refs > 1)
		cgrp->self.refcnt.refs--;
}

struct cgroup *bpf_cgroup_ancestor(struct cgroup *cgrp, int level)
{
	if (level < 0 || level > cgrp->level)
		return NULL;
	return bpf_cgroup_acquire(cgrp->ancestors[level]);
}

struct cgroup *bpf_cgroup_from_id(u64 cgid)
{
	return cgid == ROOT_CGROUP_ID ? bpf_cgroup_acquire(root.cgroup) : NULL;
}

long bpf_task_under_cgroup(struct task_struct *task, struct cgroup *ancestor)
{
	return task->cgroups->dfl_cgrp->ancestors[ancestor->level] == ancestor;
}
