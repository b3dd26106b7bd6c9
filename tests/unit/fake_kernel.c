// SPDX-License-Identifier: GPL-2.0-only
/*
 * The API of src/sched/kernel.h without a scheduler, for tests of workloads:
 * every task has a CPU to itself, and next() runs from one queue in virtual
 * time. Included by a test, whose symbols then come before the library's.
 *
 * It counts what tasks report, and checks the contract: ACT_BLOCK exactly
 * after wait_queue_add(), release() exactly once, system calls one after the
 * other and none open but to block in.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/base/alloc.h"
#include "../../src/base/cpumask.h"
#include "../../src/base/rng.h"
#include "../../src/sched/kernel.h"
#include "../../src/sched/mm/mm.h"
#include "../../src/sim/cpu.h"

#define FAKE_MAX_GROUPS 64
#define FAKE_SYSCALL_NS 100

struct task {
	struct task_struct ts;
	const struct task_behaviour *behaviour;
	void *data;
	u32 group;
	bool started, exited, waiting, woken, timed_out;
	struct wait_queue *wq;
	struct list_head wait_node;
	u64 timeout;
	u64 due, seq; /* next() at @due; ~0: not queued */
	bool in_call, resumes; /* syscall_enter() */
	enum syscall_nr call;
	u64 runtime, sleeps, spins, yields, policies, affinities, moves;
	const char *cgroup;
	u32 slot;
};

struct fake_count {
	u64 ops, requests, request_sum, request_max, wakeups, wakeup_max, tasks;
	u64 exited, compute_ns, spin_ns;
};

static struct {
	u64 now, seq, charged, syscalls, syncs;
	struct task **tasks;
	u32 nr_tasks, tasks_room;
	struct task **heap;
	u32 nr_heap, heap_room;
	struct hrtimer *timers[64];
	struct task *current;
	struct fake_count group[FAKE_MAX_GROUPS];
	int refuse; /* task_create() fails with this */
	struct cpu_topology topo[64];
	struct cpumask smt[64], llc[64], node[64];
} fake;

struct cpu *cpus;
static struct cpu any_cpu; /* clocks do not differ: nothing to pay */
struct cpu *this_cpu = &any_cpu;

void __cpu_sync(void)
{
}

/* --- the queue ----------------------------------------------------------------- */

static bool earlier(const struct task *a, const struct task *b)
{
	return a->due != b->due ? a->due < b->due : a->seq < b->seq;
}

static void heap_set(u32 i, struct task *t)
{
	fake.heap[i] = t;
	t->slot = i;
}

static void heap_up(u32 i)
{
	for (; i && earlier(fake.heap[i], fake.heap[(i - 1) / 2]); i = (i - 1) / 2) {
		struct task *t = fake.heap[i];

		heap_set(i, fake.heap[(i - 1) / 2]);
		heap_set((i - 1) / 2, t);
	}
}

static void heap_down(u32 i)
{
	for (;;) {
		u32 least = i, child;
		struct task *t;

		for (child = 2 * i + 1; child <= 2 * i + 2; child++)
			if (child < fake.nr_heap && earlier(fake.heap[child], fake.heap[least]))
				least = child;
		if (least == i)
			return;
		t = fake.heap[i];
		heap_set(i, fake.heap[least]);
		heap_set(least, t);
		i = least;
	}
}

static void queue(struct task *t, u64 due)
{
	VRT_ASSERT(t->due == ~0ULL);
	if (fake.nr_heap == fake.heap_room) {
		fake.heap_room = fake.heap_room ? fake.heap_room * 2 : 64;
		fake.heap = xreallocarray(fake.heap, fake.heap_room, sizeof(*fake.heap));
	}
	t->due = due;
	t->seq = fake.seq++;
	heap_set(fake.nr_heap++, t);
	heap_up(t->slot);
}

static void unqueue(struct task *t)
{
	u32 i = t->slot;
	struct task *last = fake.heap[--fake.nr_heap];

	t->due = ~0ULL;
	if (last == t)
		return;
	heap_set(i, last);
	heap_up(i);
	heap_down(last->slot);
}

/* --- tasks --------------------------------------------------------------------- */

