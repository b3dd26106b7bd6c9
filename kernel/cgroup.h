/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control groups as BPF programs see them: the one (v2) hierarchy, and the cpu
 * controller, whose state of a group is its struct task_group. Names are
 * Linux's; only what the simulated kernel models is here.
 */
#ifndef VRT_KERNEL_CGROUP_H
#define VRT_KERNEL_CGROUP_H

#include "sched.h"
#include "types.h"

struct cgroup;

/* Index into cgroup.subsys[]. */
enum cgroup_subsys_id {
	cpu_cgrp_id,
	CGROUP_SUBSYS_COUNT,
};

/* A controller. */
struct cgroup_subsys {
	int id;
	const char *name;
};

/* A cgroup's place in the file system. @id is what programs call the cgroup id. */
struct kernfs_node {
	const char *name;
	struct kernfs_node *parent;
	u64 id;
};

/*
 * The part that every controller's state of a cgroup starts with. @ss is NULL
 * in cgroup.self, which belongs to no controller.
 */
struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys *ss;
	struct list_head sibling;
	struct list_head children;
	int id;
	unsigned int flags;
	u64 serial_nr; /* rises with creation; orders siblings */
	atomic_t online_cnt;
	refcount_t refcnt;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	unsigned long flags;
	int level; /* the root's is 0 */
	int max_depth;
	int nr_descendants;
	int nr_populated_csets;
	struct kernfs_node *kn;
	struct cgroup_subsys_state *subsys[CGROUP_SUBSYS_COUNT];
	struct cgroup *ancestors[]; /* level + 1 of them, the last is itself */
};

/* The cgroups that a task is in; shared by the tasks of a cgroup. */
struct css_set {
	struct cgroup_subsys_state *subsys[CGROUP_SUBSYS_COUNT];
	refcount_t refcount;
	int nr_tasks;
	struct list_head tasks; /* by task_struct.cg_list */
	struct cgroup *dfl_cgrp;
};

/* cpu.max: @quota ns per @period ns for the whole group; no limit: ~0. */
struct cfs_bandwidth {
	raw_spinlock_t lock;
	u64 period;
	u64 quota;
	u64 runtime; /* what is left of this period */
	u64 burst;
	int nr_periods;
	int nr_throttled;
	u64 throttled_time;
};

/* task_group.scx_flags */
enum scx_tg_flags {
	SCX_TG_ONLINE = 1U << 0,
	SCX_TG_INITED = 1U << 1, /* the BPF scheduler's cgroup_init() has seen it */
};

/* The cpu controller's state of a cgroup. Per-CPU members are arrays by CPU number. */
struct task_group {
	struct cgroup_subsys_state css;
	int idle;
	struct sched_entity **se;
	struct cfs_rq **cfs_rq;
	unsigned long shares;
	atomic_long_t load_avg;
	u32 scx_flags;
	u32 scx_weight; /* cpu.weight, 1..10000 */
	struct list_head list;
	struct task_group *parent;
	struct list_head siblings;
	struct list_head children;
	struct cfs_bandwidth cfs_bandwidth;
};

#endif
