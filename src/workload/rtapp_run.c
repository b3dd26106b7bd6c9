// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads of an rt-app use case. A thread is a position in its task's phases;
 * next() goes from event to event until one takes time.
 *
 * Figures: a finished iteration of a phase is one unit of ops (a line in
 * rt-app's log). At a timer event the work since the last activation is done:
 * its latency is counted from when the timer meant to activate it.
 */
#include "rtapp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/cpumask.h"

/* An iteration that takes no time otherwise: rt-app reads clocks and logs. */
#define LOOP_NS 1000
/* That many empty iterations are run through at once. */
#define EMPTY_LOOPS 1000

struct thread {
	struct rtapp *app;
	struct rtapp_task *task;
	u32 phase, event;
	u32 step; /* within the event, 0: at its beginning */
	s64 phase_loops, task_loops; /* finished */
	bool begun; /* the delay is over */
	bool in_phase; /* an iteration has begun */
	bool took_time; /* this iteration did */
	bool forked;
	const struct cpumask *cpus; /* as last set */
	const char *taskgroup; /* the same, NULL: not yet */
	union {
		struct sync_cond_wait cond;
		struct sync_barrier_wait barrier;
	} wait;
	struct rtapp_pages_run pages;
	u64 first; /* when the thread was to begin: where timers count from */
	u64 activation; /* when the work at hand was to begin */
	struct rtapp_timer timers[]; /* unique ones */
};

/* What an event has to say about the thread's next action. */
enum outcome {
	EVENT_DONE, /* no action: on to the next event */
	EVENT_ACT, /* an action, then the next event */
	EVENT_AGAIN, /* an action, then this event again */
};

/* --- events ------------------------------------------------------------------- */

static enum outcome run_timer(struct thread *t, const struct rtapp_event *ev,
			      struct task_action *action)
{
	struct rtapp_timer *timer = ev->unique ? &t->timers[ev->object.index] : ev->object.timer;
	u64 now = task_clock();

	task_report_request(now - t->activation);
	if (!timer->armed) {
		timer->armed = true;
		timer->next = t->first;
	}
	timer->next += ev->ns;
	if (timer->next <= now && !*ev->absolute)
		timer->next = now;
	t->activation = timer->next;
	if (timer->next <= now)
		return EVENT_DONE;
	act(action, ACT_SLEEP_UNTIL, timer->next);
	return EVENT_ACT;
}

static enum outcome run_suspend(struct thread *t, const struct rtapp_event *ev,
				struct task_action *action)
{
	if (t->step == 0) {
		if (!sync_mutex_lock(ev->mutex, action))
			return EVENT_AGAIN;
		t->step = 1;
	}
	if (!sync_cond_wait(ev->object.cond, ev->mutex, &t->wait.cond, action))
		return EVENT_AGAIN;
	sync_mutex_unlock(ev->mutex);
	return EVENT_DONE;
}

static enum outcome run_resume(const struct rtapp_event *ev, struct task_action *action)
{
	if (!sync_mutex_lock(ev->mutex, action))
		return EVENT_AGAIN;
	sync_cond_broadcast(ev->object.cond);
	sync_mutex_unlock(ev->mutex);
	return EVENT_DONE;
}

static int spawn_thread(struct rtapp *app, struct rtapp_task *task, bool forked);

static enum outcome run_fork(struct thread *t, const struct rtapp_event *ev)
{
	struct rtapp_task *task = ev->object.task;
	struct workload *w = &t->app->w;

	if (task->forks == RTAPP_MAX_FORKS) {
		workload_note(w, "task \"%s\" was forked %u times: no more, as rt-app has it",
			      task->name, RTAPP_MAX_FORKS);
		return EVENT_DONE;
	}
	task->forks++;
	if (spawn_thread(t->app, task, true))
		workload_note(w, "a fork failed: %s", workload_error(w));
	return EVENT_DONE;
}

/* Where in rt-app an event makes its calls. */
static const char *const sites[] = {
	[EV_SLEEP] = "rtapp:sleep",	[EV_TIMER] = "rtapp:timer",   [EV_LOCK] = "rtapp:lock",
	[EV_UNLOCK] = "rtapp:unlock",	[EV_WAIT] = "rtapp:wait",     [EV_SYNC] = "rtapp:sync",
	[EV_SIGNAL] = "rtapp:signal",	[EV_BROAD] = "rtapp:broad",   [EV_BARRIER] = "rtapp:barrier",
	[EV_SUSPEND] = "rtapp:suspend", [EV_RESUME] = "rtapp:resume", [EV_YIELD] = "rtapp:yield",
	[EV_FORK] = "rtapp:fork",	[EV_RUN] = "rtapp:run",       [EV_RUNTIME] = "rtapp:runtime",
	[EV_MEM] = "rtapp:mem",		[EV_IORUN] = "rtapp:iorun",
	[EV_PAGES] = "rtapp:mem",
};

/* Those that touch nothing that other tasks do. */
static bool event_is_private(const struct rtapp_event *ev)
{
	return ev->kind == EV_RUN || ev->kind == EV_RUNTIME || ev->kind == EV_SLEEP;
}

static enum outcome run_event(struct thread *t, const struct rtapp_event *ev,
			      struct task_action *action)
{
	if (!event_is_private(ev))
		task_sync();
	syscall_set_site(sites[ev->kind]);
	switch (ev->kind) {
	case EV_RUN:
	case EV_MEM:
	case EV_IORUN:
		act(action, ACT_COMPUTE, ev->ns);
		return ev->ns ? EVENT_ACT : EVENT_DONE;
	case EV_RUNTIME:
		act(action, ACT_SPIN, ev->ns);
		return ev->ns ? EVENT_ACT : EVENT_DONE;
	case EV_PAGES:
		return rtapp_access_pages(t->app, ev->object.pages, &t->pages, action)
			       ? EVENT_DONE
			       : EVENT_AGAIN;
	case EV_SLEEP:
		act(action, ACT_SLEEP, ev->ns);
		return EVENT_ACT;
	case EV_TIMER:
		return run_timer(t, ev, action);
	case EV_LOCK:
		return sync_mutex_lock(ev->mutex, action) ? EVENT_DONE : EVENT_AGAIN;
	case EV_UNLOCK:
		sync_mutex_unlock(ev->mutex);
		return EVENT_DONE;
	case EV_SYNC:
		if (t->step == 0) {
			t->step = 1;
			sync_cond_signal(ev->object.cond);
		}
		/* fallthrough */
	case EV_WAIT:
		return sync_cond_wait(ev->object.cond, ev->mutex, &t->wait.cond, action)
			       ? EVENT_DONE
			       : EVENT_AGAIN;
	case EV_SIGNAL:
		sync_cond_signal(ev->object.cond);
		return EVENT_DONE;
	case EV_BROAD:
		sync_cond_broadcast(ev->object.cond);
		return EVENT_DONE;
	case EV_BARRIER:
		return sync_barrier_wait(ev->object.barrier, &t->wait.barrier, action)
			       ? EVENT_DONE
			       : EVENT_AGAIN;
	case EV_SUSPEND:
		return run_suspend(t, ev, action);
	case EV_RESUME:
		return run_resume(ev, action);
	case EV_YIELD:
		act(action, ACT_YIELD, 0);
		return EVENT_ACT;
	case EV_FORK:
		return run_fork(t, ev);
	}
	vrt_bug(__FILE__, __LINE__, "rt-app event %u", ev->kind);
}

/* --- phases ------------------------------------------------------------------- */

static const struct cpumask *phase_cpus(const struct rtapp_task *task,
					const struct rtapp_phase *phase)
{
	return phase->cpus ? phase->cpus : task->cpus;
}

static void set_cpus(struct thread *t, const struct cpumask *cpus)
{
	struct cpumask all;
	int err;

	if (cpus == t->cpus)
		return;
	task_sync();
	t->cpus = cpus;
	if (!cpus) {
		cpumask_clear(&all);
		cpumask_setall(&all);
		cpus = &all;
	}
	syscall_set_site("rtapp:cpus");
	task_charge_syscall();
	syscall_enter(SYSCALL_SETAFFINITY, (u64)cpus, 0);
	err = task_set_affinity(current_task(), cpus);
	syscall_return(err);
	if (err)
		workload_note(&t->app->w,
			      "task \"%s\": a phase's CPUs could not be set: all offline?",
			      t->task->name);
}

static void set_sched(struct thread *t, const struct rtapp_sched *sched)
{
	int err;

	if (!sched->set)
		return;
	task_sync();
	syscall_set_site("rtapp:policy");
	task_charge_syscall();
	syscall_enter(SYSCALL_SETSCHEDULER, sched->policy, sched->rt_priority);
	err = task_set_policy(current_task(), sched->policy, sched->rt_priority);
	if (!err && !sched->rt_priority)
		err = task_set_nice(current_task(), sched->nice);
	syscall_return(err);
	if (err)
		workload_note(&t->app->w, "task \"%s\": a phase's policy could not be set: %s",
			      t->task->name, strerror(-err));
}

static void set_taskgroup(struct thread *t, const char *path)
{
	int err;

	if (!path || (t->taskgroup && !strcmp(t->taskgroup, path)))
		return;
	task_sync();
	t->taskgroup = path;
	syscall_set_site("rtapp:taskgroup");
	task_charge_syscall();
	/* to cgroup.procs, its pid: which descriptor that has is not modelled */
	syscall_enter(SYSCALL_WRITE, 0, 0);
	err = task_set_cgroup(current_task(), path);
	syscall_return(err);
	if (err)
		workload_note(&t->app->w, "task \"%s\" could not be put into the taskgroup %s: %s",
			      t->task->name, path, strerror(-err));
}

static void begin_phase(struct thread *t, const struct rtapp_phase *phase)
{
	t->in_phase = true;
	t->took_time = false;
	t->event = 0;
	set_taskgroup(t, phase->taskgroup ? phase->taskgroup : t->task->taskgroup);
	set_cpus(t, phase_cpus(t->task, phase));
	if (!t->phase_loops)
		set_sched(t, &phase->sched);
}

/* @n iterations of the phase are finished: where to go on. */
static void end_phase(struct thread *t, const struct rtapp_phase *phase, u32 n)
{
	t->in_phase = false;
	t->phase_loops += n;
	task_report_ops(n);
	if (phase->loop <= 0 || t->phase_loops < phase->loop)
		return;
	t->phase_loops = 0;
	if (++t->phase < t->task->nr_phases)
		return;
	t->phase = 0;
	t->task_loops++;
}

/* A phase without events spins. */
static void run_empty(struct thread *t, const struct rtapp_phase *phase, struct task_action *action)
{
	u32 n = EMPTY_LOOPS;

	if (phase->loop > 0)
		n = min((s64)n, phase->loop - t->phase_loops);
	act(action, ACT_COMPUTE, (u64)n * LOOP_NS);
	end_phase(t, phase, n);
}

/* The events of one iteration. True when it is over without an action. */
static bool run_phase(struct thread *t, const struct rtapp_phase *phase, struct task_action *action)
{
	while (t->event < phase->nr_events) {
		switch (run_event(t, &phase->events[t->event], action)) {
		case EVENT_AGAIN:
			t->took_time = true;
			return false;
		case EVENT_ACT:
			t->took_time = true;
			t->event++;
			t->step = 0;
			return false;
		case EVENT_DONE:
			t->event++;
			t->step = 0;
			break;
		}
	}
	return true;
}

/* Waits for the task's delay. True when it is over. */
static bool begin_thread(struct thread *t, struct task_action *action)
{
	if (t->begun)
		return true;
	t->begun = true;
	t->first = (t->forked ? task_clock() : t->app->w.zero) + t->task->delay;
	t->activation = t->first;
	rtapp_map(t->app, t->task);
	if (!t->task->delay)
		return true;
	act(action, ACT_SLEEP_UNTIL, t->activation);
	return false;
}

static bool thread_over(const struct thread *t)
{
	if (t->app->uses_memory && mm_killed())
		return true;
	return !t->in_phase && t->task_loops == t->task->loop;
}

static void thread_next(struct task *self, struct task_action *action)
{
	struct thread *t = task_data(self);
	const struct rtapp_phase *phase;
	bool took_time;

	if (!begin_thread(t, action))
		return;
	while (!thread_over(t)) {
		phase = &t->task->phases[t->phase];
		if (!t->in_phase)
			begin_phase(t, phase);
		if (!phase->nr_events) {
			run_empty(t, phase, action);
			return;
		}
		if (!run_phase(t, phase, action))
			return;
		took_time = t->took_time;
		end_phase(t, phase, 1);
		if (!took_time) { /* virtual time must not stand still */
			act(action, ACT_COMPUTE, LOOP_NS);
			return;
		}
	}
	syscall_set_site("rtapp:thread");
	if (rtapp_unmap(t->app, action))
		act(action, ACT_EXIT, 0);
}

static const struct task_behaviour thread_behaviour = {
	.next = thread_next,
	.release = workload_release,
	.name = "rtapp:thread",
	.syncs = true,
};

/* --- starting ------------------------------------------------------------------- */

/* "name", or "name-3" with the number kept when the name is cut. */
static void thread_name(const struct rtapp_task *task, char comm[TASK_COMM_LEN])
{
	char number[12] = "";
	size_t len;

	if (task->instances > 1 || task->created >= task->instances)
		snprintf(number, sizeof(number), "-%u", task->created);
	len = strnlen(task->name, TASK_COMM_LEN - 1 - strlen(number));
	while (len && ((unsigned char)task->name[len] & 0xc0) == 0x80) /* not within a character */
		len--;
	snprintf(comm, TASK_COMM_LEN, "%.*s%s", (int)len, task->name, number);
}

static int spawn_thread(struct rtapp *app, struct rtapp_task *task, bool forked)
{
	struct thread *t = xcalloc(1, sizeof(*t) + task->nr_timers * sizeof(t->timers[0]));
	const struct rtapp_sched *sched = &task->sched;
	char comm[TASK_COMM_LEN];
	struct task_params params = {
		.comm = comm,
		.policy = sched->policy,
		.nice = sched->nice,
		.rt_priority = sched->rt_priority,
		.group = task->group,
		.new_process = task->vm_pages,
	};

	t->app = app;
	t->task = task;
	t->forked = forked;
	t->cpus = phase_cpus(task, &task->phases[0]);
	if (task->vm_pages)
		workload_rng(&t->pages.rng, task->name, task->created);
	params.allowed = t->cpus;
	thread_name(task, comm);
	task->created++;
	return workload_spawn(&app->w, &params, &thread_behaviour, t);
}

static int rtapp_start(struct workload *w)
{
	struct rtapp *app = container_of(w, struct rtapp, w);
	u32 i, n;
	int err;

	for (i = 0; i < app->nr_tasks; i++) {
		struct rtapp_task *task = &app->tasks[i];

		if (task->max_cpu >= (s32)nr_cpu_ids)
			return workload_fail(w, -EINVAL,
					     "task \"%s\" (line %u) asks for CPU %d, but the "
					     "machine has CPUs 0 to %u; choose a larger machine",
					     task->name, task->place.line, task->max_cpu,
					     nr_cpu_ids - 1);
	}
	wait_queue_init(&app->no_memory);
	if (app->totalram)
		mm_set_totalram(app->totalram);
	for (i = 0; i < app->nr_tasks; i++) {
		for (n = 0; n < app->tasks[i].instances; n++) {
			err = spawn_thread(app, &app->tasks[i], false);
			if (err)
				return err;
		}
	}
	return 0;
}

static bool rtapp_figure(struct workload *w, u32 i, char *buf, size_t size)
{
	return rtapp_memory_figure(container_of(w, struct rtapp, w), i, buf, size);
}

const struct workload_ops rtapp_ops = {
	.start = rtapp_start,
	.figure = rtapp_figure,
};
