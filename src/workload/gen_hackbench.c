// SPDX-License-Identifier: GPL-2.0-only
/*
 * hackbench: groups of senders and receivers; every sender writes to all
 * receivers of its group, through a pipe or a stream socket per receiver that
 * all senders share. All start together when the last one is ready.
 */
#include <stdio.h>

#include "channel.h"
#include "figures.h"
#include "internal.h"
#include "options.h"
#include "sync.h"

/* What a call does beyond system call and wakeup: a fixed part, and copying. */
#define PIPE_WRITE_NS 250
#define PIPE_READ_NS 200
#define SOCKET_WRITE_NS 700
#define SOCKET_READ_NS 500
#define COPY_BYTES_PER_NS 10
/* After the pipes by which members say that they are ready, and are told to begin. */
#define FIRST_FD 7

struct config {
	u64 groups, fds, loops, datasize;
	bool pipe, sockets, threads;
};

struct member {
	struct hackbench *bench;
	struct channel *channels; /* of the group, one per receiver */
	struct channel *channel; /* a receiver's */
	u64 loop, fd; /* sender: where it is */
	u64 left; /* receiver: messages to come */
	bool sender, started, paid;
	struct sync_barrier_wait barrier;
};

struct hackbench {
	struct workload w;
	struct config config;
	struct sync_barrier barrier;
	u32 group_senders, group_receivers;
	u64 write_ns, read_ns;
	u64 received;
	u32 running; /* members that have not finished */
	u32 fd; /* of the next channel */
	u64 begin, end; /* of the exchange */
};

static bool begin(struct member *m, struct task_action *action)
{
	if (!m->started && !sync_barrier_wait(&m->bench->barrier, &m->barrier, action))
		return false;
	if (!m->bench->begin)
		m->bench->begin = task_clock();
	m->started = true;
	return true;
}

static void finish(struct member *m, struct task_action *action)
{
	if (!--m->bench->running)
		m->bench->end = task_clock();
	act(action, ACT_EXIT, 0);
}

static void sender_next(struct task *self, struct task_action *action)
{
	struct member *m = task_data(self);
	const struct config *config = &m->bench->config;

	if (!begin(m, action))
		return;
	for (; m->loop < config->loops; m->loop++, m->fd = 0) {
		for (; m->fd < config->fds; m->fd++) {
			if (!m->paid) {
				m->paid = true;
				act(action, ACT_COMPUTE, m->bench->write_ns);
				return;
			}
			if (!channel_write(&m->channels[m->fd], action))
				return;
			m->paid = false;
		}
	}
	finish(m, action);
}

static void receiver_next(struct task *self, struct task_action *action)
{
	struct member *m = task_data(self);

	if (!begin(m, action))
		return;
	if (!m->left) {
		finish(m, action);
		return;
	}
	if (!channel_read(m->channel, action))
		return;
	m->left--;
	m->bench->received++;
	task_report_ops(1);
	act(action, ACT_COMPUTE, m->bench->read_ns);
}

static int spawn_member(struct hackbench *bench, struct member *m)
{
	static const struct task_behaviour sender = {
		.next = sender_next, .name = "hackbench:sender",
	};
	static const struct task_behaviour receiver = {
		.next = receiver_next, .name = "hackbench:receiver",
	};
	struct task_params params = {
		.comm = m->sender ? "sender" : "receiver",
		.group = m->sender ? bench->group_senders : bench->group_receivers,
		.new_process = !bench->config.threads,
	};

	m->bench = bench;
	m->left = bench->config.fds * bench->config.loops;
	return workload_spawn(&bench->w, &params, m->sender ? &sender : &receiver, m);
}

/* As hackbench forks them: a group's receivers with their channels, then its senders. */
static int start_group(struct hackbench *bench)
{
	const struct config *config = &bench->config;
	u32 fds = config->fds, i;
	struct channel *channels = workload_alloc(&bench->w, fds, sizeof(*channels));
	struct member *m = workload_alloc(&bench->w, 2 * fds, sizeof(*m));
	int err = 0;

	for (i = 0; i < 2 * fds && !err; i++) {
		m[i].sender = i >= fds;
		m[i].channels = channels;
		if (i < fds) {
			m[i].channel = &channels[i];
			if (config->pipe)
				channel_init_pipe(&channels[i], config->datasize, bench->fd);
			else
				channel_init_socket(&channels[i], config->datasize, bench->fd);
			bench->fd += 2;
		}
		err = spawn_member(bench, &m[i]);
	}
	return err;
}

