/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the scheduler: tasks and runqueues with their private parts, the
 * interface of a scheduling class, and the core's services to classes.
 *
 * Locking
 * -------
 * rq_lock() guards a runqueue and the scheduling state of the tasks on it; two
 * are taken in the order of CPU numbers (double_rq_lock()). A task's rq changes
 * only with both its old and new place locked or the task off any queue.
 * Dispatch queues have locks of their own, which nest inside one rq lock.
 *
 * Locks are taken at global now (see sim/cpu.h): between two lock operations
 * or syncs, code is atomic. A class must re-read what it knew when it dropped
 * the rq lock, exactly as in Linux.
 */
#ifndef VRT_SCHED_SCHED_H
#define VRT_SCHED_SCHED_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cpumask.h"
#include "../base/kheap.h"
#include "../base/rbtree.h"
#include "../sim/lock.h"
#include "class_types.h"
#include "ghost/types.h"
#include "kernel.h"
#include "tracepoint.h"

#define TICK_NSEC (kernel.tick_ns)

/* Flags of enqueue and dequeue; the low byte is the same in both directions. */
#define DEQUEUE_SLEEP 0x01
#define DEQUEUE_SAVE 0x02 /* for a moment, to change an attribute */
#define DEQUEUE_MOVE 0x04 /* and the place in the queue may be lost */
#define DEQUEUE_NOCLOCK 0x08 /* the rq's clock is current: of no use here, but programs see it */
#define DEQUEUE_MIGRATING 0x100
#define ENQUEUE_WAKEUP 0x01
#define ENQUEUE_RESTORE 0x02
#define ENQUEUE_MOVE 0x04
#define ENQUEUE_NOCLOCK 0x08
#define ENQUEUE_HEAD 0x10
#define ENQUEUE_INITIAL 0x80 /* first time */
#define ENQUEUE_MIGRATING 0x100
#define ENQUEUE_RQ_SELECTED 0x400 /* select_task_rq() was called */

/* Wake flags; the low ones are ABI (enum scx_wake_flags). */
#define WF_EXEC 0x02
#define WF_FORK 0x04
#define WF_TTWU 0x08
#define WF_SYNC 0x10
#define WF_MIGRATED 0x20
#define WF_RQ_SELECTED 0x80

#define WEIGHT_IDLEPRIO 3
/* load weight of nice -20..19 (sched_prio_to_weight in Linux) */
extern const u32 sched_prio_to_weight[NICE_WIDTH];
/* 1..10000 as cgroup's cpu.weight; 1024 is 100 */
static inline u32 sched_weight_to_cgroup(u64 weight)
{
	u64 w = (weight * 100 + 512) / 1024;

	return w < 1 ? 1 : w > 10000 ? 10000 : w;
}

struct task {
	struct task_struct ts; /* first: BPF sees this part only */

	/* with these two ts fills its last cache line */
	struct list_head wake_node; /* on crq->wake_list */
	struct files *files; /* of its process (files.c); NULL: it has none */

	/* a cache line for the action in progress, and two for waking up */
	struct task_action action;
	u64 work_left; /* ACT_COMPUTE: ns at full speed << 10; ACT_SPIN: ns */
	u64 penalty; /* ns at full speed << 10 to pay first: cold caches */
	u64 busy; /* ns that went into its actions: with the CPUs' books, a pair */
	const struct task_behaviour *behaviour;
	void *data;
	bool acting;
	bool yielded; /* for the trace: why it was switched out */
	bool pinned; /* task_pin() */
	bool timed_out;
	bool started;
	bool dead; /* has been switched away from for the last time */

	struct hrtimer timer;
	struct wait_queue *wait_queue;
	struct list_head wait_node;
	struct task_call *call; /* its system calls, once they were traced (syscall.c) */
	const char *site; /* where it makes them; NULL: the behaviour's name */
	u32 wake_flags;
	u32 group;

	/* the classes' own (class_types.h) */
	struct fair_task fair;
	struct rt_task rt;
	struct ghost_task ghost;

	u64 dead_since;
	void *storage; /* anchor of BPF task storage */
	struct list_head all; /* kernel.tasks, then zombies, then graveyard */
};

