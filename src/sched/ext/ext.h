/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside sched_ext. The rules are those of Linux 6.12
 * (Documentation/scheduler/sched-ext.rst, kernel/sched/ext.c).
 *
 * Who owns a task that waits to run is told by p->scx.ops_state:
 *
 *	NONE	the core: the task is on a DSQ, running, or not runnable
 *	QUEUEING -> QUEUED	handed to the BPF scheduler, which will dispatch it
 *	DISPATCHING	on its way back, claimed by exactly one CPU
 *
 * so that whatever a BPF program dispatches, twice, too late or never asked
 * for, can be recognised and ignored.
 *
 * Files: class.c the scheduling class; dsq.c dispatch queues; dispatch.c the
 * ways between them; idle.c idle tracking, idle_select.c choosing an idle CPU;
 * kick.c kicks; boot.c what is there always; enable.c life of a scheduler, task.c
 * of tasks under it; watchdog.c; exit.c errors and the debug dump; ops.c calls that
 * are not allowed; kfuncs.c, kfuncs_7_0.c, iter.c what programs may call; insert.h
 * verdicts; contexts.c from where; struct_ops.c the type; generation.c differences
 * between kernels.
 */
#ifndef VRT_SCHED_EXT_EXT_H
#define VRT_SCHED_EXT_EXT_H

#include "../../bpf/bpf.h"
#include "../sched.h"
#include "generation.h"

#define SCX_OP_IDX(op) (offsetof(struct sched_ext_ops, op) / sizeof(void *))
#define SCX_NR_OPS (offsetof(struct sched_ext_ops, dispatch_max_batch) / sizeof(void *))

#define SCX_OPSS_STATE_MASK ((1UL << SCX_OPSS_QSEQ_SHIFT) - 1)
#define SCX_OPSS_QSEQ_MASK (~SCX_OPSS_STATE_MASK)

/* Marks a direct dispatch that has happened: matches no task. */
#define SCX_DDSP_DONE ((struct task_struct *)-1L)

/* SCX_WATCHDOG_MAX_TIMEOUT is in jiffies at 250 Hz; this is what it means. */
#define SCX_TIMEOUT_MAX_MS 30000

/* For the machine as a whole: no node in particular. */
#define NUMA_NO_NODE (-1)

/* Iterators that one CPU may have open at once, nested programs included. */
#define SCX_MAX_ITERS 16

/* A dispatch queue with its lock; local DSQs are bare, under their rq's lock. */
struct scx_dsq {
	struct scx_dispatch_q q; /* first */
	struct sim_lock lock;
	struct list_head hash;
	struct list_head all; /* scx.dsqs, in order of creation */
	bool destroyed;
};

/* One entry of the dispatch buffer: a verdict of ops.dispatch() to be executed. */
struct scx_dsp_ent {
	struct task_struct *task;
	u64 qseq;
	u64 dsq_id;
	u64 enq_flags;
};

/*
 * The kernel's side of struct bpf_iter_scx_dsq. It is not on the BPF stack,
 * where a program could write over the list node; the stack holds a handle.
 */
struct scx_iter {
	struct scx_dsq_list_node cursor;
	struct scx_dsq *dsq; /* NULL: slot is free */
	u64 slice, vtime;
};

/* Some CPUs, and which words of the mask are not 0: most often none, or few. */
struct scx_idle_mask {
	struct cpumask *mask; /* in the kernel heap: programs may look at it */
	u64 words;
};

/* CPUs that are idle; whole cores that are. */
struct scx_idle_masks {
	struct scx_idle_mask cpus, smt;
};

/* CPUs that are in all of these masks; b and c may be NULL. */
struct scx_cpu_set {
	const struct cpumask *a, *b, *c;
};

struct scx_cpu {
	struct rq *rq;
	struct irq_work kick_work, deferred_work;
	u32 kick_waits; /* CPU + 1 whose pick it spins for, 0: none */
	u64 *kick_pseqs;
	struct scx_iter iters[SCX_MAX_ITERS];
};

