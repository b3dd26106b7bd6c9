// SPDX-License-Identifier: GPL-2.0-only
/*
 * Boot, run and shutdown of the simulated kernel, its log, and its books.
 *
 * The memory of runqueues, idle tasks and masks is made before the machine
 * runs; everything that is a task is made on CPU 0 as the first thing its fiber
 * does, as on a real machine.
 */
#include <stdarg.h>

#include "../base/alloc.h"
#include "../base/strbuf.h"
#include "sched.h"
#include "syscall.h"

struct kernel kernel;
void (*sched_trace)(const struct trace_record *recs, u32 nr);
struct trace_batch trace_batch;

/* --- log and trace ------------------------------------------------------------ */

static void trace_drop(const struct trace_record *recs, u32 nr)
{
}

void trace_flush(void)
{
	u32 nr = trace_batch.next - trace_batch.recs;

	trace_batch.next = trace_batch.recs;
	if (nr)
		sched_trace(trace_batch.recs, nr);
}

void sched_trace_batch(u32 nr)
{
	VRT_ASSERT(nr && nr <= TRACE_BATCH_MAX);
	trace_batch.end = trace_batch.recs + nr;
	if (trace_batch.next >= trace_batch.end)
		trace_flush();
}

void trace_prio(const struct task_struct *p)
{
	trace_emit(TRACE_PRIO, p->pid, p->prio, task_weight(p));
}

/* A record that says how long the text is, and the text in as many more as it takes. */
static void trace_text(const char *text)
{
	u64 len = strlen(text);

	if (!this_cpu)
		return;
	trace_emit(TRACE_PRINTK, program_task()->pid, len, 0);
	for (u64 at = 0; at < len; at += sizeof(struct trace_record)) {
		struct trace_record *rec = trace_batch.next;

		*rec = (struct trace_record){ 0 };
		memcpy(rec, text + at, min(len - at, sizeof(*rec)));
		trace_added(rec);
	}
}

void trace_flush_overhead(struct cpu_rq *crq)
{
	u64 now = this_cpu ? cpu_clock() : sim_now();

#pragma GCC unroll NR_TRACE_OVH
	for (u32 kind = 0; kind < NR_TRACE_OVH; kind++) {
		if (!crq->overhead[kind])
			continue;
		trace_add(now, TRACE_OVERHEAD, crq->rq.cpu, 0, crq->overhead[kind], kind);
		crq->overhead[kind] = 0;
	}
}

