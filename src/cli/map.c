// SPDX-License-Identifier: GPL-2.0-only
/*
 * vrt map dump: what the maps of a scheduler hold after a run: 'vrt run --print'
 * with nothing but the maps in its output.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "json.h"
#include "run.h"

#define MAP_SCHEMA "vruntime-map-1"
#define MAX_TIME (1000000 * NSEC_PER_SEC)

/* Tasks that run, sleep and wake each other, of which every policy sees something. */
#define MAP_WORKLOAD "schbench"

#define FIELD(member) .offset = offsetof(struct run_options, member)

static const struct cmd_option options[] = {
	{ "workload", 'w', CMD_TEXT, FIELD(workload), "SPEC",
	  "what the tasks do, as of 'vrt run'; default '" MAP_WORKLOAD "'" },
	{ "machine", 'm', CMD_TEXT, FIELD(machine), "SPEC",
	  "the simulated machine, as of 'vrt run'; default 4x2" },
	{ "for", 't', CMD_TIME, FIELD(duration), "TIME", "how long, in simulated time; default 1s",
	  .min = 1, .max = MAX_TIME },
	{ "seed", 's', CMD_NUMBER, FIELD(seed), "N", "of everything random; default 1" },
	{ "with", 0, CMD_LIST, FIELD(with), "OBJ[,VAR=VALUE]",
	  "an object beside the scheduler, as of 'vrt run', whose maps may be named, too; may be "
	  "repeated" },
	{ "set", 0, CMD_LIST, FIELD(set), "VAR=VALUE",
	  "set a global variable before the scheduler is loaded; may be repeated" },
	{ "cgroup", 0, CMD_LIST, FIELD(cgroups), "PATH[,weight=N][,max=QUOTA/PERIOD]",
	  "make a control group first, as of 'vrt run'; may be repeated" },
	{ "include", 'I', CMD_LIST, FIELD(include_dirs), "DIR",
	  "search for headers of a .bpf.c here, too; may be repeated" },
	{ "kernel", 0, CMD_CHOICE, FIELD(kernel), RUN_KERNELS,
	  "generation of Linux to be, as of 'vrt run'; default auto" },
	{ "json", 'j', CMD_FLAG, FIELD(json), NULL, "print the maps as JSON" },
	{ "help", 'h', CMD_HELP, FIELD(help), NULL, "show this help" },
};

static const struct cmd_table table = {
	.command = "vrt map",
	.usage = "dump SCHED[,VAR=VALUE...] [MAP...] [options]",
	.summary = "Runs a workload under a scheduler, and shows what its maps (or those that are "
		   "named) hold when it has been taken out, with the types of BTF.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.notes = "exit status: as of 'vrt run'\n"
		 "\n"
		 "examples:\n"
		 "  vrt map dump simple stats -t 100ms\n"
		 "  vrt map dump mine.bpf.c -m 2x4 -w 'schbench -m 2 -t 4'\n"
		 "  vrt map dump eevdf counts --with count.bpf.c\n",
};

/* --- what is printed ------------------------------------------------------------------- */

static const char *map_of(struct json_object *entry)
{
	static const char prefix[] = "print=";
	const char *action = json_string_at(entry, "action");

	return strncmp(action, prefix, strlen(prefix)) ? NULL : action + strlen(prefix);
}

static void print_map_text(struct json_object *entry)
{
	const char *text = json_string_at(entry, "text"), *error = json_string_at(entry, "error");

	printf("%s:\n", map_of(entry));
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		printf("  %.*s\n", (int)strcspn(line, "\n"), line);
		if (!line[strcspn(line, "\n")])
			break;
	}
	if (!*text)
		printf("  (%s)\n", *error ? error : "empty");
}

static struct json_object *map_json(struct json_object *entry)
{
	struct json_object *json = json_object_new_object(), *lines = NULL;
	const char *text = json_string_at(entry, "text");

	json_object_object_add(json, "name", json_text(map_of(entry)));
	if (json_at(entry, "error"))
		json_add_string(json, "error", json_string_at(entry, "error"));
	else
		lines = json_object_new_array();
	while (lines && *text) {
		size_t len = strcspn(text, "\n");

		json_object_array_add(lines, json_object_new_string_len(text, (int)len));
		text += len + !!text[len];
	}
	json_object_object_add(json, "entries", lines);
	return json;
}

static void print_maps(struct json_object *run, const char *scheduler, bool json)
{
	struct json_object *timeline = json_at(run, "timeline"), *maps = json_object_new_array();
	struct json_object *document;

	for (size_t i = 0; timeline && i < json_object_array_length(timeline); i++) {
		struct json_object *entry = json_object_array_get_idx(timeline, i);

		if (!map_of(entry))
			continue;
		if (json)
			json_object_array_add(maps, map_json(entry));
		else
			print_map_text(entry);
	}
	if (!json) {
		json_object_put(maps);
		return;
	}
	document = document_new(MAP_SCHEMA);
	json_object_object_add(document, "scheduler", json_text(scheduler));
	json_object_object_add(document, "maps", maps);
	document_print(document);
	json_object_put(document);
}

/* --- the command --------------------------------------------------------------------------- */

static int dump(struct run_plan *plan, const char *scheduler, char *err, size_t err_size)
{
	struct json_object *run;
	u64 value = 0;
	int status;

	if (scheduler_is_class(scheduler) && !plan->options.with.nr) {
		snprintf(err, err_size, "%s is a class of the kernel, which has no maps; --with names "
			 "objects beside it", scheduler);
		return STATUS_USAGE;
	}
	status = plan_make(plan, err, err_size);
	if (status != STATUS_OK)
		return status;
	run = run_in_child(plan, scheduler);
	run_judge(plan, run);
	json_u64_at(run, "status", &value);
	print_maps(run, scheduler, plan->options.json);
	if (value)
		tell_failure(run, value, "map");
	json_object_put(run);
	return (int)value;
}

/* "dump SCHED [MAP...]" */
static const char *parse_words(const struct text_list *words, struct text_list *maps, char *err,
			       size_t err_size)
{
	if (!words->nr || strcmp(words->items[0], "dump")) {
		snprintf(err, err_size, "expected 'dump'; 'vrt map --help' shows how");
		return NULL;
	}
	if (words->nr < 2) {
		snprintf(err, err_size, "dump: no scheduler given: expected a .bpf.o, a .bpf.c, or "
			 "the name of a policy that ships");
		return NULL;
	}
	for (u32 i = 2; i < words->nr; i++)
		maps->items[maps->nr++] = words->items[i];
	return words->items[1];
}

int cmd_map(int argc, char **argv)
{
	struct run_plan *plan = xcalloc(1, sizeof(*plan));
	struct run_options *o = &plan->options;
	struct text_list words = {};
	const char *scheduler;
	char err[2048] = "";
	int status = STATUS_USAGE;

	run_options_init(o);
	o->duration = NSEC_PER_SEC;
	if (cmdline_parse(&table, argc, argv, o, &words, err, sizeof(err))) {
		/* told below */
	} else if (o->help) {
		cmdline_help(&table, stdout);
		status = STATUS_OK;
	} else if ((scheduler = parse_words(&words, &o->print, err, sizeof(err)))) {
		plan->schedulers = (struct text_list){ .items = { scheduler }, .nr = 1 };
		plan->print_all = !o->print.nr;
		if (!o->workload)
			o->workload = MAP_WORKLOAD;
		status = dump(plan, scheduler, err, sizeof(err));
	}
	if (status != STATUS_OK && *err)
		cli_error("map: %s", err);
	plan_free(plan);
	free(plan);
	return status;
}
