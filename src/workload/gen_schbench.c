// SPDX-License-Identifier: GPL-2.0-only
/*
 * schbench (Chris Mason): message threads wake workers; a worker sleeps a
 * little (its network), then does matrix math under the spin lock of the CPU
 * it is on, so that preemption and migration in the middle hurt whoever comes
 * next. Latencies are taken where schbench takes them.
 */
#include <stdio.h>

#include "../base/cpumask.h"
#include "figures.h"
#include "internal.h"
#include "options.h"
#include "sync.h"

#define MAX_MESSENGERS 10000
#define MAX_WORKERS 100000
/* One multiply-add of the naive product; schbench's README: 5 x 104^3 of them in 16.9 ms. */
#define MULTIPLY_NS 3
#define MAX_WORK_NS (3600 * NSEC_PER_SEC)
/* Taking a worker off the list, writing its time. */
#define MESSAGE_NS 100
/* How often a spinning task looks: at first, and at most. */
#define SPIN_MIN_NS 1000
#define SPIN_MAX_NS 16000

struct config {
	u64 messengers, workers, sleep, cputime, operations, footprint, runtime;
	bool no_locking;
};

struct worker;

struct messenger {
	struct sync_gate gate;
	struct worker *list; /* workers that have sent a message, last one first */
	struct worker *waking; /* what is left of the batch at hand */
	u64 wake_time; /* when the batch began */
	bool paid; /* the message at hand */
};

struct worker {
	struct schbench *bench;
	struct messenger *messenger;
	struct worker *next; /* on the messenger's list */
	struct sync_gate gate;
	enum { W_SEND, W_WAIT, W_LOCK, W_WORK } state;
	u64 wake_time, work_start;
	u64 spin;
	u32 lock; /* CPU whose lock it wants or has */
};

struct schbench {
	struct workload w;
	struct config config;
	u64 work_ns;
	u32 group_messengers, group_workers;
	struct task **locks; /* holder by CPU */
	struct hist wakeups, requests;
	u64 last; /* when the last request finished */
};

static void messenger_next(struct task *self, struct task_action *action)
{
	struct messenger *m = task_data(self);
	struct worker *w;

	for (;;) {
		while (m->waking) {
			if (!m->paid) {
				m->paid = true;
				act(action, ACT_COMPUTE, MESSAGE_NS);
				return;
			}
			m->paid = false;
			w = m->waking;
			m->waking = w->next;
			w->wake_time = m->wake_time;
			sync_gate_open(&w->gate);
		}
		if (!sync_gate_wait(&m->gate, action))
			return;
		sync_gate_close(&m->gate);
		m->waking = m->list;
		m->list = NULL;
		m->wake_time = task_clock();
	}
}

/* True when the lock of the CPU that @w is on is its own. */
static bool lock_this_cpu(struct worker *w, struct task_action *action)
{
	struct task **locks = w->bench->locks;

	while (!locks[w->lock]) {
		if (w->lock == current_cpu()) {
			locks[w->lock] = current_task();
			return true;
		}
		/* migrated while spinning: it wants another lock now */
		w->lock = current_cpu();
		w->spin = SPIN_MIN_NS;
	}
	act(action, ACT_SPIN, w->spin);
	w->spin = min(w->spin * 2, (u64)SPIN_MAX_NS);
	return false;
}

static void finish_request(struct worker *w)
{
	struct schbench *bench = w->bench;

	if (!bench->config.no_locking)
		bench->locks[w->lock] = NULL;
	bench->last = task_clock();
	hist_record(&bench->requests, bench->last - w->work_start);
	task_report_request(bench->last - w->work_start);
	task_report_ops(1);
}

static void worker_woken(struct worker *w)
{
	u64 now = task_clock(), latency = now - w->wake_time;

	hist_record(&w->bench->wakeups, latency);
	task_report_wakeup(latency);
	w->work_start = now;
}