struct scx_state {
	enum scx_ops_enable_state state;
	bool switching_all, switched_all, init_task_enabled;
	bool builtin_idle, cpu_preempt, warned_zero_slice;
	bool unmodelled_cpuperf; /* somebody asked for a frequency */
	u32 bypass_depth;
	u32 forks; /* going on */
	bool forks_locked_out;

	union {
		struct sched_ext_ops ops; /* values */
		struct bpf_prog *progs[SCX_NR_OPS]; /* what its function members hold */
	};
	bool has_op[SCX_NR_OPS];
	u32 max_batch;

	u64 watchdog_timeout, watchdog_stamp; /* jiffies */
	struct hrtimer watchdog_timer;
	struct kthread_work watchdog_work;
	struct kthread_worker *watchdog_worker;

	enum scx_exit_kind exit_kind; /* NONE while running; the first to claim it wins */
	struct scx_exit_info *info; /* in the kernel heap, while a scheduler is loaded */
	struct irq_work error_work;
	struct kthread_worker *helper;
	struct kthread_work disable_work;

	struct scx_dsq **global; /* one per node */
	struct list_head dsqs;
	struct list_head *hash; /* of those that are not destroyed, by id */
	u32 hash_bits, nr_dsqs; /* destroyed ones included */
	struct scx_dsq *found; /* the last that was looked for, or NULL */
	struct scx_idle_masks idle; /* of the machine */
	struct scx_idle_masks *node_idle; /* the same by node, while idle_per_node */
	bool idle_per_node;
	bool select_llc, select_node; /* do these matter to the choice of an idle CPU? */
	u32 any_distribute; /* rotates bpf_pick_any over CPUs */
	u64 hotplug_seq;
	struct scx_exit_record record;
};
extern struct scx_state scx;

#define SCX_HAS_OP(op) (scx.has_op[SCX_OP_IDX(op)])

static inline bool rq_bypassing(const struct rq *rq)
{
	return unlikely(rq->scx.flags & SCX_RQ_BYPASSING);
}

static inline struct scx_cpu *this_scx(void)
{
	return kernel.rqs[this_cpu->id]->scx;
}

static inline struct scx_hand *this_hand(void)
{
	return &kernel.rqs[this_cpu->id]->scx_hand;
}

static inline struct scx_dsq *dsq_of(struct scx_dispatch_q *q)
{
	return container_of(q, struct scx_dsq, q);
}

static inline bool dsq_is_local(const struct scx_dispatch_q *q)
{
	return q->id == SCX_DSQ_LOCAL;
}

static inline struct rq *local_dsq_rq(struct scx_dispatch_q *q)
{
	return container_of(container_of(q, struct scx_rq, local_dsq), struct rq, scx);
}

static inline u64 opss(const struct task_struct *p)
{
	return p->scx.ops_state.counter;
}

/* Only with the rq of the task locked. */
static inline void set_opss(struct task_struct *p, u64 state)
{
	p->scx.ops_state.counter = state;
}

/* --- ops.c ----------------------------------------------------------------- */

/* The SCX_KF_* sets above the highest one in @mask; above none there is none. */
static inline u32 scx_kf_above(u32 mask)
{
	return mask ? ~1u << (31 - __builtin_clz(mask)) : 0;
}

/*
 * Calls an operation that the scheduler has. @mask: SCX_KF_* sets that its
 * kfunc calls may use. The scheduler may be thrown out meanwhile, but stays
 * callable until it is disabled. Inline, as all but the arguments are constants.
 */
