// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bundles of runs that failed: the plan of one run with its files inside, and
 * how it ended. Paths of this host stay out: a file is known by its last name,
 * also where the run's messages speak of it.
 */
#include "bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/file.h"
#include "../base/jsonfile.h"
#include "../base/strbuf.h"
#include "../workload/workload.h"
#include "json.h"
#include "plan.h"

#define BUNDLES_ENV "VRT_BUNDLES"
#define NAME_HASH 12 /* characters of the hash in a name */

/* A file of the run, and what it is called inside. */
struct member {
	char *path, *name;
};

struct writer {
	const struct run_plan *plan;
	struct json_object *files;
	struct run_options options; /* as they are written */
	char *texts[4 * CMDLINE_MAX_LIST]; /* that options point into */
	u32 nr_texts;
	struct member members[3 * CMDLINE_MAX_LIST];
	u32 nr_members;
	bool news; /* does @err say what the run itself has not? */
	char *err;
	size_t err_size;
};

static const char *keep(struct writer *w, struct strbuf *text)
{
	VRT_ASSERT(w->nr_texts < ARRAY_SIZE(w->texts));
	return w->texts[w->nr_texts++] = strbuf_detach(text);
}

/* --- objects --------------------------------------------------------------------- */

static bool ends_in_c(const char *path)
{
	size_t len = strlen(path);

	return len > 2 && !strcmp(path + len - 2, ".c");
}

static void ignore(const char *line, void *arg)
{
}

/*
 * Compiled, if it is source. An object is taken as it is: that it is none may be
 * why the run failed.
 */
static int read_object(struct writer *w, const char *path, struct strbuf *object)
{
	const struct text_list *dirs = &w->plan->options.include_dirs;
	const struct loader_options opts = { .include_dirs = dirs->items,
					     .nr_include_dirs = dirs->nr };
	struct loader_error error = {};
	int ret;

	if (ends_in_c(path)) {
		ret = loader_read_object(path, &opts, ignore, NULL, object, &error) != LOADER_OK;
		if (ret)
			vrt_error(w->err, w->err_size, 0, "%s", error.message);
		loader_error_free(&error);
		return ret ? -EINVAL : 0;
	}
	ret = file_read(path, JSON_FILE_MAX, object);
	w->news = ret == -EFBIG;
	return ret ? vrt_error(w->err, w->err_size, ret, "%s: %s", path, strerror(-ret)) : 0;
}

static bool is_taken(const struct writer *w, const char *name)
{
	for (u32 i = 0; i < w->nr_members; i++)
		if (!strcmp(w->members[i].name, name))
			return true;
	return false;
}

/* The label of @path as a file's name; a number in front tells it from another of that name. */
static char *object_name(const struct writer *w, const char *path)
{
	struct strbuf name = {};
	char label[64], *copy = xstrdup(path);

	/* a comma in a directory's name is none of settings */
	scheduler_label(strrchr(copy, '/') ? strrchr(copy, '/') : copy, label, sizeof(label));
	free(copy);
	for (char *c = label; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= '0' && *c <= '9') && !strchr(c == label ? "_+-" : "._+-", *c))
			*c = '_';
	strbuf_printf(&name, "%s.bpf.o", label);
	for (u32 i = 2; is_taken(w, strbuf_str(&name)); i++) {
		strbuf_reset(&name);
		strbuf_printf(&name, "%u/%s.bpf.o", i, label);
	}
	return strbuf_detach(&name);
}

/* Of the object at @path, which is added if it is a new one; NULL: it cannot be read. */
static const char *add_object(struct writer *w, const char *path)
{
	struct member *m = w->members;
	struct strbuf content = {};
	bool ok;

	for (; m < w->members + w->nr_members; m++)
		if (!strcmp(m->path, path))
			return m->name;
	VRT_ASSERT(w->nr_members < ARRAY_SIZE(w->members));
	ok = !read_object(w, path, &content);
	if (ok) {
		*m = (struct member){ xstrdup(path), object_name(w, path) };
		w->nr_members++;
		bundle_add_file(w->files, m->name, &content);
	}
	strbuf_free(&content);
	return ok ? m->name : NULL;
}

/*
 * *@text as it is inside: "path/fifo.bpf.c,a=1" is "fifo.bpf.o,a=1". It begins
 * with @prefix characters of something else.
 */
static bool pack_object(struct writer *w, const char **text, size_t prefix)
{
	const char *given = *text + prefix, *name;
	struct strbuf packed = {};
	char *path;

	if (scheduler_is_class(given))
		return true;
	path = scheduler_file(given);
	if (!path) {
		vrt_error(w->err, w->err_size, 0, "there is no file '%s'", given);
		return false;
	}
	name = add_object(w, path);
	free(path);
	if (!name)
		return false;
	strbuf_printf(&packed, "%.*s%s%s", (int)prefix, *text, name,
		      given + strcspn(given, ","));
	*text = keep(w, &packed);
	return true;
}