static void worker_next(struct task *self, struct task_action *action)
{
	struct worker *w = task_data(self);
	const struct config *config = &w->bench->config;

	switch (w->state) {
	case W_WORK:
		finish_request(w);
		/* fallthrough */
	case W_SEND:
		w->state = W_WAIT;
		w->wake_time = task_clock();
		sync_gate_close(&w->gate);
		w->next = w->messenger->list;
		w->messenger->list = w;
		sync_gate_open(&w->messenger->gate);
		/* fallthrough */
	case W_WAIT:
		if (!sync_gate_wait(&w->gate, action))
			return;
		worker_woken(w);
		w->state = W_LOCK;
		w->spin = 0;
		if (config->sleep) {
			act(action, ACT_SLEEP, config->sleep);
			return;
		}
		/* fallthrough */
	case W_LOCK:
		if (!w->spin) {
			w->spin = SPIN_MIN_NS;
			w->lock = current_cpu();
		}
		if (!config->no_locking && !lock_this_cpu(w, action))
			return;
		w->state = W_WORK;
		act(action, ACT_COMPUTE, w->bench->work_ns);
	}
}

static u32 workers_each(const struct schbench *bench)
{
	if (bench->config.workers)
		return bench->config.workers;
	return DIV_ROUND_UP(nr_cpu_ids, (u32)bench->config.messengers);
}

static int schbench_start(struct workload *wl)
{
	static const struct task_behaviour messenger_behaviour = {
		.next = messenger_next, .name = "schbench:messenger",
	};
	static const struct task_behaviour worker_behaviour = {
		.next = worker_next, .name = "schbench:worker",
	};
	struct schbench *bench = container_of(wl, struct schbench, w);
	struct task_params params = { .comm = "schbench-msg", .group = bench->group_messengers };
	u32 i, nr = bench->config.messengers, per_messenger = workers_each(bench);
	struct messenger *m;
	struct worker *workers;
	int err = 0;

	bench->locks = workload_alloc(wl, nr_cpu_ids, sizeof(*bench->locks));
	m = workload_alloc(wl, nr, sizeof(*m));
	for (i = 0; i < nr && !err; i++) {
		sync_gate_init(&m[i].gate);
		err = workload_spawn(wl, &params, &messenger_behaviour, &m[i]);
	}
	workers = workload_alloc(wl, (size_t)nr * per_messenger, sizeof(*workers));
	params = (struct task_params){ .comm = "schbench-worker", .group = bench->group_workers };
	for (i = 0; i < nr * per_messenger && !err; i++) {
		workers[i].bench = bench;
		workers[i].messenger = &m[i / per_messenger];
		sync_gate_init(&workers[i].gate);
		err = workload_spawn(wl, &params, &worker_behaviour, &workers[i]);
	}
	return err;
}

static u32 schbench_nr_tasks(const struct workload *w)
{
	const struct schbench *bench = container_of(w, struct schbench, w);

	return bench->config.messengers * (1 + workers_each(bench));
}

static bool schbench_figure(struct workload *w, u32 i, char *buf, size_t size)
{
	struct schbench *bench = container_of(w, struct schbench, w);
	u64 runtime = bench->last > w->zero ? bench->last - w->zero : 0;
	char rps[32];

	if (i < FIGURE_LATENCY_LINES)
		figure_latencies(&bench->wakeups, "Wakeup", runtime, i, buf, size);
	else if (i < 2 * FIGURE_LATENCY_LINES)
		figure_latencies(&bench->requests, "Request", runtime, i - FIGURE_LATENCY_LINES,
				 buf, size);
	else if (i == 2 * FIGURE_LATENCY_LINES)
		snprintf(buf, size, "average rps: %s",
			 figure_ratio(bench->requests.count * NSEC_PER_SEC, runtime, 2, rps,
				      sizeof(rps)));
	else
		return false;
	return true;
}

static void schbench_close(struct workload *w)
{
	struct schbench *bench = container_of(w, struct schbench, w);

	hist_free(&bench->wakeups);
	hist_free(&bench->requests);
}

