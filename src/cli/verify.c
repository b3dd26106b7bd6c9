// SPDX-License-Identifier: GPL-2.0-only
/*
 * vrt verify: what the load of each program of an object says, and which kfunc
 * each of its calls gets.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "json.h"
#include "plan.h"
#include "table.h"
#include "verify.h"

#define VERIFY_SCHEMA "vruntime-verify-1"

struct verify_options {
	struct run_options run; /* those that it has */
	bool kfuncs;
};

#define FIELD(member) .offset = offsetof(struct verify_options, member)

static const struct cmd_option options[] = {
	{ "kfuncs", 0, CMD_FLAG, FIELD(kfuncs), NULL,
	  "show which kfunc every call of one gets, from where it is called" },
	{ "machine", 'm', CMD_TEXT, FIELD(run.machine), "SPEC",
	  "the simulated machine, as of 'vrt run'; default 4x2" },
	{ "set", 0, CMD_LIST, FIELD(run.set), "VAR=VALUE",
	  "set a global variable of all objects before they are loaded; may be repeated" },
	{ "include", 'I', CMD_LIST, FIELD(run.include_dirs), "DIR",
	  "search for headers of a .bpf.c here, too; may be repeated" },
	{ "kernel", 0, CMD_CHOICE, FIELD(run.kernel), RUN_KERNELS,
	  "generation of Linux to be, as of 'vrt run'; default auto" },
	{ "json", 'j', CMD_FLAG, FIELD(run.json), NULL, "print the result as JSON" },
	{ "quiet", 'q', CMD_FLAG, FIELD(run.quiet), NULL, "show no warnings" },
	{ "verbose", 'v', CMD_FLAG, FIELD(run.verbose), NULL,
	  "show all lines of libbpf's log as warnings" },
	{ "help", 'h', CMD_HELP, FIELD(run.help), NULL, "show this help" },
};

static const struct cmd_table table = {
	.command = "vrt verify",
	.usage = "OBJ[,VAR=VALUE...]... [options]",
	.summary = "Loads each program of BPF objects (.bpf.o, or .bpf.c, which is compiled, or the "
		   "name of a policy that ships) without attaching it, and says whether it is "
		   "accepted, or why not.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.notes = "exit status:\n"
		 "  0  all programs are accepted\n"
		 "  1  the command line makes no sense\n"
		 "  2  a program is refused, or an object cannot be loaded\n"
		 "\n"
		 "example:\n"
		 "  vrt verify --kfuncs fifo\n",
};

/* --- report ------------------------------------------------------------------------- */

/* The end of a name tells more than its beginning. */
static void print_cut(const char *text, u32 width)
{
	size_t len = strlen(text);

	if (len > width)
		printf("~%s", text + len - (width - 1));
	else
		printf("%-*s", (int)width, text);
}

/* The longest of the strings at @path in @array, at most @most. */
static u32 widest(struct json_object *array, const char *path, u32 least, u32 most)
{
	size_t width = least;

	for (size_t i = 0; i < json_object_array_length(array); i++)
		width = max(width, strlen(json_string_at(json_object_array_get_idx(array, i), path)));
	return (u32)min(width, (size_t)most);
}

#define INSNS_WIDTH 7
#define VERDICT_WIDTH 11

static void print_programs(struct json_object *programs)
{
	u32 name = widest(programs, "name", 7, 32);
	u32 section = widest(programs, "section", 7,
			     TABLE_WIDTH - name - INSNS_WIDTH - VERDICT_WIDTH - 8);

	printf("\n  %-*s  %-*s  %*s  verdict\n", (int)name, "program", (int)section, "section",
	       INSNS_WIDTH, "insns");
	for (size_t i = 0; i < json_object_array_length(programs); i++) {
		struct json_object *p = json_object_array_get_idx(programs, i);
		u64 insns = 0;

		json_u64_at(p, "instructions", &insns);
		printf("  ");
		print_cut(json_string_at(p, "name"), name);
		printf("  ");
		print_cut(json_string_at(p, "section"), section);
		printf("  %*llu  %s\n", INSNS_WIDTH, insns, json_string_at(p, "verdict"));
	}
}

static void print_refusals(struct json_object *programs)
{
	for (size_t i = 0; i < json_object_array_length(programs); i++) {
		struct json_object *p = json_object_array_get_idx(programs, i);
		const char *message = json_string_at(p, "message");

		if (!*message)
			continue;
		printf("\n%s: refused\n    ", json_string_at(p, "name"));
		print_wrapped(stdout, message, 4, 4, TABLE_WIDTH);
	}
}

static const char *implementation(struct json_object *call)
{
	const char *impl = json_string_at(call, "implementation");

	if (!*impl)
		return "(cannot be reached)";
	return strcmp(impl, json_string_at(call, "kfunc")) ? impl : "itself";
}

/* Calls that a timer or work queue makes, which is outside of the member. */
static const char *in_callback(struct json_object *call)
{
	const char *from = json_string_at(call, "from");

	return strchr(from, ',') ? ", also in callbacks" :
	       !strcmp(from, "async") ? ", in a callback" : "";
}