_Static_assert(offsetof(struct task, action) % 64 == 0 && offsetof(struct task, timer) % 64 == 0 &&
		       offsetof(struct task_struct, nvcsw) % 64 == 0 &&
		       offsetof(struct task_struct, scx) % 64 == 0,
	       "lines of their own: tasks begin with a cache line");

static inline struct task *task_of(const struct task_struct *p)
{
	return (struct task *)p;
}

/* What a CPU's time is booked on. Every nanosecond is on exactly one. */
enum cpu_book { BOOK_BUSY, BOOK_IDLE, BOOK_OVERHEAD, NR_BOOKS };

/* What the CPUs of a core share. */
struct core {
	u32 nr_busy; /* of them that run a task: those share its speed */
	u32 first; /* of them */
};

/* A runqueue: the public part, and what belongs to the runtime alone. */
struct cpu_rq {
	struct rq rq; /* first */

	/* four cache lines that every switch touches, by what is used together */
	struct sim_lock lock __cache_aligned;
	void (*balance_callback)(struct rq *rq); /* runs in schedule() before the rq lock is dropped */
	u64 tick_due; /* SIM_NEVER: the tick is stopped */

	u64 last_quiescent __cache_aligned; /* when this CPU last held no pointer to any task */
	u64 irq_stamp; /* when the interrupts being handled began; 0: none */
	u64 irq_time; /* in interrupts since boot: not in clock_task */
	u64 book[NR_BOOKS];
	u64 book_stamp;
	enum cpu_book book_open;
	bool need_resched;
	bool resched_next; /* the pick wants a reschedule right after the switch */
	bool polling; /* idle and watching need_resched: a poke replaces the IPI */

	u64 overhead[NR_TRACE_OVH] __cache_aligned;

	struct core *core __cache_aligned;
	u32 capacity; /* work per ns, of 1024, while it has its core for itself */
	u32 next_thread; /* the next CPU of the same core; after the last the first */
	u64 waits_since; /* what it does now began: its task computes (task.c), or it idles */
	u64 speed; /* at which the task computes */
	struct scx_hand scx_hand;

	/* and one that a tick touches besides */
	struct hrtimer tick;

	u64 tick_phase;
	struct cpu *cpu;
	struct task_struct *switching_from; /* whom sched_switch is shown to, as current */
	struct list_head wake_list; /* tasks that others want activated here */
	struct list_head work; /* struct irq_work, on IRQ_WORK */
	struct trace_run *tracing; /* tracing programs that run here, the innermost first */

	/* the classes' own (class_types.h) */
	struct fair_rq fair;
	struct rt_state rt_state;
	struct idle_history idle_history;
	/* sched_ext's own (ext/) */
	struct scx_cpu *scx;
	/* ghOSt's own (ghost/) */
	struct ghost_rq ghost;
};

static inline bool tick_running(const struct cpu_rq *crq)
{
	return crq->tick_due != SIM_NEVER;
}

static inline struct cpu_rq *crq_of(const struct rq *rq)
{
	return (struct cpu_rq *)rq;
}

/* The classes, highest first: the order of sched_classes[]. */
enum class_rank {
	RANK_STOP, RANK_AGENT, RANK_RT, RANK_FAIR, RANK_EXT, RANK_GHOST, RANK_IDLE, NR_RANKS
};

/*
 * A class. Calls are made with the rq locked unless noted. Classes are chained
 * from the highest to the lowest.
 */
struct sched_class_ops {
	struct sched_class id; /* first: what p->sched_class points at */
	enum class_rank rank;
	const char *name; /* as the kernel prints it: "fair_sched_class" */
	enum trace_class trace;