/* --at TIME:swap=SCHED */
static bool pack_actions(struct writer *w)
{
	const struct run_plan *plan = w->plan;

	for (u32 i = 0; i < w->options.at.nr; i++) {
		const char *text = w->options.at.items[i];

		for (u32 k = 0; k < plan->nr_actions; k++) {
			const struct timed_action *a = &plan->actions[k];

			if (a->kind != TIMED_SWAP || a->text != text)
				continue;
			if (!pack_object(w, &w->options.at.items[i], (size_t)(a->value - text)))
				return false;
		}
	}
	return true;
}

static bool pack_objects(struct writer *w, const char **scheduler)
{
	if (!pack_object(w, scheduler, 0) || !pack_actions(w))
		return false;
	for (u32 i = 0; i < w->options.with.nr; i++)
		if (!pack_object(w, &w->options.with.items[i], 0))
			return false;
	return true;
}

/* --- the other files ---------------------------------------------------------------- */

static bool pack_workload(struct writer *w)
{
	const char *file = workload_file(w->options.workload);
	struct strbuf text = {};
	int ret;

	if (!file)
		return true;
	/* what came through a pipe is gone */
	ret = file_is_regular(file) ? file_read(file, WORKLOAD_MAX_FILE, &text) : -ESPIPE;
	w->news = ret;
	if (ret) {
		vrt_error(w->err, w->err_size, ret, "%s: cannot be read again: %s", file,
			  strerror(-ret));
	} else {
		bundle_add_file(w->files, BUNDLE_WORKLOAD, &text);
		w->options.workload = BUNDLE_WORKLOAD;
	}
	strbuf_free(&text);
	return !ret;
}

static void pack_machine(struct writer *w)
{
	const struct topology *topo = &w->plan->topology;
	struct strbuf text = {};

	if (strcmp(topo->spec, "host") && !topology_is_file(topo->spec)) {
		strbuf_puts(&text, topo->spec);
		w->options.machine = keep(w, &text);
		return;
	}
	topology_write(topo, &text);
	bundle_add_file(w->files, BUNDLE_MACHINE, &text);
	strbuf_free(&text);
	w->options.machine = BUNDLE_MACHINE;
}

/* All of them: other versions may have other defaults. */
static void pack_costs(struct writer *w)
{
	struct json_object *costs = json_object_new_object();
	struct strbuf text = {};
	const char *name, *source;
	u64 value;

	for (u32 i = 0; cost_entry(&w->plan->costs, i, &name, &value, &source); i++)
		json_add_u64(costs, name, value);
	strbuf_puts(&text, json_object_to_json_string_ext(costs, JSON_C_TO_STRING_PRETTY));
	bundle_add_file(w->files, BUNDLE_COSTS, &text);
	w->options.costs = BUNDLE_COSTS;
	strbuf_free(&text);
	json_object_put(costs);
}

/* --- the document --------------------------------------------------------------------- */

static bool is_place(const char *text, size_t len)
{
	/* "x.bpf.c:57" is a place in source, which has no other name inside */
	return text[len] != ':' || text[len + 1] < '0' || text[len + 1] > '9';
}

/* @message with the names that files have inside. */
static char *rename_files(const struct writer *w, const char *message)
{
	struct strbuf sb = {};

	while (*message) {
		const struct member *found = NULL;

		for (u32 i = 0; i < w->nr_members; i++) {
			const struct member *m = &w->members[i];
			size_t len = strlen(m->path);

			if (!strncmp(message, m->path, len) && is_place(message, len) &&
			    (!found || len > strlen(found->path)))
				found = m;
		}
		if (found)
			strbuf_puts(&sb, found->name);
		else
			strbuf_putc(&sb, *message);
		message += found ? strlen(found->path) : 1;
	}
	return strbuf_detach(&sb);
}

static struct json_object *result_json(const struct writer *w, struct json_object *run)
{
	struct json_object *result = json_object_new_object();
	char *message = rename_files(w, json_string_at(run, "end.message"));
	u64 status;

	json_u64_at(run, "status", &status);
	json_add_string(result, "on", json_string_at(run, "on"));
	json_object_object_add(result, "kernel", json_object_get(json_at(run, "kernel")));
	json_add_u64(result, "status", status);
	json_add_string(result, "kind", json_string_at(run, "end.kind"));
	json_add_string(result, "reason", json_string_at(run, "end.reason"));
	json_add_string(result, "message", message);
	json_object_object_add(result, "trace_hash", json_object_get(json_at(run, "trace_hash")));
	free(message);
	return result;
}

static struct json_object *machine_json(const struct topology *topo)
{
	struct json_object *machine = json_object_new_object();
	char words[256], hex[SHA256_HEX_SIZE];

	topology_describe(topo, words, sizeof(words));
	bundle_machine_hash(topo, hex);
	json_add_string(machine, "description", words);
	json_add_string(machine, "hash", hex);
	return machine;
}

/* What was left open is as it was found. */
static void settle(struct writer *w, const char *scheduler)
{
	const struct run_kernel *kernel = run_kernel(w->plan, scheduler);

	w->options.duration = w->plan->duration;
	if (kernel->error.status == LOADER_OK)
		w->options.kernel = kernel_choice(kernel->generation);
}

