// SPDX-License-Identifier: GPL-2.0-only
/*
 * The iterator bpf_iter_periodic, with which a program manages its periods
 * itself, and the kfunc by which it chooses when the next one begins.
 *
 * A sleepable program is a reader of RCU Tasks Trace and does not migrate while
 * it is called, sleeping or not: the pointers that the verifier lets it keep
 * across next() depend on that. A call that waited for hours would hold up every
 * grace period, moves to other CPUs and CPU hotplug for as long. So a call waits
 * for sb_section_ms at most: then next() returns NULL, the program returns, the
 * thread sleeps on without it and calls run() again when it is due.
 */
#include <linux/btf.h>
#include <linux/ktime.h>
#include <linux/sched.h>

#include "schedbpf.h"

struct sb_iter {
	struct sb_program *program; /* NULL: new() has failed */
	u64 unused;
};

/* Until the next run is due. False if run() has to return before. */
static bool wait_for_run(struct sb_program *p)
{
	u64 now;

	for (;;) {
		p->called_off = sb_worker_wanted(p->worker);
		if (p->called_off)
			return false;
		now = ktime_get_ns();
		if (max(now, p->ctx.due) > p->section_end)
			return false;
		if (now >= p->ctx.due)
			return true;
		sb_worker_sleep(p->worker, p->ctx.due);
	}
}

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_iter_periodic_new(struct bpf_iter_periodic *it,
				      struct bpf_periodic_ctx *ctx)
{
	struct sb_program *p = container_of(ctx, struct sb_program, ctx);
	struct sb_iter *iter = (struct sb_iter *)it;

	BUILD_BUG_ON(sizeof(struct sb_iter) > sizeof(struct bpf_iter_periodic));
	BUILD_BUG_ON(__alignof__(struct sb_iter) !=
		     __alignof__(struct bpf_iter_periodic));

	iter->program = NULL;
	iter->unused = 0;
	if (p->mode != BPF_PERIODIC_PROGRAM || p->worker->task != current)
		return -EINVAL;
	if (p->iterating)
		return -EBUSY;
	p->iterating = true;
	iter->program = p;
	return 0;
}

__bpf_kfunc struct bpf_periodic_ctx *
bpf_iter_periodic_next(struct bpf_iter_periodic *it)
{
	struct sb_iter *iter = (struct sb_iter *)it;
	struct sb_program *p = iter->program;

	if (!p)
		return NULL;
	if (p->begun)
		sb_run_end(p);
	cond_resched();
	if (!wait_for_run(p))
		return NULL;
	sb_run_begin(p);
	return &p->ctx;
}

__bpf_kfunc void bpf_iter_periodic_destroy(struct bpf_iter_periodic *it)
{
	struct sb_iter *iter = (struct sb_iter *)it;
	struct sb_program *p = iter->program;

	if (!p)
		return;
	if (p->begun) /* the loop was left in the middle */
		sb_run_end(p);
	p->iterating = false;
}

/*
 * During a run: the next one is due at @due, and those that follow a period after
 * each other from there on. At least the shortest period after this one was due.
 */
__bpf_kfunc int bpf_periodic_set_due(struct bpf_periodic_ctx *ctx, u64 due)
{
	struct sb_program *p = container_of(ctx, struct sb_program, ctx);

	if (p->mode != BPF_PERIODIC_PROGRAM || !p->begun)
		return -EINVAL;
	if (due < p->ctx.due + BPF_PERIODIC_PERIOD_MIN_NS ||
	    due > p->begun + BPF_PERIODIC_PERIOD_MAX_NS)
		return -ERANGE;
	p->chosen = due;
	return 0;
}

__bpf_kfunc_end_defs();
