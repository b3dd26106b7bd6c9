// SPDX-License-Identifier: GPL-2.0-only
/*
 * Agents and their class, which is above all but stop. A BPF-only scheduler has
 * an agent on each CPU of its enclave, too: blocked, it is the token without which
 * no task can be latched there. Woken by bpf_ghost_wake_agent() it runs, finds
 * nothing to do and blocks again; when its enclave ends, it exits.
 *
 * The class keeps a list, since an enclave may come before the agent of the
 * last one has left the CPU.
 *
 * Locking: the class under the rq lock.
 */
#include "../../base/alloc.h"
#include "../noise.h"
#include "internal.h"

/* --- the class ------------------------------------------------------------------ */

static void update_curr_agent(struct rq *rq)
{
	if (!is_agent(rq->curr))
		return;
	update_curr_common(rq);
	ghost_task_of(rq->curr)->sw->runtime = rq->curr->se.sum_exec_runtime;
}

static void enqueue_task_agent(struct rq *rq, struct task_struct *p, u64 flags)
{
	list_add_tail(&ghost_task_of(p)->run_node, &ghost_of(rq)->agents);
	rq->nr_running++;
	ghost_task_of(p)->sw->flags |= GHOST_SW_TASK_RUNNABLE;
}

static bool dequeue_task_agent(struct rq *rq, struct task_struct *p, u64 flags)
{
	update_curr_agent(rq);
	list_del_init(&ghost_task_of(p)->run_node);
	rq->nr_running--;
	if (flags & DEQUEUE_SLEEP) {
		ghost_task_of(p)->sw->flags &= ~GHOST_SW_TASK_RUNNABLE;
		if (ghost_of(rq)->agent == p)
			ghost_msg_cpu(rq, MSG_CPU_AGENT_BLOCKED);
	}
	return true;
}

/* It has nobody to yield to. */
static void yield_task_agent(struct rq *rq)
{
}

static struct task_struct *pick_task_agent(struct rq *rq)
{
	struct ghost_rq *gr = ghost_of(rq);
	struct ghost_task *first =
		list_first_entry_or_null(&gr->agents, struct ghost_task, run_node);
	bool others = ghost_others_runnable(rq);

	if (gr->agent && (first || others))
		ghost_preempted(rq, others);
	return first ? &container_of(first, struct task, ghost)->ts : NULL;
}

static void set_next_task_agent(struct rq *rq, struct task_struct *p, bool first)
{
	struct ghost_status_word *sw = ghost_task_of(p)->sw;

	p->se.exec_start = rq->clock_task;
	sw->flags |= GHOST_SW_TASK_ONCPU;
	sw->switch_time = rq->clock;
	if (ghost_others_runnable(rq))
		sw->flags |= GHOST_SW_BOOST_PRIO;
	else
		sw->flags &= ~GHOST_SW_BOOST_PRIO;
}

static void put_prev_task_agent(struct rq *rq, struct task_struct *p, struct task_struct *next)
{
	update_curr_agent(rq);
	ghost_task_of(p)->sw->flags &= ~GHOST_SW_TASK_ONCPU;
}

static s32 select_task_rq_agent(struct task_struct *p, s32 prev_cpu, u32 wake_flags)
{
	return p->cpu;
}

static void task_woken_agent(struct rq *rq, struct task_struct *p)
{
	if (ghost_of(rq)->agent == p)
		ghost_msg_cpu(rq, MSG_CPU_AGENT_WAKEUP);
}

static void task_tick_agent(struct rq *rq, struct task_struct *curr)
{
	struct ghost_rq *gr = ghost_of(rq);

	update_curr_agent(rq);
	if (gr->agent != curr)
		return;
	/* what may be put off for the agent's sake is not put off for ever */
	if (gr->latched)
		ghost_unlatch(rq);
	ghost_msg_tick(rq, true);
}

static void reweight_task_agent(struct rq *rq, struct task_struct *p, u32 weight)
{
}

const struct sched_class_ops ghost_agent_sched_class = {
	.rank = RANK_AGENT,
	.name = "ghost_agent_sched_class",
	.trace = TRACE_CLASS_AGENT,
	.enqueue_task = enqueue_task_agent,
	.dequeue_task = dequeue_task_agent,
	.yield_task = yield_task_agent,
	.pick_task = pick_task_agent,
	.put_prev_task = put_prev_task_agent,
	.set_next_task = set_next_task_agent,
	.select_task_rq = select_task_rq_agent,
	.task_woken = task_woken_agent,
	.task_tick = task_tick_agent,
	.reweight_task = reweight_task_agent,
	.update_curr = update_curr_agent,
};

/* --- the agents ------------------------------------------------------------------- */

struct agent {
	struct ghost_enclave *enclave;
	u32 cpu; /* that it is the agent of; its own may be another, if that went offline */
	struct wait_queue idle;
};

static void resign(struct agent *agent, struct task_struct *p)
{
	struct rq *rq = cpu_rq(agent->cpu);

	rq_lock(rq);
	if (ghost_of(rq)->agent == p)
		ghost_of(rq)->agent = NULL;
	rq_unlock(rq);
}

static void agent_next(struct task *task, struct task_action *action)
{
	struct agent *agent = task_data(task);

	if (agent->enclave->ending) {
		resign(agent, &task->ts);
		action->kind = ACT_EXIT;
		return;
	}
	wait_queue_add(&agent->idle, 0);
	action->kind = ACT_BLOCK;
}

static void agent_release(struct task *task)
{
	free(task_data(task));
}

static const struct task_behaviour agent_behaviour = {
	.next = agent_next,
	.release = agent_release,
};

static struct task *make_task(struct agent *agent, u32 cpu, int *err)
{
	struct cpumask allowed = { 0 };
	char comm[TASK_COMM_LEN];
	struct task_params params = {
		.comm = comm, .group = TASK_GROUP_SYSTEM, .allowed = &allowed,
	};

	snprintf(comm, sizeof(comm), "agent/%u", cpu);
	cpumask_set_cpu(cpu, &allowed);
	return task_create_flags(&params, &agent_behaviour, agent, PF_KTHREAD | PF_NO_SETAFFINITY,
				 err);
}

static void become_agent(struct ghost_enclave *e, struct task_struct *p)
{
	struct ghost_task *gt = ghost_task_of(p);
	struct rq *rq = task_rq_lock(p);
	struct ghost_rq *gr = ghost_of(rq);

	gt->sw = ghost_sw_alloc(e, gt->gtid, &gt->sw_index);
	gt->sw->flags |= GHOST_SW_TASK_IS_AGENT;
	gt->enclave = e;
	ghost_get(e);
	p->policy = SCHED_GHOST;
	task_change_class(p, &ghost_agent_sched_class);
	gr->enclave = e;
	gr->agent = p;
	gr->agent_barrier = 0;
	gr->available = false;
	rq_unlock(rq);
}

int ghost_agent_create(struct ghost_enclave *e, u32 cpu)
{
	struct agent *agent;
	struct task *t;
	int err;

	if (!e->region->available)
		return -ENOSPC;
	agent = xcalloc(1, sizeof(*agent));
	agent->enclave = e;
	agent->cpu = cpu;
	wait_queue_init(&agent->idle);
	t = make_task(agent, cpu, &err);
	if (!t) {
		free(agent);
		return err;
	}
	become_agent(e, &t->ts);
	/* runs, finds nothing to do and blocks */
	task_start(t);
	return 0;
}

void ghost_agent_wake(struct task_struct *p)
{
	struct agent *agent = task_data(task_of(p));

	wait_queue_wake(&agent->idle, 1, false);
}
