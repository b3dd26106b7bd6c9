// SPDX-License-Identifier: GPL-2.0-only
/*
 * perf bench sched pipe: two tasks pass a token to and fro through two pipes.
 * One operation is a round trip: two messages, two wakeups, two switches.
 */
#include <errno.h>
#include <stdio.h>

#include "../base/cpumask.h"
#include "../sim/cpu.h"
#include "channel.h"
#include "figures.h"
#include "internal.h"
#include "options.h"

#define TOKEN_SIZE 4
#define PIPE_OP_NS 200 /* a call, without system call and wakeup */

enum place { PLACE_ANY, PLACE_SAME, PLACE_SIBLING, PLACE_LLC, PLACE_NODE, PLACE_REMOTE };

struct config {
	u64 loops, place;
	bool threaded;
};

struct end {
	struct pipe_bench *bench;
	struct channel *in, *out;
	u64 left; /* round trips */
	u64 sent; /* when this one began */
	bool first; /* sends first, and measures */
	enum { E_WRITE, E_WRITING, E_READ } state;
};

struct pipe_bench {
	struct workload w;
	struct config config;
	struct channel channels[2];
	struct end ends[2];
	u32 group;
	struct hist trips;
	u64 begin, last;
};

static void end_trip(struct end *e)
{
	u64 now = task_clock();

	if (!e->first)
		return;
	e->bench->last = now;
	hist_record(&e->bench->trips, now - e->sent);
	task_report_request(now - e->sent);
	task_report_ops(1);
}

static void end_next(struct task *self, struct task_action *action)
{
	struct end *e = task_data(self);

	if (!e->bench->begin)
		e->bench->begin = task_clock();
	while (e->left) {
		switch (e->state) {
		case E_WRITE:
			e->sent = task_clock();
			e->state = E_WRITING;
			act(action, ACT_COMPUTE, PIPE_OP_NS);
			return;
		case E_WRITING:
			if (!channel_write(e->out, action))
				return;
			if (!e->first)
				e->left--;
			e->state = E_READ;
			break;
		case E_READ:
			if (!channel_read(e->in, action))
				return;
			if (e->first)
				e->left--;
			end_trip(e);
			e->state = E_WRITE;
			act(action, ACT_COMPUTE, PIPE_OP_NS);
			return;
		}
	}
	act(action, ACT_EXIT, 0);
}

/* The first pair of CPUs as far apart as @place says. */
static bool find_pair(enum place place, u32 cpu[2])
{
	static const enum cpu_distance distances[] = {
		[PLACE_SAME] = DIST_SELF, [PLACE_SIBLING] = DIST_SMT,	[PLACE_LLC] = DIST_LLC,
		[PLACE_NODE] = DIST_NODE, [PLACE_REMOTE] = DIST_REMOTE,
	};

	for (cpu[0] = 0; cpu[0] < nr_cpu_ids; cpu[0]++)
		for (cpu[1] = 0; cpu[1] < nr_cpu_ids; cpu[1]++)
			if (cpu_distance(cpus[cpu[0]].topo, cpus[cpu[1]].topo) == distances[place])
				return true;
	return false;
}

static int pipe_start(struct workload *w)
{
	static const struct task_behaviour behaviour = { .next = end_next, .name = "pipe:end" };
	static const char *const places[] = {
		[PLACE_SAME] = "",
		[PLACE_SIBLING] = "share a core",
		[PLACE_LLC] = "share a last-level cache, but no core",
		[PLACE_NODE] = "share a node, but no last-level cache",
		[PLACE_REMOTE] = "are in different nodes",
	};
	struct pipe_bench *bench = container_of(w, struct pipe_bench, w);
	enum place place = bench->config.place;
	struct cpumask allowed[2] = { 0 };
	struct task_params params = {
		.comm = "sched-pipe",
		.group = bench->group,
		.new_process = !bench->config.threaded,
	};
	u32 cpu[2], i;
	int err = 0;

	if (place != PLACE_ANY && !find_pair(place, cpu))
		return workload_fail(w, -EINVAL,
				     "pipe: this machine has no two CPUs that %s; choose another "
				     "--place or machine",
				     places[place]);
	for (i = 0; i < 2 && !err; i++) {
		struct end *e = &bench->ends[i];

		channel_init_pipe(&bench->channels[i], TOKEN_SIZE, 3 + 2 * i);
		e->bench = bench;
		e->in = &bench->channels[i];
		e->out = &bench->channels[!i];
		e->left = bench->config.loops;
		e->first = i == 0;
		e->state = e->first ? E_WRITE : E_READ;
		if (place != PLACE_ANY) {
			cpumask_set_cpu(cpu[i], &allowed[i]);
			params.allowed = &allowed[i];
		}
		err = workload_spawn(w, &params, &behaviour, e);
	}
	return err;
}

static bool pipe_figure(struct workload *w, u32 i, char *buf, size_t size)
{
	struct pipe_bench *bench = container_of(w, struct pipe_bench, w);
	u64 time = bench->last > bench->begin ? bench->last - bench->begin : 0;
	u64 ops = bench->trips.count;
	char value[32];

	switch (i) {
	case 0:
		snprintf(buf, size, "Executed %llu pipe operations between two %s", ops,
			 bench->config.threaded ? "threads" : "processes");
		return true;
	case 1:
		snprintf(buf, size, "Total time: %s [sec]",
			 figure_ratio(time, NSEC_PER_SEC, 3, value, sizeof(value)));
		return true;
	case 2:
		snprintf(buf, size, "%s usecs/op",
			 figure_ratio(time, ops * NSEC_PER_USEC, 6, value, sizeof(value)));
		return true;
	case 3:
		snprintf(buf, size, "%s ops/sec",
			 figure_ratio(ops * NSEC_PER_SEC, time, 0, value, sizeof(value)));
		return true;
	}
	return false;
}

static void pipe_close(struct workload *w)
{
	hist_free(&container_of(w, struct pipe_bench, w)->trips);
}

static const struct workload_ops pipe_ops = {
	.start = pipe_start,
	.figure = pipe_figure,
	.close = pipe_close,
};

static struct workload *pipe_open(const void *options, char *err, size_t err_size)
{
	struct workload *w = workload_new(sizeof(struct pipe_bench), &pipe_ops);
	struct pipe_bench *bench = container_of(w, struct pipe_bench, w);

	bench->config = *(const struct config *)options;
	bench->group = workload_add_group(w, "pipe");
	w->nr_tasks = 2;
	return w;
}

#define FIELD(f) offsetof(struct config, f)

static const struct option_spec pipe_options[] = {
	{ 'l', "loop", OPT_NUMBER, FIELD(loops), 1, 1000000000000, 0, "N",
	  "number of round trips" },
	{ 'T', "threaded", OPT_FLAG, FIELD(threaded), 0, 0, 0, NULL,
	  "two threads instead of two processes" },
	{ 'P', "place", OPT_CHOICE, FIELD(place), 0, 0, 0, "any|same|sibling|llc|node|remote",
	  "pin the two: to one CPU, one core, one cache, one node, two nodes" },
};

static const struct config defaults = { .loops = 1000000, .place = PLACE_ANY };

static const struct option_table options = {
	.options = pipe_options,
	.nr_options = ARRAY_SIZE(pipe_options),
	.config_size = sizeof(struct config),
	.defaults = &defaults,
};

const struct generator gen_pipe = {
	.name = "pipe",
	.summary = "two tasks wake each other through pipes, as perf bench sched pipe",
	.options = &options,
	.open = pipe_open,
};
