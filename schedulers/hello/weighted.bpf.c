// SPDX-License-Identifier: GPL-2.0-only
/*
 * Weightedscheduler: the second scheduler of the hello-ebpf talk, in BPF C.
 * Tasks run in the order of their virtual time: the time they have been on a
 * CPU, divided by their weight. A task that sleeps much is behind the others in
 * virtual time, and so before them in the queue; it waits for one slice, not for
 * everybody's (workloads/slides-weighted.json).
 *
 * Names of Linux 6.12, as in fifo.bpf.c. schedulers/vtime.bpf.c is the same
 * policy for any kernel.
 */
#include <vmlinux.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym;
s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
			   bool *is_idle) __ksym;
void scx_bpf_dispatch(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym;
void scx_bpf_dispatch_vtime(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime,
			    u64 enq_flags) __ksym;
bool scx_bpf_consume(u64 dsq_id) __ksym;

/* How far the machine is in virtual time: the task that started last was there. */
u64 vtime_now;

/*
 * The queues that sched_ext brings along are FIFOs and nothing else: a queue that
 * is ordered by virtual time must be one of our own. A FIFO scheduler could do
 * with SCX_DSQ_GLOBAL.
 */
#define SHARED_DSQ_ID 0

/* Virtual times wrap around: only their difference tells. */
static __always_inline bool is_smaller(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

/* Not on the slide, but there must be a queue. */
SEC("struct_ops.s/init")
s32 BPF_PROG(init)
{
	return scx_bpf_create_dsq(SHARED_DSQ_ID, -1);
}

/* As in fifo.bpf.c. */
SEC("struct_ops/select_cpu")
s32 BPF_PROG(select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (is_idle)
		scx_bpf_dispatch(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

SEC("struct_ops/enqueue")
void BPF_PROG(enqueue, struct task_struct *p, u64 enq_flags)
{
	/* stopping() keeps it */
	u64 vtime = p->scx.dsq_vtime;

	/* who has slept for long may be ahead of the others by one slice, not more */
	if (is_smaller(vtime, vtime_now - SCX_SLICE_DFL))
		vtime = vtime_now - SCX_SLICE_DFL;
	/* the smallest virtual time is first in the queue */
	scx_bpf_dispatch_vtime(p, SHARED_DSQ_ID, SCX_SLICE_DFL, vtime, enq_flags);
}

SEC("struct_ops/dispatch")
void BPF_PROG(dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_consume(SHARED_DSQ_ID);
}

SEC("struct_ops/running")
void BPF_PROG(running, struct task_struct *p)
{
	u64 vtime = p->scx.dsq_vtime;

	/*
	 * Time goes on with whoever starts to run, and never back. Two CPUs may test
	 * and set at once; then it lags behind for a moment, which does no harm.
	 */
	if (is_smaller(vtime_now, vtime))
		vtime_now = vtime;
}

SEC("struct_ops/stopping")
void BPF_PROG(stopping, struct task_struct *p, bool runnable)
{
	/*
	 * Charge what is used of the slice; a weight of 100 is normal. A task that
	 * yields has its slice set to 0 and so pays for all of it. Where that is too
	 * hard, take the time in running() and here instead.
	 */
	p->scx.dsq_vtime += (SCX_SLICE_DFL - p->scx.slice) * 100 / p->scx.weight;
}

SEC("struct_ops/enable")
void BPF_PROG(enable, struct task_struct *p)
{
	/* new here: neither ahead nor behind */
	p->scx.dsq_vtime = vtime_now;
}

SEC(".struct_ops.link")
struct sched_ext_ops weighted_scheduler = {
	.select_cpu = (void *)select_cpu,
	.enqueue = (void *)enqueue,
	.dispatch = (void *)dispatch,
	.running = (void *)running,
	.stopping = (void *)stopping,
	.enable = (void *)enable,
	.init = (void *)init,
	.name = "Weightedscheduler",
};
