// SPDX-License-Identifier: GPL-2.0-only
/*
 * vrt verify: what the load of each program of an object says, and which kfunc
 * each of its calls gets.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "json.h"
#include "plan.h"
#include "table.h"
#include "verify.h"
#include "verify_rows.h"

#define VERIFY_SCHEMA "vruntime-verify-1"

struct verify_options {
	struct run_options run; /* those that it has */
	bool kfuncs;
	struct verify_view view;
	struct text_list compare, globals;
	u32 output, log;
};

enum { OUTPUT_REPORT, OUTPUT_TABLE, OUTPUT_CSV, OUTPUT_JSON };
#define OUTPUTS "report|table|csv|json"
/* Levels as BPF_PROG_LOAD takes them: 1 the failing path, 2 all of them, 4 statistics. */
static const u32 log_levels[] = { 0, 1 | 4, 2 | 4, 4 };
#define LOGS "none|kernel|full|stats"

#define FIELD(member) .offset = offsetof(struct verify_options, member)

static const struct cmd_option options[] = {
	{ "kfuncs", 0, CMD_FLAG, FIELD(kfuncs), NULL,
	  "show which kfunc every call of one gets, from where it is called" },
	{ "emit", 'e', CMD_TEXT, FIELD(view.emit), "COLUMN,...",
	  "a table of these columns" },
	{ "filter", 'f', CMD_LIST, FIELD(view.filters), "WHAT",
	  "only rows of programs (or FILE/PROGRAM) that match a pattern, or for which 'insns>=1000' "
	  "or 'verdict==refused' is true; with ! before it, all others; may be repeated" },
	{ "sort", 's', CMD_TEXT, FIELD(view.sort), "COLUMN,...",
	  "sort rows; a ! behind a column: the largest first" },
	{ "output", 'o', CMD_CHOICE, FIELD(output), OUTPUTS,
	  "how to print: a report (default), rows of a table or of CSV, or JSON" },
	{ "compare", 'C', CMD_LIST, FIELD(compare), "A.csv B.csv",
	  "instead of verifying: join two files of --output csv. Each column is shown three times: "
	  "of A, of B, and what differs; filters and sorting take 'insns_a', 'insns_b', "
	  "'insns_diff' and 'insns_pct', and '|insns_diff|' for its size" },
	{ "log", 0, CMD_CHOICE, FIELD(log), LOGS,
	  "print what the load of each program said, in the kernel's words: of what is refused, of "
	  "all paths, or only the statistics" },
	{ "host-stats", 0, CMD_FLAG, FIELD(run.host_stats), NULL,
	  "with the time that it took on this host, in JSON and as column 'duration'" },
	{ "set-global", 'G', CMD_LIST, FIELD(globals), "VAR=VALUE",
	  "as --set; with several values, 'VAR={1,2,8}' or 'VAR={0-7}', all programs are verified "
	  "with each of them, and with all combinations if it is repeated" },
	{ "on", 0, CMD_TEXT, FIELD(run.on), "PLACE,...",
	  "ask real kernels, too, and show their verdicts beside ours: host, vm, or vm:KERNEL as of "
	  "'vrt run'; nothing is attached" },
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
		 "  2  a program is refused, an object cannot be loaded, or a kernel of --on could\n"
		 "     not be asked at all\n"
		 "  4  a kernel of --on says otherwise about a program\n"
		 "\n"
		 "examples:\n"
		 "  vrt verify --kfuncs fifo\n"
		 "  vrt verify *.bpf.o -e prog,insns,states -s insns! -f 'insns>100'\n"
		 "  vrt verify *.bpf.o -o csv > after.csv; vrt verify -C before.csv after.csv\n"
		 "  vrt verify -C before.csv after.csv -f 'insns_pct>5' -s '|insns_diff|!'\n"
		 "  vrt verify fifo -G 'slice_ns={1000000,5000000}' -o table\n"
		 "  vrt verify --on host,vm:7.0 fifo\n",
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

#define NUMBER_WIDTH 7
#define VERDICT_WIDTH 11

static void print_number(struct json_object *program, const char *path)
{
	u64 value;

	if (json_u64_at(program, path, &value))
		printf("  %*llu", NUMBER_WIDTH, value);
	else
		printf("  %*s", NUMBER_WIDTH, "");
}

static void print_programs(struct json_object *programs)
{
	u32 numbers = 3 * (NUMBER_WIDTH + 2) + VERDICT_WIDTH + 6;
	u32 name = widest(programs, "name", 7, 22);
	u32 section = widest(programs, "section", 7, TABLE_WIDTH - name - numbers);

	printf("\n  %-*s  %-*s  %*s  %*s  %*s  verdict\n", (int)name, "program", (int)section,
	       "section", NUMBER_WIDTH, "size", NUMBER_WIDTH, "insns", NUMBER_WIDTH, "states");
	for (size_t i = 0; i < json_object_array_length(programs); i++) {
		struct json_object *p = json_object_array_get_idx(programs, i);

		printf("  ");
		print_cut(json_string_at(p, "name"), name);
		printf("  ");
		print_cut(json_string_at(p, "section"), section);
		print_number(p, "instructions");
		print_number(p, "processed");
		print_number(p, "states");
		printf("  %s\n", json_string_at(p, "verdict"));
	}
}

static void print_logs(struct json_object *programs)
{
	for (size_t i = 0; i < json_object_array_length(programs); i++) {
		struct json_object *p = json_object_array_get_idx(programs, i);
		const char *log = json_string_at(p, "log");

		if (*log)
			printf("\n%s: log\n%s", json_string_at(p, "name"), log);
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

	printf("%s%s: %s", json_string_at(object, "object"), json_string_at(object, "variant"),
	       json_string_at(object, "verdict"));
	printf(programs ? ", kernel %s\n" : "\n", json_string_at(object, "kernel"));
	if (programs) {
		print_programs(programs);
		print_refusals(programs);
		print_logs(programs);
		if (kfuncs)
			print_kfuncs(programs);
	}
	verify_print_asked(object);
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
}

/* They have no rows. */
static void tell_failures(struct json_object *objects)
{
	for (size_t i = 0; i < json_object_array_length(objects); i++) {
		struct json_object *object = json_object_array_get_idx(objects, i);

		if (!strcmp(json_string_at(object, "verdict"), VERIFY_FAILED))
			cli_error("verify: %s%s: %s", json_string_at(object, "object"),
				  json_string_at(object, "variant"), json_string_at(object, "message"));
	}
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

static struct json_object *verify_one(struct verify_request *request, int *status)
{
	struct run_plan *plan = request->plan;
	char why[256];
	struct json_object *object = in_child(verify_object, request, why, sizeof(why));

	if (!object) {
		object = verify_failed(request, why);
		*status = STATUS_BOOKS;
	}
	if (strcmp(json_string_at(object, "verdict"), VERIFY_ACCEPTED))
		*status = max(*status, (int)STATUS_LOAD);
	for (u32 i = 0; i < plan->nr_targets; i++)
		if (plan->targets[i].place != RUN_ON_SIM)
			verify_ask(request, &plan->targets[i], object);
	if (verify_had_no_kernel(object))
		*status = max(*status, (int)STATUS_LOAD);
	if (verify_differs(object))
		*status = max(*status, (int)STATUS_EXPECTATION);
	return object;
}

static struct json_object *verify_all(struct run_plan *plan, const struct verify_variants *variants,
				      u32 log_level, int *status)
{
	struct json_object *objects = json_object_new_array();

	for (u32 i = 0; i < plan->schedulers.nr * variants->nr; i++) {
		struct verify_request request = {
			plan, plan->schedulers.items[i / variants->nr], log_level,
			&variants->items[i % variants->nr],
		};

		json_object_array_add(objects, verify_one(&request, status));
	}
	return objects;
}

static int verify(struct run_plan *plan, const struct verify_variants *variants,
		  const struct verify_options *o)
{
	struct json_object *objects, *document;
	int status = STATUS_OK;

	plan_kernels(plan);
	objects = verify_all(plan, variants, log_levels[o->log], &status);
	if (!plan->options.quiet)
		print_warnings(objects);
	if (o->output == OUTPUT_JSON) {
		document = document_new(VERIFY_SCHEMA);
		json_object_object_add(document, "objects", objects);
		document_print(document);
		json_object_put(document);
		return status;
	}
	if (o->output == OUTPUT_REPORT) {
		print_report(objects, o->kfuncs);
	} else {
		verify_print_rows(objects, &o->view);
		tell_failures(objects);
	}
	json_object_put(objects);
	return status;
}

/* "-G x={1,2}" is taken apart by a shell: "-Gx=1 x=2", or "-G x=1 x=2". */
static int check_objects(const struct text_list *objects, char *err, size_t err_size)
{
	for (u32 i = 0; i < objects->nr; i++) {
		const char *text = objects->items[i];

		if (text[strcspn(text, ",=/")] == '=' && access(text, F_OK))
			return vrt_error(err, err_size, -EINVAL,
					 "'%s' is no object; several values for a variable need quotes: "
					 "-G '%.*s={1,2,...}'",
					 text, (int)strcspn(text, "="), text);
	}
	return 0;
}

/* Columns are of tables; the old way to ask for JSON is one, too. */
static int check_options(struct verify_options *o, char *err, size_t err_size)
{
	bool rows = o->view.emit || o->view.sort || o->view.filters.nr;

	if (o->run.json)
		o->output = OUTPUT_JSON;
	if (rows && o->output == OUTPUT_REPORT)
		o->output = OUTPUT_TABLE;
	if (rows && o->output == OUTPUT_JSON)
		return vrt_error(err, err_size, -EINVAL,
				 "--emit, --filter and --sort are for tables and CSV; JSON has all that there is");
	o->view.csv = o->output == OUTPUT_CSV;
	/* beside a real kernel's time there is ours */
	if ((o->view.emit && strstr(o->view.emit, "duration")) || o->run.on)
		o->run.host_stats = true;
	o->view.kernels = o->run.on;
	return stats_check(&o->view, o->compare.nr, err, err_size);
}

/* The second file is the argument, or another --compare's. */
static int compare(const struct verify_options *o, const struct text_list *args, char *err,
		   size_t err_size)
{
	struct text_list files = o->compare;

	for (u32 i = 0; i < args->nr && files.nr < CMDLINE_MAX_LIST; i++)
		files.items[files.nr++] = args->items[i];
	if (files.nr != 2)
		snprintf(err, err_size, "--compare: expected two files: -C BEFORE.csv AFTER.csv");
	else if (!verify_compare(files.items[0], files.items[1], &o->view, err, err_size))
		return STATUS_OK;
	cli_error("verify: %s", err);
	return STATUS_USAGE;
}

int cmd_verify(int argc, char **argv)
{
	struct run_plan *plan = xcalloc(1, sizeof(*plan));
	struct verify_options o = {};
	struct verify_variants variants = {};
	char err[2048];
	int status = STATUS_USAGE;

	if (cmdline_parse(&table, argc, argv, &o, &plan->schedulers, err, sizeof(err))) {
		cli_error("verify: %s", err);
	} else if (o.run.help) {
		cmdline_help(&table, stdout);
		status = STATUS_OK;
	} else if (check_options(&o, err, sizeof(err))) {
		cli_error("verify: %s", err);
	} else if (o.compare.nr) {
		status = compare(&o, &plan->schedulers, err, sizeof(err));
	} else if (!plan->schedulers.nr) {
		cli_error("verify: no object given: expected a .bpf.o, a .bpf.c, or the name of a "
			  "policy that ships");
	} else {
		plan->options = o.run;
		if (check_objects(&plan->schedulers, err, sizeof(err)) ||
		    plan_schedulers(plan, err, sizeof(err)) ||
		    plan_machine(plan, err, sizeof(err)) || plan_places(plan, err, sizeof(err)) ||
		    verify_variants_make(&variants, &o.globals, err, sizeof(err)))
			cli_error("verify: %s", err);
		else
			status = verify(plan, &variants, &o);
		verify_variants_free(&variants);
	}
	plan_free(plan);
	free(plan);
	return status;
}
