// SPDX-License-Identifier: GPL-2.0-only
/*
 * biff_min: the world's simplest ghOSt scheduler, as on the slides of "BPF-only
 * scheduling with ghOSt": two functions and a queue.
 *
 *	biff_msg_send	Something has happened to a task. Can it run now?
 *			Then it goes to the end of the queue.
 *	biff_pnt	A CPU is about to pick. What shall it run?
 *			Whoever is first in the queue.
 *
 * What the slides leave out, and no scheduler can do without:
 *
 *  - A task that is new may be runnable already (TASK_NEW, newt.runnable): no
 *    WAKEUP will come for it.
 *  - bpf_ghost_run_gtid() wants the task's barrier, the number of the last message
 *    about it, as a proof that the program knows the task's state. Messages about
 *    tasks that wait in the queue come, too (nice, affinity), so the barrier cannot
 *    wait in the queue with the task: it is kept beside it, by gtid.
 *  - It may fail. YIELD and PREEMPT are told while the task is on its CPU still:
 *    when it is first in the queue right then, it is busy (EBUSY). Who drops it has
 *    lost it. So it goes back into the queue, and the CPU must look again.
 *  - A task may wake up where another one runs while a third CPU sleeps: nobody
 *    tells that one. So no CPU sleeps (dont_idle), which burns power; biff.bpf.c
 *    wakes one instead.
 *  - A task that is gone (DEAD, DEPARTED) may be in the queue still. It has no
 *    barrier any more, so it is dropped when its turn comes.
 *
 * What to look for when it runs: a task keeps its CPU for as long as it likes.
 */
#include <vrt/ghost.bpf.h>

char _license[] SEC("license") = "GPL";

#define MAX_TASKS 65536

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, MAX_TASKS);
	__type(value, u64); /* gtid */
} global_rq SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_TASKS);
	__type(key, u64); /* gtid */
	__type(value, u32);
} barriers SEC(".maps");

SEC("ghost_sched/pnt")
int biff_pnt(struct bpf_ghost_sched *ctx)
{
	u32 *barrier;
	u64 next;

	ctx->dont_idle = 1;
	/* what runs goes on until it stops by itself; fair tasks go first anyway */
	if (ctx->next_gtid || ctx->might_yield)
		return 0;
	if (bpf_map_pop_elem(&global_rq, &next))
		return 0;
	barrier = bpf_map_lookup_elem(&barriers, &next);
	if (barrier && bpf_ghost_run_gtid(next, *barrier, 0))
		bpf_map_push_elem(&global_rq, &next, 0);
	return 0;
}

SEC("ghost_msg/msg_send")
int biff_msg_send(struct bpf_ghost_msg *msg)
{
	/* the first member of what every message about a task says */
	u64 gtid = msg->wakeup.gtid;
	u32 barrier = msg->seqnum;

	if (msg->type >= MSG_CPU_TICK)
		return 1;
	if (msg->type == MSG_TASK_DEAD || msg->type == MSG_TASK_DEPARTED)
		bpf_map_delete_elem(&barriers, &gtid);
	else
		bpf_map_update_elem(&barriers, &gtid, &barrier, BPF_ANY);

	switch (msg->type) {
	case MSG_TASK_NEW:
		if (msg->newt.runnable)
			bpf_map_push_elem(&global_rq, &gtid, 0);
		break;
	case MSG_TASK_WAKEUP:
	case MSG_TASK_PREEMPT:
	case MSG_TASK_YIELD:
		bpf_map_push_elem(&global_rq, &gtid, 0);
		break;
	}
	/* nobody listens in userspace */
	return 1;
}
