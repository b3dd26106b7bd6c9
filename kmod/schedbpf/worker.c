// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workers: kthreads that run periodic programs, a dedicated one for each
 * program, or a shared one for all that name it.
 *
 * A worker sleeps until the first of its programs is due, in TASK_IDLE: it is
 * no load. It is an ordinary task of the fair class; nothing but its name is
 * special: nice level, affinity and cgroup can be changed from user space.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "schedbpf.h"

static LIST_HEAD(workers); /* shared ones; sb_mutex */

/* --- the thread --------------------------------------------------------------- */

bool sb_worker_wanted(struct sb_worker *w)
{
	return READ_ONCE(w->request) || kthread_should_stop();
}

void sb_worker_sleep(struct sb_worker *w, u64 until)
{
	ktime_t expires = ns_to_ktime(until);

	set_current_state(TASK_IDLE);
	if (!sb_worker_wanted(w))
		schedule_hrtimeout_range(until == KTIME_MAX ? NULL : &expires, 0,
					 HRTIMER_MODE_ABS);
	__set_current_state(TASK_RUNNING);
}

static void queue_program(struct sb_worker *w, struct sb_program *p)
{
	p->timer.expires = ns_to_ktime(p->ctx.due);
	timerqueue_add(&w->queue, &p->timer);
}

static int call_init(const struct bpf_periodic_ops *ops)
{
	int ret = ops->init ? ops->init() : 0;

	/* the caller takes it for an error, whatever a program returns */
	if (ret > 0 || ret < -MAX_ERRNO)
		ret = -EPROTO;
	return ret;
}

static int start(struct sb_worker *w, struct sb_program *p)
{
	int err = call_init(p->ops);

	if (err)
		return err;
	p->ctx.due = ktime_get_ns() + p->ctx.period_ns;
	queue_program(w, p);
	return 0;
}

static void stop(struct sb_worker *w, struct sb_program *p)
{
	timerqueue_del(&w->queue, &p->timer);
	if (p->ops->exit)
		p->ops->exit();
}

/* A new period counts from now; the same one keeps its phase. */
static int replace(struct sb_worker *w, struct sb_program *p,
		   const struct bpf_periodic_ops *ops)
{
	const struct bpf_periodic_ops *old = p->ops;
	int err = call_init(ops);

	if (err)
		return err;
	WRITE_ONCE(p->ops, ops);
	if (p->ctx.period_ns != ops->period_ns) {
		timerqueue_del(&w->queue, &p->timer);
		WRITE_ONCE(p->ctx.period_ns, ops->period_ns);
		p->ctx.due = ktime_get_ns() + ops->period_ns;
		queue_program(w, p);
	}
	if (old->exit)
		old->exit();
	return 0;
}

static int serve(struct sb_worker *w, const struct sb_request *request)
{
	switch (request->type) {
	case SB_PLACE:
		return sb_place(w);
	case SB_START:
		return start(w, request->program);
	case SB_REPLACE:
		return replace(w, request->program, request->ops);
	case SB_STOP:
		stop(w, request->program);
		return 0;
	}
	return -EINVAL;
}

static void answer(struct sb_worker *w)
{
	/* pairs with sb_worker_ask(): all of the request is there */
	struct sb_request *request = smp_load_acquire(&w->request);

	request->result = serve(w, request);
	WRITE_ONCE(w->request, NULL);
	complete(&request->done);
}

static void run_next(struct sb_worker *w)
{
	struct timerqueue_node *next = timerqueue_getnext(&w->queue);
	struct sb_program *p;

	if (!next || ktime_to_ns(next->expires) > ktime_get_ns()) {
		sb_worker_sleep(w, next ? ktime_to_ns(next->expires) : KTIME_MAX);
		return;
	}
	p = container_of(next, struct sb_program, timer);
	timerqueue_del(&w->queue, next);
	sb_run(p);
	queue_program(w, p);
}

static int worker_thread(void *data)
{
	struct sb_worker *w = data;

	while (!kthread_should_stop()) {
		if (READ_ONCE(w->request))
			answer(w);
		else
			run_next(w);
		/* runs may follow each other without a sleep between them */
		cond_resched();
	}
	sb_leave(w);
	return 0;
}

/* --- asking --------------------------------------------------------------------- */

int sb_worker_ask(struct sb_worker *w, enum sb_request_type type,
		  struct sb_program *p, const struct bpf_periodic_ops *ops)
{
	struct sb_request request = { .type = type, .program = p, .ops = ops };

	init_completion(&request.done);
	mutex_lock(&w->ask_lock);
	/* pairs with answer() */
	smp_store_release(&w->request, &request);
	wake_up_process(w->task);
	wait_for_completion(&request.done);
	mutex_unlock(&w->ask_lock);
	return request.result;
}

/* --- which there are -------------------------------------------------------------- */

