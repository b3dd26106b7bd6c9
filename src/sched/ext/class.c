// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sched_ext class: tasks become runnable, are handed to the BPF scheduler
 * or dispatched, are picked from the local DSQ, run and stop.
 *
 * Pick order of a CPU: the previous task while it has slice left, the local
 * DSQ, the global one, up to SCX_DSP_MAX_LOOPS rounds of ops.dispatch(), and
 * then the previous task again unless the scheduler wants to see the last one
 * too (SCX_OPS_ENQ_LAST).
 *
 * Locking: the rq is locked in all of it but select_task_rq; balance() and
 * task_woken() may drop it.
 */
#include "ext.h"

/* --- runnable ------------------------------------------------------------------ */

static void set_task_runnable(struct rq *rq, struct task_struct *p)
{
	if (p->scx.flags & SCX_TASK_RESET_RUNNABLE_AT) {
		p->scx.runnable_at = jiffies();
		p->scx.flags &= ~SCX_TASK_RESET_RUNNABLE_AT;
	}
	/* at the tail: bypass walks the list backwards while it re-queues */
	list_add_tail(&p->scx.runnable_node, &rq->scx.runnable_list);
}

static void clr_task_runnable(struct task_struct *p, bool reset_runnable_at)
{
	list_del_init(&p->scx.runnable_node);
	if (reset_runnable_at)
		p->scx.flags |= SCX_TASK_RESET_RUNNABLE_AT;
}

static bool rq_is_online(const struct rq *rq)
{
	return (rq->scx.flags & SCX_RQ_ONLINE) && cpumask_test_cpu(rq->cpu, kernel.active);
}

static void enqueue_local(struct rq *rq, struct task_struct *p, u64 enq_flags)
{
	clear_direct_dispatch(p);
	dispatch_enqueue(&rq->scx.local_dsq, p, enq_flags);
}

/* Hands the task to ops.enqueue(); it may come back dispatched. */
static void ops_enqueue(struct rq *rq, struct task_struct *p, u64 enq_flags)
{
	struct scx_hand *hand = this_hand();
	u64 qseq;

	/* 0 is never a sequence number: it is what NONE and DISPATCHING show */
	if (!++p->scx.ops_qseq)
		p->scx.ops_qseq = 1;
	qseq = (u64)p->scx.ops_qseq << SCX_OPSS_QSEQ_SHIFT;
	VRT_ASSERT(opss(p) == SCX_OPSS_NONE && !hand->ddsp_task);
	set_opss(p, SCX_OPSS_QUEUEING | qseq);
	hand->ddsp_task = p;
	SCX_CALL_TASK(SCX_KF_ENQUEUE, enqueue, p, scx_enq_flags_to_bpf(enq_flags));
	hand->ddsp_task = NULL;
	if (p->scx.ddsp_dsq_id != SCX_DSQ_INVALID)
		direct_dispatch(p, enq_flags);
	else
		set_opss(p, SCX_OPSS_QUEUED | qseq);
}

void do_enqueue_task(struct rq *rq, struct task_struct *p, u64 enq_flags, s32 sticky_cpu)
{
	VRT_ASSERT(p->scx.flags & SCX_TASK_QUEUED);
	/* it was sent here by a dispatch */
	if (sticky_cpu == rq->cpu) {
		enqueue_local(rq, p, enq_flags);
		return;
	}
	if (!rq_is_online(rq)) {
		p->scx.slice = SCX_SLICE_DFL;
		enqueue_local(rq, p, enq_flags);
		return;
	}
	if (rq_bypassing(rq)) {
		p->scx.slice = SCX_SLICE_DFL;
		clear_direct_dispatch(p);
		dispatch_enqueue(find_global_dsq(p), p, enq_flags);
		return;
	}
	if (p->scx.ddsp_dsq_id != SCX_DSQ_INVALID) {
		direct_dispatch(p, enq_flags);
		return;
	}
	/* not to be found by pid any more: do not lose it */
	if (!(scx.ops.flags & SCX_OPS_ENQ_EXITING) && (p->flags & PF_EXITING)) {
		p->scx.slice = SCX_SLICE_DFL;
		enqueue_local(rq, p, enq_flags);
		return;
	}
	if (SCX_HAS_OP(enqueue)) {
		ops_enqueue(rq, p, enq_flags);
		return;
	}
	p->scx.slice = SCX_SLICE_DFL;
	clear_direct_dispatch(p);
	dispatch_enqueue(find_global_dsq(p), p, enq_flags);
}

