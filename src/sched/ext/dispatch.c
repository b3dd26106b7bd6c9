// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ways of a task between the BPF scheduler and the dispatch queues.
 *
 * Moving a task to a local DSQ of another CPU needs that CPU's rq lock, and the
 * lock of the rq the task is on. Neither may be taken while another rq or a DSQ
 * is locked, so whoever moves a task marks it with holding_cpu, drops what it
 * holds and takes the source rq. A dequeue that comes in between clears the
 * mark, and the mover finds that it has lost.
 */
#include "ext.h"

/* --- direct dispatch ------------------------------------------------------------ */

void scx_dispatch_direct(struct task_struct *p, u64 dsq_id, u64 enq_flags)
{
	struct task_struct *at_hand = this_hand()->ddsp_task;

	VRT_ASSERT(at_hand);
	this_hand()->ddsp_task = SCX_DDSP_DONE;
	if (unlikely(p != at_hand)) {
		bpf_kfunc_settle();
		if (at_hand == SCX_DDSP_DONE)
			scx_error("%s[%d] already direct-dispatched", p->comm, p->pid);
		else
			scx_error("scheduling for %s[%d] but trying to direct-dispatch %s[%d]",
				  at_hand->comm, at_hand->pid, p->comm, p->pid);
		return;
	}
	p->scx.ddsp_dsq_id = dsq_id;
	p->scx.ddsp_enq_flags = enq_flags;
}

void scx_dispatch_buffered(struct task_struct *p, u64 dsq_id, u64 enq_flags)
{
	struct scx_hand *hand = this_hand();

	if (unlikely(hand->dsp_cursor >= scx.max_batch)) {
		bpf_kfunc_settle();
		scx_error("dispatch buffer overflow");
		return;
	}
	hand->dsp_buf[hand->dsp_cursor++] = (struct scx_dsp_ent){
		.task = p,
		.qseq = opss(p) & SCX_OPSS_QSEQ_MASK,
		.dsq_id = dsq_id,
		.enq_flags = enq_flags,
	};
}

static void schedule_deferred(struct rq *rq)
{
	/* task_woken() follows, or the end of schedule() does; else as soon as possible */
	if (!(rq->scx.flags & (SCX_RQ_IN_WAKEUP | SCX_RQ_IN_BALANCE)))
		irq_work_queue(&crq_of(rq)->scx->deferred_work);
}

/* Executes the verdict of a direct dispatch, with the task's rq locked. */
void direct_dispatch(struct task_struct *p, u64 enq_flags)
{
	struct rq *rq = task_rq(p);
	struct scx_dispatch_q *q = find_dsq_for_dispatch(rq, p->scx.ddsp_dsq_id, p);

	p->scx.ddsp_enq_flags |= enq_flags;
	if (dsq_is_local(q) && q != &rq->scx.local_dsq) {
		/* a remote CPU's: we may not take its lock here */
		set_opss(p, SCX_OPSS_NONE);
		VRT_ASSERT(!p->scx.dsq && list_empty(&p->scx.dsq_list.node));
		list_add_tail(&p->scx.dsq_list.node, &rq->scx.ddsp_deferred_locals);
		schedule_deferred(rq);
		return;
	}
	enq_flags = p->scx.ddsp_enq_flags;
	clear_direct_dispatch(p);
	dispatch_enqueue(q, p, enq_flags | SCX_ENQ_CLEAR_OPSS);
}

/* --- moving between runqueues ------------------------------------------------------ */

/* From one non-local place of the same rq; q is locked. */
static void move_to_own_local_dsq(struct task_struct *p, u64 enq_flags, struct scx_dispatch_q *src,
				  struct rq *rq)
{
	VRT_ASSERT(p->scx.holding_cpu < 0 && rq_locked(rq));
	task_unlink_from_dsq(p, src);
	p->scx.dsq = NULL;
	dispatch_enqueue(&rq->scx.local_dsq, p, enq_flags);
}

/* @src is locked on entry, @dst on return. */
static void move_to_remote_local_dsq(struct task_struct *p, u64 enq_flags, struct rq *src,
				     struct rq *dst)
{
	VRT_ASSERT(rq_locked(src) && p->cpu == src->cpu);
	deactivate_task(src, p, DEQUEUE_MIGRATING);
	set_task_cpu(p, cpu_of(dst));
	p->scx.sticky_cpu = cpu_of(dst);
	rq_unlock(src);
	rq_lock(dst);
	VRT_ASSERT(cpumask_test_cpu(cpu_of(dst), p->cpus_ptr));
	VRT_ASSERT(!dst->scx.extra_enq_flags);
	dst->scx.extra_enq_flags = enq_flags;
	update_rq_clock(dst);
	activate_task(dst, p, ENQUEUE_MIGRATING);
	dst->scx.extra_enq_flags = 0;
}

