/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs of the parity suite share: who is who in the workload
 * (tasks.json), and how facts are kept.
 *
 * A fact is a pair of words that does not depend on how long anything took: a
 * class of tasks, and something that was seen of it. It is in the map "facts"
 * or it is not. The map is all that is compared. While a scheduler comes and goes
 * the kernel does without it (bypass), and whatever is going on at that moment
 * looks different: what is seen on a CPU in bypass mode is no fact.
 *
 * The way of a task from its sleep to a CPU is such a fact: parity_quiescent()
 * begins it, parity_op() adds a letter for each operation, parity_running() ends
 * it with an r. Most programs tell of no more than they are about.
 */
#ifndef VRT_TESTS_PARITY_BPF_H
#define VRT_TESTS_PARITY_BPF_H

#include <vrt/scx.bpf.h>

char _license[] SEC("license") = "GPL";

s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;
struct rq *scx_bpf_cpu_rq(s32 cpu) __ksym;

/* include/uapi/linux/sched.h */
#define SCHED_NORMAL 0
#define SCHED_EXT 7

#define MSEC 1000000ULL

enum who {
	NOBODY, /* not of the workload */
	PERIODIC, /* t0 to t3: run a little, sleep a little, on any CPU */
	PINNED, /* pin: the same on CPU 1 alone */
	HOG, /* hog0, hog1: run for 20 ms at a time, both on CPU 1 */
	EXT, /* ext: as t0, of policy SCHED_EXT */
	NR_WHO,
};

struct fact {
	char who[8];
	char what[24];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct fact);
	__type(value, u64);
} facts SEC(".maps");

static const char who_names[8][8] = { "-", "t", "pin", "hog", "ext" };

/* Here, on this CPU. */
static __always_inline bool in_bypass(void)
{
	struct rq *rq = scx_bpf_cpu_rq(bpf_get_smp_processor_id());

	return !rq || rq->scx.flags & SCX_RQ_BYPASSING;
}

#define FACT(whose, text)                                                                          \
	do {                                                                                       \
		if (!in_bypass())                                                                  \
			FACT_OF_LIFE(whose, text);                                                 \
	} while (0)

/* Also while the scheduler comes and goes. */
#define FACT_OF_LIFE(whose, text)                                                                  \
	do {                                                                                       \
		struct fact __key = { .what = text };                                              \
		u64 __seen = 1;                                                                    \
                                                                                                   \
		__builtin_memcpy(__key.who, who_names[(whose) & 7], sizeof(__key.who));            \
		bpf_map_update_elem(&facts, &__key, &__seen, BPF_ANY);                             \
	} while (0)

/* CPU 1 is the only one that it may run on, and it is there. */
static __always_inline bool is_settled(const struct task_struct *p)
{
	return p->nr_cpus_allowed == 1 && scx_bpf_task_cpu(p) == 1;
}

/*
 * Threads begin under another name, and on any CPU: until both are as they
 * shall be, a task is nobody.
 */
static __always_inline u32 who_is(const struct task_struct *p)
{
	char a = p->comm[0], b = p->comm[1];

	if (a == 't' && b >= '0' && b <= '3' && !p->comm[2])
		return PERIODIC;
	if (a == 'p' && b == 'i' && p->comm[2] == 'n' && !p->comm[3])
		return is_settled(p) ? PINNED : NOBODY;
	if (a == 'h' && b == 'o' && p->comm[2] == 'g')
		return is_settled(p) ? HOG : NOBODY;
	if (a == 'e' && b == 'x' && p->comm[2] == 't' && !p->comm[3])
		return EXT;
	return NOBODY;
}

/* 0 to 3, of a task that is PERIODIC. */
static __always_inline u32 number_of(const struct task_struct *p)
{
	return (p->comm[1] - '0') & 3;
}

/* --- the way from sleep to a CPU ---------------------------------------------- */

struct way {
	u32 nr, begun;
	char ops[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, s32);
	__type(value, struct way);
} ways SEC(".maps");

static __always_inline void parity_op(const struct task_struct *p, char op)
{
	s32 pid = p->pid;
	struct way *way = bpf_map_lookup_elem(&ways, &pid);

	if (way && way->begun && way->nr < sizeof(way->ops) - 1)
		way->ops[way->nr++ & (sizeof(way->ops) - 1)] = op;
}

/* E: the kernel says that ops.select_cpu() was asked before; e: it does not. */
static __always_inline void parity_enqueue(const struct task_struct *p, u64 enq_flags)
{
	parity_op(p, enq_flags & SCX_ENQ_CPU_SELECTED ? 'E' : 'e');
}

static __always_inline void parity_quiescent(const struct task_struct *p, u64 deq_flags)
{
	/* taken off the runqueue for another reason, it is none of those ways */
	struct way way = { .begun = !!(deq_flags & SCX_DEQ_SLEEP) };
	s32 pid = p->pid;

	if (who_is(p) != NOBODY)
		bpf_map_update_elem(&ways, &pid, &way, BPF_ANY);
}

static __always_inline void parity_running(const struct task_struct *p)
{
	s32 pid = p->pid;
	struct way *way = bpf_map_lookup_elem(&ways, &pid);
	struct fact key = {};
	u64 seen = 1;

	if (!way || !way->begun || in_bypass())
		return;
	parity_op(p, 'r');
	way->begun = 0;
	__builtin_memcpy(key.who, who_names[who_is(p) & 7], sizeof(key.who));
	__builtin_memcpy(key.what, way->ops, sizeof(way->ops));
	bpf_map_update_elem(&facts, &key, &seen, BPF_ANY);
}

/*
 * The tasks that a program is not about wait behind nobody for long: they have
 * short slices, and what they wait in is emptied by the kernel itself.
 */
static __always_inline void insert_other(struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, SCX_DSQ_GLOBAL, 2 * MSEC, enq_flags);
}

#define PARITY_OPS(ops...)                                                                         \
	SEC(".struct_ops.link")                                                                    \
	struct sched_ext_ops parity_ops = { .name = "parity", ops }
#define OP(fn) .fn = (void *)fn

#endif