	void (*enqueue_task)(struct rq *rq, struct task_struct *p, u64 flags);
	/* false: the task stays queued although it sleeps (delayed dequeue) */
	bool (*dequeue_task)(struct rq *rq, struct task_struct *p, u64 flags);
	void (*yield_task)(struct rq *rq);
	/* a task of this class has become runnable here: preempt curr (same class)? */
	void (*wakeup_preempt)(struct rq *rq, struct task_struct *p, u32 wake_flags);
	/* may drop the rq lock; true: there is something to run in this class or above */
	bool (*balance)(struct rq *rq, struct task_struct *prev);
	/* the task to run next, which stays queued; NULL: none */
	struct task_struct *(*pick_task)(struct rq *rq);
	void (*put_prev_task)(struct rq *rq, struct task_struct *p, struct task_struct *next);
	void (*set_next_task)(struct rq *rq, struct task_struct *p, bool first);
	/* unlocked: which CPU shall @p wake on? */
	s32 (*select_task_rq)(struct task_struct *p, s32 prev_cpu, u32 wake_flags);
	/* after a wakeup's enqueue; may drop the rq lock */
	void (*task_woken)(struct rq *rq, struct task_struct *p);
	void (*set_cpus_allowed)(struct task_struct *p, const struct cpumask *mask);
	void (*rq_online)(struct rq *rq);
	void (*rq_offline)(struct rq *rq);
	void (*task_tick)(struct rq *rq, struct task_struct *curr);
	void (*task_dead)(struct task_struct *p);
	void (*switching_from)(struct rq *rq, struct task_struct *p); /* before it is dequeued */
	void (*switching_to)(struct rq *rq, struct task_struct *p); /* before it is enqueued */
	void (*switched_from)(struct rq *rq, struct task_struct *p); /* after */
	void (*switched_to)(struct rq *rq, struct task_struct *p);
	void (*reweight_task)(struct rq *rq, struct task_struct *p, u32 weight);
	void (*update_curr)(struct rq *rq);
};

extern const struct sched_class_ops stop_sched_class, ghost_agent_sched_class, rt_sched_class,
	fair_sched_class, ext_sched_class, ghost_sched_class, idle_sched_class;
/* by rank; ext is in it whether or not a scheduler is loaded */
extern const struct sched_class_ops *const sched_classes[NR_RANKS];

static inline const struct sched_class_ops *class_of(const struct task_struct *p)
{
	return (const struct sched_class_ops *)p->sched_class;
}

/* Is @a higher than @b? */
static inline bool class_above(const struct sched_class_ops *a, const struct sched_class_ops *b)
{
	return a->rank < b->rank;
}

/* --- the machine's kernel (boot.c) --------------------------------------- */

struct kernel {
	struct kernel_config config;
	bool booted;
	bool stopping; /* no task does anything any more but the one that takes the machine apart */
	struct task_struct *entry_task; /* that one, and who enters from outside (kthread.c) */
	u64 tick_ns;
	u32 hz;
	struct cpu_rq **rqs;
	struct task_struct **currs; /* of the rqs, to know without a look there */
	struct core *cores;
	struct cpumask *possible, *online, *active, *none; /* in the kernel heap */
	struct list_head tasks; /* all but idle tasks, oldest first */
	struct list_head zombies; /* dead, but somebody holds a reference */
	struct list_head graveyard; /* dead, but some CPU may still hold a pointer */
	u32 nr_graves;
	struct task **by_pid;
	u32 nr_pids; /* next pid to give */
	u32 pid_slots;
	u32 nr_tasks;
	u32 nr_delayed; /* fair entities whose dequeue is delayed, in all runqueues */
	struct task *init_task;
	u64 boot_time;
	u64 dead_busy; /* struct task.busy of tasks that are freed */
	u32 nr_futexes; /* wait queues that got an id */
};
extern struct kernel kernel;

static inline bool task_may_act(const struct task_struct *p)
{
	return likely(!kernel.stopping) || p == kernel.entry_task;
}

static inline struct rq *cpu_rq(u32 cpu)
{
	return &kernel.rqs[cpu]->rq;
}

static inline struct rq *this_rq(void)
{
	return cpu_rq(this_cpu->id);
}

static inline struct rq *task_rq(const struct task_struct *p)
{
	return cpu_rq(p->cpu);
}

static inline u32 cpu_of(const struct rq *rq)
{
	return rq->cpu;
}

static inline struct task_struct *curr_task(void)
{
	return this_rq()->curr;
}

