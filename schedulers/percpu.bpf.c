// SPDX-License-Identifier: GPL-2.0-only
/*
 * percpu: a queue for each CPU, and nothing that they share.
 *
 * fifo.bpf.c and vtime.bpf.c have one queue for all, and pay for it: on a large
 * machine CPUs wait for its lock, and every task goes on where a CPU happened to
 * be free, away from its cache. Here a task stays where it was born, and a CPU
 * runs what is in its own local queue. The kernel does that by itself, so there
 * is no dispatch() at all.
 *
 * What to look for when it runs: few migrations, no waiting for locks, and a cost
 * per switch that does not grow with the machine. And the price: nobody moves a
 * task from a CPU with a long line to one that has nothing to do.
 */
#include <vrt/scx.bpf.h>

char _license[] SEC("license") = "GPL";

bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *cpumask) __ksym;
u32 scx_bpf_nr_cpu_ids(void) __ksym;

const volatile u64 slice_ns = SCX_SLICE_DFL;

/* Tasks that were born: deals them out to the CPUs in turn. */
static u32 nr_born;

s32 SCX_OP(percpu_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	u32 cpu;

	if (!(wake_flags & SCX_WAKE_FORK))
		return prev_cpu;
	cpu = __sync_fetch_and_add(&nr_born, 1) % scx_bpf_nr_cpu_ids();
	return bpf_cpumask_test_cpu(cpu, p->cpus_ptr) ? cpu : prev_cpu;
}

void SCX_OP(percpu_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops percpu_ops = {
	.select_cpu = (void *)percpu_select_cpu,
	.enqueue = (void *)percpu_enqueue,
	.name = "percpu",
};
