// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a real kernel's scheduler does, in the form of the simulated one's event
 * stream (src/sched/tracepoint.h): a record per tracepoint, into a ring buffer.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"

char _license[] SEC("license") = "GPL";

/* Tasks of the workload: 1 until their first wakeup, 2 afterwards. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 17);
	__type(key, int);
	__type(value, int);
} known SEC(".maps");

static int task_cpu_of(struct task_struct *p)
{
	struct thread_info___core {
		u32 cpu;
	} __attribute__((preserve_access_index));
	struct task_struct___core {
		struct thread_info___core thread_info;
	} __attribute__((preserve_access_index));

	return (int)BPF_CORE_READ((struct task_struct___core *)p, thread_info.cpu);
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *p)
{
	struct task_struct *waker = bpf_get_current_task_btf();
	int pid = p->pid, *state = bpf_map_lookup_elem(&known, &pid);
	u16 type = REC_WAKEUP;

	if (state && *state == 1) {
		*state = 2;
		type = REC_WAKEUP_NEW;
	}
	emit(type, pid, (u64)task_cpu_of(p), (u64)waker->pid);
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_wakeup_new, struct task_struct *p)
{
	emit(REC_WAKEUP_NEW, p->pid, (u64)task_cpu_of(p), (u64)bpf_get_current_task_btf()->pid);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	u64 state = PREV_SLEEPING;

	if (!prev->pid)
		state = PREV_IDLE;
	else if (preempt || !prev_state)
		state = PREV_PREEMPTED;
	else if (prev_state & 0x80) /* TASK_DEAD */
		state = PREV_EXITED;
	emit(REC_SWITCH, prev->pid, (u64)next->pid, state);
	return 0;
}

SEC("tp_btf/sched_migrate_task")
int BPF_PROG(on_migrate, struct task_struct *p, int dest_cpu)
{
	emit(REC_MIGRATE, p->pid, (u64)task_cpu_of(p), (u64)dest_cpu);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *p)
{
	emit(REC_TASK_EXIT, p->pid, 0, 0);
	return 0;
}

#define DUMP_LINE 1024 /* of the kernel's SCX_EXIT_MSG_LEN */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} dump SEC(".maps");

static char dump_line[DUMP_LINE]; /* one dump at a time: the kernel has a lock for that */

/* Of a scheduler that is thrown out; kernels without sched_ext have no such place. */
SEC("?raw_tp/sched_ext_dump")
int on_dump(struct bpf_raw_tracepoint_args *ctx)
{
	const char *line = (const char *)ctx->args[0];
	long len = bpf_probe_read_kernel_str(dump_line, sizeof(dump_line), line);

	if (len <= 0)
		return 0;
	barrier_var(len); /* older verifiers do not see through both tests in one */
	if (len <= DUMP_LINE &&
	    bpf_ringbuf_output(&dump, dump_line, (u64)len, BPF_RB_NO_WAKEUP))
		count_lost();
	return 0;
}
