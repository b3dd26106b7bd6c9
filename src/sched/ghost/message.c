// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages. BPF-MSG sees each with the task's rq locked (the CPU's, for messages
 * of CPUs), on the CPU where the kernel happens to be, in the enclave or not. It
 * may change the payload; returning 1 keeps the message from userspace. There are
 * no queues to userspace yet: what is not kept is only counted.
 *
 * A task's messages carry its barrier, which rises with each even when nobody
 * is told; messages of CPUs that of the CPU's agent. A program that acts on a task
 * passes the barrier back, and the act fails if it has missed something. The one
 * exception is LATCH_FAILURE, which carries the barrier as it is: nothing about
 * the task has changed, and programs that put back what they could not latch, as
 * Google's Biff does, put it back with the barrier that they have.
 */
#include "internal.h"

/* Their order is that of the figures. */
static const struct {
	u16 type;
	const char *name;
} types[NR_GHOST_MSGS] = {
	{ MSG_TASK_DEAD, "TASK_DEAD" },
	{ MSG_TASK_BLOCKED, "TASK_BLOCKED" },
	{ MSG_TASK_WAKEUP, "TASK_WAKEUP" },
	{ MSG_TASK_NEW, "TASK_NEW" },
	{ MSG_TASK_PREEMPT, "TASK_PREEMPT" },
	{ MSG_TASK_YIELD, "TASK_YIELD" },
	{ MSG_TASK_DEPARTED, "TASK_DEPARTED" },
	{ MSG_TASK_SWITCHTO, "TASK_SWITCHTO" },
	{ MSG_TASK_AFFINITY_CHANGED, "TASK_AFFINITY_CHANGED" },
	{ MSG_TASK_ON_CPU, "TASK_ON_CPU" },
	{ MSG_TASK_PRIORITY_CHANGED, "TASK_PRIORITY_CHANGED" },
	{ MSG_TASK_LATCH_FAILURE, "TASK_LATCH_FAILURE" },
	{ MSG_CPU_TICK, "CPU_TICK" },
	{ MSG_CPU_TIMER_EXPIRED, "CPU_TIMER_EXPIRED" },
	{ MSG_CPU_NOT_IDLE, "CPU_NOT_IDLE" },
	{ MSG_CPU_AVAILABLE, "CPU_AVAILABLE" },
	{ MSG_CPU_BUSY, "CPU_BUSY" },
	{ MSG_CPU_AGENT_BLOCKED, "CPU_AGENT_BLOCKED" },
	{ MSG_CPU_AGENT_WAKEUP, "CPU_AGENT_WAKEUP" },
};

static u32 type_index(u16 type)
{
	return type < MSG_CPU_TICK ? type - MSG_TASK_DEAD :
				     type - MSG_CPU_TICK + MSG_TASK_LATCH_FAILURE -
					     MSG_TASK_DEAD + 1;
}

void ghost_msg_stats(const struct ghost_enclave *e, struct ghost_stats *stats)
{
	for (u32 i = 0; i < NR_GHOST_MSGS; i++) {
		stats->messages[i].name = types[i].name;
		stats->messages[i].produced = e->produced[i];
		stats->messages[i].kept = e->kept[i];
	}
	stats->messages[NR_GHOST_MSGS].name = NULL;
}

/* --- producing -------------------------------------------------------------------- */

static struct bpf_ghost_msg *begin(struct ghost_enclave *e, u16 type, u32 barrier)
{
	struct bpf_ghost_msg *msg;

	if (!ghost_active(e) || !e->msg)
		return NULL;
	msg = this_ghost()->msg;
	memset(msg, 0, sizeof(*msg));
	msg->type = type;
	msg->seqnum = barrier;
	msg->pref_cpu = -1;
	return msg;
}

static void send(struct ghost_enclave *e, struct bpf_ghost_msg *msg, s32 pid)
{
	u32 index = type_index(msg->type);

	trace_emit(TRACE_GHOST_MSG, pid, msg->type, msg->seqnum);
	e->produced[index]++;
	if (ghost_run_prog(e, e->msg, msg))
		e->kept[index]++;
}

/* NULL: nothing to fill in and send. */
static struct bpf_ghost_msg *task_begin(struct rq *rq, struct task_struct *p, u16 type)
{
	struct ghost_task *gt = ghost_task_of(p);