static void enqueue_task_scx(struct rq *rq, struct task_struct *p, u64 enq_flags)
{
	s32 sticky_cpu = p->scx.sticky_cpu;

	if (enq_flags & ENQUEUE_WAKEUP)
		rq->scx.flags |= SCX_RQ_IN_WAKEUP;
	enq_flags |= rq->scx.extra_enq_flags;
	p->scx.sticky_cpu = -1;
	/* a running task that is put back for a moment stays with the core */
	if ((enq_flags & ENQUEUE_RESTORE) && task_current(rq, p))
		sticky_cpu = rq->cpu;
	if (!(p->scx.flags & SCX_TASK_QUEUED)) {
		set_task_runnable(rq, p);
		p->scx.flags |= SCX_TASK_QUEUED;
		rq->scx.nr_running++;
		rq->nr_running++;
		if (SCX_HAS_OP(runnable) && p->on_rq != 2)
			SCX_CALL_TASK(SCX_KF_REST, runnable, p, scx_enq_flags_to_bpf(enq_flags));
		do_enqueue_task(rq, p, enq_flags, sticky_cpu);
	}
	rq->scx.flags &= ~SCX_RQ_IN_WAKEUP;
}

/* Takes the task back from the BPF scheduler, wherever it is on its way. */
static void ops_dequeue(struct task_struct *p, u64 deq_flags)
{
	clr_task_runnable(p, false);
	if ((opss(p) & SCX_OPSS_STATE_MASK) == SCX_OPSS_QUEUED) {
		u64 queued = opss(p);

		if (SCX_HAS_OP(dequeue))
			SCX_CALL_TASK(SCX_KF_REST, dequeue, p, deq_flags);
		if (opss(p) == queued)
			set_opss(p, SCX_OPSS_NONE);
	}
	VRT_ASSERT((opss(p) & SCX_OPSS_STATE_MASK) != SCX_OPSS_QUEUEING);
	/* being put on a DSQ by another CPU, which needs only the DSQ's lock for it */
	while ((opss(p) & SCX_OPSS_STATE_MASK) == SCX_OPSS_DISPATCHING)
		cpu_spin_until(cpu_clock() + 100);
	VRT_ASSERT(opss(p) == SCX_OPSS_NONE);
}

static void update_curr_scx(struct rq *rq)
{
	struct task_struct *curr = rq->curr;
	s64 delta = update_curr_common(rq);

	if (delta > 0 && curr->scx.slice != SCX_SLICE_INF)
		curr->scx.slice -= min(curr->scx.slice, (u64)delta);
}

static bool dequeue_task_scx(struct rq *rq, struct task_struct *p, u64 deq_flags)
{
	if (!(p->scx.flags & SCX_TASK_QUEUED))
		return true;
	ops_dequeue(p, deq_flags);
	/* running <-> stopping lies within runnable <-> quiescent */
	if (SCX_HAS_OP(stopping) && task_current(rq, p)) {
		update_curr_scx(rq);
		SCX_CALL_TASK(SCX_KF_REST, stopping, p, false);
	}
	if (SCX_HAS_OP(quiescent) && p->on_rq != 2)
		SCX_CALL_TASK(SCX_KF_REST, quiescent, p, deq_flags);
	if (deq_flags & SCX_DEQ_SLEEP)
		p->scx.flags |= SCX_TASK_DEQD_FOR_SLEEP;
	else
		p->scx.flags &= ~SCX_TASK_DEQD_FOR_SLEEP;
	p->scx.flags &= ~SCX_TASK_QUEUED;
	VRT_ASSERT(rq->scx.nr_running && rq->nr_running);
	rq->scx.nr_running--;
	rq->nr_running--;
	dispatch_dequeue(rq, p);
	clear_direct_dispatch(p);
	return true;
}

static void yield_task_scx(struct rq *rq)
{
	struct task_struct *p = rq->curr;

	if (SCX_HAS_OP(yield))
		SCX_CALL_TASK(SCX_KF_REST, yield, p, 0);
	else
		p->scx.slice = 0;
}

