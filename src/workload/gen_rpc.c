// SPDX-License-Identifier: GPL-2.0-only
/*
 * An open-loop server: requests arrive as a Poisson process, whatever the
 * system does, wait in one queue, and are served by a pool of workers. A
 * request's latency is counted from when it was to arrive, so a late interrupt
 * or a busy worker does not hide it (no coordinated omission).
 *
 * Arrivals are timer interrupts on a CPU per receive queue. The times of
 * arrivals and service come from streams of their own: they do not depend on
 * the scheduler, nor on each other.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/alloc.h"
#include "../base/cpumask.h"
#include "../base/hist.h"
#include "../sim/cpu.h"
#include "figures.h"
#include "internal.h"
#include "options.h"
#include "service.h"

#define MAX_PENDING (1U << 20)
#define MAX_QUEUES 1024
#define SOCKET_FD 3 /* for those who trace; sizes of messages are not modelled: 0 */
#define BATCH_STEP_NS NSEC_PER_MSEC /* a unit of background work */

struct config {
	u64 rate, workers, queues, batch, duration;
	char *service;
};

struct request {
	u64 arrival; /* intended */
	u64 service; /* ns of work */
};

struct rpc_queue {
	struct hrtimer timer;
	struct rpc *rpc;
	u64 next; /* intended time of the next arrival */
	struct rng arrivals, service;
};

struct worker {
	struct rpc *rpc;
	struct request request;
	bool busy;
};

struct rpc {
	struct workload w;
	struct config config;
	struct service service;
	struct rpc_queue *queues;
	struct request *ring; /* requests that wait, oldest at @head */
	u32 head, nr_pending, ring_size; /* the size is a power of two */
	struct wait_queue idle;
	u32 group_workers, group_batch;
	u64 arrived, dropped, last;
	struct hist latency;
};

/* --- arrivals ------------------------------------------------------------------ */

static void grow_ring(struct rpc *rpc)
{
	u32 size = rpc->ring_size ? rpc->ring_size * 2 : 256, i;
	struct request *ring = xcalloc(size, sizeof(*ring));

	for (i = 0; i < rpc->nr_pending; i++)
		ring[i] = rpc->ring[(rpc->head + i) & (rpc->ring_size - 1)];
	free(rpc->ring);
	rpc->ring = ring;
	rpc->ring_size = size;
	rpc->head = 0;
}

static void add_request(struct rpc *rpc, u64 arrival, u64 service)
{
	rpc->arrived++;
	if (rpc->nr_pending == MAX_PENDING) {
		rpc->dropped++;
		return;
	}
	if (rpc->nr_pending == rpc->ring_size)
		grow_ring(rpc);
	rpc->ring[(rpc->head + rpc->nr_pending++) & (rpc->ring_size - 1)] =
		(struct request){ arrival, service };
}

/* All arrivals up to @now; returns how many. Sets the time of the next one. */
static u32 take_arrivals(struct rpc_queue *q, u64 now)
{
	struct rpc *rpc = q->rpc;
	u64 gap = NSEC_PER_SEC * rpc->config.queues / rpc->config.rate;
	u32 nr = 0;

	for (; q->next <= now; nr++) {
		add_request(rpc, q->next, service_draw(&rpc->service, &q->service));
		q->next += rng_exponential(&q->arrivals, gap);
	}
	return nr;
}

static void arrival_interrupt(struct hrtimer *timer)
{
	struct rpc_queue *q = container_of(timer, struct rpc_queue, timer);
	u32 nr;

	cpu_sync(); /* no worker may see a request before the interrupt */
	nr = take_arrivals(q, kernel_now());
	hrtimer_start(timer, q->next);
	if (nr)
		wait_queue_wake(&q->rpc->idle, nr, false);
}

/* --- tasks ------------------------------------------------------------------------ */

static void worker_finish(struct worker *wk)
{
	struct rpc *rpc = wk->rpc;
	u64 now = task_clock(), latency = now - wk->request.arrival;

	wk->busy = false;
	rpc->last = now;
	hist_record(&rpc->latency, latency);
	task_report_request(latency);
	task_report_ops(1);
	task_charge_syscall();
	syscall_enter(SYSCALL_SENDTO, SOCKET_FD, 0); /* the reply */
	syscall_return(0);
}

static void worker_next(struct task *self, struct task_action *action)
{
	struct worker *wk = task_data(self);
	struct rpc *rpc = wk->rpc;

	if (wk->busy)
		worker_finish(wk);
	task_charge_syscall();
	syscall_enter(SYSCALL_RECVFROM, SOCKET_FD, 0);
	cpu_sync();
	if (!rpc->nr_pending) {
		wait_queue_add(&rpc->idle, 0);
		syscall_resumes();
		act(action, ACT_BLOCK, 0);
		return;
	}
	wk->request = rpc->ring[rpc->head];
	wk->busy = true;
	rpc->head = (rpc->head + 1) & (rpc->ring_size - 1);
	rpc->nr_pending--;
	syscall_return(0);
	act(action, ACT_COMPUTE, wk->request.service);
}

/* Reports the step before: the first call comes before any work. */
static void batch_next(struct task *self, struct task_action *action)
{
	bool *worked = task_data(self);

	if (*worked)
		task_report_ops(1);
	*worked = true;
	act(action, ACT_COMPUTE, BATCH_STEP_NS);
}

