/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside ghOSt: what its files share.
 *
 *	enclave.c	enclaves: created, started, closed, their descriptors and figures
 *	end.c		how an enclave ends, whatever the reason
 *	task.c		tasks in and out
 *	agent.c		the agents' class and the agents
 *	class.c		the class of ghOSt's tasks
 *	pick.c		what happens at every pick: messages of the task that stops, PNT
 *	latch.c		run_gtid(): a task is latched for a CPU, or cannot be
 *	message.c	messages: payloads, barriers, BPF-MSG
 *	switchto.c	a task hands its CPU to another one
 *	programs.c	program types, attachment, running them
 *	helpers.c	what programs may call
 *	status_word.c	the table of status words
 *	watchdog.c	runnable_timeout
 *
 * "It tells" below means: a message is produced, and BPF-MSG run with it.
 *
 * Lock order: a program runs with at most one rq lock held (MSG) and takes none
 * there; PNT runs with none, so that run_gtid() may take them.
 */
#ifndef VRT_SCHED_GHOST_INTERNAL_H
#define VRT_SCHED_GHOST_INTERNAL_H

#include "../../../kernel/ghost.h"
#include "../../bpf/prog_type.h"
#include "../ghost.h"
#include "../sched.h"

#define NR_GHOST_MSGS 19

struct ghost_enclave {
	struct list_head node; /* ghost.enclaves, oldest first */
	u32 refs; /* owner, descriptors, links, agents, tasks, running programs */
	u32 id;
	struct cpumask cpus;
	struct ghost_config config; /* cpus is not looked at */
	bool started, ending, ended; /* one after the other */
	bool has_fd; /* all descriptors together hold one reference */
	struct bpf_prog *pnt, *msg, *select_rq; /* attached ones; their links hold them */

	struct ghost_sw_region_header *region;
	u64 *sw_used; /* a bit per status word */
	u32 sw_first_free; /* none below it */
	u64 nr_refused; /* tasks that stayed away because all are used */

	struct list_head tasks; /* agents are not in it */
	u32 nr_tasks;
	u64 picks, latched, latch_errors, produced[NR_GHOST_MSGS], kept[NR_GHOST_MSGS];

	struct ghost_exit_record record;
	struct irq_work end_irq;
	struct kthread_work end_work;
	struct hrtimer watchdog;
	struct kthread_work watchdog_work;
};

/* A CPU as the one that executes programs, for whatever enclave. */
struct ghost_cpu {
	struct bpf_ghost_msg *msg;
	struct bpf_ghost_sched *sched;
	struct bpf_ghost_select_rq *select_rq;
	struct ghost_enclave *target; /* whose program runs here now */
	struct cpumask wake_agents; /* asked for by programs here */
	struct irq_work wake_work;
};

struct ghost_state {
	struct list_head enclaves;
	struct kthread_worker *worker;
	u32 next_id;
	u64 gtid_seqnum;
};
extern struct ghost_state ghost;

static inline struct ghost_rq *ghost_of(const struct rq *rq)
{
	return &crq_of(rq)->ghost;
}

static inline struct ghost_task *ghost_task_of(const struct task_struct *p)
{
	return &task_of(p)->ghost;
}

static inline struct ghost_cpu *this_ghost(void)
{
	return kernel.rqs[this_cpu->id]->ghost.cpu;
}

static inline bool is_ghost(const struct task_struct *p)
{
	return class_of(p) == &ghost_sched_class;
}

static inline bool is_agent(const struct task_struct *p)
{
	return class_of(p) == &ghost_agent_sched_class;
}

/* In charge: neither before its start nor on its way out. */
static inline bool ghost_active(const struct ghost_enclave *e)
{
	return e->started && !e->ending;
}

/* --- enclave.c ----------------------------------------------------------------- */

void ghost_get(struct ghost_enclave *e);
void ghost_put(struct ghost_enclave *e);
/* That @p enters by task_set_policy(): of its CPU, otherwise the oldest; NULL: none. */
struct ghost_enclave *ghost_enclave_for(const struct task_struct *p);

/* --- end.c ----------------------------------------------------------------------- */

/* From any context on a CPU, locks held or not. Only the first reason counts. */
__printf(4, 5) void ghost_end(struct ghost_enclave *e, enum ghost_exit_kind kind,
			      const char *reason, const char *fmt, ...);
/* In task context, no lock held: when it returns, no task is left in it. */
void ghost_end_now(struct ghost_enclave *e, enum ghost_exit_kind kind, const char *reason);
void ghost_end_init(struct ghost_enclave *e);

/* --- task.c ---------------------------------------------------------------------- */