struct task *task_create(const struct task_params *params, const struct task_behaviour *behaviour,
			 void *data, int *err)
{
	struct task *t;

	if (fake.refuse) {
		*err = fake.refuse;
		return NULL;
	}
	t = xcalloc(1, sizeof(*t));
	snprintf(t->ts.comm, sizeof(t->ts.comm), "%s", params->comm);
	t->ts.pid = fake.nr_tasks + 1;
	t->ts.cpu = fake.nr_tasks % nr_cpu_ids;
	t->ts.policy = params->policy;
	t->ts.rt_priority = params->rt_priority;
	t->ts.static_prio = NICE_TO_PRIO(params->nice);
	t->ts.tgid = params->new_process || !params->parent ? t->ts.pid : params->parent->ts.tgid;
	if (params->allowed)
		t->ts.cpus_mask = *params->allowed;
	else
		cpumask_setall(&t->ts.cpus_mask);
	t->behaviour = behaviour;
	t->data = data;
	t->group = params->group;
	t->due = ~0ULL;
	INIT_LIST_HEAD(&t->wait_node);
	if (fake.nr_tasks == fake.tasks_room) {
		fake.tasks_room = fake.tasks_room ? fake.tasks_room * 2 : 64;
		fake.tasks = xreallocarray(fake.tasks, fake.tasks_room, sizeof(*fake.tasks));
	}
	fake.tasks[fake.nr_tasks++] = t;
	fake.group[t->group].tasks++;
	return t;
}

void task_start(struct task *t)
{
	VRT_ASSERT(!t->started);
	t->started = true;
	queue(t, fake.now);
}

void *task_data(struct task *t)
{
	return t->data;
}

s32 task_pid(const struct task *t)
{
	return t->ts.pid;
}

const char *task_comm(const struct task *t)
{
	return t->ts.comm;
}

struct task *current_task(void)
{
	return fake.current;
}

u32 current_cpu(void)
{
	return fake.current->ts.cpu;
}

u64 task_runtime(struct task *t)
{
	return t->runtime;
}

int task_set_affinity(struct task *t, const struct cpumask *mask)
{
	if (cpumask_empty(mask))
		return -EINVAL;
	t->ts.cpus_mask = *mask;
	t->affinities++;
	return 0;
}

int task_set_cgroup(struct task *t, const char *path)
{
	t->cgroup = path;
	t->moves++;
	return 0;
}

int task_set_nice(struct task *t, s32 nice)
{
	t->ts.static_prio = NICE_TO_PRIO(nice);
	return 0;
}

int task_set_policy(struct task *t, s32 policy, u32 rt_priority)
{
	bool rt = policy == SCHED_FIFO || policy == SCHED_RR;

	if (rt ? rt_priority < 1 || rt_priority > 99 : rt_priority)
		return -EINVAL;
	t->ts.policy = policy;
	t->ts.rt_priority = rt_priority;
	t->policies++;
	return 0;
}

/* --- waiting --------------------------------------------------------------------- */

void wait_queue_init(struct wait_queue *wq)
{
	INIT_LIST_HEAD(&wq->waiters);
}

void wait_queue_add(struct wait_queue *wq, u64 timeout_ns)
{
	struct task *t = fake.current;

	VRT_ASSERT(t && !t->waiting);
	t->waiting = true;
	t->woken = false;
	t->wq = wq;
	t->timeout = timeout_ns;
	list_add_tail(&t->wait_node, &wq->waiters);
}

u32 wait_queue_wake(struct wait_queue *wq, u32 nr, bool sync)
{
	u32 woken = 0;

	fake.syncs += sync;
	while (woken < nr && !list_empty(&wq->waiters)) {
		struct task *t = list_first_entry(&wq->waiters, struct task, wait_node);

		list_del_init(&t->wait_node);
		t->wq = NULL;
		t->woken = true;
		t->timed_out = false;
		if (t != fake.current) {
			if (t->due != ~0ULL)
				unqueue(t);
			queue(t, fake.now + fake.charged);
		}
		woken++;
	}
	return woken;
}

bool wait_timed_out(void)
{
	return fake.current->timed_out;
}

/* --- the rest of the API ------------------------------------------------------------- */

u64 kernel_now(void)
{
	return fake.now + fake.charged;
}

u64 task_clock(void)
{
	return kernel_now();
}

void kernel_run_inside(void (*fn)(void *arg), void *arg)
{
	fn(arg);
}

/* One CPU. */
void task_sync(void)
{
}

void task_charge_syscall(void)
{
	fake.charged += FAKE_SYSCALL_NS;
	fake.syscalls++;
}

void syscall_set_site(const char *site)
{
}

