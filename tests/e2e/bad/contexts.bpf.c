// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every program but one calls a kfunc from where it does not belong. With the
 * names of Linux 6.12.
 */
#include <vrt/scx.bpf.h>

char _license[] SEC("license") = "GPL";

u32 scx_bpf_reenqueue_local(void) __ksym;
u32 scx_bpf_dispatch_nr_slots(void) __ksym;
struct cgroup *scx_bpf_task_cgroup(struct task_struct *p) __ksym;
void bpf_cgroup_release(struct cgroup *cgrp) __ksym;
void scx_bpf_dump_bstr(char *fmt, unsigned long long *data, u32 data__sz) __ksym;

s32 SCX_OP(select_cpu_is_fine, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dispatch(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void SCX_OP(enqueue_consumes, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
	scx_bpf_consume(SCX_DSQ_GLOBAL);
}

void SCX_OP(dequeue_counts_slots, struct task_struct *p, u64 deq_flags)
{
	scx_bpf_dispatch_nr_slots();
}

void SCX_OP(dispatch_wants_cgroup, s32 cpu, struct task_struct *prev)
{
	if (prev)
		bpf_cgroup_release(scx_bpf_task_cgroup(prev));
}

void SCX_OP(tick_dumps, struct task_struct *p)
{
	scx_bpf_dump_bstr("tick", NULL, 0);
}

void SCX_OP(runnable_selects, struct task_struct *p, u64 enq_flags)
{
	bool idle;

	scx_bpf_select_cpu_dfl(p, 0, 0, &idle);
}

void SCX_OP(running_dispatches, struct task_struct *p)
{
	scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0);
}

void SCX_OP(stopping_dispatches_vtime, struct task_struct *p, bool runnable)
{
	scx_bpf_dispatch_vtime(p, 0, SCX_SLICE_DFL, 0, 0);
}

void SCX_OP(quiescent_reenqueues, struct task_struct *p, u64 deq_flags)
{
	scx_bpf_reenqueue_local();
}

void SCX_OP(enable_creates, struct task_struct *p)
{
	scx_bpf_create_dsq(p->pid, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops contexts_ops = {
	.select_cpu = (void *)select_cpu_is_fine,
	.enqueue = (void *)enqueue_consumes,
	.dequeue = (void *)dequeue_counts_slots,
	.dispatch = (void *)dispatch_wants_cgroup,
	.tick = (void *)tick_dumps,
	.runnable = (void *)runnable_selects,
	.running = (void *)running_dispatches,
	.stopping = (void *)stopping_dispatches_vtime,
	.quiescent = (void *)quiescent_reenqueues,
	.enable = (void *)enable_creates,
	.name = "contexts",
};
