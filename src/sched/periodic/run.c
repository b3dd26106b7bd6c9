// SPDX-License-Identifier: GPL-2.0-only
/*
 * One run of a program: what it is told, what is counted, when the next one is.
 *
 * Runs are due at first + n * period, whatever happens. Those that are due while
 * one is still going on are left out and counted; the one after them is on time
 * again.
 */
#include "../../bpf/prog.h"
#include "../../bpf/prog_type.h"
#include "periodic.h"

#define MAX_ERRNO 4095

/* --- one call of a program -------------------------------------------------------- */

static s32 call_program(struct bpf_prog *prog, struct periodic *p)
{
	struct kthread *k;
	u64 arg = (u64)p->ctx;
	s32 ret;

	prog->preemptible = true;
	k = kthread_begin_program();
	p->worker->running = p;
	if (p->own_type)
		ret = (s32)bpf_prog_run_ctx(prog, p->ctx);
	else
		ret = (s32)bpf_prog_call(prog, &arg, prog == p->plan.run);
	p->worker->running = NULL;
	kthread_end_program(k);
	return ret;
}

int periodic_call_init(struct periodic *p, struct bpf_prog *init)
{
	bool failed = p->stats.failed, stopped;
	s32 ret;

	if (!init)
		return 0;
	p->stats.failed = false;
	ret = call_program(init, p);
	stopped = p->stats.failed;
	p->stats.failed = failed;
	if (!ret && !stopped)
		return 0;
	/* as the kernel takes what a program returns for an error */
	if (ret >= 0 || ret < -MAX_ERRNO)
		ret = stopped ? -EFAULT : -EPROTO;
	bpf_refuse("init() of \"%s\" %s (%d, %s)", p->stats.name,
		   stopped ? "was stopped" : "failed", ret, strerror(-ret));
	return ret;
}

void periodic_call_exit(struct periodic *p, struct bpf_prog *exit)
{
	if (exit)
		call_program(exit, p);
}

/* --- around a run --------------------------------------------------------------------- */

void periodic_run_begin(struct periodic *p)
{
	p->chosen = 0;
	p->in_run = true;
	p->begun = cpu_clock();
	p->begun_runtime = task_runtime(p->worker->task);
	*p->ctx = (struct bpf_periodic_ctx){
		.due = p->due, .period_ns = p->plan.period, .seq = p->stats.runs,
		.missed = p->stats.missed,
	};
	hist_record(&p->stats.wakeup, p->begun - p->due);
}

/*
 * Since the run was due, or since the run of another program ended that the thread
 * was busy with. Others of the cgroup may have been throttled besides, on other
 * CPUs, and the thread may have been moved: at most all of that time.
 */
static void note_throttled(struct periodic *p)
{
	struct periodic_worker *w = p->worker;
	u64 now = periodic_throttled_time(w);

	if (now > w->throttled)
		p->stats.throttled += min(now - w->throttled, cpu_clock() - p->due);
	w->throttled = now;
}

/* The next run that is not due yet; one that was chosen and is over is now. */
static void next_due(struct periodic *p)
{
	u64 now = cpu_clock(), over;

	if (p->chosen) {
		p->due = max(p->chosen, now);
		return;
	}
	over = now > p->due ? (now - p->due - 1) / p->plan.period : 0;
	p->stats.missed += over;
	p->due += (over + 1) * p->plan.period;
}

void periodic_run_end(struct periodic *p)
{
	u64 runtime = task_runtime(p->worker->task) - p->begun_runtime;
	u64 elapsed = cpu_clock() - p->begun;

	p->in_run = false;
	p->stats.runs++;
	hist_record(&p->stats.run_time, runtime);
	p->stats.delay += elapsed > runtime ? elapsed - runtime : 0;
	note_throttled(p);
	next_due(p);
}

/*
 * The iterator begins and ends the runs; a call that has not used it is one. But not
 * if it was told to return before its first: the run is still to come. A loop that a
 * fault has left in the middle ends here.
 */
static void run_managed(struct periodic *p)
{
	u64 runs = p->stats.runs;

	p->section_end = cpu_clock() + BPF_PERIODIC_SECTION_NS;
	p->called_off = false;
	call_program(p->plan.run, p);
	p->iterating = false;
	if (p->in_run)
		periodic_run_end(p);
	if (p->stats.runs != runs || p->called_off)
		return;
	periodic_run_begin(p);
	periodic_run_end(p);
}

void periodic_run(struct periodic *p)
{
	if (p->stats.mode == BPF_PERIODIC_PROGRAM) {
		run_managed(p);
		return;
	}
	periodic_run_begin(p);
	call_program(p->plan.run, p);
	periodic_run_end(p);
}
