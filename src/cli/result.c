// SPDX-License-Identifier: GPL-2.0-only
/*
 * The JSON document of a run: what is known before it, how failures look, and
 * the verdict. docs/json.md describes every field.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../bpf/bpf.h"
#include "../workload/workload.h"
#include "expect.h"
#include "json.h"
#include "run.h"

struct json_object *json_text(const char *text)
{
	struct json_object *obj;
	char *clean;

	if (!text)
		return NULL;
	clean = xstrdup(text);
	for (char *c = clean; *c; c++) {
		if ((*c < ' ' && *c != '\n' && *c != '\t') || *c == 0x7f || *c & 0x80)
			*c = '?';
	}
	obj = json_object_new_string(clean);
	free(clean);
	return obj;
}

static struct json_object *machine_json(const struct topology *topo)
{
	struct json_object *obj = json_object_new_object();
	char words[256];

	topology_describe(topo, words, sizeof(words));
	json_add_string(obj, "spec", topo->spec);
	json_add_string(obj, "description", words);
	json_add_u64(obj, "cpus", topo->nr_cpus);
	json_add_u64(obj, "cores", topo->nr_cores);
	json_add_u64(obj, "llcs", topo->nr_llcs);
	json_add_u64(obj, "nodes", topo->nr_nodes);
	return obj;
}

static struct json_object *settings_json(const struct text_list *list)
{
	struct json_object *array = json_object_new_array();

	for (u32 i = 0; i < list->nr; i++)
		json_object_array_add(array, json_text(list->items[i]));
	return array;
}

void run_add_unmodelled(struct json_object *run, const char *sentence)
{
	struct json_object *array = json_at(run, "unmodelled");

	for (size_t i = 0; i < json_object_array_length(array); i++)
		if (!strcmp(json_object_get_string(json_object_array_get_idx(array, i)), sentence))
			return;
	json_object_array_add(array, json_text(sentence));
}

void run_add_workload_unmodelled(struct json_object *run, const struct workload *w)
{
	const char *sentence;

	for (u32 i = 0; (sentence = workload_unmodelled(w, i)); i++)
		run_add_unmodelled(run, sentence);
}

static struct json_object *hashes_json(const struct run_plan *plan)
{
	struct json_object *obj = json_object_new_object();

	json_object_object_add(obj, "object", NULL);
	json_add_string(obj, "workload", plan->workload_hash);
	json_add_string(obj, "costs", plan->costs_hash);
	return obj;
}

struct json_object *run_new(const struct run_plan *plan, const char *scheduler)
{
	static const char *const noise[] = { "none", "light", "heavy" };
	const struct run_options *o = &plan->options;
	const struct run_kernel *kernel = run_kernel(plan, scheduler);
	struct json_object *run = json_object_new_object();
	struct text_list set;
	char label[64], *copy;

	scheduler_settings(plan, scheduler, &set, &copy);
	json_object_object_add(run, "scheduler",
			       json_text(scheduler_label(scheduler, label, sizeof(label))));
	json_add_string(run, "on", "sim");
	json_object_object_add(run, "machine", machine_json(&plan->topology));
	json_add_string(run, "kernel", kernel->error.status == LOADER_OK ?
					       generation_name(kernel->generation) :
					       NULL);
	json_object_object_add(run, "workload", json_text(o->workload));
	json_object_object_add(run, "settings", settings_json(&set));
	free(copy);
	json_add_string(run, "contexts", o->contexts ? "run" : "load");
	json_add_string(run, "engine", bpf_engine(o->interp));
	json_add_string(run, "noise", noise[o->noise]);
	json_add_u64(run, "seed", o->seed);
	json_add_u64(run, "warmup_ns", o->warmup);
	json_add_u64(run, "duration_ns", plan->duration);
	json_object_object_add(run, "unmodelled", json_object_new_array());
	run_add_workload_unmodelled(run, plan->workload);
	json_object_object_add(run, "hashes", hashes_json(plan));
	return run;
}

void run_set_failure(struct json_object *run, const char *kind, const char *reason,
		     const char *message, const char *log)
{
	struct json_object *end = json_object_new_object();

	json_add_string(end, "kind", kind);
	json_add_string(end, "reason", reason);
	json_object_object_add(end, "message", json_text(message));
	json_object_object_add(end, "log", json_text(log));
	json_object_object_add(run, "end", end);
}

struct json_object *run_periodic(struct json_object *run)
{
	static const char *const owners[] = { "with", "attachments" };
	struct json_object *all = json_object_new_array();

	for (u32 i = 0; i < ARRAY_SIZE(owners); i++) {
		struct json_object *list = json_at(run, owners[i]);

		for (size_t k = 0; list && k < json_object_array_length(list); k++) {
			struct json_object *programs =
				json_at(json_object_array_get_idx(list, k), "periodic");

			for (size_t n = 0; programs && n < json_object_array_length(programs); n++)
				json_object_array_add(all, json_object_get(json_object_array_get_idx(
								   programs, n)));
		}
	}
	return all;
}

/* --- the verdict ---------------------------------------------------------------- */

