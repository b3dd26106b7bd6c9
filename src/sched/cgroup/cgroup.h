/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control groups of the simulated machine, as its users see them: the v2
 * hierarchy with the cpu controller (Documentation/admin-guide/cgroup-v2.rst,
 * "CPU"; Documentation/scheduler/sched-bwc.rst).
 *
 * From inside or outside of the machine unless noted.
 */
#ifndef VRT_SCHED_CGROUP_PUBLIC_H
#define VRT_SCHED_CGROUP_PUBLIC_H

#include <string.h>

#include "../../../kernel/cgroup.h"
#include "../kernel.h"

#define CGROUP_NAME_MAX 64
#define CGROUP_MAX_DEPTH 8
/* Limits of cpu.max in Linux: max_cfs_quota_period and min_cfs_quota_period. */
#define CGROUP_PERIOD_MIN (NSEC_PER_MSEC)
#define CGROUP_PERIOD_MAX (NSEC_PER_SEC)
#define CGROUP_PERIOD_DFL (100 * NSEC_PER_MSEC)
#define CGROUP_QUOTA_MIN (NSEC_PER_MSEC)
/* What fits in the fixed-point ratio that Linux keeps: 2^44 - 1 us. */
#define CGROUP_QUOTA_MAX (((1ULL << 44) - 1) * NSEC_PER_USEC)
#define CGROUP_NO_QUOTA (~0ULL) /* cpu.max "max" */
#define CGROUP_WEIGHT_MIN 1
#define CGROUP_WEIGHT_MAX 10000
#define CGROUP_WEIGHT_DFL 100

static inline bool cgroup_name_valid(const char *name, size_t len)
{
	bool dots = len && len <= 2 && name[0] == '.' && name[len - 1] == '.';

	return len && len <= CGROUP_NAME_MAX && !dots && !memchr(name, '/', len) &&
	       !memchr(name, '\n', len);
}

/*
 * mkdir. NULL with -errno in *@err: -EINVAL for an empty or too long name or one
 * with a slash, -EEXIST, -EAGAIN for too deep (as Linux), or what a BPF
 * scheduler's cgroup_init() said.
 */
struct cgroup *cgroup_create(struct cgroup *parent, const char *name, int *err);
/* By its path from the root, which is "/"; NULL when there is none. */
struct cgroup *cgroup_find(const char *path);
/* The same, making what is missing. */
struct cgroup *cgroup_make_path(const char *path, int *err);
/* "/a/b" into @buf. */
void cgroup_path(const struct cgroup *cgrp, char *buf, size_t size);
/* rmdir: -EBUSY when it has tasks or children, -EINVAL for the root. */
int cgroup_remove(struct cgroup *cgrp);

/* cpu.weight: -ERANGE outside of 1..10000, -EINVAL for the root, -ENODEV when removed. */
int cgroup_set_weight(struct cgroup *cgrp, u32 weight);
/*
 * cpu.max: @quota ns of CPU time in each @period ns, for all CPUs together.
 * -EINVAL outside of the limits above or for the root, -ENODEV when removed. It may
 * be more than the parent has, as in v2: then the parent's holds.
 */
int cgroup_set_max(struct cgroup *cgrp, u64 quota, u64 period);
/*
 * Writing to cgroup.threads, which moves this task alone, or to cgroup.procs: all
 * threads of its process. -EINVAL for a kernel thread that is bound to its CPU,
 * -ESRCH for a task that has exited, -ENODEV for a group that was removed, or what
 * a BPF scheduler's cgroup_prep_move() said; then nothing has moved.
 */
int cgroup_attach_task(struct cgroup *cgrp, struct task *task);
int cgroup_attach_process(struct cgroup *cgrp, struct task *task);
struct cgroup *task_cgroup(struct task *task);

/* cpu.stat, in ns: the CPU time of all below, and, as in Linux, its own quota's story. */
struct cgroup_cpu_stat {
	u64 usage; /* CPU time of its tasks, dead ones included */
	u64 nr_periods, nr_throttled;
	u64 throttled; /* summed over CPUs, as throttled_usec */
};
void cgroup_cpu_stat(struct cgroup *cgrp, struct cgroup_cpu_stat *stat);

#endif