static bool task_can_run_on_remote_rq(struct task_struct *p, struct rq *rq, bool enforce)
{
	s32 cpu = cpu_of(rq);

	if (p->migration_disabled) {
		if (enforce)
			scx_error("SCX_DSQ_LOCAL[_ON] cannot move migration disabled %s[%d] "
				  "from CPU %d to %d", p->comm, p->pid, p->cpu, cpu);
		return false;
	}
	if (!cpumask_test_cpu(cpu, p->cpus_ptr)) {
		if (enforce)
			scx_error("SCX_DSQ_LOCAL[_ON] target CPU %d not allowed for %s[%d]", cpu,
				  p->comm, p->pid);
		return false;
	}
	return (rq->scx.flags & SCX_RQ_ONLINE) && cpumask_test_cpu(cpu, kernel.active);
}

/* With q locked, no rq; returns with q unlocked and @src locked. False: lost to a dequeue. */
static bool unlink_and_lock_src(struct task_struct *p, struct scx_dispatch_q *q, struct rq *src)
{
	s32 cpu = this_cpu->id;

	VRT_ASSERT(p->scx.holding_cpu < 0);
	task_unlink_from_dsq(p, q);
	p->scx.holding_cpu = cpu;
	dsq_unlock(q);
	rq_lock(src);
	return p->scx.holding_cpu == cpu && task_rq(p) == src;
}

/* @rq locked on entry and return, q on entry only. */
static bool consume_remote_task(struct rq *rq, struct task_struct *p, struct scx_dispatch_q *q,
				struct rq *src)
{
	rq_unlock(rq);
	if (unlink_and_lock_src(p, q, src)) {
		move_to_remote_local_dsq(p, 0, src, rq);
		return true;
	}
	rq_unlock(src);
	rq_lock(rq);
	return false;
}

struct rq *move_task_between_dsqs(struct task_struct *p, u64 enq_flags,
				  struct scx_dispatch_q *src, struct scx_dispatch_q *dst)
{
	struct rq *src_rq = task_rq(p), *dst_rq = src_rq;

	VRT_ASSERT(!dsq_is_local(src) && rq_locked(src_rq));
	if (dsq_is_local(dst)) {
		dst_rq = local_dsq_rq(dst);
		if (src_rq != dst_rq && !task_can_run_on_remote_rq(p, dst_rq, true)) {
			dst = find_global_dsq(p);
			dst_rq = src_rq;
		}
	}
	if (dsq_is_local(dst) && src_rq == dst_rq) {
		move_to_own_local_dsq(p, enq_flags, src, dst_rq);
		dsq_unlock(src);
	} else if (dsq_is_local(dst)) {
		dsq_unlock(src);
		move_to_remote_local_dsq(p, enq_flags, src_rq, dst_rq);
	} else {
		task_unlink_from_dsq(p, src);
		p->scx.dsq = NULL;
		dsq_unlock(src);
		dispatch_enqueue(dst, p, enq_flags);
	}
	return dst_rq;
}

/* --- consuming ------------------------------------------------------------------------- */

bool consume_dsq(struct rq *rq, struct scx_dispatch_q *q)
{
	struct task_struct *p;
retry:
	cpu_sync();
	if (!q->nr)
		return false;
	dsq_lock(q);
	for (p = dsq_next_task(q, NULL, false); p;
	     p = dsq_next_task(q, &p->scx.dsq_list.node, false)) {
		struct rq *src = task_rq(p);

		if (src == rq) {
			move_to_own_local_dsq(p, 0, q, rq);
			dsq_unlock(q);
			return true;
		}
		if (task_can_run_on_remote_rq(p, rq, false)) {
			if (consume_remote_task(rq, p, q, src))
				return true;
			goto retry;
		}
	}
	dsq_unlock(q);
	return false;
}

bool consume_global_dsq(struct rq *rq)
{
	return consume_dsq(rq, &scx.global[topo_of(rq->cpu)->node]->q);
}

/* --- the dispatch buffer ------------------------------------------------------------------ */

/*
 * @rq is locked on entry and return; @p is ours through DISPATCHING. The task
 * may be anywhere, and so may its destination.
 */
