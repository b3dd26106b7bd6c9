/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside periodic programs (SchedBPF): a program and its thread.
 *
 * A program of either form, a table bpf_periodic_ops or SEC("periodic/10ms"), is
 * a struct periodic. Its thread is a kernel thread like any other: the classes
 * schedule it, a sched_ext scheduler that has taken over all tasks included
 * (policy SCHED_NORMAL, as kernel threads in Linux); its nice level, affinity and
 * cgroup can be changed while it runs.
 *
 * What others want of the thread they ask it (periodic_ask()), and sleep until
 * it has answered between two runs: the thread alone touches the programs and
 * the phase. There is no lock: all of it is touched between two payments only.
 */
#ifndef VRT_SCHED_PERIODIC_INTERNAL_H
#define VRT_SCHED_PERIODIC_INTERNAL_H

#include "../cgroup.h"
#include "../periodic.h"
#include "../sched.h"

struct bpf_link;
struct bpf_prog;

/* What may be replaced while it runs. */
struct periodic_plan {
	struct bpf_prog *run;
	struct bpf_prog *init, *exit; /* of a table; may be NULL */
	u64 period;
};

enum periodic_request {
	PERIODIC_NOTHING,
	PERIODIC_START, /* init(), and runs from a period from now on; fails as init() does */
	PERIODIC_REPLACE, /* by @next: its init() before, the old exit() after */
	PERIODIC_STOP, /* exit(), and no more runs */
	PERIODIC_END, /* the thread's; not answered */
};

struct periodic {
	struct list_head node; /* programs.c */
	bool listed; /* has been attached once */
	struct periodic_stats stats;
	struct task *task; /* NULL: it has ended */

	struct periodic_plan plan, next;
	bool own_type; /* a program of type PERIODIC, not a table */
	bool started;
	u64 due;
	struct bpf_periodic_ctx *ctx; /* in the kernel heap */
	struct hrtimer timer;
	struct wait_queue wake; /* the thread, for the next run or a request */
	u64 throttled_before; /* of its cgroup, when the run in progress was due */

	enum periodic_request request;
	struct wait_queue reply; /* who asked */
	int answer;

	/* of a table */
	void *kdata;
	struct bpf_link *link;
	struct cgroup *cgroup; /* made for it, or NULL */
};

/* --- thread.c ---------------------------------------------------------------- */

/*
 * A program @name with its thread in @cgroup, which does nothing yet. NULL with
 * -errno in *@err.
 */
struct periodic *periodic_create(const char *name, s32 nice, struct cgroup *cgroup, int *err);
/* 0, or what init() failed with. From a thread with a stack. */
int periodic_ask(struct periodic *p, enum periodic_request request);
/* Lets the thread end. From anywhere; @p may be gone soon. */
void periodic_end(struct periodic *p);

/* --- programs.c ---------------------------------------------------------------- */

void periodic_add(struct periodic *p);
void periodic_free(struct periodic *p);
/* Its figures are shown from now on. */
void periodic_note_attached(struct periodic *p);
/* What changes without it being told: nice level, cgroup, CPU time. */
void periodic_update_stats(struct periodic *p);
/* The attached table, or the loaded program of type PERIODIC; NULL if there is none. */
struct periodic *periodic_find_table(const void *kdata, const struct bpf_link *link);
struct periodic *periodic_find_program(const struct bpf_prog *prog);

/* Of that name; NULL: there is none. */
const struct periodic *periodic_find_attached(const char *name);

/* --- struct_ops.c, prog_type.c, kfuncs.c --------------------------------------------------- */

int periodic_register_struct_ops(void);
int periodic_register_prog_type(void);
int periodic_register_kfuncs(void);
/* Is it of either kind? */
bool periodic_is_ours(const struct bpf_prog *prog);

#endif
