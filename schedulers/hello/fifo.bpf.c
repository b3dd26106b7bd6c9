// SPDX-License-Identifier: GPL-2.0-only
/*
 * FIFOscheduler: the first scheduler of the hello-ebpf talk, which writes it in
 * Java, in BPF C. Tasks run in the order in which they become runnable, each
 * for a slice of 20 ms at most. That is quickly decided, and not fair: a task
 * that computes for 1 ms and sleeps gets one turn for each turn of a task that
 * never sleeps, which makes 1 ms of 20 (workloads/slides-fifo.json).
 *
 * It uses the names that Linux 6.12 has and cannot do without them: --kernel auto
 * makes the machine a 6.12. schedulers/fifo.bpf.c is the same policy for any
 * kernel.
 */
#include <vmlinux.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym;
s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
			   bool *is_idle) __ksym;
void scx_bpf_dispatch(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym;
bool scx_bpf_consume(u64 dsq_id) __ksym;

/* A queue of our own, for all CPUs. */
#define SHARED_DSQ_ID 0

SEC("struct_ops.s/init")
s32 BPF_PROG(init)
{
	/* -1: on no memory node in particular */
	return scx_bpf_create_dsq(SHARED_DSQ_ID, -1);
}

SEC("struct_ops/select_cpu")
s32 BPF_PROG(select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	/* sched_ext knows the idle CPUs: it shall choose */
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	/* nobody is there: the task need not stand in our queue */
	if (is_idle)
		scx_bpf_dispatch(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

SEC("struct_ops/enqueue")
void BPF_PROG(enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dispatch(p, SHARED_DSQ_ID, SCX_SLICE_DFL, enq_flags);
}

/*
 * The slide has "..." here. Without it nobody would ever take a task out of the
 * queue: sched_ext looks into its own queues only.
 */
SEC("struct_ops/dispatch")
void BPF_PROG(dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_consume(SHARED_DSQ_ID);
}

SEC(".struct_ops.link")
struct sched_ext_ops fifo_scheduler = {
	.select_cpu = (void *)select_cpu,
	.enqueue = (void *)enqueue,
	.dispatch = (void *)dispatch,
	.init = (void *)init,
	.name = "FIFOscheduler",
};