static void dispatch_to_local_dsq(struct rq *rq, struct scx_dispatch_q *q, struct task_struct *p,
				  u64 enq_flags)
{
	struct rq *src = task_rq(p), *dst = local_dsq_rq(q), *locked = rq;
	s32 cpu = this_cpu->id;

	if (rq == src && rq == dst) {
		dispatch_enqueue(q, p, enq_flags | SCX_ENQ_CLEAR_OPSS);
		return;
	}
	if (src != dst && !task_can_run_on_remote_rq(p, dst, true)) {
		dispatch_enqueue(find_global_dsq(p), p, enq_flags | SCX_ENQ_CLEAR_OPSS);
		return;
	}
	p->scx.holding_cpu = cpu;
	set_opss(p, SCX_OPSS_NONE);
	if (locked != src) {
		rq_unlock(locked);
		locked = src;
		rq_lock(src);
	}
	if (p->scx.holding_cpu == cpu && task_rq(p) == src) {
		if (src == dst) {
			p->scx.holding_cpu = -1;
			dispatch_enqueue(&dst->scx.local_dsq, p, enq_flags);
		} else {
			move_to_remote_local_dsq(p, enq_flags, src, dst);
			locked = dst;
		}
		if (class_above(class_of(p), class_of(dst->curr)))
			resched_curr(dst);
	}
	if (locked != rq) {
		rq_unlock(locked);
		rq_lock(rq);
	}
}

static void finish_dispatch(struct rq *rq, const struct scx_dsp_ent *ent)
{
	struct task_struct *p = ent->task;
	struct scx_dispatch_q *q;

	cpu_sync();
	/* QUEUEING ends before the rq lock is dropped; give it its time */
	while ((opss(p) & SCX_OPSS_STATE_MASK) == SCX_OPSS_QUEUEING)
		cpu_spin_until(sim_now() + 100);
	if ((opss(p) & SCX_OPSS_STATE_MASK) != SCX_OPSS_QUEUED)
		return; /* somebody else was faster, or it was never the scheduler's */
	if ((opss(p) & SCX_OPSS_QSEQ_MASK) != ent->qseq)
		return; /* it has been through another round since */
	set_opss(p, SCX_OPSS_DISPATCHING);
	VRT_ASSERT(p->scx.flags & SCX_TASK_QUEUED);
	q = find_dsq_for_dispatch(this_rq(), ent->dsq_id, p);
	if (dsq_is_local(q))
		dispatch_to_local_dsq(rq, q, p, ent->enq_flags);
	else
		dispatch_enqueue(q, p, ent->enq_flags | SCX_ENQ_CLEAR_OPSS);
}

void __flush_dispatch_buf(struct rq *rq)
{
	struct scx_hand *hand = this_hand();

	for (u32 i = 0; i < hand->dsp_cursor; i++)
		finish_dispatch(rq, &hand->dsp_buf[i]);
	hand->dsp_nr_tasks += hand->dsp_cursor;
	hand->dsp_cursor = 0;
}

/* --- deferred local dispatches --------------------------------------------------------------- */

void scx_reenqueue_deferred(void)
{
	this_hand()->reenqueue = true;
	schedule_deferred(this_rq());
}

static __attribute__((noinline)) void run_deferred(struct rq *rq)
{
	if (crq_of(rq)->scx_hand.reenqueue) {
		crq_of(rq)->scx_hand.reenqueue = false;
		scx_reenqueue_local(rq);
	}
	while (!list_empty(&rq->scx.ddsp_deferred_locals)) {
		struct task_struct *p = list_first_entry(&rq->scx.ddsp_deferred_locals,
							 struct task_struct, scx.dsq_list.node);
		u64 id = p->scx.ddsp_dsq_id, enq_flags = p->scx.ddsp_enq_flags;
		struct scx_dispatch_q *q;

		list_del_init(&p->scx.dsq_list.node);
		clear_direct_dispatch(p);
		q = find_dsq_for_dispatch(rq, id, p);
		VRT_ASSERT(dsq_is_local(q));
		dispatch_to_local_dsq(rq, q, p, enq_flags);
	}
}

/* Once or twice for every switch, and there is seldom anything. */
void scx_run_deferred(struct rq *rq)
{
	VRT_ASSERT(rq_locked(rq));
	if (crq_of(rq)->scx_hand.reenqueue || !list_empty(&rq->scx.ddsp_deferred_locals))
		run_deferred(rq);
}

/* On the CPU that found something to defer; the rq may be another's. */
static void deferred_workfn(struct irq_work *work)
{
	struct rq *rq = container_of(work, struct scx_cpu, deferred_work)->rq;

	rq_lock(rq);
	scx_run_deferred(rq);
	rq_unlock(rq);
}

void scx_deferred_init(struct scx_cpu *sc)
{
	irq_work_init(&sc->deferred_work, deferred_workfn);
}
