/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tasks and runqueues as BPF programs see them: only the fields that the
 * simulated kernel models, under Linux's names and types. CO-RE adapts
 * programs that were built against any real vmlinux.h.
 */
#ifndef VRT_KERNEL_SCHED_H
#define VRT_KERNEL_SCHED_H

#include "ext.h"
#include "mm.h"
#include "types.h"

#define TASK_COMM_LEN 16

struct css_set;
struct sched_class;
struct task_group;

/* task_struct.__state */
#define TASK_RUNNING 0x0000
#define TASK_INTERRUPTIBLE 0x0001
#define TASK_UNINTERRUPTIBLE 0x0002
#define TASK_DEAD 0x0080
#define TASK_NEW 0x0800

/* task_struct.flags */
#define PF_IDLE 0x00000002
#define PF_EXITING 0x00000004
#define PF_WQ_WORKER 0x00000020
#define PF_KTHREAD 0x00200000
#define PF_NO_SETAFFINITY 0x04000000

/* task_struct.policy */
#define SCHED_NORMAL 0
#define SCHED_FIFO 1
#define SCHED_RR 2
#define SCHED_BATCH 3
#define SCHED_IDLE 5
#define SCHED_DEADLINE 6
#define SCHED_EXT 7
#define SCHED_GHOST 18 /* of ghOSt kernels only */

#define MAX_RT_PRIO 100
#define NICE_WIDTH 40
#define MAX_PRIO (MAX_RT_PRIO + NICE_WIDTH)
#define DEFAULT_PRIO (MAX_RT_PRIO + NICE_WIDTH / 2)
#define NICE_TO_PRIO(nice) ((nice) + DEFAULT_PRIO)
#define MIN_NICE (-20)
#define MAX_NICE 19
#define PRIO_TO_NICE(prio) ((prio) - DEFAULT_PRIO)

struct load_weight {
	unsigned long weight;
	u32 inv_weight;
};

struct sched_avg {
	u64 last_update_time;
	unsigned long load_avg;
	unsigned long runnable_avg;
	unsigned long util_avg;
};

/* The fair class's view of a task or, on one CPU, of a task group (@my_q is set). */
struct sched_entity {
	u64 exec_start;
	u64 sum_exec_runtime; /* ns on a CPU, all classes */
	u64 prev_sum_exec_runtime;
	u64 slice;
	s64 vlag;
	unsigned char on_rq;
	unsigned char sched_delayed;
	unsigned char rel_deadline;
	unsigned char custom_slice;
	int depth; /* 0: directly in the root's queue */

	/* a task's next cache line: its place in the tree */
	struct rb_node run_node;
	u64 vruntime;
	u64 deadline;
	u64 min_vruntime; /* smallest vruntime in this node's subtree */
	u64 min_slice; /* the same of slice, in the queues of groups */
	u64 nr_migrations;

	struct load_weight load;
	struct list_head group_node;
	struct sched_entity *parent; /* the group's that it is in; NULL: the root's */
	struct cfs_rq *cfs_rq; /* the queue that it is in */
	struct cfs_rq *my_q; /* the group's own queue */
	struct sched_avg avg;
};

struct sched_rt_entity {
	struct list_head run_list;
	unsigned int time_slice;
	unsigned short on_rq;
};

struct task_struct {
	/* one cache line: what every wakeup and every switch looks at */
	unsigned int __state;
	unsigned int flags;
	int on_cpu;
	int wake_cpu;
	int on_rq;
	int cpu; /* Linux: thread_info.cpu */
	s32 pid; /* a thread; Linux's TID */
	int nr_cpus_allowed;
	const cpumask_t *cpus_ptr;
	const struct sched_class *sched_class;
	struct task_group *sched_task_group;
	unsigned short migration_disabled;
	int prio;

	struct sched_ext_entity scx; /* two lines */

	int static_prio;
	int normal_prio;
	unsigned int rt_priority;
	unsigned int policy;
	int recent_used_cpu;
	struct mm_struct *mm; /* NULL for kernel threads */
	int exit_state;
	int exit_code;
	s32 tgid; /* a process */
	struct task_struct *group_leader;

	/* a line: the books of its switches, and those of @se */
	unsigned long nvcsw; /* blocked or yielded */
	unsigned long nivcsw; /* was preempted */
	struct sched_entity se;
	struct sched_rt_entity rt;

	cpumask_t cpus_mask;
	void *migration_pending;

	struct list_head tasks;
	struct task_struct *real_parent;
	struct task_struct *parent;

	u64 utime;
	u64 stime;
	u64 start_time;
	u64 start_boottime;
	char comm[TASK_COMM_LEN];
	struct css_set *cgroups;
	struct list_head cg_list; /* on cgroups->tasks; empty: it is dead */
	refcount_t usage;
};

/*
 * The fair class's queue of one CPU: the root's, or a group's. Counts that begin
 * with h_ are of the tasks in the groups below as well, but for throttled ones.
 */
struct cfs_rq {
	struct load_weight load;
	unsigned int nr_running; /* entities */
	unsigned int h_nr_running;
	unsigned int idle_h_nr_running; /* SCHED_IDLE */
	unsigned int h_nr_delayed; /* queued although they sleep */
	s64 avg_vruntime;
	u64 avg_load;
	u64 min_vruntime;
	struct rb_root_cached tasks_timeline;
	struct sched_entity *curr;
	struct sched_entity *next;
	struct rq *rq;
	struct task_group *tg;
	struct sched_avg avg;
	unsigned long tg_load_avg_contrib; /* of @avg in tg->load_avg */
	int runtime_enabled; /* has a quota */
	s64 runtime_remaining;
	u64 throttled_clock;
	int throttled;
	int throttle_count; /* how many of it and the groups above are throttled */
};

struct rt_rq {
	unsigned int rt_nr_running;
	struct list_head queue[MAX_RT_PRIO];
};

/* One per CPU. @__lock guards all of it and the scheduling state of its tasks. */
struct rq {
	raw_spinlock_t __lock;
	unsigned int nr_running;
	u64 nr_switches;
	u64 clock;
	u64 clock_task;
	struct task_struct *curr;
	struct task_struct *idle;
	struct task_struct *stop;
	int cpu;
	int online;
	struct scx_rq scx;
	struct cfs_rq cfs;
	struct rt_rq rt;
	unsigned long cpu_capacity;
	u64 idle_stamp;
	u64 avg_idle;
};

/* What BPF sees of a class is its address (as in curr->sched_class). */
struct sched_class {
	unsigned long __opaque;
};

#endif
