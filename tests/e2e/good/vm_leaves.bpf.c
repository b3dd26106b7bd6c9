// SPDX-License-Identifier: GPL-2.0-only
/* Leaves by itself, with an exit code, when it has been asked about some tasks. */
#include <vrt/scx.bpf.h>

char _license[] SEC("license") = "GPL";

void scx_bpf_exit_bstr(s64 exit_code, char *fmt, unsigned long long *data, u32 data__sz) __ksym;

const volatile u32 after = 100;
static u32 asked;

void SCX_OP(vm_leaves_enqueue, struct task_struct *p, u64 enq_flags)
{
	char fmt[] = "enough"; /* the kfunc takes memory that may be written */
	unsigned long long none = 0;

	if (__sync_fetch_and_add(&asked, 1) == after)
		scx_bpf_exit_bstr(42, fmt, &none, 0);
	dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}

s32 SCX_OP_SLEEPABLE(vm_leaves_init)
{
	return 0;
}

void SCX_OP(vm_leaves_exit, struct scx_exit_info *info)
{
}

SEC(".struct_ops.link")
struct sched_ext_ops vm_leaves_ops = {
	.enqueue = (void *)vm_leaves_enqueue,
	.init = (void *)vm_leaves_init,
	.exit = (void *)vm_leaves_exit,
	.name = "vm_leaves",
};
