// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kfuncs that tell what CPUs do: runqueue length, busy and idle time, current
 * task. Linux does not have them; the module kmod/schedbpf brings those that can be
 * had without the scheduler's own data.
 *
 * All of that is on a cache line that its CPU writes with every switch and every
 * wakeup: the line of its runqueue's lock. Who looks from elsewhere takes the line
 * over, and the CPU has to get it back before it takes the lock next. No lock is
 * taken: a value is of the instant at which the line is there.
 */
#include "../../kernel/kfuncs.h"
#include "../bpf/exec/exec.h"
#include "sched.h"

/* For @x, the caller. NULL: there is no such CPU. */
static struct cpu_rq *look_at(struct bpf_exec *x, s32 cpu)
{
	struct cpu_rq *crq;
	const struct cpu *last;

	if (cpu < 0 || (u32)cpu >= nr_cpu_ids)
		return NULL;
	crq = kernel.rqs[cpu];
	last = crq->lock.last ? crq->lock.last : crq->cpu;
	if (last != this_cpu) {
		bpf_exec_charge(x, costs.cacheline[cpu_distance(last->topo, this_cpu->topo)]);
		crq->lock.last = this_cpu;
	}
	cpu_sync();
	return crq;
}

/* A CPU that is ahead of global now has booked a little of the future already. */
static u64 booked(const struct cpu_rq *crq, enum cpu_book book)
{
	u64 now = sim_now(), ns = crq->book[book];

	if (crq->book_open == book && now > crq->book_stamp)
		ns += now - crq->book_stamp;
	return ns;
}

static u64 busy_time(const struct cpu_rq *crq)
{
	return booked(crq, BOOK_BUSY) + booked(crq, BOOK_OVERHEAD);
}

static u64 idle_time(const struct cpu_rq *crq)
{
	return booked(crq, BOOK_IDLE);
}

static u64 nr_running(const struct cpu_rq *crq)
{
	return crq->rq.nr_running;
}

static u64 of_cpu(struct bpf_exec *x, s32 cpu, u64 (*value)(const struct cpu_rq *crq))
{
	const struct cpu_rq *crq = look_at(x, cpu);

	return crq ? value(crq) : 0;
}

/* One after the other, as a loop over them reads them: not of one instant. */
static u64 of_all(struct bpf_exec *x, u64 (*value)(const struct cpu_rq *crq))
{
	u64 sum = 0;

	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
		if (cpu_online(cpu))
			sum += of_cpu(x, (s32)cpu, value);
	}
	return sum;
}

u32 bpf_cpu_nr_running(s32 cpu)
{
	return (u32)of_cpu(bpf_exec_current, cpu, nr_running);
}

u32 bpf_cpus_nr_running(void)
{
	return (u32)of_all(bpf_exec_current, nr_running);
}

u64 bpf_cpu_busy_time(s32 cpu)
{
	return of_cpu(bpf_exec_current, cpu, busy_time);
}

u64 bpf_cpus_busy_time(void)
{
	return of_all(bpf_exec_current, busy_time);
}

u64 bpf_cpu_idle_time(s32 cpu)
{
	return of_cpu(bpf_exec_current, cpu, idle_time);
}

u64 bpf_cpus_idle_time(void)
{
	return of_all(bpf_exec_current, idle_time);
}

struct task_struct *bpf_cpu_curr(s32 cpu)
{
	const struct cpu_rq *crq = look_at(bpf_exec_current, cpu);

	/* as in the module, where idle tasks cannot be given away */
	return crq && !is_idle_task(crq->rq.curr) ? bpf_task_acquire(crq->rq.curr) : NULL;
}

#define KFUNC_ENTRY(name, flags) { #name, (void *)name, flags }

static const struct bpf_kfunc kfuncs[] = {
	KFUNC_ENTRY(bpf_cpu_nr_running, 0),
	KFUNC_ENTRY(bpf_cpu_busy_time, 0),
	KFUNC_ENTRY(bpf_cpu_idle_time, 0),
	KFUNC_ENTRY(bpf_cpu_curr, KF_ACQUIRE | KF_RET_NULL),
	KFUNC_ENTRY(bpf_cpus_nr_running, 0),
	KFUNC_ENTRY(bpf_cpus_busy_time, 0),
	KFUNC_ENTRY(bpf_cpus_idle_time, 0),
};

#define SET(type) { .funcs = kfuncs, .nr = ARRAY_SIZE(kfuncs), .prog_type = type }

static const struct bpf_kfunc_set sets[] = {
	SET(BPF_PROG_TYPE_STRUCT_OPS),
	SET(BPF_PROG_TYPE_TRACING),
	SET(BPF_PROG_TYPE_SYSCALL),
	SET((enum bpf_prog_type)BPF_PROG_TYPE_PERIODIC),
};

int cpu_load_register_kfuncs(void)
{
	int err = 0;

	for (u32 i = 0; !err && i < ARRAY_SIZE(sets); i++)
		err = bpf_register_kfuncs(&sets[i]);
	return err;
}