static struct json_object *write_document(struct writer *w, const char *scheduler,
					  struct json_object *run)
{
	struct json_object *document = document_new(BUNDLE_SCHEMA);
	struct text_list arguments = { .items = { scheduler }, .nr = 1 };

	settle(w, scheduler);
	if (!pack_objects(w, &arguments.items[0]) || !pack_workload(w)) {
		json_object_put(document);
		json_object_put(w->files);
		return NULL;
	}
	pack_machine(w);
	pack_costs(w);
	json_object_object_add(document, "command",
			       cmdline_write(&run_table, &w->options, &arguments));
	json_object_object_add(document, "machine", machine_json(&w->plan->topology));
	json_object_object_add(document, "result", result_json(w, run));
	json_object_object_add(document, "files", w->files);
	bundle_seal(document);
	return document;
}

struct json_object *bundle_new(const struct run_plan *plan, const char *scheduler,
			       struct json_object *run, bool *news, char *err, size_t err_size)
{
	struct writer *w = xcalloc(1, sizeof(*w));
	struct json_object *document;

	w->plan = plan;
	w->options = plan->options;
	w->files = json_object_new_array();
	w->err = err;
	w->err_size = err_size;
	document = write_document(w, scheduler, run);
	*news = w->news;
	for (u32 i = 0; i < w->nr_texts; i++)
		free(w->texts[i]);
	for (u32 i = 0; i < w->nr_members; i++) {
		free(w->members[i].path);
		free(w->members[i].name);
	}
	free(w);
	return document;
}

/* --- the file ---------------------------------------------------------------------------- */

/* Where the bundle goes: --bundle, or a name of its own in $VRT_BUNDLES or here. */
static char *bundle_path(const struct run_plan *plan, const char *scheduler,
			 struct json_object *run, struct json_object *document)
{
	const char *dir = getenv(BUNDLES_ENV), *on = json_string_at(run, "on");
	struct strbuf path = {};
	char label[64];

	if (plan->options.bundle)
		return file_of_run(plan, plan->options.bundle, scheduler,
				   strcmp(on, "sim") ? on : "");
	scheduler_label(scheduler, label, sizeof(label));
	label[strcspn(label, ",/")] = '\0';
	if (dir && *dir)
		strbuf_printf(&path, "%s/", dir);
	strbuf_printf(&path, "%s-%.*s" BUNDLE_SUFFIX, label, NAME_HASH,
		      json_string_at(document, "sha256"));
	return strbuf_detach(&path);
}

/* As it will be read: text that is no UTF-8, or too much of it, is found now. */
static int write_bundle(const char *path, struct json_object *document, char *err, size_t err_size)
{
	struct strbuf text = {};
	struct json_object *again = NULL;
	int ret = -EINVAL;

	strbuf_printf(&text, "%s\n",
		      json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY |
								       JSON_C_TO_STRING_SPACED |
								       JSON_C_TO_STRING_NOSLASHESCAPE));
	if (text.len > JSON_FILE_MAX)
		vrt_error(err, err_size, 0, "it would be larger than %u MiB", JSON_FILE_MAX >> 20);
	else
		again = bundle_parse(path, strbuf_str(&text), text.len, err, err_size);
	if (again)
		ret = file_write(path, strbuf_str(&text), text.len);
	if (again && ret)
		vrt_error(err, err_size, 0, "%s: %s", path, strerror(-ret));
	json_object_put(again);
	strbuf_free(&text);
	return ret;
}

/* Of a failure that is the run's own. */
static bool is_wanted(const struct run_plan *plan, struct json_object *run)
{
	const char *option = plan->options.bundle, *env = getenv(BUNDLES_ENV);
	u64 status;

	if (!json_u64_at(run, "status", &status) || run_had_no_kernel(run))
		return false;
	if (option)
		return strcmp(option, "none");
	return status && !(env && !strcmp(env, "none"));
}

bool bundle_keep(const struct run_plan *plan, const char *scheduler, struct json_object *run)
{
	struct json_object *document;
	char err[2048] = "", *path;
	bool news, ok = false;

	if (!is_wanted(plan, run))
		return true;
	document = bundle_new(plan, scheduler, run, &news, err, sizeof(err));
	if (document) {
		path = bundle_path(plan, scheduler, run, document);
		ok = !write_bundle(path, document, err, sizeof(err));
		news = true;
		if (ok)
			json_add_string(run, "bundle", path);
		free(path);
		json_object_put(document);
	}
	/* a file that is not there, or does not compile, has been told already */
	if (!ok && (news || plan->options.bundle))
		cli_error("%s: there will be no repro bundle: %s (--bundle FILE puts it elsewhere, "
			  "--bundle none does without)",
			  json_string_at(run, "scheduler"), err);
	return ok || !plan->options.bundle;
}

void bundle_tell(struct json_object *runs)
{
	for (size_t i = 0; i < json_object_array_length(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);
		const char *path = json_string_at(run, "bundle");

		if (*path)
			cli_error("%s: this run again: vrt replay %s",
				  json_string_at(run, "scheduler"), path);
	}
}
