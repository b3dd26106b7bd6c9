// SPDX-License-Identifier: GPL-2.0-only
/*
 * The micro-benchmarks, measured: a sample is as many runs of a program as take a
 * while, in time of the processor; engines take turns, so that what disturbs one
 * disturbs them all. Whether they compute the same is looked at, too.
 */
#include "micro.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "../json.h"
#include "bench.h"
#include "stats.h"
#include "worker.h"

#define SAMPLES 11
#define SAMPLE_NS (8 * NSEC_PER_MSEC)
#define QUICK_SAMPLES 3
#define QUICK_SAMPLE_NS (1 * NSEC_PER_MSEC)
#define MAX_REPEAT 50000000

static const struct micro_group *const groups[] = {
	&isa_group, &call_group, &map_group, &program_group,
};

struct measured {
	const struct micro *micro;
	struct samples ns[NR_ENGINES]; /* per operation */
	u32 results[NR_ENGINES];
	u32 operations;
	char why[NR_ENGINES][WORKER_WHY_SIZE]; /* not measured; "": it is not for this engine */
};

const char *micro_group_name(u32 group)
{
	return group < ARRAY_SIZE(groups) ? groups[group]->name : NULL;
}

const char *micro_name(u32 group, u32 i)
{
	return i < groups[group]->nr ? groups[group]->micros[i].name : NULL;
}

/* --- measuring ------------------------------------------------------------------------ */

/* One sample of one engine. */
static bool sample(struct worker *w, struct measured *m, u32 e, u32 repeat, u64 *ns)
{
	struct worker_run run;

	if (!worker_run(w, m->micro, repeat, &run)) {
		snprintf(m->why[e], sizeof(m->why[e]), "%s", w->why);
		m->ns[e].nr = 0;
		return false;
	}
	*ns = run.ns;
	m->results[e] = run.result;
	m->operations = run.operations;
	return true;
}

/* How many runs take @wanted ns; 0: none can be had. */
static u32 calibrate(struct worker *w, struct measured *m, u32 e, u64 wanted)
{
	u32 repeat = 1;
	u64 ns;

	for (;;) {
		if (!sample(w, m, e, repeat, &ns))
			return 0;
		if (ns >= wanted / 2 || repeat >= MAX_REPEAT)
			break;
		/* in one bound once the clock can be believed */
		repeat = ns > wanted / 50 ? (u32)((double)repeat * (double)wanted / (double)ns) :
					    repeat * 8;
	}
	return max(repeat, 1U);
}

static bool suits(const struct worker *w, const struct micro *micro)
{
	return w->fd >= 0 && (micro->plain || !w->engine->plain);
}

static void measure(const struct bench *b, struct worker workers[], struct measured *m)
{
	u32 repeat[NR_ENGINES] = {}, nr = b->options.quick ? QUICK_SAMPLES : SAMPLES;
	u64 wanted = b->options.quick ? QUICK_SAMPLE_NS : SAMPLE_NS, ns;

	for (u32 e = 0; e < NR_ENGINES; e++)
		if (suits(&workers[e], m->micro))
			repeat[e] = calibrate(&workers[e], m, e, wanted);
	for (u32 i = 0; i < nr; i++) {
		for (u32 n = 0; n < NR_ENGINES; n++) {
			/* forth and back, so that none is always the first */
			u32 e = i % 2 ? NR_ENGINES - 1 - n : n;

			if (!repeat[e])
				continue;
			if (sample(&workers[e], m, e, repeat[e], &ns))
				sample_add(&m->ns[e], (double)ns / repeat[e] / m->operations);
			else
				repeat[e] = 0;
		}
	}
}

/* --- what is told ---------------------------------------------------------------------- */

/* Of what is measured on both; the same engine's as another's beside it. */
static bool ratio_of(const struct measured *m, u32 e, u32 other, struct samples *ratio)
{
	*ratio = sample_ratio(&m->ns[e], &m->ns[other]);
	return e != other && ratio->nr;
}

static struct json_object *ratios_json(const struct measured *m)
{
	struct json_object *ratios = json_object_new_object();
	struct samples ratio;
	char name[32];

	for (u32 e = 0; e < NR_ENGINES; e++) {
		for (u32 other = 0; other < NR_ENGINES; other++) {
			if (!ratio_of(m, e, other, &ratio))
				continue;
			snprintf(name, sizeof(name), "%s/%s", engines[e].name,
				 engines[other].name);
			json_object_object_add(ratios, name, samples_json(&ratio));
		}
	}
	return ratios;
}