static s32 select_task_rq_scx(struct task_struct *p, s32 prev_cpu, u32 wake_flags)
{
	struct scx_hand *hand = this_hand();
	bool found;
	s32 cpu;

	if (wake_flags & WF_EXEC)
		return prev_cpu;
	if (SCX_HAS_OP(select_cpu) && !rq_bypassing(task_rq(p))) {
		VRT_ASSERT(!hand->ddsp_task);
		hand->ddsp_task = p;
		cpu = SCX_CALL_TASK(SCX_KF_ENQUEUE | SCX_KF_SELECT_CPU, select_cpu, p, prev_cpu,
				    wake_flags);
		hand->ddsp_task = NULL;
		return ops_cpu_valid(cpu, "from ops.select_cpu()") ? cpu : prev_cpu;
	}
	cpu = scx_select_cpu_dfl(p, prev_cpu, wake_flags, &found);
	if (found) {
		p->scx.slice = SCX_SLICE_DFL;
		p->scx.ddsp_dsq_id = SCX_DSQ_LOCAL;
	}
	return cpu;
}

static void task_woken_scx(struct rq *rq, struct task_struct *p)
{
	scx_run_deferred(rq);
}

/* --- picking --------------------------------------------------------------------- */

/* ops.dispatch() until there is something to run. True if there is. */
static bool dispatch_rounds(struct rq *rq, struct task_struct *prev, bool prev_on_scx,
			    bool prev_on_rq)
{
	struct scx_hand *hand = this_hand();
	u32 rounds = SCX_DSP_MAX_LOOPS;

	do {
		hand->dsp_nr_tasks = 0;
		SCX_CALL(SCX_KF_DISPATCH, dispatch, rq->cpu, SCX_ARG(prev_on_scx ? prev : NULL));
		flush_dispatch_buf(rq);
		if (prev_on_rq && prev->scx.slice) {
			rq->scx.flags |= SCX_RQ_BAL_KEEP;
			return true;
		}
		if (rq->scx.local_dsq.nr || consume_global_dsq(rq))
			return true;
		if (!--rounds) {
			/* let interrupts and the watchdog in, then go on */
			scx_kick_cpu(rq->cpu, 0);
			return false;
		}
	} while (hand->dsp_nr_tasks);
	return false;
}

static bool balance_one(struct rq *rq, struct task_struct *prev)
{
	bool prev_on_scx = class_of(prev) == &ext_sched_class;
	bool prev_on_rq = prev->scx.flags & SCX_TASK_QUEUED;

	rq->scx.flags |= SCX_RQ_IN_BALANCE;
	rq->scx.flags &= ~(SCX_RQ_BAL_PENDING | SCX_RQ_BAL_KEEP);
	if (scx.cpu_preempt && rq->scx.cpu_released) {
		if (SCX_HAS_OP(cpu_acquire))
			SCX_CALL(SCX_KF_REST, cpu_acquire, rq->cpu, 0);
		rq->scx.cpu_released = false;
	}
	if (prev_on_scx) {
		update_rq_clock(rq);
		update_curr_scx(rq);
		if (prev_on_rq && prev->scx.slice && !rq_bypassing(rq)) {
			rq->scx.flags |= SCX_RQ_BAL_KEEP;
			return true;
		}
	}
	if (rq->scx.local_dsq.nr || consume_global_dsq(rq))
		return true;
	if (SCX_HAS_OP(dispatch) && !rq_bypassing(rq) && (rq->scx.flags & SCX_RQ_ONLINE) &&
	    dispatch_rounds(rq, prev, prev_on_scx, prev_on_rq))
		return true;
	if (prev_on_rq && (!(scx.ops.flags & SCX_OPS_ENQ_LAST) || rq_bypassing(rq))) {
		rq->scx.flags |= SCX_RQ_BAL_KEEP;
		return true;
	}
	return false;
}

static bool balance_scx(struct rq *rq, struct task_struct *prev)
{
	bool found = balance_one(rq, prev);

	rq->scx.flags &= ~SCX_RQ_IN_BALANCE;
	return found;
}

static struct task_struct *first_local_task(struct rq *rq)
{
	return list_first_entry_or_null(&rq->scx.local_dsq.list, struct task_struct,
					scx.dsq_list.node);
}

static struct task_struct *pick_task_scx(struct rq *rq)
{
	struct task_struct *prev = rq->curr, *p;
	bool keep = rq->scx.flags & SCX_RQ_BAL_KEEP;

