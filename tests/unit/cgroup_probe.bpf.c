// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scheduler for tests that holds what it is told of control groups and of tasks
 * in them against each other, and counts.
 */
#include <vrt/scx.bpf.h>

char _license[] SEC("license") = "GPL";

struct cgroup *bpf_cgroup_ancestor(struct cgroup *cgrp, int level) __ksym;
void bpf_cgroup_release(struct cgroup *cgrp) __ksym;
struct cgroup *scx_bpf_task_cgroup(struct task_struct *p) __ksym;

/* what the test sets */
u32 refuse_weight; /* a group of this weight is refused */
u32 refuse_pid; /* so is moving this task */

u64 groups, tasks, preps, moves, cancels, weights, last_weight, entered;
/* contradictions, by kind */
u64 bad_order, bad_group, bad_task, bad_move;

struct group {
	u32 weight;
	u32 children;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, u64);
	__type(value, struct group);
} known SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, s32);
	__type(value, u64);
} homes SEC(".maps");

static struct group *find(struct cgroup *cgrp)
{
	u64 id = cgrp->kn->id;

	return bpf_map_lookup_elem(&known, &id);
}

/* The known parent of @cgrp; NULL for the root. */
static void count_child(struct cgroup *cgrp, u32 nr)
{
	struct cgroup *parent;
	struct group *g;

	if (!cgrp->level)
		return;
	parent = bpf_cgroup_ancestor(cgrp, cgrp->level - 1);
	if (!parent) {
		bad_order++;
		return;
	}
	g = find(parent);
	if (g)
		g->children += nr;
	else
		bad_order++;
	bpf_cgroup_release(parent);
}

s32 SCX_OP_SLEEPABLE(probe_cgroup_init, struct cgroup *cgrp, struct scx_cgroup_init_args *args)
{
	struct group g = { .weight = args->weight };
	u64 id = cgrp->kn->id;

	if (refuse_weight && args->weight == refuse_weight)
		return -12;
	if (find(cgrp))
		bad_group++;
	count_child(cgrp, 1);
	bpf_map_update_elem(&known, &id, &g, 0);
	groups++;
	return 0;
}

void SCX_OP_SLEEPABLE(probe_cgroup_exit, struct cgroup *cgrp)
{
	struct group *g = find(cgrp);
	u64 id = cgrp->kn->id;

	if (!g || g->children)
		bad_order++;
	count_child(cgrp, -1);
	bpf_map_delete_elem(&known, &id);
	groups--;
}

void SCX_OP(probe_cgroup_set_weight, struct cgroup *cgrp, u32 weight)
{
	struct group *g = find(cgrp);

	if (g)
		g->weight = weight;
	else
		bad_group++;
	weights++;
	last_weight = weight;
}

s32 SCX_OP_SLEEPABLE(probe_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	u64 id = args->cgroup->kn->id;
	s32 pid = p->pid;

	if (!bpf_map_lookup_elem(&known, &id))
		bad_group++;
	bpf_map_update_elem(&homes, &pid, &id, 0);
	tasks++;
	return 0;
}

void SCX_OP(probe_exit_task, struct task_struct *p, struct scx_exit_task_args *args)
{
	s32 pid = p->pid;

	bpf_map_delete_elem(&homes, &pid);
	tasks--;
}

static bool is_at(struct task_struct *p, struct cgroup *cgrp)
{
	s32 pid = p->pid;
	u64 *home = bpf_map_lookup_elem(&homes, &pid);

	return home && *home == cgrp->kn->id;
}

s32 SCX_OP_SLEEPABLE(probe_cgroup_prep_move, struct task_struct *p, struct cgroup *from,
		     struct cgroup *to)
{
	if (!is_at(p, from) || from == to || !find(to))
		bad_move++;
	if (p->pid == refuse_pid)
		return -16;
	preps++;
	return 0;
}

void SCX_OP(probe_cgroup_move, struct task_struct *p, struct cgroup *from, struct cgroup *to)
{
	u64 id = to->kn->id;
	s32 pid = p->pid;

	if (!is_at(p, from))
		bad_move++;
	bpf_map_update_elem(&homes, &pid, &id, 0);
	moves++;
}

void SCX_OP(probe_cgroup_cancel_move, struct task_struct *p, struct cgroup *from,
	    struct cgroup *to)
{
	if (!is_at(p, from))
		bad_move++;
	cancels++;
}

void SCX_OP(probe_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct cgroup *cgrp = scx_bpf_task_cgroup(p);

	if (!is_at(p, cgrp))
		bad_task++;
	entered += cgrp->level > 0;
	bpf_cgroup_release(cgrp);
	dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops probe_ops = {
	.enqueue = (void *)probe_enqueue,
	.init_task = (void *)probe_init_task,
	.exit_task = (void *)probe_exit_task,
	.cgroup_init = (void *)probe_cgroup_init,
	.cgroup_exit = (void *)probe_cgroup_exit,
	.cgroup_prep_move = (void *)probe_cgroup_prep_move,
	.cgroup_move = (void *)probe_cgroup_move,
	.cgroup_cancel_move = (void *)probe_cgroup_cancel_move,
	.cgroup_set_weight = (void *)probe_cgroup_set_weight,
	.name = "cgroup_probe",
};
