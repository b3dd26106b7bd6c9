// SPDX-License-Identifier: GPL-2.0-only
/* Needs the name of a function that 6.12 has and of one that 7.0 has: no Linux has both. */
#include <vmlinux.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

void scx_bpf_dispatch(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym;
void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym;

SEC("struct_ops/enqueue")
void BPF_PROG(mixed_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (p->pid & 1)
		scx_bpf_dispatch(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
	else
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

SEC(".struct_ops.link")
struct sched_ext_ops mixed_ops = {
	.enqueue = (void *)mixed_enqueue,
	.name = "mixed_kernels",
};