	/* whoever waits for this CPU with SCX_KICK_WAIT has waited enough */
	rq->scx.pnt_seq++;
	/* a higher class had something at balance, but nothing to pick */
	if (rq->scx.flags & SCX_RQ_BAL_PENDING) {
		keep = prev->scx.flags & SCX_TASK_QUEUED;
		if (!keep && !first_local_task(rq))
			scx_kick_cpu(rq->cpu, SCX_KICK_IDLE);
	}
	if (keep && class_of(prev) == &ext_sched_class) {
		if (!prev->scx.slice)
			prev->scx.slice = SCX_SLICE_DFL;
		return prev;
	}
	p = first_local_task(rq);
	if (p && !p->scx.slice) {
		if (!rq_bypassing(rq) && !scx.warned_zero_slice) {
			kernel_logf(false, "sched_ext: %s[%d] has zero slice in %s()", p->comm,
				    p->pid, "pick_task_scx");
			scx.warned_zero_slice = true;
		}
		p->scx.slice = SCX_SLICE_DFL;
	}
	return p;
}

static void set_next_task_scx(struct rq *rq, struct task_struct *p, bool first)
{
	if (p->scx.flags & SCX_TASK_QUEUED) {
		ops_dequeue(p, SCX_DEQ_CORE_SCHED_EXEC);
		dispatch_dequeue(rq, p);
	}
	update_rq_clock(rq);
	p->se.exec_start = rq->clock_task;
	if (SCX_HAS_OP(running) && (p->scx.flags & SCX_TASK_QUEUED))
		SCX_CALL_TASK(SCX_KF_REST, running, p);
	clr_task_runnable(p, true);
	if (p->scx.slice == SCX_SLICE_INF)
		rq->scx.flags |= SCX_RQ_CAN_STOP_TICK;
	else
		rq->scx.flags &= ~SCX_RQ_CAN_STOP_TICK;
}

static enum scx_cpu_preempt_reason preempt_reason(const struct sched_class_ops *class)
{
	if (class == &stop_sched_class)
		return SCX_CPU_PREEMPT_STOP;
	return class == &rt_sched_class ? SCX_CPU_PREEMPT_RT : SCX_CPU_PREEMPT_UNKNOWN;
}

/* The CPU leaves sched_ext for another class. */
static void switch_class(struct rq *rq, struct task_struct *next)
{
	const struct sched_class_ops *class = class_of(next);
	struct scx_cpu_release_args *args;

	rq->scx.pnt_seq++;
	if (!scx.cpu_preempt || class_above(&ext_sched_class, class) || rq->scx.cpu_released)
		return;
	if (SCX_HAS_OP(cpu_release)) {
		args = sched_alloc(OBJ_SCX_CPU_RELEASE_ARGS, sizeof(*args));
		args->reason = preempt_reason(class);
		args->task = next;
		SCX_CALL(SCX_KF_CPU_RELEASE, cpu_release, rq->cpu, SCX_ARG(args));
		kheap_free(args);
	}
	rq->scx.cpu_released = true;
}

/* Where a task goes that stops running but is still runnable. */
static void requeue_prev(struct rq *rq, struct task_struct *p, struct task_struct *next)
{
	set_task_runnable(rq, p);
	if (p->scx.slice && !rq_bypassing(rq)) {
		/* preempted by a higher class: first in line when that is done */
		dispatch_enqueue(&rq->scx.local_dsq, p, SCX_ENQ_HEAD);
		return;
	}
	if (next && class_above(&ext_sched_class, class_of(next))) {
		do_enqueue_task(rq, p, SCX_ENQ_LAST, -1);
		/* it runs after all, but the pick has settled on @next already */
		if (p->scx.dsq == &rq->scx.local_dsq)
			crq_of(rq)->resched_next = true;
		return;
	}
	do_enqueue_task(rq, p, 0, -1);
}

static void put_prev_task_scx(struct rq *rq, struct task_struct *p, struct task_struct *next)
{
	update_rq_clock(rq);
	update_curr_scx(rq);
	if (p->scx.flags & SCX_TASK_QUEUED) {
		if (SCX_HAS_OP(stopping))
			SCX_CALL_TASK(SCX_KF_REST, stopping, p, true);
		requeue_prev(rq, p, next);
	}
	if (next && class_of(next) != &ext_sched_class)
		switch_class(rq, next);
}

bool scx_allow_queued_wakeup(void)
{
	return scx.ops.flags & SCX_OPS_ALLOW_QUEUED_WAKEUP;
}

bool scx_can_stop_tick(const struct rq *rq)
{
	return class_of(rq->curr) == &ext_sched_class && !rq_bypassing(rq) &&
	       (rq->scx.flags & SCX_RQ_CAN_STOP_TICK);
}

