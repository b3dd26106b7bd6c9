// SPDX-License-Identifier: GPL-2.0-only
/*
 * Storms that schedulers have to live through: forks, changes of affinity,
 * yields, and sleeps of no length. Each kind is a group; a unit of ops is one
 * fork with its child's end, one change, one yield, one sleep.
 */
#include <stdio.h>

#include "../base/alloc.h"
#include "../base/cpumask.h"
#include "../base/rng.h"
#include "internal.h"
#include "options.h"
#include "sync.h"

#define MAX_OF_A_KIND 100000
#define FORK_RETRY_NS NSEC_PER_MSEC

enum kind { FORK, AFFINITY, YIELD, SLEEP, NR_KINDS };

static const char *const kind_names[] = { "fork", "affinity", "yield", "sleep" };

struct config {
	u64 nr[NR_KINDS];
	u64 work, duration;
};

struct stress;

struct stresser {
	struct stress *stress;
	struct rng rng;
	struct sync_sem children; /* forker: ended ones */
	u64 forked_at;
	bool worked, waiting, acted;
};

struct stress {
	struct workload w;
	struct config config;
	bool standard; /* nothing was chosen: one of each kind per CPU */
	u32 group[NR_KINDS];
};

/* Every other call asks for work; in between, true: the step is to be taken. */
static bool work_first(struct stresser *s, struct task_action *action)
{
	s->worked = !s->worked;
	if (s->worked)
		act(action, ACT_COMPUTE, s->stress->config.work);
	return !s->worked;
}

/* --- forks ---------------------------------------------------------------------- */

struct child {
	struct stresser *parent;
	bool worked;
};

static void child_next(struct task *self, struct task_action *action)
{
	struct child *c = task_data(self);

	if (!c->worked) {
		c->worked = true;
		act(action, ACT_COMPUTE, c->parent->stress->config.work);
		return;
	}
	sync_sem_up(&c->parent->children);
	act(action, ACT_EXIT, 0);
}

static bool fork_child(struct stresser *s)
{
	static const struct task_behaviour behaviour = {
		.next = child_next, .release = workload_release, .name = "stress:child",
	};
	struct task_params params = {
		.comm = "stress-child",
		.group = s->stress->group[FORK],
		.new_process = true,
	};
	struct child *c = xcalloc(1, sizeof(*c));

	c->parent = s;
	s->forked_at = task_clock();
	if (!workload_spawn(&s->stress->w, &params, &behaviour, c))
		return true;
	workload_note(&s->stress->w, "stress: forks failed: %s", workload_error(&s->stress->w));
	return false;
}

static void forker_next(struct task *self, struct task_action *action)
{
	struct stresser *s = task_data(self);

	if (!s->waiting) {
		if (!work_first(s, action))
			return;
		s->waiting = fork_child(s);
		if (!s->waiting) {
			act(action, ACT_SLEEP, FORK_RETRY_NS);
			return;
		}
	}
	if (!sync_sem_down(&s->children, action))
		return;
	s->waiting = false;
	task_report_request(task_clock() - s->forked_at);
	task_report_ops(1);
	work_first(s, action);
}

/* --- the others -------------------------------------------------------------------- */

/* All CPUs, one, or a range: what affinity is used for. */
static void random_mask(struct rng *rng, struct cpumask *mask)
{
	u32 first = rng_below(rng, nr_cpu_ids), last = first, cpu;

	cpumask_clear(mask);
	switch (rng_below(rng, 3)) {
	case 0:
		cpumask_setall(mask);
		return;
	case 1:
		last = first + rng_below(rng, nr_cpu_ids - first);
		break;
	}
	for (cpu = first; cpu <= last; cpu++)
		cpumask_set_cpu(cpu, mask);
}

static void affinity_next(struct task *self, struct task_action *action)
{
	struct stresser *s = task_data(self);
	struct cpumask mask = { 0 };

	if (!work_first(s, action))
		return;
	random_mask(&s->rng, &mask);
	task_charge_syscall();
	syscall_enter(SYSCALL_SETAFFINITY, (u64)&mask, 0);
	/* CPUs that are all offline are refused, as by the system call: an attempt counts */
	syscall_return(task_set_affinity(self, &mask));
	task_report_ops(1);
	work_first(s, action);
}

/* yield and sleep: the step is an action; it is counted when it is over */
static void act_next(struct stresser *s, enum task_action_kind step, struct task_action *action)
{
	if (s->acted) {
		s->acted = false;
		task_report_ops(1);
	}
	if (!work_first(s, action))
		return;
	s->acted = true;
	act(action, step, 0);
}

static void yield_next(struct task *self, struct task_action *action)
{
	act_next(task_data(self), ACT_YIELD, action);
}