void syscall_enter(enum syscall_nr nr, u64 a, u64 b)
{
	struct task *t = fake.current;

	VRT_ASSERT(!t->in_call || (t->resumes && t->call == nr));
	t->in_call = true;
	t->call = nr;
	t->resumes = false;
}

void syscall_return(s64 ret)
{
	VRT_ASSERT(fake.current->in_call && !fake.current->resumes);
	fake.current->in_call = false;
}

void syscall_resumes(void)
{
	VRT_ASSERT(fake.current->in_call && fake.current->waiting);
	fake.current->resumes = true;
}

void syscall_futex(struct wait_queue *wq, u32 nr)
{
	syscall_enter(SYSCALL_FUTEX, 0, 0);
}

/* Files there are as many as somebody makes; what they are called does not matter here. */
int sys_openat2(const char *path, u64 flags)
{
	task_charge_syscall();
	return 3;
}

int sys_close(int fd)
{
	task_charge_syscall();
	return fd == 3 ? 0 : -EBADF;
}

s64 sys_read(int fd, u64 count)
{
	task_charge_syscall();
	return fd == 3 ? (s64)count : -EBADF;
}

int kernel_make_file(const char *path, u64 size)
{
	return 0;
}

/* --- memory: counts accesses, and has none for the first @out_of_memory of them --- */

static struct {
	u64 totalram, pages, reads, writes, sum, contents;
	u32 out_of_memory, unmaps;
	bool killed;
} fake_mm;

void mm_set_totalram(u64 pages)
{
	fake_mm.totalram = pages;
}

int mm_map(struct task *task, u64 pages)
{
	fake_mm.pages += pages;
	return 0;
}

static int fake_access(u64 index, u64 *count)
{
	if (fake_mm.out_of_memory) {
		fake_mm.out_of_memory--;
		return -EAGAIN;
	}
	++*count;
	fake_mm.sum += index;
	return fake_mm.killed ? -EFAULT : 0;
}

int mm_read(u64 index)
{
	return fake_access(index, &fake_mm.reads);
}

int mm_write(u64 index, u64 content)
{
	fake_mm.contents += content;
	return fake_access(index, &fake_mm.writes);
}

u64 mm_content_own(void)
{
	return 1;
}

u64 mm_unmap(u32 nr)
{
	return fake_mm.unmaps && fake_mm.unmaps-- ? 1000 : 0;
}

bool mm_killed(void)
{
	return fake_mm.killed;
}

void mm_stats(struct mm_stats *stats)
{
	*stats = (struct mm_stats){ .info.totalram = fake_mm.totalram };
}

/* --- figures ----------------------------------------------------------------------- */

void task_report_ops(u64 units)
{
	fake.group[fake.current->group].ops += units;
}

void task_report_request(u64 latency_ns)
{
	struct fake_count *c = &fake.group[fake.current->group];

	c->requests++;
	c->request_sum += latency_ns;
	c->request_max = max(c->request_max, latency_ns);
}

void task_report_wakeup(u64 latency_ns)
{
	struct fake_count *c = &fake.group[fake.current->group];

	c->wakeups++;
	c->wakeup_max = max(c->wakeup_max, latency_ns);
}

void workload_rng(struct rng *rng, const char *name, u64 index)
{
	rng_fork(rng, 1, name, index);
}

void hrtimer_init(struct hrtimer *timer, void (*fn)(struct hrtimer *timer))
{
	memset(timer, 0, sizeof(*timer));
	timer->fn = fn;
}

void hrtimer_start_on(struct hrtimer *timer, struct cpu *cpu, u64 when)
{
	u32 i;

	timer->cpu = cpu;
	timer->event.time = when;
	for (i = 0; i < ARRAY_SIZE(fake.timers); i++) {
		if (!fake.timers[i] || fake.timers[i] == timer) {
			fake.timers[i] = timer;
			return;
		}
	}
	VRT_ASSERT(!"too many timers");
}

void hrtimer_start(struct hrtimer *timer, u64 when)
{
	hrtimer_start_on(timer, timer->cpu, when);
}

/* --- the machine ---------------------------------------------------------------------- */

