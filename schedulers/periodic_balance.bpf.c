// SPDX-License-Identifier: GPL-2.0-only
/*
 * periodic_balance: a scheduler with a queue for each CPU, and a periodic program
 * that keeps the queues of the same length.
 *
 * Queues of their own are cheap (percpu.bpf.c) until one of them is long and the CPU
 * next to it has nothing to do. Looking at all CPUs whenever one is idle would cost
 * what the queues of their own have saved; so Linux balances now and then, in the
 * tick. Here it is a program of its own that does, and it is the scheduler's in
 * everything but time: it is in the same object, and they share a map.
 *
 *	the scheduler	puts a task into the queue of the CPU that it was last on, runs
 *		what is in its own, and, when it was told to, fetches from another one
 *	balance	a table bpf_periodic_ops: looks at how long the queues are, and tells the
 *		CPUs with too little to do from where they shall fetch how many
 *
 * The balancer never touches a task: only a CPU moves tasks, and only to itself. If
 * what it was told is out of date by then, there is nothing to fetch, and no harm.
 *
 * Its thread is one of the tasks that are scheduled here. In line behind those it is to
 * balance it would come too late, so kernel threads go first.
 *
 * What to look for when it runs: "imbalance", how much longer the longest queue is than
 * the shortest, and "wasted", how many CPUs had nothing to do while others had tasks
 * waiting, both summed up over all looks; and what becomes of them, and of the time
 * that requests take, when the balancer only looks:
 *
 *	vrt run periodic_balance periodic_balance,fetch=0 -m 8 -w workloads/uneven.json \
 *		--print .bss
 */
#include <vrt/scx.bpf.h>

char _license[] SEC("license") = "GPL";

bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *cpumask) __ksym;
s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;

#define MAX_CPUS 4096
#define MAX_FETCHES 256 /* of one look at all CPUs */
#define PF_KTHREAD 0x00200000

const volatile u64 slice_ns = SCX_SLICE_DFL;
const volatile u32 nr_cpus = 1; /* filled in at load */
const volatile bool fetch = true; /* false: the balancer only looks */

/* Of each CPU: the scheduler writes what it runs, the balancer what it shall fetch. */
struct cpu {
	u32 running; /* 1: a task */
	u32 from, nr; /* so many of that CPU's queue */
	u32 load; /* the balancer's own: running and waiting */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS);
	__type(key, u32);
	__type(value, struct cpu);
} cpus SEC(".maps");

static struct cpu *cpu_of(u32 cpu)
{
	return bpf_map_lookup_elem(&cpus, &cpu);
}

/* --- the scheduler ------------------------------------------------------------- */

static u32 nr_born;
u64 nr_fetched;

s32 SCX_OP(balance_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	u32 cpu;

	if (!(wake_flags & SCX_WAKE_FORK))
		return prev_cpu;
	cpu = __sync_fetch_and_add(&nr_born, 1) % nr_cpus;
	return bpf_cpumask_test_cpu(cpu, p->cpus_ptr) ? cpu : prev_cpu;
}

void SCX_OP(balance_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (p->flags & PF_KTHREAD)
		dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, enq_flags | SCX_ENQ_PREEMPT);
	else
		dsq_insert(p, scx_bpf_task_cpu(p), slice_ns, enq_flags);
}

void SCX_OP(balance_dispatch, s32 cpu, struct task_struct *prev)
{
	struct cpu *c = cpu_of(cpu);

	if (c && c->nr) {
		c->nr--;
		if (dsq_move_to_local(c->from)) {
			__sync_fetch_and_add(&nr_fetched, 1);
			return;
		}
	}
	dsq_move_to_local(cpu);
}

void SCX_OP(balance_running, struct task_struct *p)
{
	struct cpu *c = cpu_of(scx_bpf_task_cpu(p));

	if (c)
		c->running = 1;
}

void SCX_OP(balance_stopping, struct task_struct *p, bool runnable)
{
	struct cpu *c = cpu_of(scx_bpf_task_cpu(p));

	if (c)
		c->running = 0;
}

s32 SCX_OP_SLEEPABLE(balance_init)
{
	u32 cpu;
	s32 err;

	bpf_for(cpu, 0, nr_cpus) {
		err = scx_bpf_create_dsq(cpu, -1);
		if (err)
			return err;
	}
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops balance_ops = {
	.select_cpu = (void *)balance_select_cpu,
	.enqueue = (void *)balance_enqueue,
	.dispatch = (void *)balance_dispatch,
	.running = (void *)balance_running,
	.stopping = (void *)balance_stopping,
	.init = (void *)balance_init,
	.name = "balance",
};

/* --- the balancer ---------------------------------------------------------------- */

u64 nr_looks, imbalance, wasted, nr_told;

/*
 * What a look has found. Not on the stack: what is added up in a loop there, the
 * verifier follows turn by turn.
 */
struct {
	u32 idle, waiting; /* CPUs, tasks */
	u32 most, least; /* the CPUs with the most and with the least to do */
	u32 most_load, least_load;
} seen;

static void find_extremes(void)
{
	u32 cpu;

	seen.most_load = 0;
	seen.least_load = ~0U;
	bpf_for(cpu, 0, nr_cpus) {
		const struct cpu *c = cpu_of(cpu);

		if (!c)
			break;
		if (c->load > seen.most_load) {
			seen.most = cpu;
			seen.most_load = c->load;
		}
		if (c->load < seen.least_load) {
			seen.least = cpu;
			seen.least_load = c->load;
		}
	}
}

/* How much everybody has to do; what was not fetched since the last look is forgotten. */
static void look(void)
{
	u32 cpu;
	s32 queued;

	seen.idle = seen.waiting = 0;
	bpf_for(cpu, 0, nr_cpus) {
		struct cpu *c = cpu_of(cpu);

		if (!c)
			break;
		queued = scx_bpf_dsq_nr_queued(cpu);
		c->nr = 0;
		c->load = c->running + (queued > 0 ? queued : 0);
		seen.idle += !c->load;
		seen.waiting += queued > 0 ? queued : 0;
	}
	wasted += seen.idle < seen.waiting ? seen.idle : seen.waiting;
}

/* One task more for the CPU with the least. False: it fetches from somebody else already. */
static bool tell(void)
{
	struct cpu *to = cpu_of(seen.least), *from = cpu_of(seen.most);

	if (!to || !from || (to->nr && to->from != seen.most))
		return false;
	to->from = seen.most;
	to->nr++;
	to->load++;
	from->load--;
	nr_told++;
	return true;
}

SEC("struct_ops/balance_run")
int BPF_PROG(balance_run, struct bpf_periodic_ctx *tick)
{
	u32 i;

	look();
	find_extremes();
	nr_looks++;
	imbalance += seen.most_load - seen.least_load;
	if (!fetch)
		return 0;
	bpf_for(i, 0, MAX_FETCHES) {
		if (seen.most_load < seen.least_load + 2 || !tell())
			break;
		scx_bpf_kick_cpu(seen.least, SCX_KICK_IDLE);
		find_extremes();
	}
	return 0;
}

SEC(".struct_ops.link")
struct bpf_periodic_ops balance = {
	.run = (void *)balance_run,
	.period_ns = 1000000,
	.nice = -10,
	.name = "balance",
};