static __always_inline u64 scx_call(u32 op, u32 mask, const u64 *args, u32 nr)
{
	struct task_struct *curr;
	u64 ret, start;

	VRT_ASSERT(scx.progs[op]);
	cpu_sync();
	start = sim_now();
	curr = curr_task();
	VRT_ASSERT(!((mask | scx_kf_above(mask)) & curr->scx.kf_mask));
	curr->scx.kf_mask |= mask;
	ret = bpf_prog_call(scx.progs[op], args, nr);
	VRT_ASSERT(curr == curr_task());
	curr->scx.kf_mask &= ~mask;
	trace_emit(TRACE_OP, curr->pid, op, cpu_clock() - start);
	return ret;
}

/* For operations on a task: kfuncs that want "the task at hand" accept @p. */
static __always_inline u64 scx_call_task(u32 op, u32 mask, struct task_struct *p,
					  const u64 *args, u32 nr)
{
	struct task_struct *curr = curr_task();
	u64 ret;

	VRT_ASSERT(!(mask & ~__SCX_KF_TERMINAL));
	curr->scx.kf_tasks[0] = p;
	ret = scx_call(op, mask, args, nr);
	curr->scx.kf_tasks[0] = NULL;
	return ret;
}

#define SCX_ARG(x) ((u64)(unsigned long)(x))
#define SCX_CALL(mask, op, ...)                                                                    \
	({                                                                                         \
		const u64 __args[] = { __VA_ARGS__ };                                              \
		scx_call(SCX_OP_IDX(op), mask, __args, ARRAY_SIZE(__args));                        \
	})