	VRT_ASSERT(rq_locked(rq) && task_rq(p) == rq && gt->sw);
	gt->sw->barrier++;
	return begin(gt->enclave, type, gt->sw->barrier);
}

static void task_send(struct task_struct *p, struct bpf_ghost_msg *msg)
{
	send(ghost_task_of(p)->enclave, msg, p->pid);
}

/* A change of what the CPU does, which resched_cpu() can refer to. */
static u64 next_cpu_seqnum(struct rq *rq)
{
	return ++ghost_of(rq)->cpu_seqnum;
}

/* --- of tasks -------------------------------------------------------------------- */

void ghost_msg_new(struct rq *rq, struct task_struct *p, bool runnable)
{
	struct bpf_ghost_msg *msg = task_begin(rq, p, MSG_TASK_NEW);
	struct ghost_task *gt = ghost_task_of(p);

	if (!msg)
		return;
	msg->newt.gtid = gt->gtid;
	msg->newt.parent_gtid = gt->parent_gtid;
	msg->newt.runtime = p->se.sum_exec_runtime;
	msg->newt.runnable = runnable;
	msg->newt.nice = PRIO_TO_NICE(p->static_prio);
	msg->newt.sw_info.id = gt->enclave->region->id;
	msg->newt.sw_info.index = gt->sw_index;
	task_send(p, msg);
}

void ghost_msg_dead(struct rq *rq, struct task_struct *p)
{
	struct bpf_ghost_msg *msg = task_begin(rq, p, MSG_TASK_DEAD);

	if (!msg)
		return;
	msg->dead.gtid = ghost_task_of(p)->gtid;
	msg->dead.cpu = cpu_of(rq);
	task_send(p, msg);
}

void ghost_msg_departed(struct rq *rq, struct task_struct *p)
{
	struct bpf_ghost_msg *msg = task_begin(rq, p, MSG_TASK_DEPARTED);

	if (!msg)
		return;
	msg->departed.gtid = ghost_task_of(p)->gtid;
	msg->departed.cpu = cpu_of(rq);
	msg->departed.cpu_seqnum = next_cpu_seqnum(rq);
	msg->departed.was_current = task_current(rq, p);
	msg->departed.from_switchto = task_current(rq, p) && ghost_of(rq)->switchto;
	task_send(p, msg);
}

void ghost_msg_wakeup(struct rq *rq, struct task_struct *p)
{
	struct bpf_ghost_msg *msg = task_begin(rq, p, MSG_TASK_WAKEUP);
	struct ghost_task *gt = ghost_task_of(p);

	if (!msg)
		return;
	msg->wakeup.gtid = gt->gtid;
	msg->wakeup.last_ran_cpu = gt->last_ran_cpu;
	msg->wakeup.wake_up_cpu = cpu_of(rq);
	msg->wakeup.waker_cpu = gt->waker_cpu;
	task_send(p, msg);
}

void ghost_msg_blocked(struct rq *rq, struct task_struct *p)
{
	struct bpf_ghost_msg *msg = task_begin(rq, p, MSG_TASK_BLOCKED);

	if (!msg)
		return;
	msg->blocked.gtid = ghost_task_of(p)->gtid;
	msg->blocked.runtime = p->se.sum_exec_runtime;
	msg->blocked.cpu = cpu_of(rq);
	msg->blocked.cpu_seqnum = next_cpu_seqnum(rq);
	msg->blocked.from_switchto = ghost_of(rq)->switchto != 0;
	task_send(p, msg);
}

void ghost_msg_preempt(struct rq *rq, struct task_struct *p, bool was_latched)
{
	struct bpf_ghost_msg *msg;

	if (task_current(rq, p))
		class_of(p)->update_curr(rq);
	msg = task_begin(rq, p, MSG_TASK_PREEMPT);
	if (!msg)
		return;
	msg->preempt.gtid = ghost_task_of(p)->gtid;
	msg->preempt.runtime = p->se.sum_exec_runtime;
	msg->preempt.cpu = cpu_of(rq);
	msg->preempt.cpu_seqnum = next_cpu_seqnum(rq);
	msg->preempt.from_switchto = !was_latched && ghost_of(rq)->switchto;
	msg->preempt.was_latched = was_latched;
	task_send(p, msg);
}

