// SPDX-License-Identifier: GPL-2.0-only
/*
 * The thread of a periodic program: it sleeps until a run is due, runs it, and
 * in between does what it is asked to.
 *
 * Runs are due at first + n * period, whatever happens: a timer per run is armed
 * for that very time, on the CPU where the thread goes to sleep. Runs that are
 * due while one is still going on are left out and counted; the one after them
 * is on time again.
 *
 * What the program executes is the thread's own CPU time.
 */
#include "../../base/alloc.h"
#include "../../bpf/prog.h"
#include "../../bpf/prog_type.h"
#include "periodic.h"

#define MAX_ERRNO 4095

/* --- one call of a program -------------------------------------------------------- */

static s32 call_program(struct bpf_prog *prog, struct periodic *p)
{
	struct kthread *k;
	u64 arg = (u64)p->ctx;
	s32 ret;

	prog->preemptible = true;
	k = kthread_begin_program();
	if (p->own_type)
		ret = (s32)bpf_prog_run_ctx(prog, p->ctx);
	else
		ret = (s32)bpf_prog_call(prog, &arg, prog == p->plan.run);
	kthread_end_program(k);
	return ret;
}

static int call_init(struct bpf_prog *init, struct periodic *p)
{
	bool failed = p->stats.failed, stopped;
	s32 ret;

	if (!init)
		return 0;
	p->stats.failed = false;
	ret = call_program(init, p);
	stopped = p->stats.failed;
	p->stats.failed = failed;
	if (!ret && !stopped)
		return 0;
	/* as the kernel takes what a program returns for an error */
	if (ret >= 0 || ret < -MAX_ERRNO)
		ret = stopped ? -EFAULT : -EPROTO;
	bpf_refuse("init() of \"%s\" %s (%d, %s)", p->stats.name,
		   stopped ? "was stopped" : "failed", ret, strerror(-ret));
	return ret;
}

/* --- runs ------------------------------------------------------------------------------ */

/* Of its cgroup and all above: each may have a quota. */
static u64 throttled_time(const struct periodic *p)
{
	struct cgroup *cgroup = task_cgroup(p->task);
	struct cgroup_cpu_stat stat;
	u64 sum = 0;

	for (s32 level = cgroup->level; level > 0; level--) {
		cgroup_cpu_stat(cgroup->ancestors[level], &stat);
		sum += stat.throttled;
	}
	return sum;
}

/*
 * Since the run was due. Others of the cgroup may have been throttled besides, on
 * other CPUs, and the thread may have been moved: at most all of that time.
 */
static void note_throttled(struct periodic *p)
{
	u64 now = throttled_time(p);

	if (now > p->throttled_before)
		p->stats.throttled += min(now - p->throttled_before, cpu_clock() - p->due);
	/* should the next run be due already, it is from here on that it may be throttled */
	p->throttled_before = now;
}

static void run_due(struct hrtimer *timer)
{
	struct periodic *p = container_of(timer, struct periodic, timer);

	p->throttled_before = throttled_time(p);
	wait_queue_wake(&p->wake, 1, false);
}

static void wait_until_due(struct periodic *p)
{
	task_spend(costs.timer_program);
	hrtimer_start(&p->timer, p->due);
	kthread_wait(&p->wake);
	hrtimer_cancel(&p->timer);
}

/* The next run that is not due yet; those between are left out. */
static void next_due(struct periodic *p)
{
	u64 now = cpu_clock();
	u64 over = now > p->due ? (now - p->due - 1) / p->plan.period : 0;

	p->stats.missed += over;
	p->due += (over + 1) * p->plan.period;
}

static void run(struct periodic *p)
{
	u64 begun = cpu_clock(), runtime = task_runtime(p->task);

	*p->ctx = (struct bpf_periodic_ctx){
		.due = p->due, .period_ns = p->plan.period, .seq = p->stats.runs,
		.missed = p->stats.missed,
	};
	hist_record(&p->stats.wakeup, begun - p->due);
	call_program(p->plan.run, p);
	p->stats.runs++;
	runtime = task_runtime(p->task) - runtime;
	hist_record(&p->stats.run_time, runtime);
	p->stats.delay += cpu_clock() - begun - runtime;
	note_throttled(p);
	next_due(p);
}