static bool is_kind(struct json_object *run, const char *kind)
{
	return !strcmp(json_string_at(run, "end.kind"), kind);
}

static bool periodic_failed(struct json_object *run)
{
	struct json_object *programs = run_periodic(run);
	bool failed = false;

	for (size_t i = 0; i < json_object_array_length(programs); i++)
		failed |= json_object_get_boolean(
			json_at(json_object_array_get_idx(programs, i), "failed"));
	json_object_put(programs);
	return failed;
}

/* Of the run alone, without expectations. */
static enum cli_status run_status(struct json_object *run)
{
	struct json_object *books = json_at(run, "books"), *timeline = json_at(run, "timeline");
	size_t nr = timeline ? json_object_array_length(timeline) : 0;

	if (is_kind(run, "crashed") || (books && json_object_array_length(books)))
		return STATUS_BOOKS;
	if (is_kind(run, "not_loaded"))
		return STATUS_LOAD;
	if (!strncmp(json_string_at(run, "end.kind"), "error", 5) || periodic_failed(run))
		return STATUS_THROWN_OUT;
	for (size_t i = 0; i < nr; i++) {
		if (json_at(json_object_array_get_idx(timeline, i), "error"))
			return STATUS_LOAD;
	}
	return STATUS_OK;
}

static bool judge_one(const struct expectation *e, struct json_object *run,
		      struct json_object *results)
{
	struct json_object *result = json_object_new_object();
	bool found, holds;
	u64 value;

	holds = expect_holds(e, run, &found, &value);
	json_add_string(result, "expect", e->text);
	json_object_object_add(result, "value", found ? json_object_new_uint64(value) : NULL);
	json_object_object_add(result, "holds", json_object_new_boolean(holds));
	json_object_array_add(results, result);
	return holds;
}

void run_judge(const struct run_plan *plan, struct json_object *run)
{
	struct json_object *results = json_object_new_array();
	enum cli_status status = run_status(run);
	bool all = true;

	if (json_at(run, "metrics")) {
		for (u32 i = 0; i < plan->nr_expectations; i++)
			all &= judge_one(&plan->expectations[i], run, results);
	}
	if (!all)
		status = status < STATUS_EXPECTATION ? STATUS_EXPECTATION : status;
	json_object_object_add(run, "expectations", results);
	json_add_u64(run, "status", status);
}

struct json_object *document_new(const char *schema)
{
	struct json_object *document = json_object_new_object();

	json_add_string(document, "schema", schema);
	json_add_string(document, "version", vrt_version);
	return document;
}

void document_print(struct json_object *document)
{
	puts(json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY |
							      JSON_C_TO_STRING_SPACED |
							      JSON_C_TO_STRING_NOSLASHESCAPE));
}
