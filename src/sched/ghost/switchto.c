// SPDX-License-Identifier: GPL-2.0-only
/*
 * switchto: a task hands its CPU to another one of its enclave that waits, and
 * waits itself, without a pick in between (Turner, LPC '13). A program is told only
 * when a chain of such switches begins (TASK_SWITCHTO); when the chain ends, what
 * is told of its last task says from_switchto.
 *
 * The target is pinned from the call until it is on the CPU, so that nobody wakes
 * or changes it meanwhile.
 *
 * Locking: the call takes none; the switch is made with this CPU's rq locked.
 */
#include "internal.h"

/* Is @p in the depth of a wait, its last CPU done with it? */
static bool waits(const struct task *t)
{
	return t->wait_queue && (t->ts.__state & (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE)) &&
	       !t->ts.on_rq && !t->ts.on_cpu;
}

static int check(const struct task *prev, const struct task *next)
{
	if (next == prev || !is_ghost(&prev->ts) || !is_ghost(&next->ts) ||
	    prev->ghost.enclave != next->ghost.enclave || !ghost_active(prev->ghost.enclave) ||
	    !is_cpu_allowed(&next->ts, this_cpu->id))
		return -EINVAL;
	return waits(next) ? 0 : -EAGAIN;
}

int task_switchto(struct task *next)
{
	struct task *prev = current_task();
	int err;

	VRT_ASSERT(prev && prev->wait_queue && !prev->ghost.switchto);
	charge_overhead(TRACE_OVH_SYSCALL, costs.syscall);
	task_pin(&next->ts);
	err = check(prev, next);
	if (err) {
		task_unpin(&next->ts);
		return err;
	}
	list_del_init(&next->wait_node);
	next->wait_queue = NULL;
	next->timed_out = false;
	hrtimer_cancel(&next->timer);
	prev->ghost.switchto = next;
	return 0;
}

void ghost_switchto_abort(struct task *prev)
{
	struct task *next = prev->ghost.switchto;

	prev->ghost.switchto = NULL;
	task_unpin(&next->ts);
	try_to_wake_up(next, 0);
}

struct task_struct *ghost_switchto(struct rq *rq, struct task_struct *prev)
{
	struct ghost_task *gt = ghost_task_of(prev);
	struct task_struct *p;

	if (likely(!gt->switchto))
		return NULL;
	p = &gt->switchto->ts;
	gt->switchto = NULL;
	set_task_cpu(p, rq->cpu);
	p->__state = TASK_RUNNING;
	activate_task(rq, p, ENQUEUE_WAKEUP);
	ghost_task_of(p)->sw->flags |= GHOST_SW_TASK_RUNNABLE;
	trace_emit(TRACE_WAKEUP, p->pid, cpu_of(rq), prev->pid);
	/* it may have left ghOSt since it called */
	if (is_ghost(prev)) {
		gt->blocked = false;
		if (!ghost_of(rq)->switchto++)
			ghost_msg_switchto(rq, prev);
	}
	class_of(prev)->put_prev_task(rq, prev, p);
	class_of(p)->set_next_task(rq, p, true);
	task_unpin(p);
	return p;
}
