// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ghOSt scheduler with one queue, and a periodic program of the same object. They
 * share maps: the scheduler notes how often it has picked each task; the program sums
 * that up, forgets it, and says how many tasks the scheduler may pick until the next
 * time that it looks.
 */
#include <vrt/ghost.bpf.h>

#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define MAX_TASKS 4096

const volatile u64 allowance = ~0ULL;

u64 nr_picked, nr_summed, nr_denied, nr_looks;

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, MAX_TASKS);
	__type(value, u64); /* gtid */
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_TASKS);
	__type(key, u64); /* gtid */
	__type(value, u32);
} barriers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_TASKS);
	__type(key, u64); /* gtid */
	__type(value, u64);
} picks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} credit SEC(".maps");

static void note_pick(u64 gtid)
{
	u64 one = 1, *n = bpf_map_lookup_elem(&picks, &gtid);

	if (n)
		__sync_fetch_and_add(n, 1);
	else if (bpf_map_update_elem(&picks, &gtid, &one, BPF_NOEXIST))
		return;
	__sync_fetch_and_add(&nr_picked, 1);
}

static bool take_credit(void)
{
	u32 zero = 0;
	u64 *left = bpf_map_lookup_elem(&credit, &zero);

	if (!left || !*left)
		return false;
	__sync_fetch_and_add(left, -1);
	return true;
}

SEC("ghost_sched/pnt")
int pick(struct bpf_ghost_sched *ctx)
{
	u32 *barrier;
	u64 next;

	ctx->dont_idle = 1;
	if (ctx->next_gtid || ctx->might_yield)
		return 0;
	if (bpf_map_peek_elem(&queue, &next))
		return 0;
	if (!take_credit()) {
		__sync_fetch_and_add(&nr_denied, 1);
		return 0;
	}
	if (bpf_map_pop_elem(&queue, &next))
		return 0;
	barrier = bpf_map_lookup_elem(&barriers, &next);
	if (!barrier)
		return 0;
	if (bpf_ghost_run_gtid(next, *barrier, 0))
		bpf_map_push_elem(&queue, &next, 0);
	else
		note_pick(next);
	return 0;
}

SEC("ghost_msg/msg_send")
int message(struct bpf_ghost_msg *msg)
{
	u64 gtid = msg->wakeup.gtid;
	u32 barrier = msg->seqnum;

	if (msg->type >= MSG_CPU_TICK)
		return 1;
	if (msg->type == MSG_TASK_DEAD || msg->type == MSG_TASK_DEPARTED)
		bpf_map_delete_elem(&barriers, &gtid);
	else
		bpf_map_update_elem(&barriers, &gtid, &barrier, BPF_ANY);
	if (msg->type == MSG_TASK_WAKEUP || msg->type == MSG_TASK_PREEMPT ||
	    msg->type == MSG_TASK_YIELD || (msg->type == MSG_TASK_NEW && msg->newt.runnable))
		bpf_map_push_elem(&queue, &gtid, 0);
	return 1;
}

/* --- the periodic program -------------------------------------------------------- */

static long sum_up(struct bpf_map *map, const u64 *gtid, u64 *n, void *unused)
{
	nr_summed += *n;
	bpf_map_delete_elem(map, gtid);
	return 0;
}

SEC("struct_ops/look")
int BPF_PROG(look, struct bpf_periodic_ctx *tick)
{
	u64 grant = allowance;
	u32 zero = 0;

	/* what is picked between the sum and the deletion would be lost */
	bpf_for_each_map_elem(&picks, sum_up, 0, 0);
	bpf_map_update_elem(&credit, &zero, &grant, BPF_ANY);
	nr_looks++;
	return 0;
}

SEC(".struct_ops.link")
struct bpf_periodic_ops looker = {
	.run = (void *)look,
	.period_ns = 2000000,
	.name = "looker",
};
