/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scheduler that works, of which each file here replaces one part by
 * something bad: define the part's macro before including this.
 */
#include <vrt/scx.bpf.h>

char _license[] SEC("license") = "GPL";

#define BAD_DSQ 0

#ifndef BAD_ENQUEUE
#define BAD_ENQUEUE dsq_insert(p, BAD_DSQ, SCX_SLICE_DFL, enq_flags)
#endif
#ifndef BAD_DISPATCH
#define BAD_DISPATCH dsq_move_to_local(BAD_DSQ)
#endif
#ifndef BAD_INIT
#define BAD_INIT 0
#endif
#ifndef BAD_TIMEOUT_MS
#define BAD_TIMEOUT_MS 0
#endif

void SCX_OP(bad_enqueue, struct task_struct *p, u64 enq_flags)
{
	BAD_ENQUEUE;
}

void SCX_OP(bad_dispatch, s32 cpu, struct task_struct *prev)
{
	BAD_DISPATCH;
}

s32 SCX_OP_SLEEPABLE(bad_init)
{
	s32 ret = scx_bpf_create_dsq(BAD_DSQ, -1);

	return ret ? ret : BAD_INIT;
}

SEC(".struct_ops.link")
struct sched_ext_ops bad_ops = {
	.enqueue = (void *)bad_enqueue,
	.dispatch = (void *)bad_dispatch,
	.init = (void *)bad_init,
	.timeout_ms = BAD_TIMEOUT_MS,
	.name = "bad",
};