/* Who is current for programs: in the middle of a switch the task that goes. */
static inline struct task_struct *program_task(void)
{
	struct cpu_rq *crq = kernel.rqs[this_cpu->id];

	return unlikely(crq->switching_from) ? crq->switching_from : crq->rq.curr;
}

static inline const struct cpu_topology *topo_of(u32 cpu)
{
	return &kernel.config.topology->cpu[cpu];
}

static inline bool cpu_online(u32 cpu)
{
	return cpumask_test_cpu(cpu, kernel.online);
}

static inline bool is_idle_task(const struct task_struct *p)
{
	return p->flags & PF_IDLE;
}

static inline bool task_current(const struct rq *rq, const struct task_struct *p)
{
	return rq->curr == p;
}

static inline u64 jiffies(void)
{
	/* at a CPU's local clock; Linux starts near wrap-around, we do not */
	return (this_cpu ? cpu_clock() : sim_now()) / kernel.tick_ns;
}

/* As Linux converts: up, so that a timeout is never too short. */
static inline u64 msecs_to_jiffies(u64 ms)
{
	return DIV_ROUND_UP(ms * kernel.hz, 1000);
}

static inline u64 jiffies_to_msecs(u64 j)
{
	return j * 1000 / kernel.hz;
}

void kernel_logf(bool bpf, const char *fmt, ...) __printf(2, 3);

/* Records that the consumer has not got yet. */
struct trace_batch {
	struct trace_record *next, *end; /* of those that may be filled */
	struct trace_record recs[TRACE_BATCH_MAX];
};
extern struct trace_batch trace_batch;
void trace_flush(void);

/* @rec, which was the next one, has been filled. */
static inline void trace_added(struct trace_record *rec)
{
	trace_batch.next = rec + 1;
	if (unlikely(rec + 1 == trace_batch.end))
		trace_flush();
}

static inline void trace_add(u64 time, enum trace_type type, u32 cpu, s32 pid, u64 a, u64 b)
{
	struct trace_record *rec = trace_batch.next;

	rec->time = time;
	rec->type = type;
	rec->cpu = cpu;
	rec->pid = pid;
	rec->a = a;
	rec->b = b;
	trace_added(rec);
}

static inline void trace_emit(enum trace_type type, s32 pid, u64 a, u64 b)
{
	trace_add(cpu_clock(), type, this_cpu->id, pid, a, b);
}

/* Priority and weight of a task are not the default any more, or again. */
void trace_prio(const struct task_struct *p);
/* Emits what has gathered of a CPU's overhead since the last time. */
void trace_flush_overhead(struct cpu_rq *crq);
/* Books @ns of this CPU's time as overhead of a kind, besides charging it. */
static inline void charge_overhead(enum trace_overhead kind, u64 ns)
{
	cpu_charge(ns);
	kernel.rqs[this_cpu->id]->overhead[kind] += ns;
}

/* --- runqueue locks and clocks (core.c) ----------------------------------- */

/* Books what acquiring a lock took since @before; the time has been spent already. */
static inline void note_lock_time(u64 before)
{
	kernel.rqs[this_cpu->id]->overhead[TRACE_OVH_LOCK] += cpu_clock() - before;
}

static inline void rq_lock(struct rq *rq)
{
	u64 before = cpu_clock();

	sim_lock(&crq_of(rq)->lock);
	note_lock_time(before);
}

static inline void rq_unlock(struct rq *rq)
{
	sim_unlock(&crq_of(rq)->lock);
}

static inline bool rq_trylock(struct rq *rq)
{
	return sim_trylock(&crq_of(rq)->lock);
}

static inline bool rq_locked(const struct rq *rq)
{
	return sim_lock_held(&crq_of(rq)->lock);
}

/* Locks in CPU order; may drop @this, which must be held, for a moment. */
void double_rq_lock_balance(struct rq *this, struct rq *other);
/* Locks the rq that @p is on and stays on. */
struct rq *task_rq_lock(struct task_struct *p);
/*
 * Holds off wakeups and changes of attributes by others, as Linux's pi_lock: the
 * CPU of a task that sleeps is not guarded by an rq lock. Before any rq lock.
 */