#define SCX_CALL_TASK(mask, op, p, ...)                                                            \
	({                                                                                         \
		const u64 __args[] = { SCX_ARG(p), ##__VA_ARGS__ };                                \
		scx_call_task(SCX_OP_IDX(op), mask, p, __args, ARRAY_SIZE(__args));                \
	})

/* Error exit: a kfunc for operations in @mask was called where @allowed are. False. */
bool scx_kf_refuse(u32 mask, u32 allowed);

/*
 * What is for ops.cpu_release() and ops.dispatch() must not come from an operation that
 * is nested in them.
 */
static inline bool scx_kf_permits(u32 allowed, u32 mask)
{
	u32 above = scx_kf_above(mask);
	bool nestable = above & SCX_KF_ENQUEUE;

	return (allowed & mask) && !(nestable && (allowed & above));
}

/* Run-time check of the calling context, as Linux up to 7.0: error exit if not allowed. */
static inline bool scx_kf_allowed(u32 mask)
{
	u32 allowed = curr_task()->scx.kf_mask;

	return likely(scx_kf_permits(allowed, mask)) || scx_kf_refuse(mask, allowed);
}
bool scx_kf_allowed_on_task(u32 mask, struct task_struct *p);

/* Error exit: there is no such CPU. False. */
bool ops_refuse_cpu(s32 cpu, const char *where);

/* A CPU that the scheduler has named. False: an error exit. */
static inline bool ops_cpu_valid(s32 cpu, const char *where)
{
	return likely(cpumask_test_cpu((u32)cpu, kernel.possible)) || ops_refuse_cpu(cpu, where);
}

/* --- exit.c ------------------------------------------------------------------ */

__printf(3, 4) void scx_exit(enum scx_exit_kind kind, s64 code, const char *fmt, ...);
#define scx_error(fmt, ...) scx_exit(SCX_EXIT_ERROR, 0, fmt, ##__VA_ARGS__)
/* First to claim wins. The caller must then get scx.disable_work going. */
bool scx_claim_exit(enum scx_exit_kind kind);
const char *scx_exit_reason(enum scx_exit_kind kind);
void scx_set_exit_kind(enum scx_exit_kind kind);
void scx_alloc_exit_info(u32 dump_len);
void scx_free_exit_info(void);
void scx_exit_init(void);
/* Dumps now what an error has left to the next interrupt. No lock held. */
void scx_exit_flush(void);
/* scx_bpf_dump() */
void scx_dump_bstr(const char *fmt, const u64 *data, u32 data_sz);
/* Tells ops.cgroup_init() of the cgroups there are. */
int scx_init_cgroups(void);
void scx_exit_cgroups(void);
/* An operation's error value, made a valid errno. */
int ops_sanitize_err(const char *op, s32 err);

/* --- enable.c ------------------------------------------------------------------ */

int scx_enable(const struct sched_ext_ops *ops);
/* Detach by the user: returns when the scheduler is gone. */
void scx_disable(enum scx_exit_kind kind);
void scx_disable_workfn(struct kthread_work *work);
void scx_bypass(bool on);

/* --- task.c ---------------------------------------------------------------------- */

enum scx_task_state scx_task_state(const struct task_struct *p);
void scx_set_task_state(struct task_struct *p, enum scx_task_state state);
/* 0 or -errno; @fork: the task is being made, not found. */
int scx_ops_init_task(struct task_struct *p, bool fork);
/* With the rq locked: the task is about to be scheduled by sched_ext, or not any more. */
void scx_enable_task(struct task_struct *p);
void scx_disable_task(struct task_struct *p);
/* With the rq locked: the scheduler forgets the task. */
void scx_exit_task(struct task_struct *p);
int scx_for_each_task(int (*fn)(struct task_struct *p));
void scx_lock_out_forks(void);
void scx_let_in_forks(void);

/* --- watchdog.c -------------------------------------------------------------------- */

void scx_watchdog_init(void);
void scx_watchdog_start(void);
void scx_watchdog_stop(void);

/* --- dsq.c --------------------------------------------------------------------- */

void init_dsq(struct scx_dispatch_q *q, u64 id);
/* In no table. */
struct scx_dsq *alloc_dsq(u64 id);
/* -EINVAL for built-in ids, -EEXIST */
int create_dsq(u64 id);
void destroy_dsq(u64 id);
/* Also the ones in use: when the scheduler is gone and no task on them. */
void destroy_all_dsqs(void);
struct scx_dsq *find_user_dsq(u64 id);
struct scx_dispatch_q *find_global_dsq(const struct task_struct *p);
/* The queue of a verdict; the global one with an error exit when there is none such. */
struct scx_dispatch_q *find_dsq_for_dispatch(struct rq *rq, u64 id, struct task_struct *p);
void dsq_lock(struct scx_dispatch_q *q);
void dsq_unlock(struct scx_dispatch_q *q);
/* The task after @pos (NULL: the first), passing over cursors; NULL at the end. */
struct task_struct *dsq_next_task(struct scx_dispatch_q *q, struct list_head *pos, bool reverse);
/* Locks the DSQ itself unless it is a local one. */
void dispatch_enqueue(struct scx_dispatch_q *q, struct task_struct *p, u64 enq_flags);
void dispatch_dequeue(struct rq *rq, struct task_struct *p);
void task_unlink_from_dsq(struct task_struct *p, struct scx_dispatch_q *q);

/* --- dispatch.c ------------------------------------------------------------------ */

static inline void clear_direct_dispatch(struct task_struct *p)
{
	p->scx.ddsp_dsq_id = SCX_DSQ_INVALID;
	p->scx.ddsp_enq_flags = 0;
}

void direct_dispatch(struct task_struct *p, u64 enq_flags);
bool consume_dsq(struct rq *rq, struct scx_dispatch_q *q);
bool consume_global_dsq(struct rq *rq);
/* Executes the verdicts that ops.dispatch() has given so far. @rq is this CPU's. */
void __flush_dispatch_buf(struct rq *rq);

static inline void flush_dispatch_buf(struct rq *rq)
{
	if (crq_of(rq)->scx_hand.dsp_cursor)
		__flush_dispatch_buf(rq);
}

/* With q and the task's rq locked; returns the rq that is locked afterwards, q is not. */
struct rq *move_task_between_dsqs(struct task_struct *p, u64 enq_flags,
				  struct scx_dispatch_q *src, struct scx_dispatch_q *dst);
/* The verdict on the one task at hand, in ops.select_cpu() and ops.enqueue(). */
void scx_dispatch_direct(struct task_struct *p, u64 dsq_id, u64 enq_flags);
/* One of many verdicts, in ops.dispatch(): on any task, executed when it returns or consumes. */
void scx_dispatch_buffered(struct task_struct *p, u64 dsq_id, u64 enq_flags);
/* Hands the tasks on this CPU's local DSQ back to the scheduler as soon as possible. */
void scx_reenqueue_deferred(void);
void scx_deferred_init(struct scx_cpu *sc);

/* --- class.c ------------------------------------------------------------------------ */

void do_enqueue_task(struct rq *rq, struct task_struct *p, u64 enq_flags, s32 sticky_cpu);
u32 scx_reenqueue_local(struct rq *rq);

/* --- idle.c --------------------------------------------------------------------------- */

void reset_idle_masks(void);
/* An offline CPU is not idle. */
void scx_idle_forget(u32 cpu);
bool test_and_clear_cpu_idle(u32 cpu);
/* Claims an idle CPU of one node (NUMA_NO_NODE: of the machine), or from there on. -EBUSY */
s32 scx_pick_idle_cpu_in(s32 node, const struct scx_cpu_set *allowed, u64 flags);
s32 scx_pick_idle_cpu(s32 node, const struct scx_cpu_set *allowed, u64 flags);
s32 scx_pick_any_cpu(s32 node, const struct cpumask *allowed, u64 flags);
void alloc_idle_masks(struct scx_idle_masks *masks);
void free_idle_masks(struct scx_idle_masks *masks);
void free_node_masks(void);
/* What looking through @nr masks takes. */
void scx_charge_picks(u32 nr);
s32 scx_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags, bool *found);

