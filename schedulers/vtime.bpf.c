// SPDX-License-Identifier: GPL-2.0-only
/*
 * vtime: one queue for the whole machine, ordered by weighted virtual time.
 *
 * The cure for what is wrong with fifo.bpf.c. Every task carries a clock of its
 * own, its virtual time, which runs only while the task does, and slower for a
 * task of greater weight (lower nice level). The queue is ordered by it: whoever
 * has had the least, for its weight, goes first.
 *
 * Two rules make that work:
 *
 *  - A task that slept must not come back with a clock so far behind that it
 *    owns the machine until it has caught up: it may save up one slice at most.
 *  - A new task starts at the virtual time of today, not at zero.
 */
#include <vrt/scx.bpf.h>

char _license[] SEC("license") = "GPL";

/* A queue ordered by vtime must be one of our own: the built-in ones are FIFOs. */
#define SHARED_DSQ 0

const volatile u64 slice_ns = SCX_SLICE_DFL;

/* The virtual time of the task that started last: where the machine stands. */
static u64 vtime_now;

s32 SCX_OP(vtime_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (is_idle)
		dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, 0);
	return cpu;
}

void SCX_OP(vtime_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 vtime = p->scx.dsq_vtime;

	/* the budget that a sleeper can save up is one slice */
	if (vtime_before(vtime, vtime_now - slice_ns))
		vtime = vtime_now - slice_ns;
	dsq_insert_vtime(p, SHARED_DSQ, slice_ns, vtime, enq_flags);
}

void SCX_OP(vtime_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(SHARED_DSQ);
}

void SCX_OP(vtime_running, struct task_struct *p)
{
	/* CPUs race here; being off by a little for a moment does no harm */
	if (vtime_before(vtime_now, p->scx.dsq_vtime))
		vtime_now = p->scx.dsq_vtime;
}

void SCX_OP(vtime_stopping, struct task_struct *p, bool runnable)
{
	/*
	 * What is missing of the slice is what the task has used. A weight of 100
	 * is that of nice 0. (A task that yields gives up its slice and is charged
	 * for all of it; a policy that minds takes time stamps instead.)
	 */
	p->scx.dsq_vtime += (slice_ns - p->scx.slice) * 100 / p->scx.weight;
}

void SCX_OP(vtime_enable, struct task_struct *p)
{
	p->scx.dsq_vtime = vtime_now;
}

s32 SCX_OP_SLEEPABLE(vtime_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops vtime_ops = {
	.select_cpu = (void *)vtime_select_cpu,
	.enqueue = (void *)vtime_enqueue,
	.dispatch = (void *)vtime_dispatch,
	.running = (void *)vtime_running,
	.stopping = (void *)vtime_stopping,
	.enable = (void *)vtime_enable,
	.init = (void *)vtime_init,
	.name = "vtime",
};
