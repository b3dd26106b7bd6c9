// SPDX-License-Identifier: GPL-2.0-only
/*
 * One object, into the BPF subsystem of a machine on which nothing runs. A load
 * ends at the first program that is refused; the object is then opened again and
 * loaded without that one, until all have a verdict.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../bpf/explain.h"
#include "../bpf/prog.h"
#include "json.h"
#include "verify.h"

struct verify {
	const struct run_plan *plan;
	const struct run_kernel *kernel;
	u32 log_level;
	struct text_list set;
	char *file;
	struct json_object *result, *warnings;
	struct text_list refused; /* names, which are ours */
	struct json_object *why[CMDLINE_MAX_LIST]; /* of each, what its entry has on top */
	char *failure; /* the object cannot be loaded for another reason; or NULL */
};

static void on_warning(const char *line, void *arg)
{
	struct verify *v = arg;

	json_object_array_add(v->warnings, json_text(line));
}

/* --- what there is to say about a program ------------------------------------------ */

static struct json_object *kfuncs_json(const struct bpf_prog *prog)
{
	struct json_object *array = json_object_new_array();
	struct bpf_kfunc_site site;

	for (u32 i = 0; bpf_prog_kfunc_site(prog, i, &site); i++) {
		struct json_object *call = json_object_new_object();

		json_add_u64(call, "insn", site.insn);
		json_object_object_add(call, "source", json_text(site.where));
		json_add_string(call, "from", site.from);
		json_add_string(call, "kfunc", site.kfunc);
		json_add_string(call, "implementation", site.impl);
		json_object_array_add(array, call);
	}
	return array;
}

static void add_stats(struct json_object *program, const struct bpf_verifier_stats *stats,
		      bool host_stats)
{
	struct json_object *host;

	json_add_u64(program, "processed", stats->insns);
	json_add_u64(program, "states", stats->total_states);
	json_add_u64(program, "peak_states", stats->peak_states);
	json_add_u64(program, "max_states_per_insn", stats->max_states_per_insn);
	json_add_u64(program, "peak_memory", stats->peak_memory);
	json_add_u64(program, "stack_depth", stats->stack_depth);
	if (!host_stats)
		return;
	host = json_object_new_object();
	json_add_u64(host, "duration_ns", stats->time_ns);
	json_object_object_add(program, "host", host);
}

static void add_loaded(struct json_object *program, int fd, bool host_stats)
{
	struct bpf_prog *prog = bpf_prog_from_fd(fd);

	VRT_ASSERT(prog);
	json_add_string(program, "verdict", VERIFY_ACCEPTED);
	json_add_string(program, "member", bpf_prog_member(prog));
	add_stats(program, &prog->verified, host_stats);
	json_object_object_add(program, "kfuncs", kfuncs_json(prog));
	bpf_prog_put(prog);
}

/* --- refusals ------------------------------------------------------------------------ */

static struct json_object *place_json(const struct bpf_explain_place *place)
{
	struct json_object *json = json_object_new_object();

	json_add_u64(json, "insn", place->insn);
	json_object_object_add(json, "where", json_text(place->where));
	json_object_object_add(json, "source", json_text(place->source));
	json_object_object_add(json, "text", json_text(place->text));
	return json;
}

static struct json_object *explanation_json(const struct bpf_explanation *e)
{
	struct json_object *json = json_object_new_object(), *known = json_object_new_object();
	struct json_object *path = json_object_new_array();
	char name[8];

	json_object_object_add(json, "message", json_text(e->message));
	json_object_object_add(json, "at", place_json(&e->place));
	for (u32 i = 0; i < e->nr_regs; i++) {
		snprintf(name, sizeof(name), "R%u", e->regs[i].regno);
		json_object_object_add(known, name, json_text(e->regs[i].known));
	}
	json_object_object_add(json, "known", known);
	for (u32 i = 0; i < e->nr_steps; i++) {
		struct json_object *step = place_json(&e->steps[i].place);

		json_object_object_add(step, "taken", json_object_new_boolean(e->steps[i].taken));
		json_add_u64(step, "times", e->steps[i].times);
		json_object_array_add(path, step);
	}
	json_object_object_add(json, "path", path);
	json_add_u64(json, "decisions_before", e->steps_before);
	json_add_string(json, "hint", e->hint);
	return json;
}

static struct json_object *refusal_json(const struct verify *v, const struct loader *l,
					const char *name, const char *why)
{
	const struct bpf_explanation *e = bpf_explanation();
	struct json_object *json = json_object_new_object();
	struct loader_program p;

	json_add_string(json, "verdict", VERIFY_REFUSED);
	json_object_object_add(json, "message", json_text(why));
	if (e) {
		add_stats(json, &e->verified, v->plan->options.host_stats);
		json_object_object_add(json, "explanation", explanation_json(e));
	}
	for (u32 i = 0; loader_program(l, i, &p); i++)
		if (p.log && !strcmp(p.name, name))
			json_object_object_add(json, "log", json_text(p.log));
	return json;
}

static struct json_object *refusal_of(const struct verify *v, const char *name)
{
	for (u32 i = 0; i < v->refused.nr; i++)
		if (!strcmp(v->refused.items[i], name))
			return v->why[i];
	return NULL;
}

static void add_refusal(struct json_object *program, struct json_object *refusal)
{
	json_object_object_foreach(refusal, key, value)
		json_object_object_add(program, key, json_object_get(value));
}