/*
 * Makes @p known to @e; the class follows (task_change_class()). With its rq
 * locked, or before it is seen by anybody. -ENOSPC: no status word.
 */
int ghost_admit(struct ghost_enclave *e, struct task_struct *p);
/* Its last message has been told; gives back what admit() took. */
void ghost_release(struct task_struct *p);
/* Takes in all that ghost_config.take_all means. In task context. */
void ghost_take_all(struct ghost_enclave *e);

/* --- agent.c ---------------------------------------------------------------------- */

/* Makes the blocked agent of @cpu. -ENOSPC: no status word. */
int ghost_agent_create(struct ghost_enclave *e, u32 cpu);
/* No lock held. One that sleeps no more, or is gone, needs nothing. */
void ghost_agent_wake(struct task_struct *agent);

/* --- pick.c ------------------------------------------------------------------------ */

/* Has a class above ghOSt, agents left aside, something to run? With the rq locked. */
bool ghost_others_runnable(const struct rq *rq);
/* Tells AVAILABLE or BUSY if it is not what was told last. With the rq locked. */
void ghost_update_availability(struct rq *rq, bool available);
/* The CPU goes to a class above: tells of whoever leaves it or will not get it. */
void ghost_preempted(struct rq *rq, bool by_others);
struct task_struct *ghost_pick(struct rq *rq);

/* --- latch.c ------------------------------------------------------------------------ */

/* -errno, as in ghost-abi.md; from PNT on this CPU, no lock held. */
int ghost_run_gtid(struct ghost_enclave *e, s64 gtid, u32 barrier, s32 run_flags);
/* The latched task will not run now: tells. With the rq locked. */
void ghost_unlatch(struct rq *rq);

/* --- message.c: with the task's rq, or the CPU's, locked ------------------------------- */

void ghost_msg_new(struct rq *rq, struct task_struct *p, bool runnable);
void ghost_msg_dead(struct rq *rq, struct task_struct *p);
void ghost_msg_departed(struct rq *rq, struct task_struct *p);
void ghost_msg_wakeup(struct rq *rq, struct task_struct *p);
void ghost_msg_blocked(struct rq *rq, struct task_struct *p);
void ghost_msg_preempt(struct rq *rq, struct task_struct *p, bool was_latched);
void ghost_msg_yield(struct rq *rq, struct task_struct *p);
void ghost_msg_switchto(struct rq *rq, struct task_struct *p);
void ghost_msg_on_cpu(struct rq *rq, struct task_struct *p);
void ghost_msg_affinity(struct rq *rq, struct task_struct *p);
void ghost_msg_priority(struct rq *rq, struct task_struct *p);
/* @error: positive. Does not raise the barrier: nothing about the task has changed. */
void ghost_msg_latch_failure(struct rq *rq, struct task_struct *p, s32 error);
void ghost_msg_tick(struct rq *rq, bool is_agent);
/* Any of those whose payload is the CPU alone. */
void ghost_msg_cpu(struct rq *rq, enum ghost_msg_type type);
void ghost_msg_stats(const struct ghost_enclave *e, struct ghost_stats *stats);

/* --- programs.c ---------------------------------------------------------------------- */

/* @prog, which is attached to @e, with @ctx on this CPU; what it returned. */
u64 ghost_run_prog(struct ghost_enclave *e, struct bpf_prog *prog, void *ctx);
/* Lets go of the attached programs. */
void ghost_detach_programs(struct ghost_enclave *e);
int ghost_ctl_fd(struct ghost_enclave *e);

/* --- helpers.c; what MSG may call, select_rq may, too -------------------------------- */

#define NR_GHOST_SCHED_HELPERS 4
#define NR_GHOST_MSG_HELPERS 3
extern const struct bpf_type_helper ghost_sched_helpers[NR_GHOST_SCHED_HELPERS],
	ghost_msg_helpers[NR_GHOST_MSG_HELPERS];
void ghost_wake_agents(struct irq_work *work);

/* --- status_word.c ---------------------------------------------------------------------- */

void ghost_sw_init(struct ghost_enclave *e, u32 capacity);
void ghost_sw_exit(struct ghost_enclave *e);
/* The lowest free one, or NULL. */
struct ghost_status_word *ghost_sw_alloc(struct ghost_enclave *e, s64 gtid, u32 *index);
void ghost_sw_free(struct ghost_enclave *e, u32 index);
struct ghost_status_word *ghost_sw(const struct ghost_enclave *e, u32 index);

/* --- watchdog.c ---------------------------------------------------------------------- */

void ghost_watchdog_init(struct ghost_enclave *e);
void ghost_watchdog_start(struct ghost_enclave *e);
void ghost_watchdog_stop(struct ghost_enclave *e);

#endif
