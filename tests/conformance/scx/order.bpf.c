// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order in which tasks leave a queue: by virtual time where they were put
 * there with one, else first in, first out, and SCX_ENQ_HEAD goes before all.
 *
 * t0 to t3 wait until all of them are there. Then CPU 0 takes one at a time,
 * and the next round begins when all have run.
 */
#include "parity.bpf.h"

#define QUEUE 1

enum { BY_VTIME, BY_ARRIVAL, AT_HEAD };
const volatile u32 how = BY_VTIME;

/* who came when in this round, who ran when, by number; they have digits of 4 bits */
u32 nr_arrived, nr_ran;
u64 arrived, ran;
bool open, in_round[4];

static u64 vtime_of(u32 number)
{
	return number == 0 ? 400 : number == 1 ? 100 : number == 2 ? 300 : 200;
}

/* All of them where CPU 0's lock is held, so that what is counted is what is done. */
s32 SCX_OP(select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return who_is(p) == PERIODIC ? 0 : prev_cpu;
}

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 number = number_of(p);

	/* in a round that has begun, or the second time in one */
	if (who_is(p) != PERIODIC || scx_bpf_task_cpu(p) || open || in_round[number]) {
		insert_other(p, enq_flags);
		return;
	}
	in_round[number] = true;
	if (how == BY_VTIME)
		dsq_insert_vtime(p, QUEUE, 20 * MSEC, vtime_of(number), enq_flags);
	else
		dsq_insert(p, QUEUE, 20 * MSEC, enq_flags | (how == AT_HEAD ? SCX_ENQ_HEAD : 0));
	arrived |= (u64)number << (nr_arrived++ * 4);
	if (nr_arrived == 4) {
		open = true;
		scx_bpf_kick_cpu(0, 0);
	}
}

void SCX_OP(dispatch, s32 cpu, struct task_struct *prev)
{
	if (open && cpu == 0)
		dsq_move_to_local(QUEUE);
}

static void tell(void)
{
	u64 turned = (arrived & 0xf) << 12 | (arrived & 0xf0) << 4 | (arrived & 0xf00) >> 4 |
		     arrived >> 12;

	if (how == BY_VTIME && ran == 0x0231)
		FACT(PERIODIC, "by vtime");
	else if (how == BY_VTIME)
		FACT(PERIODIC, "not by vtime");
	else if (ran == arrived)
		FACT(PERIODIC, "as they came");
	else if (ran == turned)
		FACT(PERIODIC, "last come, first");
	else
		FACT(PERIODIC, "some order");
}

void SCX_OP(running, struct task_struct *p)
{
	u32 number = number_of(p);

	if (who_is(p) != PERIODIC || !open || !in_round[number])
		return;
	in_round[number] = false;
	ran |= (u64)number << (nr_ran++ * 4);
	if (nr_ran < 4)
		return;
	tell();
	arrived = ran = nr_arrived = nr_ran = 0;
	open = false;
}

s32 SCX_OP_SLEEPABLE(init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

PARITY_OPS(OP(select_cpu), OP(enqueue), OP(dispatch), OP(running), OP(init));
