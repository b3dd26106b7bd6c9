/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Periodic BPF programs as the programs see them: the operations table, the
 * context of a run and the iterator. The layout is the same on the simulated
 * machine, so that one object file loads in both places.
 */
#ifndef BPF_PERIODIC_H
#define BPF_PERIODIC_H

#include <linux/types.h>

#define BPF_PERIODIC_PERIOD_MIN_NS 10000ULL
#define BPF_PERIODIC_PERIOD_MAX_NS (24ULL * 3600 * 1000000000)
#define BPF_PERIODIC_NAME_LEN 16
#define BPF_PERIODIC_CGROUP_LEN 128

/* What run() is told. Times are of CLOCK_MONOTONIC, ns. */
struct bpf_periodic_ctx {
	__u64 due; /* when this run was to begin */
	__u64 period_ns;
	__u64 seq; /* of this run, from 0 */
	__u64 missed; /* runs so far that were left out as one was going on */
};

enum bpf_periodic_mode {
	/* The thread is woken every period, and run() is called once. */
	BPF_PERIODIC_FRAMEWORK,
	/*
	 * run() loops over bpf_iter_periodic, whose next() waits for the next
	 * period. When next() returns NULL run() has to return; it is called
	 * again unless the program is being detached.
	 */
	BPF_PERIODIC_PROGRAM,
};

struct bpf_periodic_ops {
	/* What it returns is not looked at. */
	int (*run)(struct bpf_periodic_ctx *ctx);
	/* Before the first run, on the thread; not 0: attaching fails. */
	int (*init)(void);
	/* After the last run. */
	void (*exit)(void);

	/* From 10 us to 24 h. */
	__u64 period_ns;
	/* -20 to 19, as for any task. */
	__s32 nice;
	__u32 mode; /* enum bpf_periodic_mode */
	/*
	 * cpu.max as "quota period" of a cgroup that is made for the thread
	 * under @cgroup. Both 0: no limit.
	 */
	__u64 cpu_quota_us;
	__u64 cpu_period_us;
	/* An existing cgroup by its path, such as "/system"; empty: the root. */
	char cgroup[BPF_PERIODIC_CGROUP_LEN];
	/* Of the program. */
	char name[BPF_PERIODIC_NAME_LEN];
	/*
	 * Empty: a thread of its own, bpf/<name>. A name: the thread
	 * bpf/<worker>, which runs all programs that name it one after the
	 * other, by the time when they are due. They have to agree on nice,
	 * quota and cgroup.
	 */
	char worker[BPF_PERIODIC_NAME_LEN];
};

/* On the stack of a program; bpf_iter_periodic_new() and so on. */
struct bpf_iter_periodic {
	__u64 __opaque[2];
} __aligned(8);

/* What bpf_periodic_get_stats() tells of a program: since it was attached, in ns. */
struct bpf_periodic_stats {
	__u64 runs;
	__u64 missed; /* left out: one was going on when they were due */
	__u64 runtime_ns, runtime_max_ns; /* of its runs, time on a CPU */
	__u64 latency_ns, latency_max_ns; /* from when a run was due to when it began */
	__u64 delay_ns; /* runs in progress that had no CPU */
	__u64 throttled_ns; /* modules cannot know: BPF_PERIODIC_UNKNOWN */
};
#define BPF_PERIODIC_UNKNOWN (~0ULL)

#endif
