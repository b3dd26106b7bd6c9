/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Periodic BPF programs, as the users of the machine see them: which there are
 * and how they fare. They come and go by bpf(2); see kernel/periodic.h.
 */
#ifndef VRT_SCHED_PERIODIC_PUBLIC_H
#define VRT_SCHED_PERIODIC_PUBLIC_H

#include "../../kernel/periodic.h"
#include "../base/hist.h"
#include "kernel.h"

/* Of one program since it was attached; times in ns. */
struct periodic_stats {
	char name[BPF_PERIODIC_NAME_LEN];
	char worker[BPF_PERIODIC_NAME_LEN]; /* the shared one that runs it; empty: it has one of its own */
	u32 mode; /* enum bpf_periodic_mode */
	s32 pid; /* of its thread */
	s32 nice;
	u64 period;
	char cgroup[BPF_PERIODIC_CGROUP_LEN + 32]; /* path of the one it is in */
	bool attached; /* still there */
	bool failed; /* a run was stopped for what it did: it is not run any more */
	u64 runs;
	u64 missed; /* runs left out, as the one before was still going on when they were due */
	u64 runtime; /* CPU time of its thread; if that is shared, of its own runs */
	struct hist run_time; /* of each run: elapsed on the CPU, preemption not included */
	struct hist wakeup; /* from when a run was due to when it began */
	u64 delay; /* for how long runs in progress had no CPU */
	/*
	 * Between when runs were due and when they ended: for how long its cgroup, or one
	 * above, was throttled by cpu.max. A cgroup with others in it may be throttled on
	 * their CPUs.
	 */
	u64 throttled;
};

/* Program @i, in the order of attachment, those that have ended included; NULL: no more. */
const struct periodic_stats *kernel_periodic_stats(u32 i);

#endif
