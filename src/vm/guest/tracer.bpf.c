// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a real kernel's scheduler does, in the form of the simulated one's event
 * stream (src/sched/tracepoint.h): a record per tracepoint, into a ring buffer.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "records.h"

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 << 20);
} records SEC(".maps");

/* Tasks of the workload: 1 until their first wakeup, 2 afterwards. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 17);
	__type(key, int);
	__type(value, int);
} known SEC(".maps");

u64 lost;

static void emit(u16 type, int pid, u64 a, u64 b)
{
	struct guest_record *rec = bpf_ringbuf_reserve(&records, sizeof(*rec), 0);

	if (!rec) {
		__sync_fetch_and_add(&lost, 1);
		return;
	}
	rec->time = bpf_ktime_get_ns();
	rec->type = type;
	rec->cpu = (u16)bpf_get_smp_processor_id();
	rec->pid = pid;
	rec->a = a;
	rec->b = b;
	/* user space looks by itself now and then: waking it would disturb */
	bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
}

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
