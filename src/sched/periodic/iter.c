// SPDX-License-Identifier: GPL-2.0-only
/*
 * The iterator bpf_iter_periodic, with which a program manages its periods itself,
 * and the kfunc by which it chooses when the next one begins.
 *
 * A program that is called does not migrate, and what is deleted meanwhile stays, for
 * as long as the call lasts, sleeping or not: the pointers that the verifier lets it
 * keep across next() depend on that. So one call lasts a second at most: then next()
 * returns NULL, the program returns, the thread sleeps on without it and calls run()
 * again when it is due.
 */
#include "../../../kernel/kfuncs.h"
#include "../../bpf/exec/exec.h"
#include "periodic.h"

struct iter {
	struct periodic *program; /* NULL: new() has failed */
	u64 unused;
};

_Static_assert(sizeof(struct iter) == sizeof(struct bpf_iter_periodic), "ABI");

/* The program whose run() was called with @ctx, and manages its periods; or NULL. */
static struct periodic *caller(const struct bpf_periodic_ctx *ctx)
{
	struct periodic_worker *w = periodic_worker_self();
	struct periodic *p = w ? w->running : NULL;

	return p && p->ctx == ctx && p->stats.mode == BPF_PERIODIC_PROGRAM ? p : NULL;
}

int bpf_iter_periodic_new(struct bpf_iter_periodic *it, struct bpf_periodic_ctx *ctx)
{
	struct iter *iter = (struct iter *)it;
	struct periodic *p = caller(ctx);

	*iter = (struct iter){};
	if (!p)
		return -EINVAL;
	if (p->iterating)
		return -EBUSY;
	p->iterating = true;
	iter->program = p;
	return 0;
}

/* Until the next run is due. False if run() has to return before. */
static bool wait_for_run(struct periodic *p, struct bpf_exec *x)
{
	struct periodic_worker *w = p->worker;

	for (;;) {
		u64 now = cpu_clock();

		p->called_off = w->request != NULL;
		if (p->called_off || max(now, p->due) > p->section_end)
			return false;
		if (now >= p->due)
			return true;
		if (periodic_worker_sleep(w, p->due, true)) {
			bpf_exec_stop(x, 0);
			return false;
		}
	}
}

struct bpf_periodic_ctx *bpf_iter_periodic_next(struct bpf_iter_periodic *it)
{
	struct iter *iter = (struct iter *)it;
	struct bpf_exec *x = bpf_exec_current;
	struct periodic *p = iter->program;

	if (!p || !bpf_exec_may_sleep(x))
		return NULL;
	cpu_sync();
	if (p->in_run)
		periodic_run_end(p);
	if (!wait_for_run(p, x))
		return NULL;
	bpf_exec_slept(x);
	periodic_run_begin(p);
	return p->ctx;
}

void bpf_iter_periodic_destroy(struct bpf_iter_periodic *it)
{
	struct periodic *p = ((struct iter *)it)->program;

	if (!p)
		return;
	if (p->in_run) /* the loop was left in the middle */
		periodic_run_end(p);
	p->iterating = false;
}

int bpf_periodic_set_due(struct bpf_periodic_ctx *ctx, u64 due)
{
	struct periodic *p = caller(ctx);

	if (!p || !p->in_run)
		return -EINVAL;
	if (due < p->due + BPF_PERIODIC_PERIOD_MIN_NS ||
	    due > p->begun + BPF_PERIODIC_PERIOD_MAX_NS)
		return -ERANGE;
	p->chosen = due;
	return 0;
}

#define KFUNC_ENTRY(name, flags) { #name, (void *)name, flags }

static const struct bpf_kfunc kfuncs[] = {
	KFUNC_ENTRY(bpf_iter_periodic_new, KF_ITER_NEW | KF_TRUSTED_ARGS),
	KFUNC_ENTRY(bpf_iter_periodic_next, KF_ITER_NEXT | KF_RET_NULL | KF_SLEEPABLE),
	KFUNC_ENTRY(bpf_iter_periodic_destroy, KF_ITER_DESTROY),
	KFUNC_ENTRY(bpf_periodic_set_due, KF_TRUSTED_ARGS),
};

static const struct bpf_kfunc_set set = {
	.funcs = kfuncs, .nr = ARRAY_SIZE(kfuncs), .prog_type = BPF_PROG_TYPE_STRUCT_OPS,
};

int periodic_register_iter(void)
{
	return bpf_register_kfuncs(&set);
}
