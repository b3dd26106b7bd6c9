// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers: the threads of periodic programs, a dedicated one for each program, or a
 * shared one for all that name it.
 *
 * A worker sleeps until the first of its programs is due, runs that, and in between
 * does what it is asked to. A timer per sleep is armed for that very time, on the
 * CPU where the thread goes to sleep.
 *
 * What a program executes is its worker's own CPU time.
 */
#include "../../base/alloc.h"
#include "../../base/rbtree.h"
#include "../../bpf/prog.h"
#include "../../bpf/prog_type.h"
#include "periodic.h"

static struct list_head workers = LIST_HEAD_INIT(workers); /* shared ones */

/* --- sleeping --------------------------------------------------------------------- */

u64 periodic_throttled_time(const struct periodic_worker *w)
{
	struct cgroup *cgroup = task_cgroup(w->task);
	struct cgroup_cpu_stat stat;
	u64 sum = 0;

	/* each of them may have a quota */
	for (s32 level = cgroup->level; level > 0; level--) {
		cgroup_cpu_stat(cgroup->ancestors[level], &stat);
		sum += stat.throttled;
	}
	return sum;
}

static void run_due(struct hrtimer *timer)
{
	struct periodic_worker *w = container_of(timer, struct periodic_worker, timer);

	w->throttled = periodic_throttled_time(w);
	wait_queue_wake(&w->wake, 1, false);
}

bool periodic_worker_sleep(struct periodic_worker *w, u64 until, bool inside)
{
	if (until != SIM_NEVER) {
		task_spend(costs.timer_program);
		hrtimer_start(&w->timer, until);
	}
	if (!inside)
		kthread_wait(&w->wake);
	else if (kthread_wait_program(&w->wake))
		return true;
	hrtimer_cancel(&w->timer);
	return false;
}

/* --- the queue ----------------------------------------------------------------------- */

static bool due_before(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct periodic, timer)->due < rb_entry(b, struct periodic, timer)->due;
}

static void queue_program(struct periodic_worker *w, struct periodic *p)
{
	rb_insert_cached(&w->queue, &p->timer, due_before, NULL);
}

static void dequeue_program(struct periodic_worker *w, struct periodic *p)
{
	if (!RB_EMPTY_NODE(&p->timer))
		rb_remove_cached(&w->queue, &p->timer, NULL);
}

static void run_next(struct periodic_worker *w)
{
	struct rb_node *first = w->queue.rb_leftmost;
	struct periodic *p = first ? rb_entry(first, struct periodic, timer) : NULL;

	if (!p || p->due > cpu_clock()) {
		periodic_worker_sleep(w, p ? p->due : SIM_NEVER, false);
		return;
	}
	dequeue_program(w, p);
	periodic_run(p);
	/* one that was stopped for what it did would be stopped again */
	if (!p->stats.failed)
		queue_program(w, p);
	/* runs may follow each other without a sleep between them */
	if (this_cpu->pending || need_resched())
		kthread_preempt();
}

/* --- requests ---------------------------------------------------------------------------- */

static int start(struct periodic_worker *w, struct periodic *p)
{
	int err = periodic_call_init(p, p->plan.init);

	if (err)
		return err;
	p->stats.failed = false; /* it may have been attached before */
	p->due = cpu_clock() + p->plan.period;
	queue_program(w, p);
	return 0;
}

static void stop(struct periodic_worker *w, struct periodic *p)
{
	dequeue_program(w, p);
	if (!p->stats.failed)
		periodic_call_exit(p, p->plan.exit);
}

/* A new period counts from now; the same one keeps its phase. */
static int replace(struct periodic_worker *w, struct periodic *p, const struct periodic_plan *next)
{
	struct bpf_prog *exit = p->stats.failed ? NULL : p->plan.exit;
	int err = periodic_call_init(p, next->init);
	u64 now;

	if (err)
		return err;
	dequeue_program(w, p);
	now = cpu_clock();
	if (next->period != p->plan.period)
		p->due = now + next->period;
	else if (p->stats.failed && p->due < now) /* it was not run for a while */
		p->due += DIV_ROUND_UP(now - p->due, next->period) * next->period;
	p->plan = *next;
	queue_program(w, p);
	periodic_call_exit(p, exit);
	/* what the old programs did is not the new ones' fault */
	p->stats.failed = false;
	return 0;
}

static void serve(struct periodic_worker *w)
{
	struct periodic_request *request = w->request;

	if (request->type == PERIODIC_START)
		request->answer = start(w, request->program);
	else if (request->type == PERIODIC_REPLACE)
		request->answer = replace(w, request->program, request->next);
	else
		stop(w, request->program);
	request->done = true;
	w->request = NULL;
	w->throttled = periodic_throttled_time(w);
	wait_queue_wake(&w->reply, ~0U, false);
}

int periodic_ask(struct periodic *p, enum periodic_request_type type,
		 const struct periodic_plan *next)
{
	struct periodic_request request = { .type = type, .program = p, .next = next };
	struct periodic_worker *w = p->worker;

	/* nobody answers any more */
	if (kernel.stopping)
		return -ESHUTDOWN;
	while (w->request)
		kthread_wait(&w->reply);
	w->request = &request;
	wait_queue_wake(&w->wake, 1, false);
	while (!request.done)
		kthread_wait(&w->reply);
	return request.answer;
}

/* --- the thread ----------------------------------------------------------------------------- */

static void thread_run(void *data)
{
	struct periodic_worker *w = data;

	while (!w->ending) {
		if (w->request)
			serve(w);
		else
			run_next(w);
	}
}