/* nodes x llcs x cores x threads as 1 x 2 x (nr / 4) x 2 where it divides */
static void fake_boot(u32 nr_cpus)
{
	u32 i, j;

	memset(&fake, 0, sizeof(fake));
	memset(&fake_mm, 0, sizeof(fake_mm));
	nr_cpu_ids = nr_cpus;
	fake.now = NSEC_PER_SEC;
	cpus = xcalloc(nr_cpus, sizeof(*cpus));
	VRT_ASSERT(nr_cpus <= ARRAY_SIZE(fake.topo));
	for (i = 0; i < nr_cpus; i++) {
		struct cpu_topology *t = &fake.topo[i];

		t->core = i / 2;
		t->thread = i % 2;
		t->llc = nr_cpus >= 8 ? i / (nr_cpus / 2) : 0;
		t->capacity = SCHED_CAPACITY_SCALE;
		t->smt_mask = &fake.smt[i];
		t->llc_mask = &fake.llc[i];
		t->node_mask = &fake.node[i];
		cpus[i].id = i;
		cpus[i].topo = t;
	}
	for (i = 0; i < nr_cpus; i++)
		for (j = 0; j < nr_cpus; j++) {
			if (fake.topo[i].core == fake.topo[j].core)
				cpumask_set_cpu(j, &fake.smt[i]);
			if (fake.topo[i].llc == fake.topo[j].llc)
				cpumask_set_cpu(j, &fake.llc[i]);
			cpumask_set_cpu(j, &fake.node[i]);
		}
}

static void take_action(struct task *t, const struct task_action *action)
{
	u64 now = fake.now + fake.charged;
	struct fake_count *c = &fake.group[t->group];

	VRT_ASSERT(action->kind == ACT_BLOCK ? t->waiting : !t->waiting);
	switch (action->kind) {
	case ACT_SPIN:
		t->spins++;
		c->spin_ns += action->ns;
		t->runtime += action->ns;
		queue(t, now + action->ns);
		return;
	case ACT_COMPUTE:
		c->compute_ns += action->ns;
		t->runtime += action->ns;
		queue(t, now + action->ns);
		return;
	case ACT_SLEEP:
		t->sleeps++;
		queue(t, now + max(action->ns, (u64)1));
		return;
	case ACT_SLEEP_UNTIL:
		t->sleeps++;
		queue(t, max(now, action->ns));
		return;
	case ACT_BLOCK:
		t->waiting = false;
		if (t->woken)
			queue(t, now);
		else if (t->timeout)
			queue(t, now + t->timeout);
		return;
	case ACT_YIELD:
		t->yields++;
		queue(t, now + 1);
		return;
	case ACT_EXIT:
		t->exited = true;
		c->exited++;
		return;
	}
}

static void run_task(struct task *t)
{
	struct task_action action = { .kind = ACT_EXIT };

	if (t->wq) { /* its patience has ended */
		list_del_init(&t->wait_node);
		t->wq = NULL;
		t->timed_out = true;
	}
	fake.current = t;
	t->in_call &= t->resumes; /* otherwise the call has returned */
	t->behaviour->next(t, &action);
	VRT_ASSERT(!t->in_call || action.kind == ACT_BLOCK);
	take_action(t, &action);
	fake.current = NULL;
}

static struct hrtimer **first_timer(void)
{
	struct hrtimer **first = NULL;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(fake.timers); i++)
		if (fake.timers[i] && (!first || fake.timers[i]->event.time < (*first)->event.time))
			first = &fake.timers[i];
	return first;
}

/* Returns how many calls of next() it took. */
static u64 fake_run_until(u64 until)
{
	u64 calls = 0;

	for (;;) {
		struct task *t = fake.nr_heap ? fake.heap[0] : NULL;
		struct hrtimer **slot = first_timer(), *timer = slot ? *slot : NULL;
		u64 due = t ? t->due : ~0ULL;

		if (timer && timer->event.time <= due)
			due = timer->event.time;
		else
			timer = NULL;
		if (due > until || due == ~0ULL)
			break;
		fake.now = max(fake.now, due);
		fake.charged = 0;
		if (timer) {
			*slot = NULL;
			timer->fn(timer);
			continue;
		}
		unqueue(t);
		run_task(t);
		calls++;
	}
	fake.charged = 0;
	if (until != ~0ULL)
		fake.now = until;
	return calls;
}

static u64 fake_run_for(u64 ns)
{
	return fake_run_until(fake.now + ns);
}

static void fake_shutdown(void)
{
	u32 i;

	for (i = 0; i < fake.nr_tasks; i++) {
		struct task *t = fake.tasks[i];

		if (t->behaviour->release)
			t->behaviour->release(t);
		free(t);
	}
	free(fake.tasks);
	free(fake.heap);
	free(cpus);
	cpus = NULL;
}
