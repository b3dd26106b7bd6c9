// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scheduling throughput: context switches of the simulated machine per second of
 * this host's processor, by scheduler, size of the machine and tasks per CPU. All
 * runs are about as many switches long.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../base/alloc.h"
#include "../json.h"
#include "../places.h"
#include "../units.h"
#include "bench.h"
#include "machine_run.h"
#include "stats.h"

#define SAMPLES 5
#define QUICK_SAMPLES 2
/* so many tasks take minutes to start: one sample must do */
#define MANY_TASKS 20000
#define SWITCHES 500000
#define QUICK_SWITCHES 50000

/* Linux's own, if it has been built, is scx_simple; it has the default slice, 20 ms. */
static const char *const schedulers[] = { "fifo", "percpu", "vtime", "eevdf", "scx_simple" };
#define SCX_SIMPLE 4

/* With a slice that ends at every tick. */
static const char *const short_slices[] = {
	"fifo,slice_ns=1000000", "percpu,slice_ns=1000000", "vtime,slice_ns=1000000", NULL, NULL,
};

static const struct {
	u32 cpus;
	const char *machine;
	bool quick;
} machines[] = {
	{ 8, "4x2", true },
	{ 64, "2x16x2", true },
	{ 256, "2x4x16x2", false },
	{ 1024, "4x8x16x2", false },
};

static const struct load {
	u32 tasks; /* per CPU */
	enum machine_tasks what;
	u32 switches; /* a second and CPU, in about */
	bool short_slices;
} loads[] = {
	{ 4, TASKS_SLEEP, 40000, false },
	{ 100, TASKS_SLEEP, 40000, false },
	{ 4, TASKS_COMPUTE, 250, true },
};

#define NR_CASES (ARRAY_SIZE(schedulers) * ARRAY_SIZE(machines) * ARRAY_SIZE(loads))

struct sched_case {
	u32 scheduler, machine, load;
	struct machine_run run;
	struct samples rate, real_time, cost; /* cost: of that on the smallest machine */
	char error[512];
};

const char *sched_name(u32 i)
{
	return i < ARRAY_SIZE(schedulers) ? schedulers[i] : NULL;
}

static struct machine_run run_of(u32 s, u32 m, const struct load *load, const char *simple,
				 u64 switches)
{
	struct machine_run run = {
		.scheduler = s == SCX_SIMPLE ? simple : schedulers[s],
		.machine = machines[m].machine,
		.tasks = load->tasks * machines[m].cpus,
		.what = load->what,
		.duration = switches * (NSEC_PER_SEC / load->switches) / machines[m].cpus,
	};

	if (load->short_slices && short_slices[s])
		run.scheduler = short_slices[s];
	return run;
}

/*
 * Those that are wanted, in the order of the tables, and those on larger machines after
 * that on the smallest. @simple: the file of scx_simple.
 */
static u32 choose(const struct bench *b, struct sched_case cases[NR_CASES], const char *simple)
{
	u64 switches = b->options.quick ? QUICK_SWITCHES : SWITCHES;
	u32 nr = 0;

	for (u32 l = 0; l < ARRAY_SIZE(loads); l++) {
		for (u32 s = 0; s < ARRAY_SIZE(schedulers); s++) {
			if (!bench_wants(b, "sched", schedulers[s]) ||
			    (s == SCX_SIMPLE && access(simple, R_OK)))
				continue;
			for (u32 m = 0; m < ARRAY_SIZE(machines); m++) {
				struct sched_case *c = &cases[nr];

				if (b->options.quick && !machines[m].quick)
					continue;
				*c = (struct sched_case){ .scheduler = s, .machine = m, .load = l };
				c->run = run_of(s, m, &loads[l], simple, switches);
				nr++;
			}
		}
	}
	return nr;
}

static void add_sample(struct sched_case *c)
{
	struct json_object *run = machine_run(&c->run);
	const char *error = json_string_at(run, "error");

	if (*error) {
		snprintf(c->error, sizeof(c->error), "%s", error);
		c->rate.nr = c->real_time.nr = 0;
	} else {
		sample_add(&c->rate, json_object_get_double(json_at(
					     run, "host.context_switches_per_cpu_second")));
		sample_add(&c->real_time, json_object_get_double(json_at(
						  run, "host.sim_seconds_per_wall_second")));
	}
	json_object_put(run);
}

static struct json_object *case_json(const struct sched_case *c)
{
	struct json_object *object = json_object_new_object();

	json_add_string(object, "scheduler", schedulers[c->scheduler]);
	json_add_u64(object, "cpus", machines[c->machine].cpus);
	json_add_u64(object, "tasks_per_cpu", loads[c->load].tasks);
	json_add_string(object, "tasks_do", machine_tasks_text[c->run.what]);
	json_add_string(object, "machine", c->run.machine);
	json_add_u64(object, "tasks", c->run.tasks);
	json_add_u64(object, "duration_ns", c->run.duration);
	json_object_object_add(object, "context_switches_per_cpu_second", samples_json(&c->rate));
	json_object_object_add(object, "sim_seconds_per_wall_second", samples_json(&c->real_time));
	json_object_object_add(object, "cost_of_smallest", samples_json(&c->cost));
	if (*c->error)
		json_add_string(object, "error", c->error);
	return object;
}