static const struct workload_ops schbench_ops = {
	.nr_tasks = schbench_nr_tasks,
	.start = schbench_start,
	.figure = schbench_figure,
	.close = schbench_close,
};

/* Side of the matrices: three of them share the footprint. */
static u64 matrix_size(u64 footprint_kb)
{
	u64 cells = footprint_kb * 1024 / 3 / sizeof(u64), n = 0;

	while ((n + 1) * (n + 1) <= cells)
		n++;
	return n;
}

static struct workload *schbench_open(const void *options, char *err, size_t err_size)
{
	const struct config *config = options;
	struct workload *w;
	struct schbench *bench;
	u64 n = matrix_size(config->footprint), work;

	work = config->cputime ? config->cputime : config->operations * n * n * n * MULTIPLY_NS;
	if (work > MAX_WORK_NS) {
		snprintf(err, err_size,
			 "schbench: a request of %llu s of work is too long; make -n or -F smaller",
			 work / NSEC_PER_SEC);
		return NULL;
	}
	if (config->messengers * (config->workers + 1) > WORKLOAD_MAX_TASKS) {
		snprintf(err, err_size,
			 "schbench: %llu message threads with %llu workers each are "
			 "more than %u tasks",
			 config->messengers, config->workers, WORKLOAD_MAX_TASKS);
		return NULL;
	}
	w = workload_new(sizeof(*bench), &schbench_ops);
	bench = container_of(w, struct schbench, w);
	bench->config = *config;
	bench->work_ns = work;
	bench->group_messengers = workload_add_group(w, "messengers");
	bench->group_workers = workload_add_group(w, "workers");
	w->duration = config->runtime;
	return w;
}

#define FIELD(f) offsetof(struct config, f)

static const struct option_spec schbench_options[] = {
	{ 'm', "message-threads", OPT_NUMBER, FIELD(messengers), 1, MAX_MESSENGERS, 0, "N",
	  "number of message threads" },
	{ 't', "threads", OPT_NUMBER, FIELD(workers), 1, MAX_WORKERS, 0, "N",
	  "workers per message thread (default: CPUs / message threads)" },
	{ 's', "sleep_usec", OPT_TIME, FIELD(sleep), 0, MAX_WORK_NS, NSEC_PER_USEC, "USEC",
	  "sleep at the beginning of a request" },
	{ 'c', "cputime", OPT_TIME, FIELD(cputime), 1, MAX_WORK_NS, NSEC_PER_USEC, "USEC",
	  "work of a request; instead of -n and -F" },
	{ 'n', "operations", OPT_NUMBER, FIELD(operations), 1, 1000000, 0, "N",
	  "matrix products per request" },
	{ 'F', "cache_footprint", OPT_NUMBER, FIELD(footprint), 1, 1 << 20, 0, "KB",
	  "size of the matrices: sets the work of a product" },
	{ 'L', "no-locking", OPT_FLAG, FIELD(no_locking), 0, 0, 0, NULL,
	  "work without the lock of the CPU" },
	{ 'r', "runtime", OPT_TIME, FIELD(runtime), 1, 1000000 * NSEC_PER_SEC, NSEC_PER_SEC,
	  "SECONDS", "how long to run (default: as the command says)" },
};

static const struct config defaults = {
	.messengers = 1,
	.sleep = 100 * NSEC_PER_USEC,
	.operations = 5,
	.footprint = 256,
};

static const struct option_table options = {
	.options = schbench_options,
	.nr_options = ARRAY_SIZE(schbench_options),
	.config_size = sizeof(struct config),
	.defaults = &defaults,
	.notes = "A product of N x N matrices is taken to be N*N*N*3 ns of work (N from -F).",
};

const struct generator gen_schbench = {
	.name = "schbench",
	.summary = "message threads wake workers that work under per-CPU locks",
	.options = &options,
	.open = schbench_open,
};
