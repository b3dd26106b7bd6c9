// SPDX-License-Identifier: GPL-2.0-only
/*
 * The experiments on the simulated machine. The kthread, the worker and the
 * daemon are tasks of this file; the timer and SchedBPF are the machine's own.
 *
 * The kthread's native code is charged with what the job takes as a program
 * (control_setup.work): the machine prices an instruction of a compiled program
 * as a native one, so that what is around it makes the difference.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../bpf/prog.h"
#include "../sched/cgroup/cgroup.h"
#include "../sched/periodic.h"
#include "../sched/sched.h"
#include "job.h"
#include "others.h"

#define GROUP "/job"
#define STEP_NS NSEC_PER_MSEC
#define PATIENCE_NS (10 * NSEC_PER_SEC) /* of simulated time, until a thread has ended */

/* The thread that does the job, of those variants that have no other. */
struct worker {
	struct control_setup setup;
	struct job *job;
	struct job_state *state; /* of the kthread */
	struct task *task; /* NULL: it has ended */
	struct hrtimer timer;
	struct wait_queue wake;
	u64 due, begun;
	bool working, stopping;
	/* of a generic worker */
	struct sim_lock queue_lock;
	u64 timer_due;
	bool queued;
};

struct machine {
	const struct control_setup *setup;
	struct control_figures *figures;
	struct job job;
	struct job_state *own_state; /* of the kthread, which has no program */
	struct worker worker;
	struct others *others;
	struct cgroup *group;
	struct control_sums before; /* when the window began */
	char *err;
	size_t err_size;
};

static struct machine machine;

/* --- kernel threads and processes ----------------------------------------- */

static void worker_due(struct hrtimer *timer)
{
	struct worker *w = container_of(timer, struct worker, timer);

	wait_queue_wake(&w->wake, 1, false);
}

/* Native code: a state machine will do. */
static void kthread_next(struct task *task, struct task_action *action)
{
	struct worker *w = task_data(task);

	if (w->working) {
		w->working = false;
		job_note(w->state, w->due, w->begun, cpu_clock());
		w->due = job_next(w->due, w->setup.period, cpu_clock());
	}
	if (w->stopping) {
		w->task = NULL;
		*action = (struct task_action){ ACT_EXIT, 0 };
	} else if (cpu_clock() < w->due) {
		task_spend(costs.timer_program);
		hrtimer_start(&w->timer, w->due);
		wait_queue_add(&w->wake, 0);
		*action = (struct task_action){ ACT_BLOCK, 0 };
	} else {
		w->begun = cpu_clock();
		w->working = true;
		*action = (struct task_action){ ACT_COMPUTE, w->setup.work };
	}
}

static const struct task_behaviour kthread_behaviour = {
	.next = kthread_next,
	.name = "kthread",
};

/* clock_nanosleep() until the next run is due, then bpf(). */
static void daemon_run(void *data)
{
	struct worker *w = data;

	while (!w->stopping) {
		struct kthread *k;

		if (cpu_clock() < w->due) {
			charge_overhead(TRACE_OVH_SYSCALL, costs.syscall + costs.timer_program);
			hrtimer_start(&w->timer, w->due);
			kthread_wait(&w->wake);
			hrtimer_cancel(&w->timer);
			continue;
		}
		task_charge_syscall();
		k = kthread_begin_program();
		job_run(w->job, w->due);
		kthread_end_program(k);
		w->due = job_next(w->due, w->setup.period, cpu_clock());
		kthread_preempt();
	}
	w->task = NULL;
}

static const struct kthread_ops daemon_ops = { .run = daemon_run, .user = true };

/* --- a generic worker: a queue with a lock, and a timer that does not know the thread --- */

static void queue_work(struct hrtimer *timer)
{
	struct worker *w = container_of(timer, struct worker, timer);

	charge_overhead(TRACE_OVH_IRQ, costs.timer_program);
	w->timer_due += w->setup.period;
	hrtimer_start(&w->timer, w->timer_due);
	sim_lock(&w->queue_lock);
	w->queued = true;
	wait_queue_wake(&w->wake, 1, false);
	sim_unlock(&w->queue_lock);
}

/* One that is queued already is not queued twice. */
static bool take_work(struct worker *w)
{
	bool queued;

	sim_lock(&w->queue_lock);
	queued = w->queued;
	w->queued = false;
	sim_unlock(&w->queue_lock);
	return queued;
}

static void generic_run(void *data)
{
	struct worker *w = data;

	w->timer_due = w->due;
	hrtimer_start(&w->timer, w->timer_due);
	while (!w->stopping) {
		struct kthread *k;

		if (!take_work(w)) {
			kthread_wait(&w->wake);
			continue;
		}
		k = kthread_begin_program();
		job_run(w->job, w->due);
		kthread_end_program(k);
		w->due = job_next(w->due, w->setup.period, cpu_clock());
		kthread_preempt();
	}
	hrtimer_cancel(&w->timer);
	w->task = NULL;
}

static const struct kthread_ops generic_ops = { .run = generic_run };

static void worker_start(void *arg)
{
	struct machine *m = arg;
	struct worker *w = &m->worker;
	enum control_variant variant = m->setup->variant;
	struct task_params params = {
		.comm = variant == CONTROL_DAEMON ? "jobd" : "job",
		.nice = m->setup->nice,
		.group = TASK_GROUP_SYSTEM,
		.new_process = true,
	};
	int err;

	w->setup = *m->setup;
	w->job = &m->job;
	w->state = m->own_state;
	hrtimer_init(&w->timer, variant == CONTROL_WORKER ? queue_work : worker_due);
	wait_queue_init(&w->wake);
	sim_lock_init(&w->queue_lock);
	w->due = cpu_clock() + w->setup.period;
	if (variant == CONTROL_KTHREAD)
		w->task = task_create_flags(&params, &kthread_behaviour, w, PF_KTHREAD, &err);
	else
		w->task = kthread_create(&params, variant == CONTROL_WORKER ? &generic_ops :
									      &daemon_ops,
					 w, &err);
	VRT_ASSERT(w->task); /* no scheduler refuses it */
	if (m->group)
		VRT_ASSERT(!cgroup_attach_task(m->group, w->task));
	task_start(w->task);
}