/* --- requests ---------------------------------------------------------------------------- */

static void start(struct periodic *p)
{
	p->answer = call_init(p->plan.init, p);
	if (p->answer)
		return;
	p->due = cpu_clock() + p->plan.period;
	p->started = true;
}

static void stop(struct periodic *p)
{
	p->started = false;
	if (p->plan.exit && !p->stats.failed)
		call_program(p->plan.exit, p);
}

/* A new period counts from now; the same one keeps its phase. */
static void replace(struct periodic *p)
{
	struct bpf_prog *exit = p->stats.failed ? NULL : p->plan.exit;

	p->answer = call_init(p->next.init, p);
	if (p->answer)
		return;
	if (p->next.period != p->plan.period)
		p->due = cpu_clock() + p->next.period;
	p->plan = p->next;
	if (exit)
		call_program(exit, p);
	/* what the old programs did is not the new ones' fault */
	p->stats.failed = false;
}

static void serve(struct periodic *p)
{
	p->answer = 0;
	if (p->request == PERIODIC_START)
		start(p);
	else if (p->request == PERIODIC_REPLACE)
		replace(p);
	else
		stop(p);
	p->request = PERIODIC_NOTHING;
	wait_queue_wake(&p->reply, 1, false);
}

static void thread_run(void *data)
{
	struct periodic *p = data;

	while (p->request != PERIODIC_END) {
		if (p->request)
			serve(p);
		else if (!p->started || p->stats.failed)
			kthread_wait(&p->wake);
		else if (cpu_clock() < p->due)
			wait_until_due(p);
		else
			run(p);
	}
	p->stats.runtime = task_runtime(p->task);
	p->task = NULL;
}

static void thread_release(void *data)
{
	struct periodic *p = data;

	p->task = NULL;
	if (!p->listed)
		periodic_free(p);
}

static const struct kthread_ops thread_ops = { .run = thread_run, .release = thread_release };

/*
 * A program that was stopped would be stopped again in the next period: it is
 * not run any more. Programs that others attach to what it calls are not it.
 */
void periodic_fault(const struct bpf_prog *prog)
{
	struct periodic *p = kthread_data(&thread_ops);

	if (!p || !periodic_is_ours(prog))
		return;
	p->stats.failed = true;
	kernel_logf(false, "periodic program \"%s\" is not run any more", p->stats.name);
}

/* --- from outside of the thread -------------------------------------------------------------- */

struct periodic *periodic_create(const char *name, s32 nice, struct cgroup *cgroup, int *err)
{
	struct periodic *p = xcalloc(1, sizeof(*p));
	char comm[TASK_COMM_LEN];
	struct task_params params = { .comm = comm, .nice = nice, .group = TASK_GROUP_SYSTEM };

	snprintf(comm, sizeof(comm), "bpf/%.*s", TASK_COMM_LEN - 5, name);
	snprintf(p->stats.name, sizeof(p->stats.name), "%s", name);
	periodic_add(p);
	wait_queue_init(&p->wake);
	wait_queue_init(&p->reply);
	hrtimer_init(&p->timer, run_due);
	p->ctx = sched_alloc(OBJ_PERIODIC_CTX, sizeof(*p->ctx));
	p->task = kthread_create(&params, &thread_ops, p, err);
	if (!p->task) {
		periodic_free(p);
		return NULL;
	}
	p->stats.pid = p->task->ts.pid;
	*err = cgroup_attach_task(cgroup, p->task);
	task_start(p->task);
	if (!*err)
		return p;
	periodic_end(p);
	return NULL;
}

int periodic_ask(struct periodic *p, enum periodic_request request)
{
	/* nobody answers any more */
	if (kernel.stopping)
		return -ESHUTDOWN;
	VRT_ASSERT(!p->request);
	p->request = request;
	wait_queue_wake(&p->wake, 1, false);
	while (p->request)
		kthread_wait(&p->reply);
	return p->answer;
}

void periodic_end(struct periodic *p)
{
	p->request = PERIODIC_END;
	wait_queue_wake(&p->wake, 1, false);
}