void kernel_logf(bool bpf, const char *fmt, ...)
{
	char line[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (bpf)
		trace_text(line);
	if (kernel.config.log)
		kernel.config.log(kernel_now(), bpf, line);
}

/* --- boot ------------------------------------------------------------------------ */

static void boot_masks(void)
{
	kernel.possible = cpumask_alloc();
	kernel.online = cpumask_alloc();
	kernel.active = cpumask_alloc();
	kernel.none = cpumask_alloc();
	cpumask_setall(kernel.possible);
	cpumask_copy(kernel.online, kernel.possible);
	cpumask_copy(kernel.active, kernel.possible);
}

/* Which CPUs share a core. */
static void boot_core(struct cpu_rq *crq)
{
	u32 cpu = crq->rq.cpu;
	const struct cpumask *smt = topo_of(cpu)->smt_mask;

	crq->capacity = topo_of(cpu)->capacity;
	crq->core = &kernel.cores[topo_of(cpu)->core];
	crq->core->first = cpumask_first(smt);
	crq->next_thread = cpumask_next_and_wrap(cpu + 1, smt, smt);
}

static struct cpu_rq *boot_rq(u32 cpu)
{
	struct cpu_rq *crq = sched_alloc(OBJ_RQ, sizeof(*crq));
	struct rq *rq = &crq->rq;

	rq->cpu = cpu;
	rq->online = 1;
	rq->cpu_capacity = topo_of(cpu)->capacity;
	boot_core(crq);
	sim_lock_init(&crq->lock);
	crq->tick_due = SIM_NEVER;
	hrtimer_init(&crq->tick, NULL);
	INIT_LIST_HEAD(&crq->wake_list);
	INIT_LIST_HEAD(&crq->work);
	crq->book_open = BOOK_OVERHEAD;
	crq->book_stamp = sim_now();
	init_cfs_rq(rq);
	init_rt_rq(rq);
	rq->idle = &idle_task_create(cpu)->ts;
	rq->curr = rq->idle;
	kernel.currs[cpu] = rq->curr;
	return crq;
}

static void sleep_forever(struct task *task, struct task_action *action)
{
	wait_queue_add(task_data(task), 0);
	action->kind = ACT_BLOCK;
}

static const struct task_behaviour sleeper = { .next = sleep_forever };
static struct wait_queue never;

static struct task *boot_task(const char *comm, u32 flags, struct task *parent)
{
	struct task_params params = {
		.comm = comm, .group = TASK_GROUP_SYSTEM, .parent = parent, .new_process = true,
	};
	int err;
	struct task *t = task_create_flags(&params, &sleeper, &never, flags, &err);

	VRT_ASSERT(t);
	task_start(t);
	return t;
}

/* On CPU 0's fiber. */
static void boot_tasks(void)
{
	wait_queue_init(&never);
	kernel.init_task = boot_task("init", 0, NULL);
	boot_task("kthreadd", PF_KTHREAD, NULL);
	kernel_entry_init();
	noise_init(kernel.config.noise);
	scx_boot();
}

static void cpu_boot(void)
{
	struct cpu_rq *crq = kernel.rqs[this_cpu->id];

	/* ticks are not aligned across CPUs */
	crq->tick_phase = rng_below(&sim_rng, kernel.tick_ns);
	if (this_cpu->id)
		return;
	boot_tasks();
	kernel.booted = true;
	sim_stop();
}

static const struct cpu_ops cpu_plugs = {
	.boot = cpu_boot,
	.interrupt = cpu_interrupt,
	.reschedule = cpu_reschedule,
	.run = cpu_run,
	.interrupted = cpu_interrupted,
	.coming = { coming_cpu, coming_queue },
};

int kernel_boot(const struct kernel_config *config)
{
	u32 cpu, nr = config->topology->nr_cpus;
	int err;

	VRT_ASSERT(!kernel.booted);
	if (nr < 1 || nr > VRT_NR_CPUS || config->hz > 1000)
		return -EINVAL;
	err = kheap_init();
	if (err)
		return err;
	memset(&kernel, 0, sizeof(kernel));
	kernel.config = *config;
	kernel.hz = config->hz ? config->hz : 250;
	kernel.tick_ns = NSEC_PER_SEC / kernel.hz;
	kernel.nr_pids = 1;
	INIT_LIST_HEAD(&kernel.tasks);
	INIT_LIST_HEAD(&kernel.zombies);
	INIT_LIST_HEAD(&kernel.graveyard);
	if (!sched_trace)
		sched_trace = trace_drop;
	trace_batch.next = trace_batch.recs;
	sched_trace_batch(1);
	nr_cpu_ids = nr;
	sim_init(config->seed);
	kernel.boot_time = sim_now();
	/* before the first object: their BTF types must be known */
	err = bpf_glue_init();
	if (err)
		return err;
	boot_masks();
	boot_cgroups();
	mm_boot();
	kernel.cores = xcalloc(config->topology->nr_cores, sizeof(*kernel.cores));
	kernel.rqs = xcalloc(nr, sizeof(*kernel.rqs));
	kernel.currs = xcalloc(nr, sizeof(*kernel.currs));
	for (cpu = 0; cpu < nr; cpu++)
		kernel.rqs[cpu] = boot_rq(cpu);
	scx_boot_early();
	ghost_boot_early();
	cpus_init(config->topology, config->costs, &cpu_plugs);
	for (cpu = 0; cpu < nr; cpu++)
		kernel.rqs[cpu]->cpu = &cpus[cpu];
	while (!kernel.booted)
		sim_run(SIM_NEVER);
	return 0;
}

void kernel_run_until(u64 until)
{
	sim_run(until);
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
		trace_flush_overhead(kernel.rqs[cpu]);
	trace_flush();
}

static void quiesce(void *arg)
{
	kernel.stopping = true;
	synchronize_cpus();
	kthread_abort_programs();
}

void kernel_shutdown(void)
{
	trace_flush();
	sched_trace = trace_drop;
	/* what is in the middle of something on some CPU comes to its end: programs, forks */
	kernel_run_inside(quiesce, NULL);
	/* an attached scheduler is detached by the machine it runs on */
	bpf_glue_exit();
	cpus_exit();
	/* while the memory of all timers is there; none is started from here on */
	sim_exit();
	scx_shutdown();
	ghost_shutdown();
	noise_exit();
	tasks_free_all();
	mm_shutdown();
	syscall_forget_sites();
	files_forget();
	periodic_exit();
	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
		kheap_free(task_of(kernel.rqs[cpu]->rq.idle));
		kheap_free(kernel.rqs[cpu]);
	}
	free(kernel.rqs);
	free(kernel.currs);
	free(kernel.cores);
	kheap_free(kernel.possible);
	kheap_free(kernel.online);
	kheap_free(kernel.active);
	kheap_free(kernel.none);
	free_cgroups();
	kernel.booted = false;
}

