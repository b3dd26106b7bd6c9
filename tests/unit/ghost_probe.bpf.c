// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ghOSt policy for tests: first in, first out, with every message kept for the
 * test to read, switches for what may go wrong, and one call of a helper at a time
 * on request.
 */
#include <vrt/ghost.bpf.h>

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 65536);
	__type(value, u64);
} fifo SEC(".maps");

/* The last that was heard of each task. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, u32);
} barriers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 65536);
	__type(value, struct bpf_ghost_msg);
} messages SEC(".maps");

/* --- what the test sets ------------------------------------------------------ */

u32 run_flags;
u8 hold; /* nothing is latched */
u8 latch_anyway; /* also when another class, or a task that runs, is there */
u8 dont_idle, must_resched, kept;
u8 forget; /* tasks that can run */
u8 scribble; /* into the payload */
u32 fault_in; /* 1: PNT, 2: MSG */
u32 hold_cpu; /* nothing is latched on this one; counted from 1 */
u32 kick_cpus; /* so many look when there is a task to run and they idle */

enum { CALL_NONE, CALL_WAKE_AGENT, CALL_RUN_GTID, CALL_RESCHED_CPU, CALL_RESCHED_CPU2 };
/* @on: the CPU whose PNT shall make it; @in_msg: the message during which MSG shall. */
struct {
	u32 helper, on, in_msg;
	u64 a, b, c;
} call;

/* --- what the test reads ------------------------------------------------------- */

s64 result;
u32 calls;
u64 picks, lost;
s64 last_error; /* of latching by ourselves */
struct bpf_ghost_sched ctx_seen[64]; /* per CPU: the last context */
u64 last_gtid;
u32 last_barrier;

static void push(u64 gtid)
{
	if (bpf_map_push_elem(&fifo, &gtid, 0))
		lost++;
}

static void make_call(void)
{
	switch (call.helper) {
	case CALL_WAKE_AGENT:
		result = bpf_ghost_wake_agent(call.a);
		break;
	case CALL_RESCHED_CPU:
		result = bpf_ghost_resched_cpu(call.a, call.b);
		break;
	case CALL_RESCHED_CPU2:
		result = bpf_ghost_resched_cpu2(call.a, call.b);
		break;
	}
	call.helper = CALL_NONE;
	calls++;
}

/* Ends some day, but not before the machine's patience does. */
static long fault_round(u64 index, u64 *sum)
{
	for (u32 i = 0; i < 4096; i++)
		__sync_fetch_and_add(sum, i);
	return 0;
}

static long fault_rounds(u64 index, void *ctx)
{
	u64 sum = 0;

	bpf_loop(1 << 23, fault_round, &sum, 0);
	return 0;
}

static __attribute__((noinline)) int fault(void)
{
	return (int)bpf_loop(1 << 23, fault_rounds, NULL, 0);
}

SEC("ghost_sched/pnt")
int probe_pnt(struct bpf_ghost_sched *ctx)
{
	u32 cpu = bpf_get_smp_processor_id(), *barrier;
	u64 gtid;
	long err;

	picks++;
	if (cpu < 64)
		ctx_seen[cpu] = *ctx;
	if (fault_in == 1)
		return fault();
	if (dont_idle)
		ctx->dont_idle = 1;
	if (must_resched)
		ctx->must_resched = 1;
	if (call.helper == CALL_RUN_GTID && call.on == cpu) {
		result = bpf_ghost_run_gtid(call.a, call.b, call.c);
		call.helper = CALL_NONE;
		calls++;
		return 0;
	}
	if (call.helper && !call.in_msg && call.on == cpu)
		make_call();
	if (hold || hold_cpu == cpu + 1)
		return 0;
	if (!latch_anyway && (ctx->agent_runnable || ctx->might_yield || ctx->next_gtid))
		return 0;
	if (bpf_map_pop_elem(&fifo, &gtid))
		return 0;
	barrier = bpf_map_lookup_elem(&barriers, &gtid);
	if (!barrier)
		return 0;
	err = bpf_ghost_run_gtid(gtid, *barrier, run_flags);
	if (!err)
		return 0;
	last_error = err;
	push(gtid);
	ctx->dont_idle = 1;
	return 0;
}

/* Attached by the test that wants it. */
struct bpf_ghost_select_rq select_seen;
s32 select_cpu; /* what it says */
u8 skip_ttwu_queue;

SEC("?ghost_select_rq/select_rq")
int probe_select_rq(struct bpf_ghost_select_rq *ctx)
{
	select_seen = *ctx;
	ctx->skip_ttwu_queue = skip_ttwu_queue;
	if (fault_in == 3)
		return fault();
	return select_cpu;
}

SEC("ghost_msg/msg_send")
int probe_msg(struct bpf_ghost_msg *msg)
{
	/* whatever the message: the gtid is the first member of a task's payload */
	u64 gtid = msg->dead.gtid;
	u32 seqnum = msg->seqnum;
	struct bpf_ghost_msg copy; /* a context is nothing to hand on */

	bpf_probe_read_kernel(&copy, sizeof(copy), msg);
	bpf_map_push_elem(&messages, &copy, 0);
	if (fault_in == 2)
		return fault();
	if (call.helper && call.in_msg == msg->type)
		make_call();
	if (msg->type == MSG_TASK_DEAD || msg->type == MSG_TASK_DEPARTED)
		bpf_map_delete_elem(&barriers, &gtid);
	else if (msg->type < MSG_CPU_TICK)
		bpf_map_update_elem(&barriers, &gtid, &seqnum, BPF_ANY);
	if (scribble)
		msg->dead.gtid = ~0ULL;
	switch (msg->type) {
	case MSG_TASK_NEW:
		if (!msg->newt.runnable)
			break;
	case MSG_TASK_WAKEUP:
	case MSG_TASK_PREEMPT:
	case MSG_TASK_YIELD:
		last_gtid = gtid;
		last_barrier = seqnum;
		if (forget)
			break;
		push(gtid);
		for (u32 cpu = 0; cpu < 4; cpu++) {
			if (cpu < kick_cpus)
				bpf_ghost_resched_cpu2(cpu, RESCHED_IDLE_CLASS);
		}
	}
	return kept;
}
