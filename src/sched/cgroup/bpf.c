// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kfuncs on cgroups, their iterators, and where BPF storage of a cgroup hangs.
 *
 * Iterators keep ids, not pointers, in their opaque words: whatever a program
 * writes there is only a number.
 */
#include "../../../kernel/kfuncs.h"
#include "../../bpf/bpf.h"
#include "internal.h"

void **cgroup_storage_anchor(void *cgroup)
{
	return &cgroup_group(cgroup)->storage;
}

struct cgroup *bpf_cgroup_acquire(struct cgroup *cgrp)
{
	return cgroup_tryget(cgrp) ? cgrp : NULL;
}

void bpf_cgroup_release(struct cgroup *cgrp)
{
	/* while it is there one reference is its own: a program cannot end that */
	if (cgrp->self.refcnt.refs > !cgroup_group(cgrp)->dead)
		cgroup_put(cgrp);
}

struct cgroup *bpf_cgroup_ancestor(struct cgroup *cgrp, int level)
{
	if (level < 0 || level > cgrp->level)
		return NULL;
	return bpf_cgroup_acquire(cgrp->ancestors[level]);
}

struct cgroup *bpf_cgroup_from_id(u64 cgid)
{
	struct cgroup *cgrp;

	if (this_cpu)
		cpu_sync();
	cgrp = cgroup_by_id(cgid);
	return cgrp && !cgroup_group(cgrp)->dead ? bpf_cgroup_acquire(cgrp) : NULL;
}

long bpf_task_under_cgroup(struct task_struct *task, struct cgroup *ancestor)
{
	struct cgroup *cgrp = task_dfl_cgroup(task);

	return ancestor->level <= cgrp->level && cgrp->ancestors[ancestor->level] == ancestor;
}

/* --- groups in a subtree, or towards the root ------------------------------------- */

enum { CSS_POS, CSS_START, CSS_HOW };
#define CSS_HOW_SELF (1ULL << 32) /* yields cgroup.self, not the controller's state */

int bpf_iter_css_new(struct bpf_iter_css *it, struct cgroup_subsys_state *start,
		     unsigned int flags)
{
	it->__opaque[CSS_POS] = it->__opaque[CSS_START] = it->__opaque[CSS_HOW] = 0;
	if (flags < BPF_CGROUP_ITER_DESCENDANTS_PRE || flags > BPF_CGROUP_ITER_ANCESTORS_UP)
		return -EINVAL;
	it->__opaque[CSS_START] = start->cgroup->kn->id;
	it->__opaque[CSS_HOW] = flags | (start == &start->cgroup->self ? CSS_HOW_SELF : 0);
	return 0;
}

static struct cgroup *next_group(struct cgroup *pos, struct cgroup *start, u32 how)
{
	switch (how) {
	case BPF_CGROUP_ITER_DESCENDANTS_PRE:
		return cgroup_next_pre(pos, start);
	case BPF_CGROUP_ITER_DESCENDANTS_POST:
		return cgroup_next_post(pos, start);
	default:
		if (!pos)
			return start;
		return pos->level ? pos->ancestors[pos->level - 1] : NULL;
	}
}

static bool in_subtree(const struct cgroup *cgrp, const struct cgroup *root)
{
	return cgrp->level >= root->level && cgrp->ancestors[root->level] == root;
}

struct cgroup_subsys_state *bpf_iter_css_next(struct bpf_iter_css *it)
{
	struct cgroup *start = cgroup_by_id(it->__opaque[CSS_START]), *pos = NULL;
	u64 how = it->__opaque[CSS_HOW];

	if (it->__opaque[CSS_POS]) {
		pos = cgroup_by_id(it->__opaque[CSS_POS]);
		if (!pos || !start || ((u32)how != BPF_CGROUP_ITER_ANCESTORS_UP &&
				       !in_subtree(pos, start)))
			start = NULL;
	}
	pos = start ? next_group(pos, start, how) : NULL;
	if (!pos) {
		it->__opaque[CSS_START] = 0;
		return NULL;
	}
	it->__opaque[CSS_POS] = pos->kn->id;
	return how & CSS_HOW_SELF ? &pos->self : pos->subsys[cpu_cgrp_id];
}

void bpf_iter_css_destroy(struct bpf_iter_css *it)
{
}

/* --- tasks in a group ----------------------------------------------------------------- */

/* The one opaque word: the group's id, whether leaders only, and the last pid. */
#define CSS_TASK_PID_BITS 23
#define CSS_TASK_PROCS (1ULL << CSS_TASK_PID_BITS)
#define CSS_TASK_ID_SHIFT (CSS_TASK_PID_BITS + 1)

int bpf_iter_css_task_new(struct bpf_iter_css_task *it, struct cgroup_subsys_state *css,
			  unsigned int flags)
{
	it->__opaque[0] = 0;
	switch (flags) {
	case 0:
	case CSS_TASK_ITER_PROCS:
	case CSS_TASK_ITER_PROCS | CSS_TASK_ITER_THREADED:
		break;
	default:
		return -EINVAL;
	}
	it->__opaque[0] = css->cgroup->kn->id << CSS_TASK_ID_SHIFT |
			  (flags & CSS_TASK_ITER_PROCS ? CSS_TASK_PROCS : 0);
	return 0;
}

struct task_struct *bpf_iter_css_task_next(struct bpf_iter_css_task *it)
{
	const struct cgroup *cgrp = cgroup_by_id(it->__opaque[0] >> CSS_TASK_ID_SHIFT);
	u64 last = it->__opaque[0] & (CSS_TASK_PROCS - 1);

	for (u64 pid = last + 1; cgrp && pid < kernel.nr_pids; pid++) {
		struct task *t = task_from_pid(pid);

		if (!t || task_dfl_cgroup(&t->ts) != cgrp ||
		    ((it->__opaque[0] & CSS_TASK_PROCS) && t->ts.pid != t->ts.tgid))
			continue;
		it->__opaque[0] += pid - last;
		return &t->ts;
	}
	it->__opaque[0] = 0;
	return NULL;
}

void bpf_iter_css_task_destroy(struct bpf_iter_css_task *it)
{
}
