// SPDX-License-Identifier: GPL-2.0-only
/*
 * fifo: one queue for the whole machine, first in first out.
 *
 * The smallest scheduler that shows how sched_ext works. Three questions are
 * asked of it, and each has a short answer:
 *
 *	select_cpu	A task wakes up. On which CPU?
 *			An idle one if there is one, and then it may start there
 *			at once, without standing in the queue.
 *	enqueue		No CPU was idle. Where does the task wait?
 *			At the end of our queue.
 *	dispatch	A CPU has nothing to do. What shall it run?
 *			Whoever is first in our queue.
 *
 * Everything else is left to the defaults of the kernel.
 *
 * What to look for when it runs: FIFO is not fair. A task that computes a
 * little and sleeps waits, each time it wakes, behind every task that computes
 * for ever, and each of those runs for a whole slice. See vtime.bpf.c.
 */
#include <vrt/scx.bpf.h>

char _license[] SEC("license") = "GPL";

/* Our queue. The built-in global queue would not do: it is one per memory node. */
#define SHARED_DSQ 0

/* How long a task may run before the next one has its turn. */
const volatile u64 slice_ns = SCX_SLICE_DFL;

s32 SCX_OP(fifo_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	/* straight to that CPU's own queue: enqueue() is not called then */
	if (is_idle)
		dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, 0);
	return cpu;
}

void SCX_OP(fifo_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, SHARED_DSQ, slice_ns, enq_flags);
}

void SCX_OP(fifo_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(SHARED_DSQ);
}

s32 SCX_OP_SLEEPABLE(fifo_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops fifo_ops = {
	.select_cpu = (void *)fifo_select_cpu,
	.enqueue = (void *)fifo_enqueue,
	.dispatch = (void *)fifo_dispatch,
	.init = (void *)fifo_init,
	.name = "fifo",
};