static struct json_object *programs_json(const struct verify *v, const struct loader *l)
{
	struct json_object *array = json_object_new_array();
	struct loader_program p;

	for (u32 i = 0; loader_program(l, i, &p); i++) {
		struct json_object *program = json_object_new_object();
		struct json_object *refusal = refusal_of(v, p.name);

		json_object_object_add(program, "name", json_text(p.name));
		json_object_object_add(program, "section", json_text(p.section));
		json_add_u64(program, "instructions", p.insns);
		if (p.fd >= 0)
			add_loaded(program, p.fd, v->plan->options.host_stats);
		else if (refusal)
			add_refusal(program, refusal);
		else
			json_add_string(program, "verdict", VERIFY_SKIPPED);
		if (p.fd >= 0 && p.log)
			json_object_object_add(program, "log", json_text(p.log));
		json_object_array_add(array, program);
	}
	return array;
}

/* --- loading ------------------------------------------------------------------------- */

static struct loader *open_object(struct verify *v, struct loader_error *error)
{
	const struct run_options *o = &v->plan->options;
	const struct loader_options opts = {
		.set = v->set.items,
		.nr_set = v->set.nr,
		.include_dirs = o->include_dirs.items,
		.nr_include_dirs = o->include_dirs.nr,
		.topology = &v->plan->topology,
		.generation = v->kernel->generation,
		.skip = v->refused.items,
		.nr_skip = v->refused.nr,
		.any_object = true,
		.log_level = v->log_level,
		.verbose = o->verbose,
	};

	json_object_put(v->warnings); /* of the last time */
	v->warnings = json_object_new_array();
	return loader_open(v->file, &opts, on_warning, v, error);
}

/* True: there is a program more that is refused, and the rest may be fine. */
static bool note_refusal(struct verify *v, const struct loader *l, const struct loader_error *error)
{
	const char *why, *name = loader_refused(l, &why);

	if (!name || v->refused.nr == CMDLINE_MAX_LIST) {
		v->failure = xstrdup(error->message);
		return false;
	}
	v->why[v->refused.nr] = refusal_json(v, l, name, why);
	v->refused.items[v->refused.nr++] = xstrdup(name);
	return true;
}

static void load_programs(struct verify *v)
{
	struct loader_error error;
	struct loader *l;
	bool again = false;

	do {
		error = (struct loader_error){};
		l = open_object(v, &error);
		if (!l) {
			v->failure = xstrdup(error.message);
		} else {
			again = loader_load(l, &error) != LOADER_OK && note_refusal(v, l, &error);
			if (!again) {
				json_add_string(v->result, "hash", loader_object_hash(l));
				json_object_object_add(v->result, "programs", programs_json(v, l));
			}
		}
		loader_close(l);
		loader_error_free(&error);
	} while (again);
}

/* --- the machine ------------------------------------------------------------------------ */

static void drop_log(u64 time, bool bpf, const char *line)
{
}

char *boot_idle(const struct run_plan *plan, const struct run_kernel *kernel)
{
	struct kernel_config config = {
		.topology = &plan->topology,
		.costs = &plan->costs,
		.seed = 1,
		.noise = NOISE_NONE,
		.log = drop_log,
		.generation = kernel->generation,
	};
	char text[128];
	int err = kernel_boot(&config);

	if (!err)
		return NULL;
	snprintf(text, sizeof(text), "the machine does not boot: %s", strerror(-err));
	return xstrdup(text);
}

static void verify_inside(struct verify *v)
{
	v->failure = boot_idle(v->plan, v->kernel);
	if (v->failure)
		return;
	load_programs(v);
	kernel_shutdown();
}

static struct json_object *new_result(const struct verify_request *request)
{
	struct json_object *result = json_object_new_object();

	json_object_object_add(result, "object", json_text(request->object));
	json_add_string(result, "variant", request->variant->suffix);
	return result;
}

struct json_object *verify_failed(const struct verify_request *request, const char *message)
{
	struct json_object *result = new_result(request);

	json_add_string(result, "verdict", VERIFY_FAILED);
	json_object_object_add(result, "message", json_text(message));
	return result;
}

struct json_object *verify_object(void *arg)
{
	struct verify_request *request = arg;
	struct verify v = {
		.plan = request->plan, .kernel = run_kernel(request->plan, request->object),
		.log_level = request->log_level,
	};
	char *settings;

	verify_settings(request, &v.set, &settings);
	v.file = scheduler_file(request->object);
	v.result = new_result(request);
	v.warnings = json_object_new_array();
	json_add_string(v.result, "kernel", generation_name(v.kernel->generation));
	if (!v.file)
		v.failure = xstrdup("there is no such file");
	else if (v.kernel->error.status != LOADER_OK)
		v.failure = xstrdup(v.kernel->error.message);
	else
		verify_inside(&v);
	json_add_string(v.result, "verdict", v.failure	    ? VERIFY_FAILED :
					     v.refused.nr ? VERIFY_REFUSED : VERIFY_ACCEPTED);
	json_object_object_add(v.result, "message", json_text(v.failure));
	json_object_object_add(v.result, "warnings", v.warnings);
	for (u32 i = 0; i < v.refused.nr; i++) {
		free((char *)v.refused.items[i]);
		json_object_put(v.why[i]);
	}
	free(v.failure);
	free(v.file);
	free(settings);
	plan_free(request->plan); /* the child's copy goes with it, so that leaks show */
	return v.result;
}
