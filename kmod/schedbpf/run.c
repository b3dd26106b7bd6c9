// SPDX-License-Identifier: GPL-2.0-only
/*
 * One run of a program: what it is told, what is counted, when the next one is.
 *
 * Runs are due at first + n * period, whatever happens. Those that are due while
 * one is still going on are left out and counted; the one after them is on time
 * again.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/sched.h>

#include "schedbpf.h"

/* For how long the current task could have run and had no CPU, in all. */
static u64 delay_so_far(void)
{
#ifdef CONFIG_SCHED_INFO
	return current->sched_info.run_delay;
#else
	return 0;
#endif
}

void sb_run_begin(struct sb_program *p)
{
	u64 now = ktime_get_ns();

	sb_hist_add(&p->stats.latency, now - p->ctx.due);
	p->ctx.seq = p->stats.runs;
	p->ctx.missed = p->stats.missed;
	p->chosen = 0;
	p->begun = now;
	p->begun_delay = delay_so_far();
}

/* The next time that is not over yet; one that was chosen and is over is now. */
static void next_due(struct sb_program *p, u64 now)
{
	u64 period = p->ctx.period_ns, over = 0;

	if (p->chosen) {
		p->ctx.due = max(p->chosen, now);
		return;
	}
	if (now > p->ctx.due)
		over = div64_u64(now - p->ctx.due - 1, period);
	WRITE_ONCE(p->stats.missed, p->stats.missed + over);
	p->ctx.due += (over + 1) * period;
}

void sb_run_end(struct sb_program *p)
{
	u64 now = ktime_get_ns(), delay = delay_so_far() - p->begun_delay;
	u64 elapsed = now - p->begun;

	/* the two clocks are not the same */
	delay = min(delay, elapsed);
	sb_hist_add(&p->stats.runtime, elapsed - delay);
	WRITE_ONCE(p->stats.delay, p->stats.delay + delay);
	WRITE_ONCE(p->stats.runs, p->stats.runs + 1);
	p->begun = 0;
	next_due(p, now);
}

/*
 * The iterator begins and ends the runs; without a use of it the call is one. But
 * not if it was told to return before its first: the run is still to come.
 */
static void run_managed(struct sb_program *p)
{
	u64 runs = p->stats.runs;

	p->section_end = ktime_get_ns() + (u64)READ_ONCE(sb_section_ms) * NSEC_PER_MSEC;
	p->called_off = false;
	p->ops->run(&p->ctx);
	if (p->stats.runs != runs || p->called_off)
		return;
	sb_run_begin(p);
	sb_run_end(p);
}

void sb_run(struct sb_program *p)
{
	if (p->mode == BPF_PERIODIC_PROGRAM) {
		run_managed(p);
		return;
	}
	sb_run_begin(p);
	p->ops->run(&p->ctx);
	sb_run_end(p);
}
