// SPDX-License-Identifier: GPL-2.0-only
/*
 * The class of ghOSt's tasks, below fair and ext and above idle only: whatever
 * its programs do, nobody else waits for it. It has no policy: a task that can run
 * is kept on its runqueue and told of, and only what a program has latched for the
 * CPU is picked (pick.c).
 *
 * What a task does on its CPU (enter, block, yield) is noted and told when it
 * leaves the CPU, at the next pick: an agent that hears of it may run it at once.
 *
 * Locking: the rq is locked in all of it but select_task_rq.
 */
#include "internal.h"

static void update_curr_ghost(struct rq *rq)
{
	struct task_struct *curr = rq->curr;

	if (!is_ghost(curr))
		return;
	update_curr_common(rq);
	ghost_task_of(curr)->sw->runtime = curr->se.sum_exec_runtime;
}

/* --- on and off the queue ------------------------------------------------------ */

static void enqueue_task_ghost(struct rq *rq, struct task_struct *p, u64 flags)
{
	struct ghost_rq *gr = ghost_of(rq);
	struct ghost_task *gt = ghost_task_of(p);

	list_add_tail(&gt->run_node, &gr->tasks);
	gr->nr_running++;
	rq->nr_running++;
	/* one that only changes its place or an attribute waits as long as before */
	if (!(flags & (ENQUEUE_RESTORE | ENQUEUE_MIGRATING)))
		gt->runnable_since = rq->clock;
}

static bool dequeue_task_ghost(struct rq *rq, struct task_struct *p, u64 flags)
{
	struct ghost_rq *gr = ghost_of(rq);
	struct ghost_task *gt = ghost_task_of(p);

	if (task_current(rq, p))
		update_curr_ghost(rq);
	list_del_init(&gt->run_node);
	gr->nr_running--;
	rq->nr_running--;
	if (gr->latched == p && !(flags & DEQUEUE_SAVE))
		ghost_unlatch(rq);
	if (flags & DEQUEUE_SLEEP) {
		gt->sw->flags &= ~GHOST_SW_TASK_RUNNABLE;
		gt->blocked = true;
	}
	return true;
}

static void yield_task_ghost(struct rq *rq)
{
	ghost_of(rq)->must_resched = true;
	ghost_task_of(rq->curr)->yielded = true;
}

/* In the numbers of ghOSt's kernel. */
#define SD_BALANCE_FORK 4
#define SD_BALANCE_WAKE 8
#define GHOST_WF_SYNC 1
#define GHOST_WF_FORK 2

/* What the program says; what it may not say is seen to by the core. */
static s32 ask_for_cpu(struct ghost_enclave *e, struct task_struct *p, s32 prev_cpu,
		       u32 wake_flags)
{
	struct bpf_ghost_select_rq *ctx = this_ghost()->select_rq;
	s32 cpu;

	memset(ctx, 0, sizeof(*ctx));
	ctx->gtid = ghost_task_of(p)->gtid;
	ctx->task_cpu = prev_cpu;
	ctx->waker_cpu = this_cpu->id;
	ctx->sd_flag = wake_flags & WF_FORK ? SD_BALANCE_FORK : SD_BALANCE_WAKE;
	ctx->wake_flags = (wake_flags & WF_SYNC ? GHOST_WF_SYNC : 0) |
			  (wake_flags & WF_FORK ? GHOST_WF_FORK : 0);
	cpu = (s32)ghost_run_prog(e, e->select_rq, ctx);
	ghost_task_of(p)->skip_ttwu_queue = ctx->skip_ttwu_queue;
	return cpu;
}

static s32 select_task_rq_ghost(struct task_struct *p, s32 prev_cpu, u32 wake_flags)
{
	struct ghost_enclave *e = ghost_task_of(p)->enclave;
	s32 cpu = -1;

	if (e->select_rq && ghost_active(e))
		cpu = ask_for_cpu(e, p, prev_cpu, wake_flags);
	if (cpu >= 0 && (u32)cpu < nr_cpu_ids)
		return cpu;
	return e->config.wake_on_waker_cpu ? (s32)this_cpu->id : prev_cpu;
}

static void task_woken_ghost(struct rq *rq, struct task_struct *p)
{
	struct ghost_task *gt = ghost_task_of(p);

	gt->skip_ttwu_queue = false;
	/* woken before it was off its queue: nothing has been told of its going to sleep */
	if (gt->sw->flags & GHOST_SW_TASK_RUNNABLE)
		return;
	gt->sw->flags |= GHOST_SW_TASK_RUNNABLE;
	if (gt->is_new) {
		gt->is_new = false;
		trace_emit(TRACE_CLASS, p->pid, TRACE_CLASS_GHOST, 0);
		ghost_msg_new(rq, p, true);
		return;
	}
	ghost_msg_wakeup(rq, p);
}