static void print_calls(struct json_object *calls)
{
	u32 source = widest(calls, "source", 6, 28), kfunc = widest(calls, "kfunc", 5, 40);

	printf("  %-*s  %-*s  implementation\n", (int)source, "source", (int)kfunc, "kfunc");
	for (size_t i = 0; i < json_object_array_length(calls); i++) {
		struct json_object *call = json_object_array_get_idx(calls, i);
		const char *impl = implementation(call), *where = in_callback(call);
		bool fits = 6 + source + kfunc + strlen(impl) + strlen(where) <= TABLE_WIDTH;

		printf("  ");
		print_cut(json_string_at(call, "source"), source);
		printf("  ");
		if (fits)
			print_cut(json_string_at(call, "kfunc"), kfunc);
		else
			printf("%s\n%*s", json_string_at(call, "kfunc"), (int)source + 4, "");
		printf("  %s%s\n", impl, where);
	}
}

static void print_kfuncs(struct json_object *programs)
{
	for (size_t i = 0; i < json_object_array_length(programs); i++) {
		struct json_object *p = json_object_array_get_idx(programs, i);
		struct json_object *calls = json_at(p, "kfuncs");
		const char *member = json_string_at(p, "member");

		if (!calls || !json_object_array_length(calls))
			continue;
		printf("\n%s", json_string_at(p, "name"));
		printf(*member ? " (ops.%s)\n" : "\n", member);
		print_calls(calls);
	}
}

static void print_object(struct json_object *object, bool kfuncs)
{
	struct json_object *programs = json_at(object, "programs");
	const char *message = json_string_at(object, "message");

	printf("%s: %s", json_string_at(object, "object"), json_string_at(object, "verdict"));
	printf(programs ? ", kernel %s\n" : "\n", json_string_at(object, "kernel"));
	if (programs) {
		print_programs(programs);
		print_refusals(programs);
		if (kfuncs)
			print_kfuncs(programs);
	}
	if (*message) {
		fputs("\n    ", stdout);
		print_wrapped(stdout, message, 4, 4, TABLE_WIDTH);
	}
	putchar('\n');
}

static void print_report(struct json_object *objects, bool kfuncs)
{
	for (size_t i = 0; i < json_object_array_length(objects); i++)
		print_object(json_object_array_get_idx(objects, i), kfuncs);
	print_wrapped(stdout,
		      "Checked was what can be told from the structure of a program: its "
		      "instructions, what it refers to, and from where it calls kfuncs. What memory "
		      "it touches, and whether it ends, is checked while it runs.",
		      0, 0, TABLE_WIDTH);
}

static void print_warnings(struct json_object *objects)
{
	for (size_t i = 0; i < json_object_array_length(objects); i++) {
		struct json_object *object = json_object_array_get_idx(objects, i);
		struct json_object *warnings = json_at(object, "warnings");

		for (size_t j = 0; warnings && j < json_object_array_length(warnings); j++)
			fprintf(stderr, "%s: %s\n", json_string_at(object, "object"),
				json_object_get_string(json_object_array_get_idx(warnings, j)));
	}
}

/* --- the command ------------------------------------------------------------------------ */

static struct json_object *verify_all(struct run_plan *plan, int *status)
{
	struct json_object *objects = json_object_new_array();

	for (u32 i = 0; i < plan->schedulers.nr; i++) {
		struct verify_request request = { plan, plan->schedulers.items[i] };
		char why[256];
		struct json_object *object = in_child(verify_object, &request, why, sizeof(why));

		if (!object) {
			object = verify_failed(&request, why);
			*status = STATUS_BOOKS;
		}
		if (strcmp(json_string_at(object, "verdict"), VERIFY_ACCEPTED))
			*status = max(*status, (int)STATUS_LOAD);
		json_object_array_add(objects, object);
	}
	return objects;
}

static int verify(struct run_plan *plan, bool kfuncs)
{
	struct json_object *objects, *document;
	int status = STATUS_OK;

	plan_kernels(plan);
	objects = verify_all(plan, &status);
	if (!plan->options.quiet)
		print_warnings(objects);
	if (!plan->options.json) {
		print_report(objects, kfuncs);
		json_object_put(objects);
		return status;
	}
	document = document_new(VERIFY_SCHEMA);
	json_object_object_add(document, "objects", objects);
	document_print(document);
	json_object_put(document);
	return status;
}

int cmd_verify(int argc, char **argv)
{
	struct run_plan *plan = xcalloc(1, sizeof(*plan));
	struct verify_options o = {};
	char err[2048];
	int status = STATUS_USAGE;

	if (cmdline_parse(&table, argc, argv, &o, &plan->schedulers, err, sizeof(err))) {
		cli_error("verify: %s", err);
	} else if (o.run.help) {
		cmdline_help(&table, stdout);
		status = STATUS_OK;
	} else if (!plan->schedulers.nr) {
		cli_error("verify: no object given: expected a .bpf.o, a .bpf.c, or the name of a "
			  "policy that ships");
	} else {
		plan->options = o.run;
		if (plan_schedulers(plan, err, sizeof(err)) ||
		    plan_machine(plan, err, sizeof(err)))
			cli_error("verify: %s", err);
		else
			status = verify(plan, o.kfuncs);
	}
	plan_free(plan);
	free(plan);
	return status;
}
