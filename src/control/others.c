// SPDX-License-Identifier: GPL-2.0-only
/* See others.h. Behaviours run one at a time, so that nothing here needs a lock. */
#include "others.h"

#include <stdio.h>
#include <stdlib.h>

#include "../base/alloc.h"
#include "../sched/kernel.h"

/* Work between two looks at what a hog has done: what others_sum() may miss. */
#define HOG_PIECE_NS (20 * NSEC_PER_USEC)
/* Not a multiple of the usual periods of jobs, so that the phase between them changes. */
#define PROBE_PERIOD_NS (1370 * NSEC_PER_USEC)
#define PROBE_WORK_NS (50 * NSEC_PER_USEC)

struct other {
	struct others *all;
	struct task *task;
	bool probe, working;
	s32 nice;
	u64 activation; /* of a probe */
	u64 work; /* done */
};

struct others {
	struct other *list;
	u32 nr;
	bool recording;
	struct hist delay;
};

/* --- behaviours ----------------------------------------------------------- */

static void hog_next(struct task *task, struct task_action *action)
{
	struct other *o = task_data(task);

	if (o->working)
		o->work += HOG_PIECE_NS;
	o->working = true;
	*action = (struct task_action){ ACT_COMPUTE, HOG_PIECE_NS };
}

static void note_delay(const struct other *o, u64 now)
{
	u64 best = o->activation + PROBE_WORK_NS;

	if (o->all->recording)
		hist_record(&o->all->delay, now > best ? now - best : 0);
}

static void probe_next(struct task *task, struct task_action *action)
{
	struct other *o = task_data(task);
	u64 now = task_clock();

	if (!o->activation)
		o->activation = now;
	if (o->working) {
		o->work += PROBE_WORK_NS;
		note_delay(o, now);
		/* one that is late leaves activations out: each delay is counted once */
		while (o->activation <= now)
			o->activation += PROBE_PERIOD_NS;
	}
	o->working = !o->working;
	*action = o->working ? (struct task_action){ ACT_COMPUTE, PROBE_WORK_NS } :
			       (struct task_action){ ACT_SLEEP_UNTIL, o->activation };
}

static const struct task_behaviour hog = { .next = hog_next, .name = "hog" };
static const struct task_behaviour probe = { .next = probe_next, .name = "probe" };

/* --- life ----------------------------------------------------------------- */

struct start_call {
	struct others *o;
	int err;
};

static void start_inside(void *arg)
{
	struct start_call *call = arg;
	char comm[16];

	for (u32 i = 0; i < call->o->nr && !call->err; i++) {
		struct other *other = &call->o->list[i];
		struct task_params params = {
			.comm = comm, .nice = other->nice, .new_process = true,
		};

		snprintf(comm, sizeof(comm), "%s%u", other->probe ? "probe" : "hog", i);
		other->task = task_create(&params, other->probe ? &probe : &hog, other, &call->err);
		if (other->task)
			task_start(other->task);
	}
}

struct others *others_start(const struct control_setup *setup, int *err)
{
	struct start_call call = { .o = xcalloc(1, sizeof(*call.o)) };

	call.o->nr = setup->hogs + setup->probes;
	call.o->list = xcalloc(call.o->nr + 1, sizeof(*call.o->list));
	for (u32 i = 0; i < call.o->nr; i++) {
		call.o->list[i].all = call.o;
		call.o->list[i].probe = i >= setup->hogs;
		call.o->list[i].nice = i < setup->hogs ? setup->hog_nice : 0;
	}
	kernel_run_inside(start_inside, &call);
	*err = call.err;
	if (!call.err)
		return call.o;
	others_free(call.o);
	return NULL;
}

void others_record(struct others *o, bool on)
{
	o->recording = on;
}

void others_sum(struct others *o, u64 *cpu, u64 *work)
{
	*cpu = *work = 0;
	for (u32 i = 0; i < o->nr; i++) {
		*cpu += task_runtime(o->list[i].task);
		*work += o->list[i].work;
	}
}

void others_delays(const struct others *o, struct hist *delay)
{
	hist_merge(delay, &o->delay);
}

void others_free(struct others *o)
{
	hist_free(&o->delay);
	free(o->list);
	free(o);
}
