// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calling the operations of the BPF scheduler, and checking at run time from
 * where a kfunc was called.
 *
 * The sets of kfuncs that the operation in progress allows are kept in
 * current->scx.kf_mask; operations nest only in increasing order of the mask
 * (ops.dequeue() inside ops.dispatch() inside ops.cpu_release()).
 */
#include "ext.h"

static u32 highest_bit(u32 mask)
{
	return mask ? 1u << (31 - __builtin_clz(mask)) : 0;
}

/* All bits above the highest one of @mask. */
static u32 higher_bits(u32 mask)
{
	return mask ? ~((highest_bit(mask) << 1) - 1) : ~0u;
}

u64 scx_call(u32 op, u32 mask, const u64 *args, u32 nr)
{
	struct bpf_prog *prog = scx.progs[op];
	struct task_struct *curr;
	u64 ret, start;

	VRT_ASSERT(prog);
	cpu_sync();
	start = cpu_clock();
	curr = curr_task();
	VRT_ASSERT(!((mask | (mask ? higher_bits(mask) : 0)) & curr->scx.kf_mask));
	curr->scx.kf_mask |= mask;
	ret = bpf_prog_call(prog, args, nr);
	VRT_ASSERT(curr == curr_task());
	curr->scx.kf_mask &= ~mask;
	trace_emit(TRACE_OP, curr->pid, op, cpu_clock() - start);
	return ret;
}

u64 scx_call_tasks(u32 op, u32 mask, struct task_struct *a, struct task_struct *b,
		   const u64 *args, u32 nr)
{
	struct task_struct *curr = curr_task();
	u64 ret;

	VRT_ASSERT(!(mask & ~__SCX_KF_TERMINAL));
	curr->scx.kf_tasks[0] = a;
	curr->scx.kf_tasks[1] = b;
	ret = scx_call(op, mask, args, nr);
	curr->scx.kf_tasks[0] = NULL;
	curr->scx.kf_tasks[1] = NULL;
	return ret;
}

bool scx_kf_allowed(u32 mask)
{
	u32 allowed = curr_task()->scx.kf_mask, top = highest_bit(mask);

	if (!(allowed & mask)) {
		scx_error("kfunc with mask 0x%x called from an operation only allowing 0x%x",
			  mask, allowed);
		return false;
	}
	if (top == SCX_KF_CPU_RELEASE && (allowed & higher_bits(top))) {
		scx_error("cpu_release kfunc called from a nested operation");
		return false;
	}
	if (top == SCX_KF_DISPATCH && (allowed & higher_bits(top))) {
		scx_error("dispatch kfunc called from a nested operation");
		return false;
	}
	return true;
}

bool scx_kf_allowed_on_task(u32 mask, struct task_struct *p)
{
	struct task_struct *curr = curr_task();

	if (!scx_kf_allowed(mask))
		return false;
	if (p != curr->scx.kf_tasks[0] && p != curr->scx.kf_tasks[1]) {
		scx_error("called on a task not being operated on");
		return false;
	}
	return true;
}

bool ops_cpu_valid(s32 cpu, const char *where)
{
	if (cpu >= 0 && (u32)cpu < nr_cpu_ids && cpumask_test_cpu(cpu, kernel.possible))
		return true;
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