/* It looks when it runs next, which may take until its group has quota again. */
static int worker_stop(struct worker *w)
{
	u64 patience = kernel_now() + PATIENCE_NS;

	w->stopping = true;
	while (w->task && kernel_now() < patience)
		kernel_run_until(kernel_now() + STEP_NS);
	return w->task ? -ETIMEDOUT : 0;
}

/* --- measuring ------------------------------------------------------------ */

static const struct job_state *state_of(const struct machine *m)
{
	return m->own_state ? m->own_state : m->job.state;
}

/* Programs that are several share one thread. */
static u64 periodic_cpu(void)
{
	return task_runtime(task_from_pid(kernel_periodic_stats(0)->pid));
}

static u64 job_cpu(const struct machine *m)
{
	if (m->worker.task)
		return task_runtime(m->worker.task);
	return m->setup->variant == CONTROL_TIMER ? m->job.state->took : periodic_cpu();
}

static void sum_up(struct machine *m, struct control_sums *sums)
{
	const struct job_state *state = state_of(m);

	*sums = (struct control_sums){
		.clock = cpu_clock(), .switches = kernel_context_switches(),
		.runs = state ? state->runs : 0, .job_cpu = state ? job_cpu(m) : 0,
	};
	others_sum(m->others, &sums->others_cpu, &sums->others_work);
}

static void begin_window(void *arg)
{
	struct machine *m = arg;

	sum_up(m, &m->before);
	others_record(m->others, true);
}

static void end_window(void *arg)
{
	struct machine *m = arg;
	struct control_sums after;

	sum_up(m, &after);
	others_record(m->others, false);
	control_difference(&m->before, &after, m->figures);
	if (state_of(m))
		job_figures(state_of(m), m->before.runs, m->figures);
	m->figures->verified_insns = m->job.verified_insns;
}

/* --- one experiment ------------------------------------------------------- */

static bool has_worker(enum control_variant variant)
{
	return variant == CONTROL_KTHREAD || variant == CONTROL_WORKER ||
	       variant == CONTROL_DAEMON;
}

/* A timer has no task that could be put there: its owner is. */
static int make_group(struct machine *m)
{
	const struct control_setup *s = m->setup;
	int err = 0;

	if (!has_worker(s->variant) || !s->quota)
		return 0;
	m->group = cgroup_make_path(GROUP, &err);
	if (m->group)
		err = cgroup_set_max(m->group, s->quota, s->quota_period);
	return err ? vrt_error(m->err, m->err_size, err, "the group " GROUP " is not made: %s",
			       strerror(-err)) : 0;
}

static int start_job(struct machine *m)
{
	enum control_variant variant = m->setup->variant;
	struct bpf_prog *prog;

	if (variant == CONTROL_NONE)
		return 0;
	if (variant == CONTROL_WORKER || variant == CONTROL_DAEMON) {
		/* as in Linux: it is called in the task's own context */
		prog = bpf_prog_from_fd(m->job.run_fd);
		prog->preemptible = true;
		bpf_prog_put(prog);
	}
	if (has_worker(variant)) {
		kernel_run_inside(worker_start, m);
		return 0;
	}
	return job_start(&m->job, kernel_now(), m->err, m->err_size);
}

static int measure(struct machine *m)
{
	int err;

	m->others = others_start(m->setup, &err);
	if (!m->others)
		return vrt_error(m->err, m->err_size, err, "no tasks: %s", strerror(-err));
	err = start_job(m);
	if (err)
		return err;
	kernel_run_until(kernel_now() + m->setup->warmup);
	kernel_run_inside(begin_window, m);
	kernel_run_until(m->before.clock + m->setup->window);
	kernel_run_inside(end_window, m);
	if (m->worker.task && worker_stop(&m->worker))
		return vrt_error(m->err, m->err_size, -ETIMEDOUT, "the job does not stop");
	return 0;
}

static int prepare(struct machine *m)
{
	enum control_variant variant = m->setup->variant;

	if (variant == CONTROL_NONE)
		return 0;
	if (variant == CONTROL_KTHREAD) {
		m->own_state = xcalloc(1, sizeof(*m->own_state));
		return make_group(m);
	}
	return job_open(&m->job, m->setup, m->err, m->err_size) ?: make_group(m);
}

int control_sim(const struct topology *topology, const struct cost_table *table, u64 seed,
		const struct control_setup *setup, struct control_figures *figures, char *err,
		size_t err_size)
{
	struct kernel_config config = {
		.topology = topology, .costs = table, .seed = seed, .noise = NOISE_NONE,
	};
	struct machine *m = &machine;
	int ret = kernel_boot(&config);

	if (ret)
		return vrt_error(err, err_size, ret, "the simulated kernel did not boot: %s",
				 strerror(-ret));
	*m = (struct machine){
		.setup = setup, .figures = figures, .err = err, .err_size = err_size,
	};
	*figures = (struct control_figures){};
	ret = prepare(m) ?: measure(m);
	job_stop(&m->job);
	job_close(&m->job);
	kernel_shutdown();
	if (m->others) {
		others_delays(m->others, &figures->delay);
		others_free(m->others);
	}
	free(m->own_state);
	return ret;
}
