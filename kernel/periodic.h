/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Periodic BPF programs (SchedBPF) as BPF programs see them: the operations
 * table and the context of a run.
 *
 * Source: "SchedBPF - Scheduling BPF programs" (eBPF '25), which asks for
 * programs that run on kernel threads, periodically, with nice levels and cgroup
 * quotas; the table's form is that of struct_ops, as Linux adds program kinds.
 */
#ifndef VRT_KERNEL_PERIODIC_H
#define VRT_KERNEL_PERIODIC_H

#include "bpf_types.h"

/*
 * Numbers far from Linux's own, which grow by one at a time. SEC("periodic/10ms")
 * makes a program of this type; expected_attach_type is its period in units of
 * 10 us.
 */
#define BPF_PROG_TYPE_PERIODIC 1100
#define BPF_PERIODIC_ATTACH 2100
#define BPF_PERIODIC_UNIT_NS 10000ULL

#define BPF_PERIODIC_PERIOD_MIN_NS 10000ULL
#define BPF_PERIODIC_PERIOD_MAX_NS (24ULL * 3600 * 1000000000)
#define BPF_PERIODIC_NAME_LEN 16
#define BPF_PERIODIC_CGROUP_LEN 128

/* What run() is told. Times are of CLOCK_MONOTONIC, ns. */
struct bpf_periodic_ctx {
	__u64 due; /* when this run was to begin */
	__u64 period_ns;
	__u64 seq; /* of this run, from 0 */
	__u64 missed; /* runs so far that were left out: the one before was still going on */
};

enum bpf_periodic_mode {
	/* the framework wakes the thread every period, and run() is called once */
	BPF_PERIODIC_FRAMEWORK,
	/*
	 * run(), which is sleepable, loops over the iterator bpf_iter_periodic, whose
	 * next() waits for the next period. When that returns NULL run() has to
	 * return; it is called again unless the program is being detached.
	 */
	BPF_PERIODIC_PROGRAM,
};

/* How long one call of run() lasts in that mode, at most, with all that it waits for. */
#define BPF_PERIODIC_SECTION_NS 1000000000ULL

/* On the stack of a program; bpf_iter_periodic_new() and so on. */
struct bpf_iter_periodic {
	__u64 __opaque[2];
} __attribute__((aligned(8)));

/* What bpf_periodic_get_stats() tells of a program: since it was attached, times in ns. */
struct bpf_periodic_stats {
	__u64 runs;
	__u64 missed; /* left out: the one before was still going on when they were due */
	__u64 runtime_ns, runtime_max_ns; /* of its runs: time on a CPU */
	__u64 latency_ns, latency_max_ns; /* from when a run was due to when it began */
	__u64 delay_ns; /* for how long runs in progress had no CPU: preempted, or throttled */
	/*
	 * Between when runs were due and when they ended: for how long its cgroup, or one
	 * above, was throttled by cpu.max. BPF_PERIODIC_UNKNOWN on Linux, which does not
	 * tell modules.
	 */
	__u64 throttled_ns;
};
#define BPF_PERIODIC_UNKNOWN (~0ULL)

struct bpf_periodic_ops {
	/*
	 * Called once per period on the program's kernel thread. What it returns is
	 * not looked at.
	 */
	int (*run)(struct bpf_periodic_ctx *ctx);
	/* Before the first run, on the thread; not 0: attaching fails with it. */
	int (*init)(void);
	/* After the last run. */
	void (*exit)(void);

	/* From 10 us to 24 h. */
	__u64 period_ns;
	/* -20 to 19, as for any task. */
	__s32 nice;
	__u32 mode; /* enum bpf_periodic_mode */
	/*
	 * A quota of the thread's own, in a cgroup that is made for it under
	 * @cgroup: cpu.max as "quota period". Both 0: no limit.
	 */
	__u64 cpu_quota_us;
	__u64 cpu_period_us;
	/* An existing cgroup by its path, such as "/system"; empty: the root. */
	char cgroup[BPF_PERIODIC_CGROUP_LEN];
	/* Of the program. */
	char name[BPF_PERIODIC_NAME_LEN];
	/*
	 * Empty: a thread of its own, bpf/<name>. A name: the thread bpf/<worker>, which
	 * runs all programs that name it one after the other, in the order in which they
	 * are due. They agree on nice level, quota and cgroup, and have the mode
	 * BPF_PERIODIC_FRAMEWORK.
	 */
	char worker[BPF_PERIODIC_NAME_LEN];
};

/* The value of a map of this type. */
struct bpf_struct_ops_bpf_periodic_ops {
	struct bpf_struct_ops_common_value common;
	struct bpf_periodic_ops data __attribute__((aligned(64)));
};

#endif
