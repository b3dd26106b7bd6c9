// SPDX-License-Identifier: GPL-2.0-only
/* One object, loaded on a machine on which nothing runs: its programs as they are executed. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/strbuf.h"
#include "../base/suggest.h"
#include "../bpf/xlated.h"
#include "json.h"
#include "prog.h"
#include "verify.h"

struct dump {
	const struct prog_request *request;
	const struct run_kernel *kernel;
	struct json_object *result;
	char *failure;
};

static void drop_warning(const char *line, void *arg)
{
}

static void add_opcodes(struct json_object *json, const struct bpf_xlated *x)
{
	const u8 *bytes = (const u8 *)x->insns;
	struct strbuf text = {};

	for (u32 i = 0; i < x->slots * sizeof(struct bpf_insn); i++)
		strbuf_printf(&text, i ? " %02x" : "%02x", bytes[i]);
	json_add_string(json, "opcodes", strbuf_str(&text));
	strbuf_free(&text);
}

static struct json_object *xlated_json(const struct bpf_prog *prog)
{
	struct json_object *array = json_object_new_array();
	struct bpf_xlated x;

	for (u32 i = 0; bpf_xlated(prog, i, &x); i += x.slots) {
		struct json_object *json = json_object_new_object();

		json_add_u64(json, "insn", i);
		if (x.func)
			json_object_object_add(json, "function", json_text(x.func));
		if (x.source) {
			json_object_object_add(json, "src", json_text(x.source));
			json_object_object_add(json, "where", json_text(x.where));
		}
		json_object_object_add(json, "disasm", json_text(x.text));
		add_opcodes(json, &x);
		json_object_array_add(array, json);
	}
	return array;
}

static bool wanted(const struct text_list *names, const char *name)
{
	for (u32 i = 0; i < names->nr; i++)
		if (!strcmp(names->items[i], name))
			return true;
	return !names->nr;
}

static void add_program(struct dump *d, struct json_object *array, const struct loader_program *p)
{
	struct json_object *json = json_object_new_object();
	struct bpf_prog *prog = bpf_prog_from_fd(p->fd);
	struct json_object *code;
	char err[512];

	json_object_array_add(array, json);
	json_object_object_add(json, "name", json_text(p->name));
	json_object_object_add(json, "section", json_text(p->section));
	if (!prog) { /* libbpf leaves it out: of another generation, or not autoloaded */
		json_object_object_add(json, "insns", NULL);
		return;
	}
	json_object_object_add(json, "insns", xlated_json(prog));
	if (d->request->jited) {
		code = prog_jited(prog, err, sizeof(err));
		json_object_object_add(json, "jited", code);
		if (!code && !d->failure)
			d->failure = xstrdup(err);
	}
	bpf_prog_put(prog);
}

/* Is there a program of every name? */
static bool check_names(struct dump *d, const struct loader *l)
{
	const struct text_list *names = &d->request->names;
	struct loader_program p;
	char text[512];

	for (u32 i = 0; i < names->nr; i++) {
		struct suggest near = { .word = names->items[i] };
		bool found = false;

		for (u32 j = 0; loader_program(l, j, &p); j++) {
			found |= !strcmp(p.name, names->items[i]);
			suggest_try(&near, p.name);
		}
		if (found)
			continue;
		snprintf(text, sizeof(text), "there is no program '%s'%s%s%s",
			 names->items[i], near.best ? "; did you mean " : "",
			 near.best ? near.best : "", near.best ? "?" : "");
		d->failure = xstrdup(text);
		return false;
	}
	return true;
}

static void add_programs(struct dump *d, const struct loader *l)
{
	struct json_object *array = json_object_new_array();
	struct loader_program p;

	json_object_object_add(d->result, "programs", array);
	for (u32 i = 0; loader_program(l, i, &p); i++)
		if (wanted(&d->request->names, p.name))
			add_program(d, array, &p);
}

static void load(struct dump *d, const char *file)
{
	const struct run_plan *plan = d->request->plan;
	struct text_list set;
	char *settings;
	struct loader_error error = {};
	struct loader *l;

	scheduler_settings(plan, d->request->object, &set, &settings);
	l = loader_open(file,
			&(struct loader_options){
				.set = set.items,
				.nr_set = set.nr,
				.include_dirs = plan->options.include_dirs.items,
				.nr_include_dirs = plan->options.include_dirs.nr,
				.topology = &plan->topology,
				.generation = d->kernel->generation,
				.any_object = true,
			},
			drop_warning, NULL, &error);
	if (!l)
		d->failure = xstrdup(error.message);
	else if (!check_names(d, l))
		; /* told */
	else if (loader_load(l, &error) != LOADER_OK)
		d->failure = xstrdup(error.message);
	else
		add_programs(d, l);
	loader_close(l);
	loader_error_free(&error);
	free(settings);
}

struct json_object *prog_object(void *arg)
{
	struct prog_request *request = arg;
	struct dump d = { .request = request, .kernel = run_kernel(request->plan, request->object),
			  .result = json_object_new_object() };
	char *file = scheduler_file(request->object);

	json_object_object_add(d.result, "object", json_text(request->object));
	json_add_string(d.result, "kernel", generation_name(d.kernel->generation));
	if (!file)
		d.failure = xstrdup("there is no such file");
	else if (d.kernel->error.status != LOADER_OK)
		d.failure = xstrdup(d.kernel->error.message);
	else
		d.failure = boot_idle(request->plan, d.kernel);
	if (!d.failure) {
		load(&d, file);
		kernel_shutdown();
	}
	json_object_object_add(d.result, "message", json_text(d.failure));
	free(d.failure);
	free(file);
	plan_free(request->plan); /* the child's copy goes with it, so that leaks show */
	return d.result;
}
