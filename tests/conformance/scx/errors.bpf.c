// SPDX-License-Identifier: GPL-2.0-only
/* What a scheduler must not do to t0, one mistake at a time, and the words for it. */
#include "parity.bpf.h"

enum {
	DOUBLE_DISPATCH,
	BOGUS_DSQ,
	BUILTIN_VTIME,
	BAD_CPU,
	BAD_FLAGS,
	OWN_ERROR,
	NO_SUCH_MOVE,
	KICK_BAD_CPU,
	WAKEUP_FLAGS,
	FORK_FLAGS,
	SLEEP_FLAGS,
};
const volatile u32 mistake;

/* Forked under us, and not enqueued yet: known by where they are, as they have no number yet. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u32);
} forked SEC(".maps");

static bool is_new(const struct task_struct *p)
{
	u64 key = (u64)p;

	return !bpf_map_delete_elem(&forked, &key);
}

static bool is_t0(const struct task_struct *p)
{
	return who_is(p) == PERIODIC && !number_of(p);
}

s32 SCX_OP(select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return is_t0(p) && mistake == BAD_CPU ? 9999 : prev_cpu;
}

s32 SCX_OP_SLEEPABLE(init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	u64 key = (u64)p;
	u32 yes = 1;

	if (args->fork)
		bpf_map_update_elem(&forked, &key, &yes, BPF_ANY);
	return 0;
}

static void do_wrong(struct task_struct *p, u64 enq_flags)
{
	char fmt[] = "as planned, %d times", wakeup[] = "woken up with flags %llx";
	unsigned long long three = 3;

	switch (mistake) {
	case DOUBLE_DISPATCH:
		insert_other(p, enq_flags);
		insert_other(p, enq_flags);
		break;
	case BOGUS_DSQ:
		dsq_insert(p, 0x1234, MSEC, enq_flags);
		break;
	case BUILTIN_VTIME:
		dsq_insert_vtime(p, SCX_DSQ_GLOBAL, MSEC, 1, enq_flags);
		break;
	case BAD_FLAGS:
		dsq_insert(p, SCX_DSQ_GLOBAL, MSEC, 1ULL << 56);
		break;
	case OWN_ERROR:
		scx_bpf_error_bstr(fmt, &three, sizeof(three));
		break;
	case KICK_BAD_CPU:
		scx_bpf_kick_cpu(9999, 0);
		break;
	case WAKEUP_FLAGS:
		if (enq_flags & SCX_ENQ_WAKEUP)
			scx_bpf_error_bstr(wakeup, &enq_flags, sizeof(enq_flags));
		insert_other(p, enq_flags);
		break;
	default: /* it is another operation that is about it */
		insert_other(p, enq_flags);
		break;
	}
}

void SCX_OP(enqueue, struct task_struct *p, u64 enq_flags)
{
	char fmt[] = "forked with flags %llx";

	if (is_new(p) && mistake == FORK_FLAGS)
		scx_bpf_error_bstr(fmt, &enq_flags, sizeof(enq_flags));
	if (is_t0(p))
		do_wrong(p, enq_flags);
	else
		insert_other(p, enq_flags);
}

void SCX_OP(quiescent, struct task_struct *p, u64 deq_flags)
{
	char fmt[] = "asleep with flags %llx";

	if (mistake == SLEEP_FLAGS && is_t0(p) && deq_flags & SCX_DEQ_SLEEP)
		scx_bpf_error_bstr(fmt, &deq_flags, sizeof(deq_flags));
}

void SCX_OP(dispatch, s32 cpu, struct task_struct *prev)
{
	if (mistake == NO_SUCH_MOVE)
		dsq_move_to_local(0x1234);
}

PARITY_OPS(OP(select_cpu), OP(enqueue), OP(quiescent), OP(dispatch),
	   OP(init_task));
