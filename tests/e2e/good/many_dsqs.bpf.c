// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thousand dispatch queues, most of them destroyed again; each CPU uses one of
 * those that are left. A verdict for a destroyed one would end the scheduler.
 */
#include <vrt/scx.bpf.h>

char _license[] SEC("license") = "GPL";

#define NR_DSQS 1000
#define STRIDE 7 /* queues that stay: every seventh */

void scx_bpf_destroy_dsq(u64 dsq_id) __ksym;
s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;

void SCX_OP(many_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, scx_bpf_task_cpu(p) * STRIDE, SCX_SLICE_DFL, enq_flags);
}

void SCX_OP(many_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(cpu * STRIDE);
}

s32 SCX_OP_SLEEPABLE(many_init)
{
	s32 err = 0;

	for (u32 id = 0; id < NR_DSQS && !err; id++)
		err = scx_bpf_create_dsq(id, -1);
	if (scx_bpf_create_dsq(NR_DSQS / 2, -1) != -17)
		return -22;
	for (u32 id = 0; id < NR_DSQS; id++) {
		if (id % STRIDE)
			scx_bpf_destroy_dsq(id);
	}
	if (scx_bpf_dsq_nr_queued(STRIDE) || scx_bpf_dsq_nr_queued(STRIDE + 1) != -2)
		return -22;
	return err;
}

SEC(".struct_ops.link")
struct sched_ext_ops many_ops = {
	.enqueue = (void *)many_enqueue,
	.dispatch = (void *)many_dispatch,
	.init = (void *)many_init,
	.name = "many_dsqs",
};
