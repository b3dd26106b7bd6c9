// SPDX-License-Identifier: GPL-2.0-only
/*
 * One function that dispatches, called from two operations: tasks that wait in a
 * queue of the scheduler's own are dispatched by it, and so are all others at
 * once. Each program has a copy, and the call in it gets what fits there.
 */
#include <vrt/scx.bpf.h>

char _license[] SEC("license") = "GPL";

struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;

/* Off: nobody asks about what stands behind it. */
const volatile bool no_such_luck;

u64 nr_direct, nr_queued, nr_buffered;

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, s32);
} waiting SEC(".maps");

static __noinline int put(struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
	return 0;
}

void SCX_OP(shared_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 pid = p->pid;

	if (pid % 2 && !bpf_map_push_elem(&waiting, &pid, 0)) {
		__sync_fetch_and_add(&nr_queued, 1);
		return;
	}
	__sync_fetch_and_add(&nr_direct, 1);
	put(p, enq_flags);
}

void SCX_OP(shared_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	s32 pid;

	if (bpf_map_pop_elem(&waiting, &pid))
		return;
	p = bpf_task_from_pid(pid);
	if (!p)
		return;
	__sync_fetch_and_add(&nr_buffered, 1);
	put(p, 0);
	bpf_task_release(p);
}

void SCX_OP(shared_running, struct task_struct *p)
{
	if (no_such_luck)
		dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0);
}

SEC(".struct_ops.link")
struct sched_ext_ops shared_ops = {
	.enqueue = (void *)shared_enqueue,
	.dispatch = (void *)shared_dispatch,
	.running = (void *)shared_running,
	.name = "shared_function",
};