void task_pin(struct task_struct *p);
void task_unpin(struct task_struct *p);
static inline void update_rq_clock(struct rq *rq)
{
	rq->clock = cpu_clock();
	rq->clock_task = rq->clock - crq_of(rq)->irq_time;
}

/* Accounts the time since exec_start to @rq->curr; returns it (ns of clock_task). */
s64 update_curr_common(struct rq *rq);

/* --- services of the core to classes (core.c) ----------------------------- */


void resched_curr(struct rq *rq);
void set_need_resched(u32 cpu);
void enqueue_task(struct rq *rq, struct task_struct *p, u64 flags);
bool dequeue_task(struct rq *rq, struct task_struct *p, u64 flags);
/* enqueue/dequeue with on_rq bookkeeping: for migrations */
void activate_task(struct rq *rq, struct task_struct *p, u64 flags);
void deactivate_task(struct rq *rq, struct task_struct *p, u64 flags);
/* Both rqs locked, or the task on none. Charges cold caches to the task; traces. */
void set_task_cpu(struct task_struct *p, u32 cpu);
void wakeup_preempt(struct rq *rq, struct task_struct *p, u32 wake_flags);
/* Moves a task that is queued and not running. @rq is locked on entry, nothing on return. */
void move_queued_task(struct rq *rq, struct task_struct *p, u32 cpu);
/* 1 if it was asleep. From any context on a CPU, without rq locks. */
int try_to_wake_up(struct task *t, u32 wake_flags);
/* The same, as the last thing that a timer's handler does. */
void wake_up_by_timer(struct task *t);
void wake_up_new_task(struct task *t);
/* Some CPU near @cpu where the task may run; widens its mask when none is left. */
u32 select_fallback_rq(u32 cpu, struct task_struct *p);
bool is_cpu_allowed(const struct task_struct *p, s32 cpu);
/* These three are the last thing that an action of the current task does (cpu_pay_then()). */
void schedule(void);
/* The same, as TASK_INTERRUPTIBLE: nobody sees that before this CPU has its queue locked. */
void schedule_to_sleep(void);
void do_yield(void);
static inline bool need_resched(void)
{
	return kernel.rqs[this_cpu->id]->need_resched;
}

/* Takes a task off its queue, lets the caller change an attribute, puts it back. */
struct sched_change {
	struct task_struct *p;
	u64 flags;
	bool queued, running;
};
void sched_change_begin(struct sched_change *c, struct task_struct *p, u64 flags);
void sched_change_end(struct sched_change *c);

/* Sets policy and the priorities that follow from it; the class is the caller's matter. */
void task_apply_policy(struct task_struct *p, s32 policy, u32 rt_priority);
/* With the rq locked: through dequeue and enqueue even when the class stays. */
void task_change_class(struct task_struct *p, const struct sched_class_ops *class);
/*
 * The current task stays on its CPU, whatever its affinity, until as many enables
 * (attr.c). Only hotplug takes it away.
 */
void migrate_disable(void);
void migrate_enable(void);
/* The class that policy and priority call for (ext when a scheduler is loaded). */
const struct sched_class_ops *setscheduler_class(const struct task_struct *p);
u32 task_weight(const struct task_struct *p);

/* Work for this CPU as soon as interrupts are on again; queueing twice is once. */
struct irq_work {
	struct list_head node;
	void (*fn)(struct irq_work *work);
};
void irq_work_init(struct irq_work *work, void (*fn)(struct irq_work *work));
void irq_work_queue(struct irq_work *work);

/*
 * A kernel thread with a stack of its own: run() may sleep and let others have
 * the CPU; when it returns the thread ends. release() is called when the task's
 * memory goes (may be NULL). NULL with -errno in *err. To be started.
 */
struct kthread;
struct kthread_ops {
	void (*run)(void *data);
	void (*release)(void *data);
	bool user; /* a process, which needs such a stack for what it does in the kernel */
};
struct task *kthread_create(const struct task_params *params, const struct kthread_ops *ops,
			    void *data, int *err);
