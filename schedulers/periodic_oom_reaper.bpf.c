// SPDX-License-Identifier: GPL-2.0-only
/*
 * periodic_oom_reaper: takes the memory of a process that is being killed for it,
 * so that nobody has to wait until the process has died.
 *
 * When memory runs out the kernel kills the process that has the most. But to die takes
 * CPU time, a millisecond and more for the pages alone, and a process that is starved or
 * throttled does not get it; meanwhile all those wait that need memory. It will never
 * look at its pages again, so somebody else may free them. In Linux that is a kernel
 * thread, the OOM reaper, which the OOM killer wakes. Here it is a periodic program,
 * which looks now and then: whoever wants another rule, another delay, or a word in the
 * log about it, changes it.
 *
 * It frees so many pages in one run at most, and its thread is preempted like any other:
 * large processes are no reason for a long interruption of anybody.
 *
 * Memory of tasks is modelled on the simulated machine alone, so that is where it runs.
 *
 * What to look for when it runs: the longest request of "web" is a few periods of this
 * program, instead of the time that the starved "batch" takes to die.
 *
 *	vrt run eevdf --with periodic_oom_reaper -m 2 -w workloads/out-of-memory.json
 *	vrt run eevdf -m 2 -w workloads/out-of-memory.json
 */
#include <vrt/mm.bpf.h>

#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define REAP_MAX 64 /* pages of one call */

const volatile u32 max_pages = 8192; /* of a run */

u64 nr_processes, nr_pages;

static bool being_killed(const struct task_struct *p)
{
	const struct mm_struct *mm = p->mm;

	return mm && (mm->flags & 1UL << MMF_OOM_REAP_QUEUED) && !(mm->flags & 1UL << MMF_OOM_SKIP);
}

/* Up to @nr pages; how many. */
static u32 reap(struct task_struct *p, u32 nr)
{
	struct mm_struct *mm = bpf_task_mm_grab(p);
	u32 i, done = 0;
	int n;

	if (!mm)
		return 0;
	bpf_for(i, 0, nr / REAP_MAX) {
		n = bpf_mm_reap(mm, REAP_MAX);
		if (n <= 0)
			break;
		done += n;
	}
	if (mm->flags & 1UL << MMF_OOM_SKIP) {
		nr_processes++;
		bpf_printk("oom_reaper: reaped process %d (%s), now anon-rss:%lldkB", p->pid, p->comm,
			   mm->rss_stat[MM_ANONPAGES].count * (PAGE_SIZE / 1024));
	}
	bpf_mm_drop(mm);
	return done;
}

SEC("struct_ops/oom_reaper_run")
int BPF_PROG(oom_reaper_run, struct bpf_periodic_ctx *tick)
{
	struct task_struct *p;

	/* the OOM killer chooses the next one only when this one has nothing left */
	bpf_for_each(task, p, NULL, BPF_TASK_ITER_ALL_PROCS) {
		if (!being_killed(p))
			continue;
		nr_pages += reap(p, max_pages);
		break;
	}
	return 0;
}

SEC(".struct_ops.link")
struct bpf_periodic_ops oom_reaper = {
	.run = (void *)oom_reaper_run,
	.period_ns = 10000000,
	.nice = -20, /* it comes when others are in need */
	.name = "oom_reaper",
};
