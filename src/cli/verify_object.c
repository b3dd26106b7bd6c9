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
#include "../bpf/prog.h"
#include "json.h"
#include "verify.h"

struct verify {
	const struct run_plan *plan;
	const struct run_kernel *kernel;
	struct text_list set;
	char *file;
	struct json_object *result, *warnings;
	struct text_list refused; /* names, which are ours */
	char *why[CMDLINE_MAX_LIST]; /* of each */
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

static void add_loaded(struct json_object *program, int fd)
{
	struct bpf_prog *prog = bpf_prog_from_fd(fd);

	VRT_ASSERT(prog);
	json_add_string(program, "verdict", VERIFY_ACCEPTED);
	json_add_string(program, "member", bpf_prog_member(prog));
	json_object_object_add(program, "kfuncs", kfuncs_json(prog));
	bpf_prog_put(prog);
}

static const char *why_refused(const struct verify *v, const char *name)
{
	for (u32 i = 0; i < v->refused.nr; i++)
		if (!strcmp(v->refused.items[i], name))
			return v->why[i];
	return NULL;
}

static struct json_object *programs_json(const struct verify *v, const struct loader *l)
{
	struct json_object *array = json_object_new_array();
	struct loader_program p;

	for (u32 i = 0; loader_program(l, i, &p); i++) {
		struct json_object *program = json_object_new_object();
		const char *why = why_refused(v, p.name);

		json_object_object_add(program, "name", json_text(p.name));
		json_object_object_add(program, "section", json_text(p.section));
		json_add_u64(program, "instructions", p.insns);
		if (p.fd >= 0) {
			add_loaded(program, p.fd);
		} else {
			json_add_string(program, "verdict", why ? VERIFY_REFUSED : VERIFY_SKIPPED);
			json_object_object_add(program, "message", json_text(why));
		}
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
	v->why[v->refused.nr] = xstrdup(why);
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

static void verify_inside(struct verify *v)
{
	struct kernel_config config = {
		.topology = &v->plan->topology,
		.costs = &v->plan->costs,
		.seed = 1,
		.noise = NOISE_NONE,
		.log = drop_log,
		.generation = v->kernel->generation,
	};
	char text[128];
	int err = kernel_boot(&config);

	if (err) {
		snprintf(text, sizeof(text), "the machine does not boot: %s", strerror(-err));
		v->failure = xstrdup(text);
		return;
	}
	load_programs(v);
	kernel_shutdown();
}

static struct json_object *new_result(const struct verify_request *request)
{
	struct json_object *result = json_object_new_object();

	json_object_object_add(result, "object", json_text(request->object));
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
	};
	char *settings;

	scheduler_settings(request->plan, request->object, &v.set, &settings);
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
		free(v.why[i]);
	}
	free(v.failure);
	free(v.file);
	free(settings);
	plan_free(request->plan); /* the child's copy goes with it, so that leaks show */
	return v.result;
}