/* The data of the thread on whose stack the caller is, if it is one with these operations. */
void *kthread_data(const struct kthread_ops *ops);
/*
 * From a thread's own stack, without locks. Nothing that is known of the CPU
 * holds afterwards: it may be another one.
 */
void kthread_wait(struct wait_queue *wq);
/* Interrupts, and whoever else has a better claim to the CPU. */
void kthread_preempt(void);

/*
 * Around a BPF program that may be preempted in the middle. As in Linux it stays
 * on its CPU meanwhile (migrate_disable()): what it found for this CPU stays so.
 */
struct kthread *kthread_begin_program(void);
void kthread_end_program(struct kthread *k);
/* The program can be interrupted here. True: it shall end at once. */
bool kthread_preempt_program(void);
/* Is the caller part of a program that is a thread's own work? */
bool kthread_in_program(void);
/* kthread_wait() in the middle of a program that may sleep. True: it shall end at once. */
bool kthread_wait_program(struct wait_queue *wq);
/* When the oldest program run that has not ended has begun; SIM_NEVER: there is none. */
u64 kthread_oldest_program(void);
/* Ends all of them: the machine has stopped. */
void kthread_abort_programs(void);

/*
 * A kernel thread that runs functions in order, one after the other, on its
 * stack. @cpu < 0: on any. An rt thread cannot be starved by fair or ext.
 */
struct kthread_work {
	struct list_head node;
	void (*fn)(struct kthread_work *work);
};
struct kthread_worker;
struct kthread_worker *kthread_worker_create(const char *name, s32 cpu, bool rt);
void kthread_queue_work(struct kthread_worker *worker, struct kthread_work *work);
static inline void kthread_init_work(struct kthread_work *work,
				     void (*fn)(struct kthread_work *work))
{
	INIT_LIST_HEAD(&work->node);
	work->fn = fn;
}

/* Closes the open stretch of the CPU's time and books what follows on @what. */
void book_time(struct cpu_rq *crq, enum cpu_book what);
/* The periodic tick of this CPU: stopped while idle, phase kept. */
void tick_start(struct cpu_rq *crq);
void tick_stop(struct cpu_rq *crq);

/* --- tasks (task.c) --------------------------------------------------------- */

#define TASK_GROUP_SYSTEM 0xffffffffu
/* task_create() with PF_ flags, from inside the machine (or before it runs). */
struct task *task_create_flags(const struct task_params *params,
			       const struct task_behaviour *behaviour, void *data, u32 flags,
			       int *err);
void task_storage_free(struct task *t);
struct task *task_from_pid(s32 pid);
/* A task's memory goes when the last reference is put and no CPU can look at it. */
void task_get(struct task *t);
void task_put(struct task *t);
/* After its last switch away, no lock held. */
void task_finish_dead(struct task *t);
/* Frees tasks that nobody can hold a pointer to any more. */
void task_reap_graves(void);
/* Waits until every other CPU has left the kernel code that it is in now. No lock held. */
void synchronize_cpus(void);
/* Has every CPU since @time been where it holds no pointer to a task or a group? */
bool cpus_quiescent_since(u64 time);
/* A microsecond of waiting for another CPU, which may wait in synchronize_cpus() for this one. */
void spin_quiescent(void);
/*
 * Books @ns at full speed as work of the current task, and lets the CPU's clock
 * run ahead by what it takes here: for what a task does beside its actions.
 */
void task_spend(u64 ns);
/* Advance the current task: called by the CPU loop. */
void task_execute(struct task *t);
void tasks_free_all(void);
struct task *idle_task_create(u32 cpu);

/* --- idle, stop, noise ------------------------------------------------------ */

void idle_loop(struct cpu_rq *crq);
/* Run @fn(@arg) on @cpu above every class, soon; not waited for. (stop.c) */
void stop_one_cpu_nowait(u32 cpu, void (*fn)(void *arg), void *arg);
/* Makes the per-CPU kernel threads and the interrupt sources. (noise.c) */
void noise_init(enum noise_level level);
void noise_exit(void);

/* --- kthread.c --------------------------------------------------------------- */

void kernel_entry_init(void);