/* "/" and "" are one. */
static const char *cgroup_of(const struct bpf_periodic_ops *ops)
{
	return strcmp(ops->cgroup, "/") ? ops->cgroup : "";
}

#define DISAGREE(w, ops, fmt, field, mine, others)				\
	(pr_err("'%s': " field " is " fmt ": the other programs of worker \"%s\" have " fmt "\n", \
		(ops)->name, mine, (w)->name, others), -EINVAL)

static int check_agreement(const struct sb_worker *w,
			   const struct bpf_periodic_ops *ops)
{
	const char *parent = cgroup_of(ops);

	if (w->nice != ops->nice)
		return DISAGREE(w, ops, "%d", "nice", ops->nice, w->nice);
	if (w->cpu_quota_us != ops->cpu_quota_us)
		return DISAGREE(w, ops, "%llu", "cpu_quota_us",
				ops->cpu_quota_us, w->cpu_quota_us);
	if (w->cpu_period_us != ops->cpu_period_us)
		return DISAGREE(w, ops, "%llu", "cpu_period_us",
				ops->cpu_period_us, w->cpu_period_us);
	if (strcmp(w->parent, parent))
		return DISAGREE(w, ops, "\"%s\"", "cgroup", parent[0] ? parent : "/",
				w->parent[0] ? w->parent : "/");
	return 0;
}

static struct sb_worker *find_shared(const char *name)
{
	struct sb_worker *w;

	list_for_each_entry(w, &workers, node) {
		if (!strcmp(w->name, name))
			return w;
	}
	return NULL;
}

static struct sb_worker *create(const struct bpf_periodic_ops *ops)
{
	struct sb_worker *w = kmem_cache_zalloc(sb_worker_cache, GFP_KERNEL);
	int err;

	if (!w)
		return ERR_PTR(-ENOMEM);
	w->shared = ops->worker[0];
	strscpy(w->name, w->shared ? ops->worker : ops->name);
	strscpy(w->parent, cgroup_of(ops));
	w->nice = ops->nice;
	w->cpu_quota_us = ops->cpu_quota_us;
	w->cpu_period_us = ops->cpu_period_us;
	w->users = 1;
	mutex_init(&w->ask_lock);
	timerqueue_init_head(&w->queue);
	INIT_LIST_HEAD(&w->node);

	w->task = kthread_run(worker_thread, w, "bpf/%s", w->name);
	if (IS_ERR(w->task)) {
		err = PTR_ERR(w->task);
		pr_err("'%s': its thread cannot be made (%d)\n", ops->name, err);
		goto free;
	}
	set_user_nice(w->task, w->nice);
	err = sb_worker_ask(w, SB_PLACE, NULL, NULL);
	if (!err)
		return w;
	kthread_stop(w->task);
free:
	kmem_cache_free(sb_worker_cache, w);
	return ERR_PTR(err);
}

struct sb_worker *sb_worker_get(const struct bpf_periodic_ops *ops)
{
	struct sb_worker *w;
	int err;

	if (!ops->worker[0])
		return create(ops);
	mutex_lock(&sb_mutex);
	w = find_shared(ops->worker);
	if (w) {
		err = check_agreement(w, ops);
		if (err)
			w = ERR_PTR(err);
		else
			w->users++;
	} else {
		w = create(ops);
		if (!IS_ERR(w))
			list_add_tail(&w->node, &workers);
	}
	mutex_unlock(&sb_mutex);
	return w;
}

void sb_worker_put(struct sb_worker *w)
{
	unsigned int users;

	/*
	 * Under the mutex, so that a worker of that name that is asked for next
	 * finds its cgroup gone. The thread has no program: it ends at once.
	 */
	mutex_lock(&sb_mutex);
	users = --w->users;
	if (!users) {
		list_del(&w->node);
		kthread_stop(w->task);
	}
	mutex_unlock(&sb_mutex);
	if (!users)
		kmem_cache_free(sb_worker_cache, w);
}

static int adjust(struct sb_worker *w, const struct bpf_periodic_ops *ops)
{
	int err;

	if (w->users > 1)
		return check_agreement(w, ops);
	if (w->has_cgroup) {
		err = sb_set_quota(w, ops->cpu_quota_us, ops->cpu_period_us);
		if (err)
			return err;
	}
	/* what user space has set since stays, unless the table changes */
	if (w->nice != ops->nice)
		set_user_nice(w->task, ops->nice);
	w->nice = ops->nice;
	w->cpu_quota_us = ops->cpu_quota_us;
	w->cpu_period_us = ops->cpu_period_us;
	return 0;
}

int sb_worker_adjust(struct sb_worker *w, const struct bpf_periodic_ops *ops)
{
	int err;

	mutex_lock(&sb_mutex);
	err = adjust(w, ops);
	mutex_unlock(&sb_mutex);
	return err;
}
