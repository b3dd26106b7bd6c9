// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations of the BPF scheduler and kfuncs that are called from where they must
 * not be, or with what is not there (the checks that pass are inline in ext.h).
 *
 * The sets of kfuncs that the operation in progress allows are kept in
 * current->scx.kf_mask; operations nest only in increasing order of the mask
 * (ops.dequeue() inside ops.dispatch() inside ops.cpu_release()).
 */
#include "ext.h"

bool scx_kf_refuse(u32 mask, u32 allowed)
{
	if (!(allowed & mask))
		scx_error("kfunc with mask 0x%x called from an operation only allowing 0x%x",
			  mask, allowed);
	else
		scx_error("%s kfunc called from a nested operation",
			  mask & SCX_KF_DISPATCH ? "dispatch" : "cpu_release");
	return false;
}

bool scx_kf_allowed_on_task(u32 mask, struct task_struct *p)
{
	struct task_struct *curr = curr_task();

	if (!scx_kf_allowed(mask))
		return false;
	if (p != curr->scx.kf_tasks[0]) {
		scx_error("called on a task not being operated on");
		return false;
	}
	return true;
}

bool ops_refuse_cpu(s32 cpu, const char *where)
{
	scx_error("invalid CPU %d%s%s", cpu, where ? " " : "", where ? where : "");
	return false;
}

int ops_sanitize_err(const char *op, s32 err)
{
	if (err < 0 && err >= -4095)
		return err;
	scx_error("ops.%s() returned an invalid errno %d", op, err);
	return -EPROTO;
}