static struct json_object *missing(const char *scheduler, const char *why)
{
	struct json_object *object = json_object_new_object();

	json_add_string(object, "scheduler", scheduler);
	json_add_string(object, "skipped", why);
	return object;
}

struct json_object *sched_measure(const struct bench *b)
{
	u32 nr, samples = b->options.quick ? QUICK_SAMPLES : SAMPLES;
	struct json_object *sched;
	struct sched_case *cases;
	char *simple;

	if (!bench_wants(b, "sched", NULL))
		return NULL;
	sched = json_object_new_array();
	simple = shipped_path("/linux/scx_simple.bpf.o", "/linux/scx_simple.bpf.o");
	cases = xcalloc(NR_CASES, sizeof(*cases));
	nr = choose(b, cases, simple);
	for (u32 i = 0; i < samples; i++) {
		for (u32 n = 0; n < nr; n++) {
			struct sched_case *c = &cases[i % 2 ? nr - 1 - n : n];

			bench_progress("sched/%s, %u CPUs, %u tasks", schedulers[c->scheduler],
				       machines[c->machine].cpus, c->run.tasks);
			if (!*c->error && (!i || c->run.tasks < MANY_TASKS))
				add_sample(c);
		}
	}
	for (u32 i = 0; i < nr; i++) {
		const struct sched_case *smallest = &cases[i - cases[i].machine];

		cases[i].cost = sample_ratio(&smallest->rate, &cases[i].rate);
		json_object_array_add(sched, case_json(&cases[i]));
	}
	if (bench_wants(b, "sched", schedulers[SCX_SIMPLE]) && access(simple, R_OK))
		json_object_array_add(sched, missing(schedulers[SCX_SIMPLE],
						     "is not built: 'make demo-linux' does that"));
	free(cases);
	free(simple);
	return sched;
}

/* --- the table ------------------------------------------------------------------------ */

#define LABEL 20
#define CELL 10

static struct json_object *find(struct json_object *sched, const char *scheduler, u32 cpus,
				const struct load *load)
{
	for (size_t i = 0; i < json_object_array_length(sched); i++) {
		struct json_object *object = json_object_array_get_idx(sched, i);
		u64 its_cpus, its_load;

		json_u64_at(object, "cpus", &its_cpus);
		json_u64_at(object, "tasks_per_cpu", &its_load);
		if (!strcmp(json_string_at(object, "scheduler"), scheduler) && its_cpus == cpus &&
		    its_load == load->tasks &&
		    !strcmp(json_string_at(object, "tasks_do"), machine_tasks_text[load->what]))
			return object;
	}
	return NULL;
}

static double median_at(struct json_object *object, const char *name)
{
	return json_object_get_double(json_at(json_at(object, name), "median"));
}

/* One scheduler's row, if there is anything of it. */
static void print_row(struct json_object *sched, const char *scheduler, const struct load *load)
{
	double cost = 0, rate;
	bool any = false;
	char text[32];

	for (u32 m = 0; m < ARRAY_SIZE(machines); m++)
		any |= find(sched, scheduler, machines[m].cpus, load) != NULL;
	if (!any)
		return;
	printf("  %-*s", LABEL - 2, scheduler);
	for (u32 m = 0; m < ARRAY_SIZE(machines); m++) {
		struct json_object *object = find(sched, scheduler, machines[m].cpus, load);

		if (!object)
			continue;
		rate = median_at(object, "context_switches_per_cpu_second");
		cost = median_at(object, "cost_of_smallest");
		printf("%*s", CELL, rate > 0 ? human_milli((u64)(rate * 1000), text, sizeof(text)) :
					       "-");
	}
	figure_text(cost, text, sizeof(text));
	printf("%*s\n", CELL, text);
}

static void print_heading(struct json_object *sched, const struct load *load)
{
	char text[32];
	u32 last = 0;

	printf("%u tasks per CPU: %s\n%-*s", load->tasks, machine_tasks_text[load->what], LABEL, "");
	for (u32 m = 0; m < ARRAY_SIZE(machines); m++) {
		for (u32 s = 0; s < ARRAY_SIZE(schedulers); s++) {
			if (!find(sched, schedulers[s], machines[m].cpus, load))
				continue;
			snprintf(text, sizeof(text), "%u CPUs", machines[m].cpus);
			printf("%*s", CELL, text);
			last = machines[m].cpus;
			break;
		}
	}
	snprintf(text, sizeof(text), "cost %u/%u", last, machines[0].cpus);
	printf("  %*s\n", CELL, text);
}

static void print_skipped(struct json_object *sched)
{
	for (size_t i = 0; i < json_object_array_length(sched); i++) {
		struct json_object *object = json_object_array_get_idx(sched, i);

		if (*json_string_at(object, "skipped"))
			printf("  %s %s\n", json_string_at(object, "scheduler"),
			       json_string_at(object, "skipped"));
	}
}

void sched_print(struct json_object *sched)
{
	printf("context switches per second of processor time\n");
	for (u32 l = 0; l < ARRAY_SIZE(loads); l++) {
		print_heading(sched, &loads[l]);
		for (u32 s = 0; s < ARRAY_SIZE(schedulers); s++)
			print_row(sched, schedulers[s], &loads[l]);
	}
	print_skipped(sched);
}
