// SPDX-License-Identifier: GPL-2.0-only
/*
 * vrt prog dump: programs as they are executed, after all that their load did to
 * them, and what the compiler made of that. The text is bpftool's.
 */
#include "prog.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "json.h"
#include "plan.h"

#define PROG_SCHEMA "vruntime-prog-1"

struct prog_options {
	struct run_options run; /* those that it has */
	bool opcodes, linum;
};

#define FIELD(member) .offset = offsetof(struct prog_options, member)

static const struct cmd_option options[] = {
	{ "opcodes", 0, CMD_FLAG, FIELD(opcodes), NULL, "with the bytes of each instruction" },
	{ "linum", 0, CMD_FLAG, FIELD(linum), NULL, "with file and line of the source" },
	{ "json", 'j', CMD_FLAG, FIELD(run.json), NULL, "print the programs as JSON" },
	{ "machine", 'm', CMD_TEXT, FIELD(run.machine), "SPEC",
	  "the machine that they are loaded for, as of 'vrt run'; default 4x2" },
	{ "set", 0, CMD_LIST, FIELD(run.set), "VAR=VALUE",
	  "set a global variable before they are loaded; may be repeated" },
	{ "include", 'I', CMD_LIST, FIELD(run.include_dirs), "DIR",
	  "search for headers of a .bpf.c here, too; may be repeated" },
	{ "kernel", 0, CMD_CHOICE, FIELD(run.kernel), RUN_KERNELS,
	  "generation of Linux to be, as of 'vrt run'; default auto" },
	{ "help", 'h', CMD_HELP, FIELD(run.help), NULL, "show this help" },
};

static const struct cmd_table table = {
	.command = "vrt prog",
	.usage = "dump xlated|jited OBJ[,VAR=VALUE...] [PROGRAM...] [options]",
	.summary = "Loads a BPF object without attaching it, and shows its programs (or those that "
		   "are named) as they are executed: with the maps, functions and variables that "
		   "they were bound to, and traps where they can never be. 'jited' shows the "
		   "machine code of that.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.notes = "exit status:\n"
		 "  0  they are shown\n"
		 "  1  the command line makes no sense\n"
		 "  2  the object cannot be loaded, there is no such program, or no machine code\n"
		 "\n"
		 "examples:\n"
		 "  vrt prog dump xlated fifo\n"
		 "  vrt prog dump xlated fifo fifo_enqueue --linum --opcodes\n"
		 "  vrt prog dump jited fifo fifo_dispatch\n",
};

/* --- text ------------------------------------------------------------------------------ */

static void print_source(struct json_object *insn, const struct prog_options *o)
{
	const char *source = json_string_at(insn, "src");

	if (!json_at(insn, "src"))
		return;
	printf("; %s", source);
	if (o->linum)
		printf(" [%s]", json_string_at(insn, "where"));
	putchar('\n');
}

static void print_insn(struct json_object *insn, const struct prog_options *o)
{
	u64 number = 0;

	if (json_at(insn, "function"))
		printf("%s:\n", json_string_at(insn, "function"));
	print_source(insn, o);
	json_u64_at(insn, "insn", &number);
	printf("%4llu: %s\n", number, json_string_at(insn, "disasm"));
	if (o->opcodes)
		printf("      %s\n", json_string_at(insn, "opcodes"));
}

static void print_xlated(struct json_object *insns, const struct prog_options *o)
{
	for (size_t i = 0; i < json_object_array_length(insns); i++)
		print_insn(json_object_array_get_idx(insns, i), o);
}

/* What the instructions up to number @until are about, from *@at on. */
static void print_comments(struct json_object *insns, size_t *at, u64 until,
			   const struct prog_options *o)
{
	for (; *at < json_object_array_length(insns); ++*at) {
		struct json_object *insn = json_object_array_get_idx(insns, *at);
		u64 number = 0;

		json_u64_at(insn, "insn", &number);
		if (number > until)
			return;
		if (json_at(insn, "function"))
			printf("%s:\n", json_string_at(insn, "function"));
		print_source(insn, o);
		printf("; %llu: %s\n", number, json_string_at(insn, "disasm"));
	}
}