static int hackbench_start(struct workload *w)
{
	struct hackbench *bench = container_of(w, struct hackbench, w);
	int err = 0;
	u64 i;

	sync_barrier_init(&bench->barrier, w->nr_tasks);
	bench->running = w->nr_tasks;
	bench->fd = FIRST_FD;
	for (i = 0; i < bench->config.groups && !err; i++)
		err = start_group(bench);
	return err;
}

static bool hackbench_figure(struct workload *w, u32 i, char *buf, size_t size)
{
	struct hackbench *bench = container_of(w, struct hackbench, w);
	const struct config *c = &bench->config;
	char time[32];

	switch (i) {
	case 0:
		snprintf(buf, size,
			 "Running in %s mode with %llu groups using %llu file descriptors each (== "
			 "%u tasks)",
			 c->threads ? "threaded" : "process", c->groups, 2 * c->fds, w->nr_tasks);
		return true;
	case 1:
		snprintf(buf, size, "Each sender will pass %llu messages of %llu bytes", c->loops,
			 c->datasize);
		return true;
	case 2:
		if (bench->end)
			snprintf(buf, size, "Time: %s",
				 figure_ratio(bench->end - bench->begin, NSEC_PER_SEC, 3, time,
					      sizeof(time)));
		else
			snprintf(buf, size, "Time: not finished; %llu of %llu messages received",
				 bench->received, c->groups * c->fds * c->fds * c->loops);
		return true;
	}
	return false;
}

static const struct workload_ops hackbench_ops = {
	.start = hackbench_start,
	.figure = hackbench_figure,
};

static struct workload *hackbench_open(const void *options, char *err, size_t err_size)
{
	const struct config *config = options;
	struct hackbench *bench;
	struct workload *w;
	u64 copy = config->datasize / COPY_BYTES_PER_NS;

	if (config->pipe && config->sockets) {
		snprintf(err, err_size, "hackbench: choose one of --pipe and --sockets");
		return NULL;
	}
	if (config->groups * config->fds * 2 > WORKLOAD_MAX_TASKS) {
		snprintf(err, err_size,
			 "hackbench: %llu groups of %llu tasks are more than %u tasks",
			 config->groups, config->fds * 2, WORKLOAD_MAX_TASKS);
		return NULL;
	}
	w = workload_new(sizeof(*bench), &hackbench_ops);
	bench = container_of(w, struct hackbench, w);
	bench->config = *config;
	bench->write_ns = copy + (config->pipe ? PIPE_WRITE_NS : SOCKET_WRITE_NS);
	bench->read_ns = copy + (config->pipe ? PIPE_READ_NS : SOCKET_READ_NS);
	bench->group_senders = workload_add_group(w, "senders");
	bench->group_receivers = workload_add_group(w, "receivers");
	w->nr_tasks = config->groups * config->fds * 2;
	return w;
}

#define FIELD(f) offsetof(struct config, f)

static const struct option_spec hackbench_options[] = {
	{ 'g', "groups", OPT_NUMBER, FIELD(groups), 1, 100000, 0, "N", "number of groups" },
	{ 'f', "fds", OPT_NUMBER, FIELD(fds), 1, 10000, 0, "N",
	  "senders, and receivers, of a group" },
	{ 'l', "loops", OPT_NUMBER, FIELD(loops), 1, 1000000000, 0, "N",
	  "messages from each sender to each receiver" },
	{ 's', "datasize", OPT_NUMBER, FIELD(datasize), 1, CHANNEL_MAX_MESSAGE, 0, "BYTES",
	  "size of a message" },
	{ 'p', "pipe", OPT_FLAG, FIELD(pipe), 0, 0, 0, NULL, "pass messages through pipes" },
	{ 'S', "sockets", OPT_FLAG, FIELD(sockets), 0, 0, 0, NULL,
	  "pass messages through Unix stream sockets (the default)" },
	{ 'T', "threads", OPT_FLAG, FIELD(threads), 0, 0, 0, NULL,
	  "threads of one process instead of processes" },
};

static const struct config defaults = { .groups = 10, .fds = 20, .loops = 100, .datasize = 100 };

static const struct option_table options = {
	.options = hackbench_options,
	.nr_options = ARRAY_SIZE(hackbench_options),
	.config_size = sizeof(struct config),
	.defaults = &defaults,
};

const struct generator gen_hackbench = {
	.name = "hackbench",
	.summary = "groups of senders and receivers exchange messages through pipes or sockets",
	.options = &options,
	.open = hackbench_open,
};