/* --- running --------------------------------------------------------------------- */

static void set_next_task_ghost(struct rq *rq, struct task_struct *p, bool first)
{
	struct ghost_task *gt = ghost_task_of(p);

	p->se.exec_start = rq->clock_task;
	gt->runnable_since = 0;
	if (first) {
		gt->sw->switch_time = rq->clock;
		gt->sw->flags |= GHOST_SW_TASK_ONCPU;
		return;
	}
	/* something about it has changed: the program shall decide anew */
	ghost_of(rq)->must_resched = true;
	resched_curr(rq);
}

static void put_prev_task_ghost(struct rq *rq, struct task_struct *p, struct task_struct *next)
{
	struct ghost_task *gt = ghost_task_of(p);

	update_curr_ghost(rq);
	gt->last_ran_cpu = cpu_of(rq);
	if (!list_empty(&gt->run_node))
		gt->runnable_since = rq->clock;
}

static void task_tick_ghost(struct rq *rq, struct task_struct *curr)
{
	update_curr_ghost(rq);
	ghost_msg_tick(rq, false);
}

/* --- in, out and changes ------------------------------------------------------------ */

static void switched_to_ghost(struct rq *rq, struct task_struct *p)
{
	struct ghost_task *gt = ghost_task_of(p);

	gt->sw->runtime = p->se.sum_exec_runtime;
	if (p->on_rq == 1) {
		gt->sw->flags |= GHOST_SW_TASK_RUNNABLE;
		if (!task_current(rq, p))
			gt->runnable_since = rq->clock;
	}
	if (task_current(rq, p)) {
		gt->sw->flags |= GHOST_SW_TASK_ONCPU;
		gt->sw->switch_time = rq->clock;
		gt->is_new = true;
		return;
	}
	gt->is_new = false;
	ghost_msg_new(rq, p, p->on_rq == 1);
}

static void switching_from_ghost(struct rq *rq, struct task_struct *p)
{
	if (ghost_of(rq)->latched == p)
		ghost_unlatch(rq);
}

static void switched_from_ghost(struct rq *rq, struct task_struct *p)
{
	struct ghost_task *gt = ghost_task_of(p);
	struct ghost_rq *gr = ghost_of(rq);

	/* not told of yet, since it has run all the time */
	if (gt->is_new)
		ghost_msg_new(rq, p, false);
	ghost_msg_departed(rq, p);
	ghost_release(p);
	if (task_current(rq, p)) {
		gr->switchto = 0;
		gr->check_prev = false;
	}
}

static void set_cpus_allowed_ghost(struct task_struct *p, const struct cpumask *mask)
{
	if (!ghost_task_of(p)->is_new)
		ghost_msg_affinity(task_rq(p), p);
}

static void reweight_task_ghost(struct rq *rq, struct task_struct *p, u32 weight)
{
	if (!ghost_task_of(p)->is_new)
		ghost_msg_priority(rq, p);
}

/* What is queued moves on by itself; it has been told of as runnable already. */
static void rq_offline_ghost(struct rq *rq)
{
	if (ghost_of(rq)->latched)
		ghost_unlatch(rq);
	ghost_update_availability(rq, false);
}

const char *ghost_check(const struct rq *rq, const struct task_struct *p)
{
	const struct ghost_task *gt = ghost_task_of(p);

	if (list_empty(&gt->run_node))
		return "runnable but not on ghOSt's list";
	if (!gt->enclave || !gt->sw)
		return "in ghOSt but in no enclave";
	return NULL;
}

const struct sched_class_ops ghost_sched_class = {
	.rank = RANK_GHOST,
	.name = "ghost_sched_class",
	.trace = TRACE_CLASS_GHOST,
	.enqueue_task = enqueue_task_ghost,
	.dequeue_task = dequeue_task_ghost,
	.yield_task = yield_task_ghost,
	.pick_task = ghost_pick,
	.put_prev_task = put_prev_task_ghost,
	.set_next_task = set_next_task_ghost,
	.select_task_rq = select_task_rq_ghost,
	.task_woken = task_woken_ghost,
	.set_cpus_allowed = set_cpus_allowed_ghost,
	.rq_offline = rq_offline_ghost,
	.task_tick = task_tick_ghost,
	.switching_from = switching_from_ghost,
	.switched_from = switched_from_ghost,
	.switched_to = switched_to_ghost,
	.reweight_task = reweight_task_ghost,
	.update_curr = update_curr_ghost,
};
