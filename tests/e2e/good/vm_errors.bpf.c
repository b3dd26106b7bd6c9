// SPDX-License-Identifier: GPL-2.0-only
/* Ends itself with an error at the first task that it is asked about. */
#include <vrt/scx.bpf.h>

char _license[] SEC("license") = "GPL";

void SCX_OP(vm_errors_enqueue, struct task_struct *p, u64 enq_flags)
{
	char fmt[] = "as planned"; /* the kfunc takes memory that may be written */
	unsigned long long none = 0;

	scx_bpf_error_bstr(fmt, &none, 0);
}

SEC(".struct_ops.link")
struct sched_ext_ops vm_errors_ops = {
	.enqueue = (void *)vm_errors_enqueue,
	.name = "vm_errors",
};