static void print_jited(struct json_object *insns, struct json_object *code,
			const struct prog_options *o)
{
	size_t at = 0;

	for (size_t i = 0; i < json_object_array_length(code); i++) {
		struct json_object *line = json_object_array_get_idx(code, i);
		u64 insn, pc = 0;

		if (json_u64_at(line, "insn", &insn))
			print_comments(insns, &at, insn, o);
		json_u64_at(line, "pc", &pc);
		printf("%6llx:\t%s\n", pc, json_string_at(line, "operation"));
		if (o->opcodes)
			printf("\t%s\n", json_string_at(line, "opcodes"));
	}
}

static void print_programs(struct json_object *programs, bool jited, const struct prog_options *o)
{
	for (size_t i = 0; i < json_object_array_length(programs); i++) {
		struct json_object *p = json_object_array_get_idx(programs, i);
		struct json_object *insns = json_at(p, "insns");

		printf("%s%s (%s)%s\n", i ? "\n" : "", json_string_at(p, "name"),
		       json_string_at(p, "section"), insns ? "" : ": not loaded");
		if (insns && jited)
			print_jited(insns, json_at(p, "jited"), o);
		else if (insns)
			print_xlated(insns, o);
	}
}

/* --- the command --------------------------------------------------------------------------- */

static void print_json(struct json_object *result)
{
	struct json_object *document = document_new(PROG_SCHEMA);

	json_object_object_foreach(result, key, value)
		if (strcmp(key, "message"))
			json_object_object_add(document, key, json_object_get(value));
	document_print(document);
	json_object_put(document);
}

/* The loader names the file itself. */
static void tell(const char *object, const char *message)
{
	if (strstr(message, object))
		cli_error("prog: %s", message);
	else
		cli_error("prog: %s: %s", object, message);
}

static int dump(struct prog_request *request, const struct prog_options *o)
{
	struct json_object *result;
	char why[256];
	int status = STATUS_OK;

	plan_kernels(request->plan);
	result = in_child(prog_object, request, why, sizeof(why));
	if (!result) {
		cli_error("prog: %s", why);
		return STATUS_BOOKS;
	}
	if (json_at(result, "message")) {
		tell(request->object, json_string_at(result, "message"));
		status = STATUS_LOAD;
	} else if (o->run.json) {
		print_json(result);
	} else {
		print_programs(json_at(result, "programs"), request->jited, o);
	}
	json_object_put(result);
	return status;
}

/* "dump xlated OBJ [PROGRAM...]" */
static bool parse_words(const struct text_list *words, struct prog_request *request, char *err,
			size_t err_size)
{
	const char *what = words->nr > 1 ? words->items[1] : "";

	request->jited = !strcmp(what, "jited");
	if (!words->nr || strcmp(words->items[0], "dump"))
		snprintf(err, err_size, "expected 'dump'; 'vrt prog --help' shows how");
	else if (!request->jited && strcmp(what, "xlated"))
		snprintf(err, err_size, "dump: expected 'xlated' or 'jited'");
	else if (words->nr < 3)
		snprintf(err, err_size, "dump %s: no object given: expected a .bpf.o, a .bpf.c, or "
			 "the name of a policy that ships", what);
	else
		request->object = words->items[2];
	for (u32 i = 3; i < words->nr; i++)
		request->names.items[request->names.nr++] = words->items[i];
	return request->object;
}

int cmd_prog(int argc, char **argv)
{
	struct run_plan *plan = xcalloc(1, sizeof(*plan));
	struct prog_request *request = xcalloc(1, sizeof(*request));
	struct prog_options o = {};
	struct text_list words = {};
	char err[2048];
	int status = STATUS_USAGE;

	request->plan = plan;
	if (cmdline_parse(&table, argc, argv, &o, &words, err, sizeof(err))) {
		cli_error("prog: %s", err);
	} else if (o.run.help) {
		cmdline_help(&table, stdout);
		status = STATUS_OK;
	} else if (!parse_words(&words, request, err, sizeof(err))) {
		cli_error("prog: %s", err);
	} else {
		plan->options = o.run;
		plan->schedulers = (struct text_list){ .items = { request->object }, .nr = 1 };
		if (plan_schedulers(plan, err, sizeof(err)) || plan_machine(plan, err, sizeof(err)))
			cli_error("prog: %s", err);
		else
			status = dump(request, &o);
	}
	plan_free(plan);
	free(plan);
	free(request);
	return status;
}
