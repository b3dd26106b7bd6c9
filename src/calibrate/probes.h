/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the experiments and the machines that they run on. */
#ifndef VRT_CALIBRATE_PROBES_H
#define VRT_CALIBRATE_PROBES_H

#include "../sched/kernel.h"
#include "calibrate.h"

/* A futex. */
struct probe_word {
	u32 value;
	struct wait_queue waiters; /* of the simulated machine */
};

struct probe_thread {
	void (*fn)(void *arg);
	void *arg;
	u32 cpu;
	s32 policy; /* SCHED_NORMAL, SCHED_BATCH, SCHED_IDLE */
	void *machine; /* the machine's own */
};

/* What the threads of an experiment can do. */
struct probe_ops {
	const struct topology *topology;
	u64 (*clock)(void); /* ns */
	void (*relax)(void); /* a short moment of busy waiting */
	void (*compute)(u64 ns); /* without entering the kernel */
	void (*locked)(void);
	void (*null_call)(void);
	void (*yield)(void);
	u64 (*switches)(void); /* away from this thread, so far */
	/* Blocks while @word is @old. */
	void (*wait)(struct probe_word *word, u32 old);
	/* Changes it, and wakes one; how many there were. */
	u32 (*wake)(struct probe_word *word);
	/* A timer on this CPU that wakes nobody. */
	void (*arm)(u64 when);
	int (*open)(void);
	void (*close)(int fd);
	void (*read)(int fd);
	/* Threads; those of start() run when the caller waits in join(). */
	bool (*start)(struct probe_thread *thread);
	void (*join)(struct probe_thread *thread);
	/* A thread on this CPU that ends at once; reap() waits for that. */
	bool (*fork)(void);
	void (*reap)(void);
	/* One way of a cache line from CPU @a to @b, ps. */
	s64 (*line)(u32 a, u32 b);
	bool (*may_use)(u32 cpu);
};

/* The CPU that single-CPU experiments are for; -1: there is none that may be used. */
s32 probe_cpu(const struct probe_ops *ops);
/* All of them. The caller runs on that CPU, with policy SCHED_NORMAL. */
void probes_run(const struct probe_ops *ops, struct probe_figures *figures);

#endif
