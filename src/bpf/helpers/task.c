// SPDX-License-Identifier: GPL-2.0-only
/*
 * Helpers that look at the machine: time, CPU, current task, chance; and at
 * the arguments of traced functions.
 */
#include <errno.h>
#include <string.h>

#include "../../../kernel/sched.h"
#include "helpers.h"

#define JIFFY_NS 4000000ULL /* HZ = 250 */

BPF_HELPER(ktime_get_ns)
{
	return bpf_env->ktime();
}

BPF_HELPER(jiffies64)
{
	return bpf_env->jiffies ? bpf_env->jiffies() : bpf_env->ktime() / JIFFY_NS;
}

BPF_HELPER(get_smp_processor_id)
{
	return bpf_env->cpu();
}

BPF_HELPER(get_numa_node_id)
{
	return bpf_env->numa_node ? bpf_env->numa_node() : 0;
}

BPF_HELPER(get_prandom_u32)
{
	return bpf_env->prandom();
}

BPF_HELPER(get_current_task)
{
	return (u64)bpf_env->current_task();
}

BPF_HELPER(get_current_pid_tgid)
{
	return bpf_env->current_pid_tgid();
}

/* Everything in the simulated machine runs as root. */
BPF_HELPER(get_current_uid_gid)
{
	return 0;
}

BPF_HELPER(get_current_comm)
{
	const struct task_struct *p = bpf_env->current_task();
	char *buf = (char *)a1;
	size_t n;

	memset(buf, 0, a2);
	if (!p)
		return (u64)-EINVAL;
	n = strnlen(p->comm, sizeof(p->comm));
	if (a2)
		memcpy(buf, p->comm, min(n, (size_t)a2 - 1));
	return 0;
}

/* --- functions: the arguments are the context, the result follows them -------------- */

static u32 nr_args(const struct bpf_prog *prog)
{
	bool ret = prog->expected_attach_type == BPF_TRACE_FEXIT ||
		   prog->expected_attach_type == BPF_MODIFY_RETURN;

	return prog->nr_ctx_args - ret;
}

BPF_HELPER(get_func_arg)
{
	if (a2 >= nr_args(bpf_exec_current->prog))
		return (u64)-EINVAL;
	memcpy((void *)a3, (const u64 *)a1 + a2, sizeof(u64));
	return 0;
}

BPF_HELPER(get_func_ret)
{
	const struct bpf_prog *prog = bpf_exec_current->prog;

	if (prog->expected_attach_type == BPF_TRACE_FENTRY)
		return (u64)-EOPNOTSUPP;
	memcpy((void *)a2, (const u64 *)a1 + nr_args(prog), sizeof(u64));
	return 0;
}

BPF_HELPER(get_func_arg_cnt)
{
	return nr_args(bpf_exec_current->prog);
}

/* Links keep cookies for those who attach; programs of the kinds there are have none. */
BPF_HELPER(get_attach_cookie)
{
	return 0;
}
