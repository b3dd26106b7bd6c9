// SPDX-License-Identifier: GPL-2.0-only
/*
 * Out of memory: which process is killed, and how its tasks hear of it.
 *
 * As in Linux the process with the most memory is chosen, and nobody else as long
 * as a chosen one still has memory to give back (MMF_OOM_SKIP ends that). Being
 * killed ends a sleep, a wait and a computation; the task then has to get a CPU to
 * give its memory back itself. Linux has a kernel thread for those that do not get
 * there, the OOM reaper. This kernel has none: bpf_mm_reap() lets a program be it.
 */
#include "internal.h"

/* Once more costs nothing: it may have been about to sleep the first time. */
static void signal_task(struct task *t)
{
	struct task_struct *p = &t->ts;

	t->work_left = 0;
	if (p->__state == TASK_INTERRUPTIBLE)
		hrtimer_start(&t->timer, cpu_clock()); /* as if its time was over */
	else if (p->on_cpu)
		cpu_poke(kernel.rqs[p->cpu]->cpu);
}

static void signal_process(const struct mm *mm)
{
	struct task *t;

	list_for_each_entry(t, &kernel.tasks, all) {
		if (t->ts.mm == &mm->mm && t != current_task())
			signal_task(t);
	}
}

static struct mm *select_victim(void)
{
	struct mm *mm, *most = NULL;

	list_for_each_entry(mm, &memory.mms, all) {
		if (mm_test_flag(mm, MMF_OOM_SKIP))
			continue;
		if (mm_test_flag(mm, MMF_OOM_REAP_QUEUED))
			return mm;
		if (mm_rss(mm) > (most ? mm_rss(most) : 0))
			most = mm;
	}
	return most;
}

void mm_out_of_memory(void)
{
	struct mm *mm = select_victim();
	const struct task *t;

	if (!mm)
		return;
	if (!mm_test_flag(mm, MMF_OOM_REAP_QUEUED)) {
		mm->mm.flags |= 1UL << MMF_OOM_REAP_QUEUED;
		memory.oom_kills++;
		t = task_from_pid(mm->mm.owner_pid);
		kernel_logf(false,
			    "Out of memory: Killed process %llu (%s) total-vm:%llukB, anon-rss:%llukB",
			    mm->mm.owner_pid, t ? t->ts.comm : "its leader has exited",
			    (u64)mm->mm.total_vm << (PAGE_SHIFT - 10),
			    mm_rss(mm) << (PAGE_SHIFT - 10));
	}
	signal_process(mm);
}