void ghost_msg_yield(struct rq *rq, struct task_struct *p)
{
	struct bpf_ghost_msg *msg;

	class_of(p)->update_curr(rq);
	msg = task_begin(rq, p, MSG_TASK_YIELD);
	if (!msg)
		return;
	msg->yield.gtid = ghost_task_of(p)->gtid;
	msg->yield.runtime = p->se.sum_exec_runtime;
	msg->yield.cpu = cpu_of(rq);
	msg->yield.cpu_seqnum = next_cpu_seqnum(rq);
	msg->yield.from_switchto = ghost_of(rq)->switchto != 0;
	task_send(p, msg);
}

void ghost_msg_switchto(struct rq *rq, struct task_struct *p)
{
	struct bpf_ghost_msg *msg = task_begin(rq, p, MSG_TASK_SWITCHTO);

	if (!msg)
		return;
	msg->switchto.gtid = ghost_task_of(p)->gtid;
	msg->switchto.runtime = p->se.sum_exec_runtime;
	msg->switchto.cpu = cpu_of(rq);
	msg->switchto.cpu_seqnum = next_cpu_seqnum(rq);
	task_send(p, msg);
}

void ghost_msg_on_cpu(struct rq *rq, struct task_struct *p)
{
	struct bpf_ghost_msg *msg = task_begin(rq, p, MSG_TASK_ON_CPU);

	if (!msg)
		return;
	msg->on_cpu.gtid = ghost_task_of(p)->gtid;
	msg->on_cpu.commit_time = cpu_clock();
	msg->on_cpu.cpu = cpu_of(rq);
	msg->on_cpu.cpu_seqnum = next_cpu_seqnum(rq);
	task_send(p, msg);
}

void ghost_msg_affinity(struct rq *rq, struct task_struct *p)
{
	struct bpf_ghost_msg *msg = task_begin(rq, p, MSG_TASK_AFFINITY_CHANGED);

	if (!msg)
		return;
	msg->affinity.gtid = ghost_task_of(p)->gtid;
	task_send(p, msg);
}

void ghost_msg_priority(struct rq *rq, struct task_struct *p)
{
	struct bpf_ghost_msg *msg = task_begin(rq, p, MSG_TASK_PRIORITY_CHANGED);

	if (!msg)
		return;
	msg->priority.gtid = ghost_task_of(p)->gtid;
	msg->priority.nice = PRIO_TO_NICE(p->static_prio);
	task_send(p, msg);
}

void ghost_msg_latch_failure(struct rq *rq, struct task_struct *p, s32 error)
{
	struct ghost_task *gt = ghost_task_of(p);
	struct bpf_ghost_msg *msg = begin(gt->enclave, MSG_TASK_LATCH_FAILURE, gt->sw->barrier);

	VRT_ASSERT(rq_locked(rq) && task_rq(p) == rq);
	if (!msg)
		return;
	msg->latch_failure.gtid = gt->gtid;
	msg->latch_failure.error = error;
	task_send(p, msg);
}

/* --- of CPUs --------------------------------------------------------------------- */

static bool wanted(const struct ghost_config *config, u16 type)
{
	switch (type) {
	case MSG_CPU_TICK:
		return config->deliver_ticks;
	case MSG_CPU_AVAILABLE:
	case MSG_CPU_BUSY:
		return config->deliver_cpu_availability;
	default:
		return config->deliver_agent_runnability;
	}
}

static struct bpf_ghost_msg *cpu_begin(struct rq *rq, u16 type)
{
	struct ghost_rq *gr = ghost_of(rq);
	struct ghost_status_word *sw;

	VRT_ASSERT(rq_locked(rq));
	if (!gr->agent || !wanted(&gr->enclave->config, type))
		return NULL;
	sw = ghost_task_of(gr->agent)->sw;
	sw->barrier = ++gr->agent_barrier;
	return begin(gr->enclave, type, sw->barrier);
}

void ghost_msg_tick(struct rq *rq, bool agent)
{
	struct bpf_ghost_msg *msg = cpu_begin(rq, MSG_CPU_TICK);

	if (!msg)
		return;
	msg->cpu_tick.cpu = cpu_of(rq);
	msg->cpu_tick.is_agent = agent;
	send(ghost_of(rq)->enclave, msg, 0);
}

void ghost_msg_cpu(struct rq *rq, enum ghost_msg_type type)
{
	struct bpf_ghost_msg *msg = cpu_begin(rq, type);

	if (!msg)
		return;
	/* the payload of all of these is the CPU alone */
	msg->cpu_available.cpu = cpu_of(rq);
	send(ghost_of(rq)->enclave, msg, 0);
}
