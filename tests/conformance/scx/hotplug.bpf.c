// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CPU goes and comes back. A scheduler without ops.cpu_online() and
 * ops.cpu_offline() is unregistered by the kernel, with an exit code that asks its
 * loader to start it again; one that has them is told (hotplug_told.bpf.c).
 */
#include "parity.bpf.h"

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	insert_other(p, enq_flags);
}

#ifdef TOLD
void SCX_OP(cpu_online, s32 cpu)
{
	if (cpu == 1)
		FACT_OF_LIFE(NOBODY, "told: online");
}

void SCX_OP(cpu_offline, s32 cpu)
{
	if (cpu == 1)
		FACT_OF_LIFE(NOBODY, "told: offline");
}
#endif

/* The end by our hand depends on how often it was started again: only one that never is tells of it. */
void SCX_OP(parity_exit, struct scx_exit_info *info)
{
	struct fact key = { .who = "-" };
	u64 seen = 1;

	if (info->kind != SCX_EXIT_UNREG_KERN) {
#ifdef TOLD
		FACT_OF_LIFE(NOBODY, "ended by our hand");
#endif
		return;
	}
	bpf_probe_read_kernel_str(key.what, sizeof(key.what), info->msg);
	bpf_map_update_elem(&facts, &key, &seen, BPF_ANY);
	if (info->exit_code == (SCX_ECODE_ACT_RESTART | SCX_ECODE_RSN_HOTPLUG))
		FACT_OF_LIFE(NOBODY, "code: restart, hotplug");
	else
		FACT_OF_LIFE(NOBODY, "another code");
}

#ifdef TOLD
PARITY_OPS(OP(enqueue), OP(cpu_online), OP(cpu_offline), .exit = (void *)parity_exit);
#else
PARITY_OPS(OP(enqueue), .exit = (void *)parity_exit);
#endif
