// SPDX-License-Identifier: GPL-2.0-only
/* A FIFO that looks at the runqueue of every CPU, as load trackers do. */
#include <vrt/scx.bpf.h>

char _license[] SEC("license") = "GPL";

extern const struct rq runqueues __ksym;
u64 nr_seen, nr_running_seen;

void SCX_OP(rq_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

void SCX_OP(rq_tick, struct task_struct *p)
{
	for (u32 cpu = 0; cpu < 64; cpu++) {
		const struct rq *rq = bpf_per_cpu_ptr(&runqueues, cpu);

		if (!rq)
			break;
		nr_seen++;
		nr_running_seen += rq->nr_running;
		if (rq->curr && rq->cpu != (int)cpu)
			scx_bpf_kick_cpu(-1, 0); /* wrong CPU: ends the scheduler */
	}
}

SEC(".struct_ops.link")
struct sched_ext_ops rq_ops = {
	.enqueue = (void *)rq_enqueue,
	.tick = (void *)rq_tick,
	.name = "reads_runqueues",
};
