/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside schedbpf: a program (an attached table) and the worker, a kthread, that
 * runs it.
 *
 * Locking: sb_mutex protects which programs and shared workers there are; it is
 * held for longest while a worker is made or ends. What a worker does with its
 * programs it does alone, in its own thread; others ask it (sb_worker_ask()) and
 * wait for the answer, one at a time (sb_worker::ask_lock). Order: sb_mutex, then
 * the ask_lock of a worker that nobody else can know yet; otherwise one of them.
 *
 * Figures are written by the worker's thread alone and read by anybody, with
 * READ_ONCE(): each is right by itself, several need not be of one moment.
 */
#ifndef SCHEDBPF_H
#define SCHEDBPF_H

#include <linux/bpf.h>
#include <linux/completion.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/timerqueue.h>
#include <linux/version.h>

#include "bpf_periodic.h"

#define SB_PATH_LEN (BPF_PERIODIC_CGROUP_LEN + BPF_PERIODIC_NAME_LEN + 1)

/*
 * A histogram of nanoseconds: eight buckets for each power of two, so that a
 * bucket is an eighth of its values wide.
 */
#define SB_HIST_SHIFT 3
#define SB_HIST_BUCKETS ((64 - SB_HIST_SHIFT + 1) << SB_HIST_SHIFT)

struct sb_hist {
	u64 count;
	u64 sum;
	u64 max;
	u32 buckets[SB_HIST_BUCKETS];
};

struct sb_stats {
	u64 runs;
	u64 missed;
	struct sb_hist runtime; /* of each run, the time without a CPU excluded */
	struct sb_hist latency; /* from when a run was due to when it began */
	u64 delay; /* runs in progress that had to wait for a CPU */
};

struct sb_worker;
struct dentry;

struct sb_program {
	struct list_head node; /* sb_mutex, or RCU to look */
	struct kobject kobj;
	struct dentry *debug;
	struct sb_worker *worker;
	const struct bpf_periodic_ops *ops; /* the map's; changes with its update */
	char name[BPF_PERIODIC_NAME_LEN];
	u32 mode;

	/* the worker's thread alone */
	struct timerqueue_node timer; /* queued while it has a run ahead */
	struct bpf_periodic_ctx ctx;
	u64 chosen; /* when the next run is due, if the program has said so */
	u64 begun; /* when the run in progress did; 0: there is none */
	u64 begun_delay;
	u64 section_end; /* until when a call of run() may take, see iter.c */
	bool iterating;
	bool called_off; /* next() has ended the loop, for somebody wants the thread */
	struct sb_stats stats;
};

enum sb_request_type {
	SB_PLACE, /* the thread, into its cgroup */
	SB_START, /* init(), and runs from a period from now on */
	SB_REPLACE, /* its operations by @ops: the new init(), then the old exit() */
	SB_STOP, /* exit(), and no more runs */
};

struct sb_request {
	enum sb_request_type type;
	struct sb_program *program;
	const struct bpf_periodic_ops *ops;
	int result;
	struct completion done;
};

struct sb_worker {
	struct list_head node; /* sb_mutex */
	char name[BPF_PERIODIC_NAME_LEN];
	bool shared;
	unsigned int users; /* sb_mutex */
	struct task_struct *task;

	/* what all its programs agree on; sb_mutex */
	s32 nice;
	u64 cpu_quota_us, cpu_period_us;
	char parent[BPF_PERIODIC_CGROUP_LEN];
	bool has_cgroup; /* one of its own, below @parent */

	struct mutex ask_lock; /* who asks */
	struct sb_request *request; /* to be answered, or NULL */

	struct timerqueue_head queue; /* its thread alone */
};

/* --- main.c --------------------------------------------------------------- */

extern struct mutex sb_mutex;
extern struct kmem_cache *sb_program_cache, *sb_worker_cache;
extern unsigned int sb_section_ms;

/* --- ops.c ---------------------------------------------------------------- */

int sb_register_struct_ops(void);

/* --- program.c -------------------------------------------------------------- */

/* 0, or -errno and a line in the kernel's log that says what is wrong. */
int sb_attach(const struct bpf_periodic_ops *ops);
int sb_update(const struct bpf_periodic_ops *ops,
	      const struct bpf_periodic_ops *old);
void sb_detach(const struct bpf_periodic_ops *ops);
/* Of that name; NULL: there is none. Under rcu_read_lock(). */
const struct sb_program *sb_find_attached(const char *name);

/* --- worker.c --------------------------------------------------------------- */

/*
 * The one that @ops asks for, with one user more. An error pointer, and a line
 * in the log. To be put.
 */
struct sb_worker *sb_worker_get(const struct bpf_periodic_ops *ops);
void sb_worker_put(struct sb_worker *w);
/* Runs in the worker's thread, between two runs; what it answers. */
int sb_worker_ask(struct sb_worker *w, enum sb_request_type type,
		  struct sb_program *p, const struct bpf_periodic_ops *ops);
/* Nice level and quota of @ops; -EINVAL, with a line, if others use @w, too. */
int sb_worker_adjust(struct sb_worker *w, const struct bpf_periodic_ops *ops);

/* In a worker's thread: */

/* Does somebody wait for the thread? */
bool sb_worker_wanted(struct sb_worker *w);
/* Until then, or until it is wanted. */
void sb_worker_sleep(struct sb_worker *w, u64 until);

/* --- run.c -------------------------------------------------------------------- */

/* In the worker's thread: all that is around one run of a program. */
void sb_run_begin(struct sb_program *p);
void sb_run_end(struct sb_program *p);
/* A call of run(), whatever its mode. */
void sb_run(struct sb_program *p);

/* --- kfuncs.c ------------------------------------------------------------------ */

/*
 * The current task of a CPU is in x86's "hot" per-CPU data; other architectures and
 * later kernels keep it where modules cannot look.
 */
#if defined(CONFIG_X86) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#define SB_HAVE_CPU_CURR
#endif

int sb_register_kfuncs(void);

/* --- place.c ------------------------------------------------------------------ */

/* In a kthread: moves it into the cgroup of @w, which is made if it has a quota. */
int sb_place(struct sb_worker *w);
/* Back into the root, and what was made is removed. */
void sb_leave(struct sb_worker *w);
int sb_set_quota(const struct sb_worker *w, u64 quota_us, u64 period_us);
void sb_place_exit(void);

/* --- stats.c ------------------------------------------------------------------ */

void sb_hist_add(struct sb_hist *hist, u64 value);
void sb_stats_fill(const struct sb_program *p, struct bpf_periodic_stats *stats);
int sb_stats_register(void);
void sb_stats_unregister(void);
/* From here on only sb_stats_put() frees it. */
void sb_stats_init(struct sb_program *p);
/* Its directories: hidden in any case, shown or not. */
int sb_stats_show(struct sb_program *p);
void sb_stats_hide(struct sb_program *p);
void sb_stats_put(struct sb_program *p);

#endif