static int spawn_tasks(struct rpc *rpc)
{
	static const struct task_behaviour worker_behaviour = {
		.next = worker_next, .name = "rpc:worker",
	};
	static const struct task_behaviour batch_behaviour = {
		.next = batch_next, .name = "rpc:batch",
	};
	struct task_params params = { .comm = "rpc-worker", .group = rpc->group_workers };
	struct worker *workers;
	bool *batch;
	int err = 0;
	u32 i;

	workers = workload_alloc(&rpc->w, rpc->config.workers, sizeof(*workers));
	for (i = 0; i < rpc->config.workers && !err; i++) {
		workers[i].rpc = rpc;
		err = workload_spawn(&rpc->w, &params, &worker_behaviour, &workers[i]);
	}
	batch = workload_alloc(&rpc->w, rpc->config.batch, sizeof(*batch));
	params = (struct task_params){ .comm = "rpc-batch",
				       .group = rpc->group_batch,
				       .new_process = true };
	for (i = 0; i < rpc->config.batch && !err; i++)
		err = workload_spawn(&rpc->w, &params, &batch_behaviour, &batch[i]);
	return err;
}

static int rpc_start(struct workload *w)
{
	struct rpc *rpc = container_of(w, struct rpc, w);
	u32 i, nr = rpc->config.queues;
	int err;

	if (nr > nr_cpu_ids)
		return workload_fail(w, -EINVAL,
				     "rpc: %u receive queues need as many CPUs, the machine has %u",
				     nr, nr_cpu_ids);
	wait_queue_init(&rpc->idle);
	err = spawn_tasks(rpc);
	if (err)
		return err;
	rpc->queues = workload_alloc(w, nr, sizeof(*rpc->queues));
	for (i = 0; i < nr; i++) {
		struct rpc_queue *q = &rpc->queues[i];

		q->rpc = rpc;
		workload_rng(&q->arrivals, "rpc.arrivals", i);
		workload_rng(&q->service, "rpc.service", i);
		q->next = kernel_now();
		q->next += rng_exponential(&q->arrivals,
					   NSEC_PER_SEC * rpc->config.queues / rpc->config.rate);
		hrtimer_init(&q->timer, arrival_interrupt);
		hrtimer_start_on(&q->timer, &cpus[(u64)i * nr_cpu_ids / nr], q->next);
	}
	return 0;
}

static bool rpc_figure(struct workload *w, u32 i, char *buf, size_t size)
{
	struct rpc *rpc = container_of(w, struct rpc, w);
	u64 runtime = rpc->last > w->zero ? rpc->last - w->zero : 0;
	char done[32];

	if (i < FIGURE_LATENCY_LINES) {
		figure_latencies(&rpc->latency, "Request", runtime, i, buf, size);
		return true;
	}
	if (i > FIGURE_LATENCY_LINES)
		return false;
	snprintf(buf, size,
		 "offered %llu requests/s, finished %s requests/s, %u waiting, %llu dropped",
		 rpc->config.rate,
		 figure_ratio(rpc->latency.count * NSEC_PER_SEC, runtime, 1, done, sizeof(done)),
		 rpc->nr_pending, rpc->dropped);
	return true;
}

static void rpc_close(struct workload *w)
{
	struct rpc *rpc = container_of(w, struct rpc, w);

	hist_free(&rpc->latency);
	free(rpc->ring);
}

static const struct workload_ops rpc_ops = {
	.start = rpc_start,
	.figure = rpc_figure,
	.close = rpc_close,
};

static struct workload *rpc_open(const void *options, char *err, size_t err_size)
{
	const struct config *config = options;
	struct service service;
	struct workload *w;
	struct rpc *rpc;
	char what[256];

	if (service_parse(&service, config->service, what, sizeof(what))) {
		snprintf(err, err_size, "rpc: -s (--service): %s", what);
		return NULL;
	}
	w = workload_new(sizeof(*rpc), &rpc_ops);
	rpc = container_of(w, struct rpc, w);
	rpc->config = *config;
	rpc->config.service = NULL; /* the option parser's */
	rpc->service = service;
	rpc->group_workers = workload_add_group(w, "workers");
	if (config->batch)
		rpc->group_batch = workload_add_group(w, "batch");
	w->nr_tasks = config->workers + config->batch;
	w->duration = config->duration;
	return w;
}

#define FIELD(f) offsetof(struct config, f)

static const struct option_spec rpc_options[] = {
	{ 'r', "rate", OPT_NUMBER, FIELD(rate), 1, 10000000, 0, "N",
	  "requests per second, as a Poisson process" },
	{ 'w', "workers", OPT_NUMBER, FIELD(workers), 1, 100000, 0, "N",
	  "tasks that serve requests" },
	{ 's', "service", OPT_TEXT, FIELD(service), 0, 0, 0, "TIMES",
	  "work of a request: 10us, exp:10us, or a mixture" },
	{ 'q', "queues", OPT_NUMBER, FIELD(queues), 1, MAX_QUEUES, 0, "N",
	  "receive queues, each with its interrupts on a CPU of its own" },
	{ 'b', "batch", OPT_NUMBER, FIELD(batch), 0, 100000, 0, "N",
	  "background tasks that only compute" },
	{ 'd', "duration", OPT_TIME, FIELD(duration), 1, 1000000 * NSEC_PER_SEC, NSEC_PER_SEC,
	  "SECONDS", "how long to run (default: as the command says)" },
};

static const struct config defaults = {
	.rate = 100000,
	.workers = 64,
	.queues = 1,
	.service = (char *)"99.5:4us,0.5:10ms",
};

static const struct option_table options = {
	.options = rpc_options,
	.nr_options = ARRAY_SIZE(rpc_options),
	.config_size = sizeof(struct config),
	.defaults = &defaults,
	.notes = "A mixture is percentages with times, 99.5:4us,0.5:10ms, that add up to 100.\n"
		 "Latency is counted from the intended arrival to the end of the work.",
};

const struct generator gen_rpc = {
	.name = "rpc",
	.summary = "open-loop requests with Poisson arrivals served by a pool of workers",
	.options = &options,
	.open = rpc_open,
};