static void thread_release(void *data)
{
	struct periodic_worker *w = data;

	hrtimer_cancel(&w->timer);
	free(w);
}

static const struct kthread_ops thread_ops = { .run = thread_run, .release = thread_release };

struct periodic_worker *periodic_worker_self(void)
{
	return kthread_data(&thread_ops);
}

/*
 * A program that was stopped would be stopped again in the next period: it is
 * not run any more. Programs that others attach to what it calls are not it.
 */
void periodic_fault(const struct bpf_prog *prog)
{
	struct periodic_worker *w = periodic_worker_self();

	if (!w || !w->running || !periodic_is_ours(prog))
		return;
	w->running->stats.failed = true;
	kernel_logf(false, "periodic program \"%s\" is not run any more", w->running->stats.name);
}

/* --- which there are ---------------------------------------------------------------------------- */

static struct periodic_worker *find_shared(const char *name)
{
	struct periodic_worker *w;

	list_for_each_entry(w, &workers, node) {
		if (!strcmp(w->name, name))
			return w;
	}
	return NULL;
}

/* "/" and "" are one. */
static const char *cgroup_of(const struct bpf_periodic_ops *ops)
{
	return ops->cgroup[0] ? ops->cgroup : "/";
}

#define DISAGREE(w, format, field, mine, others)                                                   \
	REFUSE(-EINVAL, field " is " format ": the other programs of worker \"%s\" have " format,  \
	       mine, (w)->name, others)

static int check_agreement(const struct periodic_worker *w, const struct bpf_periodic_ops *ops)
{
	if (w->nice != ops->nice)
		return DISAGREE(w, "%d", "nice", ops->nice, w->nice);
	if (w->cpu_quota_us != ops->cpu_quota_us)
		return DISAGREE(w, "%llu", "cpu_quota_us", ops->cpu_quota_us, w->cpu_quota_us);
	if (w->cpu_period_us != ops->cpu_period_us)
		return DISAGREE(w, "%llu", "cpu_period_us", ops->cpu_period_us, w->cpu_period_us);
	if (strcmp(w->parent, cgroup_of(ops)))
		return DISAGREE(w, "\"%s\"", "cgroup", cgroup_of(ops), w->parent);
	return 0;
}

static struct periodic_worker *worker_alloc(const struct bpf_periodic_ops *ops)
{
	struct periodic_worker *w = xcalloc(1, sizeof(*w));

	w->shared = ops->worker[0];
	snprintf(w->name, sizeof(w->name), "%s", w->shared ? ops->worker : ops->name);
	snprintf(w->parent, sizeof(w->parent), "%s", cgroup_of(ops));
	w->nice = ops->nice;
	w->cpu_quota_us = ops->cpu_quota_us;
	w->cpu_period_us = ops->cpu_period_us;
	w->users = 1;
	w->queue = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&w->node);
	wait_queue_init(&w->wake);
	wait_queue_init(&w->reply);
	hrtimer_init(&w->timer, run_due);
	return w;
}

static struct periodic_worker *create(const struct bpf_periodic_ops *ops, int *err)
{
	struct periodic_worker *w = worker_alloc(ops);
	struct cgroup *cgroup = periodic_place(w, err);
	char comm[TASK_COMM_LEN];
	struct task_params params = { .comm = comm, .nice = ops->nice, .group = TASK_GROUP_SYSTEM };

	if (!cgroup) {
		free(w);
		return NULL;
	}
	snprintf(comm, sizeof(comm), "bpf/%.*s", TASK_COMM_LEN - 5, w->name);
	w->task = kthread_create(&params, &thread_ops, w, err);
	if (!w->task) {
		bpf_refuse("its thread cannot be made: %s", strerror(-*err));
		periodic_leave(w);
		free(w);
		return NULL;
	}
	*err = cgroup_attach_task(cgroup, w->task);
	task_start(w->task);
	if (!*err)
		return w;
	bpf_refuse("its thread cannot be moved into the cgroup \"%s\": %s", w->parent,
		   strerror(-*err));
	periodic_worker_put(w);
	return NULL;
}

struct periodic_worker *periodic_worker_get(const struct bpf_periodic_ops *ops, int *err)
{
	struct periodic_worker *w = ops->worker[0] ? find_shared(ops->worker) : NULL;

	if (w) {
		*err = check_agreement(w, ops);
		if (*err)
			return NULL;
		w->users++;
		return w;
	}
	w = create(ops, err);
	if (w && w->shared)
		list_add_tail(&w->node, &workers);
	return w;
}

void periodic_worker_put(struct periodic_worker *w)
{
	if (--w->users)
		return;
	list_del_init(&w->node);
	if (kernel.stopping)
		return;
	periodic_leave(w);
	w->ending = true;
	wait_queue_wake(&w->wake, 1, false);
}

int periodic_worker_adjust(struct periodic_worker *w, const struct bpf_periodic_ops *ops)
{
	int err = 0;

	if (w->users > 1)
		return check_agreement(w, ops);
	if (w->cgroup)
		err = periodic_set_quota(w, ops->cpu_quota_us, ops->cpu_period_us);
	if (err)
		return err;
	/* what the user has set since stays, unless the table changes */
	if (w->nice != ops->nice)
		task_set_nice(w->task, ops->nice);
	w->nice = ops->nice;
	w->cpu_quota_us = ops->cpu_quota_us;
	w->cpu_period_us = ops->cpu_period_us;
	return 0;
}
