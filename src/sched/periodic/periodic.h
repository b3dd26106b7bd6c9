/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside periodic programs (SchedBPF): programs, and the workers that run them.
 *
 * A program of either form, a table bpf_periodic_ops or SEC("periodic/10ms"), is
 * a struct periodic. A worker is a kernel thread like any other: the classes
 * schedule it, a sched_ext scheduler that has taken over all tasks included
 * (policy SCHED_NORMAL, as kernel threads in Linux); its nice level, affinity and
 * cgroup can be changed while it runs. It is one program's, or shared by all that
 * name it.
 *
 * What others want of a worker they ask it (periodic_ask()), and sleep until it
 * has answered between two runs: the thread alone touches the queue, the phase and
 * the figures. There is no lock: all of it is touched between two payments only.
 */
#ifndef VRT_SCHED_PERIODIC_INTERNAL_H
#define VRT_SCHED_PERIODIC_INTERNAL_H

#include "../cgroup/cgroup.h"
#include "../periodic.h"
#include "../sched.h"

struct bpf_link;
struct bpf_prog;

#define REFUSE(err, ...) (bpf_refuse(__VA_ARGS__), (err))

/* What may be replaced while it runs. */
struct periodic_plan {
	struct bpf_prog *run;
	struct bpf_prog *init, *exit; /* of a table; may be NULL */
	u64 period;
};

struct periodic {
	struct list_head node; /* programs.c */
	bool listed; /* has been attached once */
	struct periodic_stats stats;
	struct periodic_worker *worker; /* NULL: it is not attached any more */
	bool own_type; /* a program of type PERIODIC, not a table */
	/* of a table; NULL: it is not attached any more */
	void *kdata;
	struct bpf_link *link;

	/* the worker's thread alone */
	struct periodic_plan plan;
	struct rb_node timer; /* in the worker's queue while there is a run ahead */
	struct bpf_periodic_ctx *ctx; /* in the kernel heap */
	u64 due;
	u64 chosen; /* when the next run is due, if the program has said so */
	bool in_run;
	u64 begun, begun_runtime; /* when the run in progress began */
	u64 section_end; /* until when a call of run() may last (iter.c) */
	bool iterating;
	bool called_off; /* next() has ended the loop, for somebody wants the thread */
};

enum periodic_request_type {
	PERIODIC_START, /* init(), and runs from a period from now on; fails as init() does */
	PERIODIC_REPLACE, /* by @next: its init() before, the old exit() after */
	PERIODIC_STOP, /* exit(), and no more runs */
};

struct periodic_request {
	enum periodic_request_type type;
	struct periodic *program;
	const struct periodic_plan *next;
	int answer;
	bool done;
};

struct periodic_worker {
	struct list_head node; /* worker.c: shared ones */
	char name[BPF_PERIODIC_NAME_LEN];
	bool shared;
	u32 users;
	struct task *task;

	/* what its programs agree on */
	s32 nice;
	u64 cpu_quota_us, cpu_period_us;
	char parent[BPF_PERIODIC_CGROUP_LEN];
	struct cgroup *cgroup; /* of its own, below @parent, or NULL */

	struct hrtimer timer;
	struct wait_queue wake; /* the thread, for the next run or a request */
	struct periodic_request *request;
	bool ending;
	struct wait_queue reply; /* who asks */

	struct rb_root_cached queue; /* of programs, by when they are due */
	struct periodic *running; /* whose program is called */
	u64 throttled; /* of its cgroup, when the thread last had nothing in progress */
};

/* --- worker.c ---------------------------------------------------------------- */

/*
 * The one that @ops asks for, with one user more. NULL with -errno in *@err, and a
 * sentence that says why. To be put.
 */
struct periodic_worker *periodic_worker_get(const struct bpf_periodic_ops *ops, int *err);
void periodic_worker_put(struct periodic_worker *w);
/* Nice level and quota of @ops. -EINVAL, and a sentence: others use @w, too, and differ. */
int periodic_worker_adjust(struct periodic_worker *w, const struct bpf_periodic_ops *ops);
/* From a thread with a stack: what the worker answers between two runs. */
int periodic_ask(struct periodic *p, enum periodic_request_type type,
		 const struct periodic_plan *next);

/* In a worker's own thread: */

/* The worker on whose thread the caller is; NULL: it is on none's. */
struct periodic_worker *periodic_worker_self(void);
/*
 * Until then, or until somebody wants the thread; @inside: in the middle of a
 * program. True: the machine stops, and the program shall end at once.
 */
bool periodic_worker_sleep(struct periodic_worker *w, u64 until, bool inside);
/* Of its cgroup and those above: for how long they were throttled so far. */
u64 periodic_throttled_time(const struct periodic_worker *w);

/* --- place.c ------------------------------------------------------------------- */

/* The cgroup for the thread of @w, which is made if it has a quota. NULL as above. */
struct cgroup *periodic_place(struct periodic_worker *w, int *err);
/* What was made is removed; the thread leaves it first. */
void periodic_leave(struct periodic_worker *w);
int periodic_set_quota(const struct periodic_worker *w, u64 quota_us, u64 period_us);

/* --- run.c ----------------------------------------------------------------------- */

/* All in the worker's thread. Around one run, and a call of run(), whatever its mode: */
void periodic_run_begin(struct periodic *p);
void periodic_run_end(struct periodic *p);
void periodic_run(struct periodic *p);
/* 0, or what it failed with, and a sentence. @init and @exit may be NULL. */
int periodic_call_init(struct periodic *p, struct bpf_prog *init);
void periodic_call_exit(struct periodic *p, struct bpf_prog *exit);

/* --- programs.c ---------------------------------------------------------------- */

/* On @w, whose user it becomes; it does nothing yet. */
struct periodic *periodic_create(const struct bpf_periodic_ops *ops, struct periodic_worker *w);
/* Not attached any more: it lets go of its worker. Its figures stay, if there are any. */
void periodic_dissolve(struct periodic *p);
/* Its figures are shown from now on; and stay as they are from now on. */
void periodic_note_attached(struct periodic *p);
void periodic_note_detached(struct periodic *p);
/* The attached table, or the loaded program of type PERIODIC; NULL if there is none. */
struct periodic *periodic_find_table(const void *kdata, const struct bpf_link *link);
struct periodic *periodic_find_program(const struct bpf_prog *prog);
/* A table of that name; and any program of that name that is attached. */
struct periodic *periodic_find_name(const char *name);
const struct periodic *periodic_find_attached(const char *name);

/* --- struct_ops.c, prog_type.c, kfuncs.c, iter.c ------------------------------------- */

int periodic_register_struct_ops(void);
int periodic_register_prog_type(void);
int periodic_register_kfuncs(void);
int periodic_register_iter(void);
/* Is it of either kind? */
bool periodic_is_ours(const struct bpf_prog *prog);

#endif