/* --- the rest ---------------------------------------------------------------------- */

static void task_tick_scx(struct rq *rq, struct task_struct *curr)
{
	update_curr_scx(rq);
	if (rq_bypassing(rq))
		curr->scx.slice = 0;
	else if (SCX_HAS_OP(tick))
		SCX_CALL_TASK(SCX_KF_REST, tick, curr);
	if (!curr->scx.slice)
		resched_curr(rq);
}

static void set_cpus_allowed_scx(struct task_struct *p, const struct cpumask *mask)
{
	if (SCX_HAS_OP(set_cpumask))
		SCX_CALL_TASK(SCX_KF_REST, set_cpumask, p, SCX_ARG(p->cpus_ptr));
}

static void reweight_task_scx(struct rq *rq, struct task_struct *p, u32 weight)
{
	p->scx.weight = sched_weight_to_cgroup(weight);
	if (SCX_HAS_OP(set_weight))
		SCX_CALL_TASK(SCX_KF_REST, set_weight, p, p->scx.weight);
}

static void switching_to_scx(struct rq *rq, struct task_struct *p)
{
	scx_enable_task(p);
	/* affinity changes are not told while the task is of another class */
	if (SCX_HAS_OP(set_cpumask))
		SCX_CALL_TASK(SCX_KF_REST, set_cpumask, p, SCX_ARG(p->cpus_ptr));
}

static void switched_from_scx(struct rq *rq, struct task_struct *p)
{
	scx_disable_task(p);
}

static void rq_online_scx(struct rq *rq)
{
	rq->scx.flags |= SCX_RQ_ONLINE;
}

static void rq_offline_scx(struct rq *rq)
{
	rq->scx.flags &= ~SCX_RQ_ONLINE;
	scx_idle_forget(rq->cpu);
}

u32 scx_reenqueue_local(struct rq *rq)
{
	struct list_head tasks;
	u32 nr = 0;

	VRT_ASSERT(rq_locked(rq));
	INIT_LIST_HEAD(&tasks);
	/* first all off, then all on: the scheduler may put them right back */
	while (!list_empty(&rq->scx.local_dsq.list)) {
		struct task_struct *p = first_local_task(rq);

		dispatch_dequeue(rq, p);
		list_add_tail(&p->scx.dsq_list.node, &tasks);
	}
	while (!list_empty(&tasks)) {
		struct task_struct *p =
			list_first_entry(&tasks, struct task_struct, scx.dsq_list.node);

		list_del_init(&p->scx.dsq_list.node);
		do_enqueue_task(rq, p, SCX_ENQ_REENQ, -1);
		nr++;
	}
	return nr;
}

const char *scx_check(struct rq *rq, struct task_struct *p)
{
	u32 state = opss(p) & SCX_OPSS_STATE_MASK;

	if (!(p->scx.flags & SCX_TASK_QUEUED))
		return "on the runqueue but not queued with sched_ext";
	if (task_current(rq, p))
		return p->scx.dsq || state != SCX_OPSS_NONE ? "running, and queued too" : NULL;
	if (list_empty(&p->scx.runnable_node))
		return "runnable but not on the list of runnable tasks";
	if (p->scx.dsq)
		return state == SCX_OPSS_NONE ? NULL : "on a DSQ and with the BPF scheduler";
	if (state == SCX_OPSS_NONE && list_empty(&p->scx.dsq_list.node) && p->scx.holding_cpu < 0)
		return "runnable but neither on a DSQ nor with the BPF scheduler";
	return NULL;
}

const struct sched_class_ops ext_sched_class = {
	.rank = RANK_EXT,
	.name = "ext_sched_class",
	.trace = TRACE_CLASS_EXT,
	.enqueue_task = enqueue_task_scx,
	.dequeue_task = dequeue_task_scx,
	.yield_task = yield_task_scx,
	.balance = balance_scx,
	.pick_task = pick_task_scx,
	.put_prev_task = put_prev_task_scx,
	.set_next_task = set_next_task_scx,
	.select_task_rq = select_task_rq_scx,
	.task_woken = task_woken_scx,
	.set_cpus_allowed = set_cpus_allowed_scx,
	.rq_online = rq_online_scx,
	.rq_offline = rq_offline_scx,
	.task_tick = task_tick_scx,
	.switching_to = switching_to_scx,
	.switched_from = switched_from_scx,
	.reweight_task = reweight_task_scx,
	.update_curr = update_curr_scx,
};