/* --- idle_select.c ---------------------------------------------------------------------- */

void scx_update_select_topology(void);
/* An idle CPU of @allowed that @p may use, which is claimed, or -EBUSY. */
s32 scx_select_cpu_near(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
			const struct cpumask *allowed, u64 flags);

/* --- kick.c --------------------------------------------------------------------------- */

void scx_kick_cpu(s32 cpu, u64 flags);
void scx_kick_init(struct scx_cpu *sc);

/* --- contexts.c -------------------------------------------------------------------------- */

/* From which operations the kfuncs may be called, and what a call from there gets. */
const struct bpf_kfunc_rule *scx_kfunc_rules(void);

/* --- iter.c, kfuncs.c, kfuncs_7_0.c, struct_ops.c ---------------------------------------- */

int scx_register_kfuncs(void);
int scx_register_kfuncs_7_0(void);
/* @sets must stay. What the generation does not have is left out. */
int scx_register_sets(struct bpf_kfunc_set *sets, u32 nr);
/* The choice of an idle CPU as programs may ask for it since 7.0. -errno */
s32 scx_select_cpu_kfunc(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
			 const struct cpumask *allowed, u64 flags);
/* False, with an error exit, while idle CPUs are not tracked. */
bool scx_idle_tracked(void);
int scx_register_struct_ops(void);
int scx_iter_new(struct bpf_iter_scx_dsq *it, u64 dsq_id, u64 flags);
struct task_struct *scx_iter_next(struct bpf_iter_scx_dsq *it);
void scx_iter_destroy(struct bpf_iter_scx_dsq *it);
void scx_iter_set_slice(struct bpf_iter_scx_dsq *it, u64 slice);
void scx_iter_set_vtime(struct bpf_iter_scx_dsq *it, u64 vtime);
bool scx_iter_move(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 dsq_id,
		   u64 enq_flags);
/* A program on this CPU was stopped: its iterators go. */
void scx_iters_abort(void);
/* All of them: programs that were preempted in the middle find their queue at its end. */
void scx_iters_end(void);

#endif