u64 kernel_now(void)
{
	return this_cpu ? cpu_clock() : sim_now();
}

void workload_rng(struct rng *rng, const char *name, u64 index)
{
	rng_fork(rng, kernel.config.seed, name, index);
}

/* --- the books -------------------------------------------------------------------- */

void kernel_cpu_times(u32 cpu, struct cpu_times *times)
{
	struct cpu_rq *crq = kernel.rqs[cpu];
	u64 book[NR_BOOKS];

	memcpy(book, crq->book, sizeof(book));
	/* a CPU that is ahead of global now has booked a little of the future */
	book[crq->book_open] += sim_now() - crq->book_stamp;
	times->busy = book[BOOK_BUSY];
	times->idle = book[BOOK_IDLE];
	times->overhead = book[BOOK_OVERHEAD];
}

u64 kernel_context_switches(void)
{
	u64 sum = 0;

	for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
		sum += cpu_rq(cpu)->nr_switches;
	return sum;
}

struct audit {
	struct strbuf out;
	u32 bad;
	u32 *queued; /* per CPU */
	u64 busy;
};

__printf(2, 3) static void audit_note(struct audit *a, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	strbuf_vprintf(&a->out, fmt, args);
	va_end(args);
	strbuf_printf(&a->out, "\n");
	a->bad++;
}

/* Where @p is said to be and where it is: the same? */
static void audit_task(struct audit *a, struct task *t)
{
	struct task_struct *p = &t->ts;
	struct rq *rq = task_rq(p);
	const char *wrong = NULL;

	a->busy += t->busy;
	/* in the middle of an operation of some CPU, which will finish it */
	if (crq_of(rq)->lock.owner || p->on_rq == 2)
		return;
	if (p->on_rq && !fair_task_throttled(p))
		a->queued[rq->cpu]++;
	if (p->on_rq && class_of(p) == &ext_sched_class)
		wrong = scx_check(rq, p);
	else if (p->on_rq && class_of(p) == &fair_sched_class)
		wrong = p->se.on_rq ? NULL : "runnable but not in the fair tree";
	else if (p->on_rq && class_of(p) == &rt_sched_class)
		wrong = p->rt.on_rq ? NULL : "runnable but on no rt list";
	else if (p->on_rq && class_of(p) == &ghost_sched_class)
		wrong = ghost_check(rq, p);
	else if (!p->on_rq && p->__state == TASK_RUNNING && !p->on_cpu)
		wrong = "lost: to run, but on no queue";
	if (wrong)
		audit_note(a, "%s[%d] on CPU %d: %s", p->comm, p->pid, rq->cpu, wrong);
}

static void audit_cpu(struct audit *a, u32 cpu, u64 elapsed)
{
	struct cpu_rq *crq = kernel.rqs[cpu];
	struct cpu_times times;
	const char *wrong;

	kernel_cpu_times(cpu, &times);
	if (times.busy + times.idle + times.overhead != elapsed)
		audit_note(a, "CPU %u: busy %llu + idle %llu + overhead %llu is not elapsed %llu",
			   cpu, times.busy, times.idle, times.overhead, elapsed);
	if (crq->lock.owner)
		return;
	if (a->queued[cpu] != crq->rq.nr_running)
		audit_note(a, "CPU %u: nr_running is %u, but %u tasks are queued", cpu,
			   crq->rq.nr_running, a->queued[cpu]);
	wrong = fair_check(&crq->rq);
	if (wrong)
		audit_note(a, "CPU %u: %s", cpu, wrong);
}

u32 kernel_check_books(char *out, size_t size)
{
	struct audit a = { .out = { 0 }, .queued = xcalloc(nr_cpu_ids, sizeof(u32)) };
	u64 elapsed = sim_now() - kernel.boot_time, busy = 0;
	struct task *t;
	u32 cpu;

	a.busy = kernel.dead_busy;
	list_for_each_entry(t, &kernel.tasks, all)
		audit_task(&a, t);
	list_for_each_entry(t, &kernel.zombies, all)
		a.busy += t->busy;
	list_for_each_entry(t, &kernel.graveyard, all)
		a.busy += t->busy;
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		audit_cpu(&a, cpu, elapsed);
		busy += kernel.rqs[cpu]->book[BOOK_BUSY];
	}
	if (mm_check())
		audit_note(&a, "%s", mm_check());
	/* closed stretches only, on both sides */
	if (busy != a.busy)
		audit_note(&a, "CPUs were busy for %llu ns, tasks computed for %llu", busy, a.busy);
	if (out && size)
		snprintf(out, size, "%s", strbuf_str(&a.out));
	strbuf_free(&a.out);
	free(a.queued);
	return a.bad;
}