static void sleep_next(struct task *self, struct task_action *action)
{
	act_next(task_data(self), ACT_SLEEP, action);
}

/* --- starting ------------------------------------------------------------------------ */

static u32 nr_of(const struct stress *stress, enum kind kind)
{
	return stress->standard ? nr_cpu_ids : stress->config.nr[kind];
}

static u32 stress_nr_tasks(const struct workload *w)
{
	const struct stress *stress = container_of(w, struct stress, w);
	enum kind kind;
	u32 nr = 0;

	for (kind = 0; kind < NR_KINDS; kind++)
		nr += nr_of(stress, kind);
	return nr;
}

static int start_kind(struct stress *stress, enum kind kind)
{
	static const struct task_behaviour behaviours[] = {
		[FORK] = { .next = forker_next, .name = "stress:forker" },
		[AFFINITY] = { .next = affinity_next, .name = "stress:affinity" },
		[YIELD] = { .next = yield_next, .name = "stress:yield" },
		[SLEEP] = { .next = sleep_next, .name = "stress:sleep" },
	};
	char comm[TASK_COMM_LEN], stream[32];
	struct task_params params = {
		.comm = comm,
		.group = stress->group[kind],
		.new_process = true,
	};
	u32 i, nr = nr_of(stress, kind);
	struct stresser *s = workload_alloc(&stress->w, nr, sizeof(*s));
	int err = 0;

	snprintf(comm, sizeof(comm), "stress-%s", kind_names[kind]);
	snprintf(stream, sizeof(stream), "stress.%s", kind_names[kind]);
	for (i = 0; i < nr && !err; i++) {
		s[i].stress = stress;
		sync_sem_init(&s[i].children, 0);
		workload_rng(&s[i].rng, stream, i);
		err = workload_spawn(&stress->w, &params, &behaviours[kind], &s[i]);
	}
	return err;
}

static int stress_start(struct workload *w)
{
	struct stress *stress = container_of(w, struct stress, w);
	enum kind kind;
	int err = 0;

	for (kind = 0; kind < NR_KINDS && !err; kind++)
		err = start_kind(stress, kind);
	return err;
}

static const struct workload_ops stress_ops = {
	.nr_tasks = stress_nr_tasks,
	.start = stress_start,
};

static struct workload *stress_open(const void *options, char *err, size_t err_size)
{
	const struct config *config = options;
	struct workload *w = workload_new(sizeof(struct stress), &stress_ops);
	struct stress *stress = container_of(w, struct stress, w);
	enum kind kind;

	stress->config = *config;
	stress->standard = true;
	for (kind = 0; kind < NR_KINDS; kind++)
		stress->standard &= !config->nr[kind];
	for (kind = 0; kind < NR_KINDS; kind++)
		if (stress->standard || config->nr[kind])
			stress->group[kind] = workload_add_group(w, kind_names[kind]);
	w->duration = config->duration;
	return w;
}

#define FIELD(f) offsetof(struct config, f)

static const struct option_spec stress_options[] = {
	{ 'f', "fork", OPT_NUMBER, FIELD(nr[FORK]), 0, MAX_OF_A_KIND, 0, "N",
	  "tasks that fork, wait for the child's end, and fork again" },
	{ 'a', "affinity", OPT_NUMBER, FIELD(nr[AFFINITY]), 0, MAX_OF_A_KIND, 0, "N",
	  "tasks that change their affinity: all CPUs, one, a range" },
	{ 'y', "yield", OPT_NUMBER, FIELD(nr[YIELD]), 0, MAX_OF_A_KIND, 0, "N",
	  "tasks that yield all the time" },
	{ 's', "sleep", OPT_NUMBER, FIELD(nr[SLEEP]), 0, MAX_OF_A_KIND, 0, "N",
	  "tasks that sleep for no time, again and again" },
	{ 'w', "work", OPT_TIME, FIELD(work), 1, NSEC_PER_SEC, NSEC_PER_USEC, "USEC",
	  "work between two steps" },
	{ 'd', "duration", OPT_TIME, FIELD(duration), 1, 1000000 * NSEC_PER_SEC, NSEC_PER_SEC,
	  "SECONDS", "how long to run (default: as the command says)" },
};

static const struct config defaults = { .work = 10 * NSEC_PER_USEC };

static const struct option_table options = {
	.options = stress_options,
	.nr_options = ARRAY_SIZE(stress_options),
	.config_size = sizeof(struct config),
	.defaults = &defaults,
	.notes = "Without a choice, every CPU gets one task of each kind.",
};

const struct generator gen_stress = {
	.name = "stress",
	.summary = "storms of forks, affinity changes, yields and empty sleeps",
	.options = &options,
	.open = stress_open,
};
