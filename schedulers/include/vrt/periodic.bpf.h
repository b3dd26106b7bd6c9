/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What periodic programs may call that Linux does not have: the same on the
 * simulated machine and, with the module schedbpf, on real Linux.
 */
#ifndef VRT_PERIODIC_BPF_H
#define VRT_PERIODIC_BPF_H

#include <vmlinux.h>

#include <bpf/bpf_helpers.h>

/* --- programs that manage their periods themselves (BPF_PERIODIC_PROGRAM) ------ */

/*
 *	SEC("struct_ops.s/run")
 *	int BPF_PROG(run, struct bpf_periodic_ctx *first)
 *	{
 *		struct bpf_periodic_ctx *tick;
 *
 *		bpf_for_each(periodic, tick, first)
 *			work(tick->seq);
 *		return 0;
 *	}
 *
 * The loop ends when the program is detached or replaced, and also when the wait
 * would be long: then run() is called again for the next period. What must
 * outlive the loop is in maps or global variables.
 */
extern int bpf_iter_periodic_new(struct bpf_iter_periodic *it,
				 struct bpf_periodic_ctx *ctx) __ksym __weak;
extern struct bpf_periodic_ctx *
bpf_iter_periodic_next(struct bpf_iter_periodic *it) __ksym __weak;
extern void bpf_iter_periodic_destroy(struct bpf_iter_periodic *it) __ksym __weak;

/*
 * During a run: the next one is due at @due (CLOCK_MONOTONIC, ns), those after it
 * a period after each other from there on. ERANGE: less than 10 us after this one
 * was due, or more than 24 h ahead.
 */
extern int bpf_periodic_set_due(struct bpf_periodic_ctx *ctx, __u64 due) __ksym __weak;

/* --- figures of programs ----------------------------------------------------------- */

/*
 * Of the attached program of that name, a constant string; of those of one name the
 * one attached first. ENOENT: there is none.
 */
extern int bpf_periodic_get_stats(const char *name__str,
				  struct bpf_periodic_stats *stats) __ksym __weak;

/* --- what CPUs do ------------------------------------------------------------------- */

/*
 * From all programs that may call kfuncs of tasks. bpf_cpus_*() are sums over the CPUs
 * that are online. For a CPU that there is not they say 0, or NULL.
 *
 * Reading has a price, and not for the reader alone. What a CPU does is on a cache
 * line that this CPU writes with every wakeup and every switch. Who reads it from
 * elsewhere waits for the line to come over (costs.cacheline[] of the simulated
 * machine, by distance: 10 ns within a core, 50 within a last-level cache, 140 between
 * nodes), and the CPU that is looked at waits for it to come back when it next takes its
 * runqueue's lock. Looking again before that costs nothing. bpf_cpus_*() do so with
 * every CPU of the machine, one after the other: every 10 us on 64 CPUs that is felt.
 * The line of one's own CPU is most often here: then reading costs no more than the call.
 */

/* Tasks that are runnable there, the running one included (rq->nr_running). */
extern __u32 bpf_cpu_nr_running(__s32 cpu) __ksym __weak;
extern __u32 bpf_cpus_nr_running(void) __ksym __weak;

/*
 * ns since boot that it was idle, and that it was not: tasks, the kernel, interrupts.
 * On Linux in microseconds or, with CONFIG_NO_HZ off, in ticks.
 */
extern __u64 bpf_cpu_busy_time(__s32 cpu) __ksym __weak;
extern __u64 bpf_cpus_busy_time(void) __ksym __weak;
extern __u64 bpf_cpu_idle_time(__s32 cpu) __ksym __weak;
extern __u64 bpf_cpus_idle_time(void) __ksym __weak;

/* Who runs there; NULL: nobody, it is idle. To be given back by bpf_task_release(). */
extern struct task_struct *bpf_cpu_curr(__s32 cpu) __ksym __weak;

/*
 * bpf_cpu_nr_running() where there is such a kfunc, and else, as with the module on a
 * stock kernel, whose runqueues modules cannot see but programs can, from there.
 */
extern const struct rq runqueues __ksym __weak;

static inline __u32 periodic_cpu_nr_running(__s32 cpu)
{
	const struct rq *rq;

	if (bpf_ksym_exists(bpf_cpu_nr_running))
		return bpf_cpu_nr_running(cpu);
	rq = bpf_per_cpu_ptr(&runqueues, cpu);
	return rq ? rq->nr_running : 0;
}

#endif