/* --- fair (fair.c, fair/balance.c) -------------------------------------------- */

void init_cfs_rq(struct rq *rq);
void fair_task_init(struct task_struct *p, const struct task_struct *parent);
/* Pull something to run; the rq lock is held, and may be dropped meanwhile. */
bool fair_newidle_balance(struct rq *rq);
/* From the tick, rq not locked. */
void fair_periodic_balance(struct rq *rq);
s32 fair_select_task_rq(struct task_struct *p, s32 prev_cpu, u32 wake_flags);
/* NULL, or what is wrong with the queues of @rq (for the books). */
const char *fair_check(struct rq *rq);
/* Runnable, but the quota of a group that it is in is used up: in no count of its rq. */
bool fair_task_throttled(const struct task_struct *p);

/*
 * Task groups. They are made and freed anywhere; online they are known to the
 * machine, under cgroup_lock(). shares: scaled weight.
 */
void fair_init_group(struct group *g);
void fair_online_group(struct group *g);
void fair_offline_group(struct group *g);
void fair_free_group(struct group *g);
void fair_set_shares(struct task_group *tg, u64 shares);
void fair_set_bandwidth(struct group *g, u64 quota, u64 period);
/* @p, off its queue and with its rq locked, has another sched_task_group. */
void fair_change_group(struct task_struct *p);
/* Part of IRQ_CALL. */
void fair_unthrottle_pending(struct rq *rq);

void init_rt_rq(struct rq *rq);

/* --- objects.c ----------------------------------------------------------------- */

enum sched_object {
	OBJ_TASK,
	OBJ_MM,
	OBJ_RQ,
	OBJ_CPUMASK,
	OBJ_DSQ,
	OBJ_CGROUP,
	OBJ_CGROUP_SUBSYS,
	OBJ_KERNFS_NODE,
	OBJ_TASK_GROUP,
	OBJ_CFS_RQ,
	OBJ_SCHED_ENTITY,
	OBJ_POINTERS,
	OBJ_CSS_SET,
	OBJ_SCX_EXIT_INFO,
	OBJ_SCX_DUMP_CTX,
	OBJ_SCX_INIT_TASK_ARGS,
	OBJ_SCX_EXIT_TASK_ARGS,
	OBJ_SCX_CGROUP_INIT_ARGS,
	OBJ_SCX_CPU_RELEASE_ARGS,
	OBJ_PERIODIC_CTX,
	OBJ_GHOST_MSG,
	OBJ_GHOST_SCHED,
	OBJ_GHOST_SELECT_RQ,
	OBJ_GHOST_SW,
	OBJ_PT_REGS,
	OBJ_OPEN_HOW,
	OBJ_USER_MEMORY,
	OBJ_TEXT,
	NR_OBJ_TYPES,
};
/* Zeroed, in the kernel heap; never NULL. Free with kheap_free(). */
void *sched_alloc(enum sched_object type, u64 size);
struct cpumask *cpumask_alloc(void);
int sched_register_objects(void);

/* --- cgroups (cgroup.c, cgroup/attach.c) ----------------------------------------- */

void boot_cgroups(void);
void free_cgroups(void);
struct cgroup *root_cgroup(void);
struct task_group *root_task_group(void);
/* No operation on groups is in progress meanwhile. After forks are locked out. */
void cgroup_lock(void);
void cgroup_unlock(void);
/* A new task's; @parent may be NULL: the root. Stays with it until the task is freed. */
void cgroup_fork(struct task_struct *p, const struct task_struct *parent);
void cgroup_task_dead(struct task_struct *p);
void cgroup_task_free(struct task_struct *p);
/* @p has run for @ns: part of its group's cpu.stat. */
static inline void cgroup_account(const struct task_struct *p, u64 ns)
{
	container_of(p->sched_task_group, struct group, tg)->usage += ns;
}
/* Where BPF local storage of a cgroup hangs. */
void **cgroup_storage_anchor(void *cgroup);

/* --- memory of tasks (mm.c, mm/bpf.c) ----------------------------------------------- */