/* An engine that computes something else than the first: a bug of somebody's. */
static void compare_results(struct json_object *object, const struct measured *m)
{
	char text[256];
	u32 first = 0;

	while (first < NR_ENGINES && !m->ns[first].nr)
		first++;
	for (u32 e = first + 1; e < NR_ENGINES; e++) {
		if (!m->ns[e].nr || m->results[e] == m->results[first])
			continue;
		snprintf(text, sizeof(text), "%s computes %u, and %s %u", engines[e].name,
			 m->results[e], engines[first].name, m->results[first]);
		json_add_string(object, "error", text);
	}
}

static struct json_object *measured_json(const struct micro_group *group, const struct measured *m)
{
	struct json_object *object = json_object_new_object(), *ns = json_object_new_object();
	char text[WORKER_WHY_SIZE + 64];

	json_add_string(object, "group", group->name);
	json_add_string(object, "name", m->micro->name);
	json_add_string(object, "what", m->micro->what);
	json_add_u64(object, "operations", m->operations);
	for (u32 e = 0; e < NR_ENGINES; e++) {
		json_object_object_add(ns, engines[e].name, samples_json(&m->ns[e]));
		if (*m->why[e]) {
			snprintf(text, sizeof(text), "%s: %s", engines[e].name, m->why[e]);
			json_add_string(object, "error", text);
		}
	}
	json_object_object_add(object, "ns_per_operation", ns);
	json_object_object_add(object, "ratios", ratios_json(m));
	compare_results(object, m);
	return object;
}

/* Geometric means of the ratios of benchmarks from number @from on. */
static struct json_object *means_json(struct json_object *benchmarks, size_t from)
{
	struct json_object *means = json_object_new_object();
	struct geomean sum[NR_ENGINES][NR_ENGINES] = {};
	char name[80];

	for (size_t i = from; i < json_object_array_length(benchmarks); i++) {
		struct json_object *object = json_object_array_get_idx(benchmarks, i);

		for (u32 e = 0; e < NR_ENGINES; e++) {
			for (u32 other = 0; other < NR_ENGINES; other++) {
				snprintf(name, sizeof(name), "ratios.%s/%s.median",
					 engines[e].name, engines[other].name);
				geomean_add(&sum[e][other],
					    json_object_get_double(json_at(object, name)));
			}
		}
	}
	for (u32 e = 0; e < NR_ENGINES; e++) {
		for (u32 other = 0; other < NR_ENGINES; other++) {
			if (!sum[e][other].nr)
				continue;
			snprintf(name, sizeof(name), "%s/%s", engines[e].name,
				 engines[other].name);
			json_object_object_add(means, name,
					       figure_json(geomean_value(&sum[e][other])));
		}
	}
	return means;
}

static struct json_object *engine_json(const struct worker *w, bool available)
{
	struct json_object *object = json_object_new_object();

	json_add_string(object, "name", w->engine->name);
	json_add_string(object, "what", w->engine->what);
	json_object_object_add(object, "available", json_object_new_boolean(available));
	json_add_string(object, "reason", available ? NULL : w->why);
	return object;
}

static void measure_group(const struct bench *b, const struct micro_group *group,
			  struct worker workers[], struct json_object *benchmarks,
			  struct json_object *means)
{
	size_t from = json_object_array_length(benchmarks);

	for (u32 i = 0; i < group->nr; i++) {
		struct measured m = { .micro = &group->micros[i] };

		if (!bench_wants(b, group->name, m.micro->name))
			continue;
		bench_progress("%s/%s", group->name, m.micro->name);
		measure(b, workers, &m);
		json_object_array_add(benchmarks, measured_json(group, &m));
	}
	if (json_object_array_length(benchmarks) > from)
		json_object_object_add(means, group->name, means_json(benchmarks, from));
}

struct json_object *micro_measure(const struct bench *b)
{
	struct json_object *micro, *benchmarks, *means, *available;
	struct worker workers[NR_ENGINES];
	bool wanted = false;

	for (u32 g = 0; g < ARRAY_SIZE(groups); g++)
		wanted |= bench_wants(b, groups[g]->name, NULL);
	if (!wanted)
		return NULL;
	micro = json_object_new_object();
	available = json_object_new_array();
	benchmarks = json_object_new_array();
	means = json_object_new_object();
	for (u32 e = 0; e < NR_ENGINES; e++)
		json_object_array_add(available,
				      engine_json(&workers[e],
						  worker_start(&workers[e], &engines[e])));
	for (u32 g = 0; g < ARRAY_SIZE(groups); g++)
		measure_group(b, groups[g], workers, benchmarks, means);
	for (u32 e = 0; e < NR_ENGINES; e++)
		worker_stop(&workers[e]);
	json_object_object_add(means, "all", means_json(benchmarks, 0));
	json_object_object_add(micro, "engines", available);
	json_object_object_add(micro, "benchmarks", benchmarks);
	json_object_object_add(micro, "geometric_means", means);
	return micro;
}