void mm_boot(void);
void mm_shutdown(void);
/* A new task's: that of its process, whose first one has none to share. */
void mm_fork(struct task *t, const struct task *leader);
/* It accesses memory no more; the last of its process gives all back. */
void mm_exit(struct task *t);
void mm_task_free(struct task *t);
/* NULL, or what is wrong with the books. */
const char *mm_check(void);
int mm_register(void);

/* --- sched_ext (ext/) ----------------------------------------------------------- */

/* A scheduler is loaded: ext is one of the classes. */
extern bool scx_on;
bool scx_switched_all(void);
/* Does the task that runs here have a slice without end? Nothing needs its tick then. */
bool scx_can_stop_tick(const struct rq *rq);
bool scx_allow_queued_wakeup(void);
/* Before the machine runs: queues and masks; on CPU 0: threads. */
void scx_boot_early(void);
void scx_boot(void);
void scx_shutdown(void);
void scx_init_task_entity(struct task_struct *p);
/*
 * A fork lies between pre and post, or pre and cancel; a scheduler is enabled and
 * disabled outside of all forks. fork(): 0, or -errno when ops.init_task() refuses.
 */
void scx_pre_fork(void);
int scx_fork(struct task_struct *p);
void scx_post_fork(struct task_struct *p);
void scx_cancel_fork(void);
void scx_task_dead(struct task_struct *p);
/* Direct dispatches to local DSQs of other CPUs; may drop the rq lock for a moment. */
void scx_run_deferred(struct rq *rq);
void scx_tick(struct rq *rq);
void scx_update_idle(struct rq *rq, bool idle, bool do_notify);
bool scx_wants_class(const struct task_struct *p);
void scx_cpu_hotplug(struct rq *rq, bool online);
const char *scx_check(struct rq *rq, struct task_struct *p);

/* --- periodic programs (periodic/) ------------------------------------------------- */

struct bpf_prog;
int periodic_register(void);
void periodic_exit(void);
/* @prog was stopped here: if it is a periodic one, its last run was that. */
void periodic_fault(const struct bpf_prog *prog);

/* --- ghOSt (ghost/) --------------------------------------------------------------- */

/* There is an enclave, or has been: the hooks below must be called. */
extern bool ghost_on;
void ghost_boot_early(void);
void ghost_shutdown(void);
int ghost_register_programs(void);
struct bpf_fault;
void ghost_program_fault(const struct bpf_fault *fault);
/*
 * The task that @prev has handed this CPU to, ready to be switched to; NULL: none,
 * the CPU picks.
 */
struct task_struct *ghost_switchto(struct rq *rq, struct task_struct *prev);
/* @prev does not wait after all; no lock held. */
void ghost_switchto_abort(struct task *prev);
/* A pick begins; may drop the rq lock. */
void ghost_pick_prologue(struct rq *rq, struct task_struct *prev);
/* Its result is known, and is not @prev. */
void ghost_prepare_switch(struct rq *rq, struct task_struct *prev, struct task_struct *next);
/* A program wants the idle CPU to look again, once. */
bool ghost_dont_idle(struct rq *rq);
/* Of every task, @parent may be NULL: may put it into an enclave. */
void ghost_fork(struct task *t, const struct task *parent);
void ghost_task_dead(struct task_struct *p);
/* With the rq locked, before the policy is applied: 0, or -errno as task_set_policy(). */
int ghost_set_policy(struct task_struct *p, s32 policy);
const char *ghost_check(const struct rq *rq, const struct task_struct *p);

/* --- what core.c plugs into the CPU loop ------------------------------------------- */

void cpu_interrupt(enum cpu_irq irq);
void cpu_reschedule(void);
void cpu_run(void);
void cpu_interrupted(void);
/* ahead.c */
void coming_cpu(u32 cpu, const struct hrtimer *timer);
void coming_queue(u32 cpu, const struct hrtimer *timer);
void ahead_update(void); /* the number of tasks has changed */

/* --- BPF (bpf_glue.c) ------------------------------------------------------------- */

int bpf_glue_init(void);
void bpf_glue_exit(void);
int cpu_load_register_kfuncs(void); /* cpu_load.c */

#endif
