// SPDX-License-Identifier: GPL-2.0-only
/*
 * vrt replay: runs what a bundle holds, on the simulated machine, on which every
 * event must be the same, or on a real kernel, which must end the scheduler in
 * the same way. See bundle.h.
 */
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/strbuf.h"
#include "bundle.h"
#include "json.h"
#include "scratch.h"

#define FIELD(member) .offset = offsetof(struct run_options, member)
#define COLUMN 10u

static const struct cmd_option options[] = {
	{ "on", 0, CMD_TEXT, FIELD(on), "PLACE[,PLACE...]",
	  "where: sim, vm, vm:KERNEL or host, as of 'vrt run'; default sim" },
	{ "trace", 0, CMD_TEXT, FIELD(trace), "FILE",
	  "write every scheduling event, as of 'vrt run'" },
	{ "json", 'j', CMD_FLAG, FIELD(json), NULL, "print the result as JSON" },
	{ "host-stats", 0, CMD_FLAG, FIELD(host_stats), NULL,
	  "add how fast the simulation was, by this host's clock" },
	{ "verbose", 'v', CMD_FLAG, FIELD(verbose), NULL,
	  "show all lines of the kernel's and libbpf's logs" },
	{ "quiet", 'q', CMD_FLAG, FIELD(quiet), NULL,
	  "show the result only: no warnings, no bpf_printk() lines, no progress" },
	{ "help", 'h', CMD_HELP, FIELD(help), NULL, "show this help" },
};

static const struct cmd_table table = {
	.command = "vrt replay",
	.usage = "BUNDLE [options]",
	.summary = "Runs again what 'vrt run' has put into a repro bundle: the same objects, "
		   "settings, machine, workload and seed. On the simulated machine everything must "
		   "happen again, event by event; a real kernel must end the scheduler in the same "
		   "way, with the same message.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.notes = "exit status (of several places the highest):\n"
		 "  0  it went as the bundle says, also if that is a failure\n"
		 "  1  the command line or the bundle make no sense\n"
		 "  2  there is no kernel to run on; or what is printed or traced could not be\n"
		 "     written\n"
		 "  4  it went differently\n"
		 "  5  it went differently in the same version of vrt on the simulated machine:\n"
		 "     a bug of vruntime\n"
		 "\n"
		 "example:\n"
		 "  vrt replay fifo-1f0c2a9be7d4.vrt-repro --on sim,vm\n",
};

struct replay {
	struct run_plan plan;
	struct json_object *bundle;
	const char *path; /* of the bundle */
	char *trace, *on; /* as of this directory */
	char err[2048];
};

/* --- from the bundle to a plan ---------------------------------------------------- */

static bool fail(struct replay *r, const char *why)
{
	char copy[1536];

	snprintf(copy, sizeof(copy), "%s", why);
	vrt_error(r->err, sizeof(r->err), 0, "%s: %s", r->path, copy);
	return false;
}

static bool unpack(struct replay *r)
{
	struct strbuf content = {};
	const char *name;
	int ret = scratch_make(r->err, sizeof(r->err));

	for (u32 i = 0; !ret && bundle_file(r->bundle, i, &name, &content); i++) {
		ret = scratch_add(name, &content, r->err, sizeof(r->err));
		strbuf_reset(&content);
	}
	strbuf_free(&content);
	return !ret;
}

/* The costs that every machine has are no setting: a real kernel has its own. */
static bool drop_default_costs(struct replay *r)
{
	struct cost_table costs = cost_defaults;
	const char *file = r->plan.options.costs;
	char why[512];

	if (!file)
		return true;
	if (cost_load(&costs, file, why, sizeof(why)))
		return fail(r, why);
	if (!memcmp(&costs, &cost_defaults, sizeof(costs)))
		r->plan.options.costs = NULL;
	return true;
}

/* The same words may mean another machine in another version, or on another host. */
static bool check_machine(struct replay *r)
{
	char hex[SHA256_HEX_SIZE], words[256];

	bundle_machine_hash(&r->plan.topology, hex);
	if (!strcmp(hex, json_string_at(r->bundle, "machine.hash")))
		return true;
	topology_describe(&r->plan.topology, words, sizeof(words));
	vrt_error(r->err, sizeof(r->err), 0,
		  "%s: its machine cannot be made again: it was '%.200s', and its CPUs were numbered in "
		  "their own way; here it would be '%s'",
		  r->path, json_string_at(r->bundle, "machine.description"), words);
	return false;
}

/* There is nothing to choose there. */
static bool is_on_host_alone(const struct run_options *o)
{
	return o->on && !strcmp(o->on, "host");
}

static bool make_plan(struct replay *r)
{
	struct run_options *o = &r->plan.options;
	char why[1536];

	run_options_init(o);
	if (bundle_options(r->bundle, o, &r->plan.schedulers, why, sizeof(why)))
		return fail(r, why);
	if (!drop_default_costs(r))
		return false;
	if (is_on_host_alone(o))
		o->machine = "host";
	if (plan_make(&r->plan, why, sizeof(why)) != STATUS_OK)
		return fail(r, why);
	return is_on_host_alone(o) || check_machine(r);
}

/* --- what this command line says, from another directory -------------------------------- */

static char *from_here(const char *path)
{
	char here[PATH_MAX];
	struct strbuf sb = {};

	if (*path != '/' && getcwd(here, sizeof(here)))
		strbuf_printf(&sb, "%s/", here);
	strbuf_puts(&sb, path);
	return strbuf_detach(&sb);
}

/* "sim,vm:IMAGE", in which IMAGE may be a version */
static char *places_from_here(const char *on)
{
	struct strbuf sb = {};
	char *copy = xstrdup(on), *rest = copy, *place;

	while ((place = strsep(&rest, ","))) {
		if (sb.len)
			strbuf_putc(&sb, ',');
		if (!strncmp(place, "vm:", 3) && !access(place + 3, F_OK)) {
			char *path = from_here(place + 3);

			strbuf_printf(&sb, "vm:%s", path);
			free(path);
		} else {
			strbuf_puts(&sb, place);
		}
	}
	free(copy);
	return strbuf_detach(&sb);
}

static void leave_here(struct replay *r)
{
	struct run_options *o = &r->plan.options;
	const char *agent = getenv("VRT_AGENT");

	if (o->trace)
		o->trace = r->trace = from_here(o->trace);
	if (o->on)
		o->on = r->on = places_from_here(o->on);
	if (agent && *agent && *agent != '/') {
		char *path = from_here(agent);

		setenv("VRT_AGENT", path, 1);
		free(path);
	}
}

/* --- the comparison ---------------------------------------------------------------------- */

/* What is a number differs from one kernel to another: pids, CPUs, times. */
static bool same_but_for_numbers(const char *a, const char *b)
{
	static const char digits[] = "0123456789";

	while (*a || *b) {
		size_t na = strspn(a, digits), nb = strspn(b, digits);

		if (!na != !nb || (!na && *a != *b))
			return false;
		a += max(na, (size_t)1);
		b += max(nb, (size_t)1);
	}
	return true;
}

static void differ(struct json_object *differs, const char *what, bool same)
{
	if (!same)
		json_object_array_add(differs, json_object_new_string(what));
}

static bool on_sim(struct json_object *result)
{
	return !strcmp(json_string_at(result, "on"), "sim");
}

/* The names of what differs. */
static struct json_object *compare(struct json_object *recorded, struct json_object *run)
{
	static const char *const exact[][2] = {
		{ "reason", "end.reason" }, { "message", "end.message" }, { "trace_hash", "trace_hash" },
	};
	struct json_object *differs = json_object_new_array();
	const char *kind = json_string_at(run, "end.kind");
	const char *message = json_string_at(recorded, "message");
	u64 was, is;

	differ(differs, "kind", !strcmp(json_string_at(recorded, "kind"), kind));
	if (!on_sim(recorded) || !on_sim(run)) {
		/* what a verifier says about an object is its own */
		differ(differs, "message",
		       !strcmp(kind, "not_loaded") ||
			       same_but_for_numbers(message, json_string_at(run, "end.message")));
		return differs;
	}
	json_u64_at(recorded, "status", &was);
	json_u64_at(run, "status", &is);
	differ(differs, "status", was == is);
	for (u32 i = 0; i < ARRAY_SIZE(exact); i++)
		differ(differs, exact[i][0],
		       !strcmp(json_string_at(recorded, exact[i][0]),
			       json_string_at(run, exact[i][1])));
	return differs;
}

/* Adds "replay" to @run. Returns enum cli_status. */
static u32 judge(const struct replay *r, struct json_object *run)
{
	struct json_object *recorded = json_at(r->bundle, "result");
	struct json_object *differs = compare(recorded, run), *verdict = json_object_new_object();
	bool same = !json_object_array_length(differs);

	json_object_object_add(verdict, "as_recorded", json_object_new_boolean(same));
	json_object_object_add(verdict, "differs", differs);
	json_add_string(verdict, "version", json_string_at(r->bundle, "version"));
	json_object_object_add(verdict, "recorded", json_object_get(recorded));
	json_object_object_add(run, "replay", verdict);
	if (run_had_no_kernel(run))
		return STATUS_LOAD;
	if (same)
		return STATUS_OK;
	return on_sim(recorded) && on_sim(run) &&
			       !strcmp(json_string_at(r->bundle, "version"), vrt_version) ?
		       STATUS_BOOKS :
		       STATUS_EXPECTATION;
}

/* --- the verdict, for people ---------------------------------------------------------------- */

static void print_line(const char *name, const char *text)
{
	printf("%-9s ", name);
	print_wrapped(stdout, text, COLUMN, COLUMN, 80);
}

static void describe(struct strbuf *sb, const char *kind, const char *reason,
		     const char *message, const char *hash)
{
	strbuf_printf(sb, "%s (%s)%s%s", kind, reason, *message ? ": " : "", message);
	if (*hash)
		strbuf_printf(sb, ", trace %s", hash);
}

static void explain(const struct replay *r, struct strbuf *sb, u32 status)
{
	const char *version = json_string_at(r->bundle, "version");

	if (status == STATUS_BOOKS)
		strbuf_puts(sb, ". The version of vrt is the same: if it was built from the same "
				"source, this is a bug of vruntime");
	else if (strcmp(version, vrt_version))
		strbuf_printf(sb, ". The bundle was written by vrt %s, and this is vrt %s", version,
			      vrt_version);
}

static void print_verdict(const struct replay *r, struct json_object *run, u32 status)
{
	struct json_object *differs = json_at(run, "replay.differs");
	const char *on = json_string_at(run, "on");
	struct strbuf sb = {};

	if (status == STATUS_LOAD) {
		strbuf_printf(&sb, "not run: %s", json_string_at(run, "end.message"));
	} else if (status == STATUS_OK) {
		strbuf_printf(&sb, "as recorded%s",
			      on_sim(json_at(run, "replay.recorded")) && on_sim(run) ?
				      ", event by event" :
				      ", in kind and message");
	} else {
		strbuf_puts(&sb, "NOT as recorded: ");
		for (size_t i = 0; i < json_object_array_length(differs); i++)
			strbuf_printf(&sb, "%s%s", i ? ", " : "",
				      json_object_get_string(json_object_array_get_idx(differs, i)));
		strbuf_puts(&sb, json_object_array_length(differs) > 1 ? " differ; " : " differs; ");
		describe(&sb, json_string_at(run, "end.kind"), json_string_at(run, "end.reason"),
			 json_string_at(run, "end.message"), json_string_at(run, "trace_hash"));
		explain(r, &sb, status);
	}
	print_line(on, strbuf_str(&sb));
	strbuf_free(&sb);
}

static void print_verdicts(const struct replay *r, struct json_object *runs, const u32 *status)
{
	struct json_object *recorded = json_at(r->bundle, "result");
	struct strbuf sb = {};

	printf("\n");
	strbuf_printf(&sb, "on %s, by vrt %s: ", json_string_at(recorded, "on"),
		      json_string_at(r->bundle, "version"));
	describe(&sb, json_string_at(recorded, "kind"), json_string_at(recorded, "reason"),
		 json_string_at(recorded, "message"), json_string_at(recorded, "trace_hash"));
	print_line("recorded", strbuf_str(&sb));
	strbuf_free(&sb);
	for (size_t i = 0; i < json_object_array_length(runs); i++)
		print_verdict(r, json_object_array_get_idx(runs, i), status[i]);
}

/* --- the command ------------------------------------------------------------------------------ */

static void print_document(struct json_object *runs)
{
	struct json_object *document = document_new(RUN_SCHEMA);

	json_object_object_add(document, "runs", json_object_get(runs));
	document_print(document);
	json_object_put(document);
}

static int run_all(struct replay *r)
{
	struct json_object *runs = json_object_new_array();
	struct run_plan *plan = &r->plan;
	u32 *status = xcalloc(plan->nr_targets, sizeof(*status)), worst = STATUS_OK;

	if (!plan->options.json)
		report_head(plan);
	for (u32 i = 0; i < plan->nr_targets; i++) {
		struct json_object *run = run_on_target(plan, plan->schedulers.items[0],
							&plan->targets[i]);

		run_judge(plan, run);
		status[i] = judge(r, run);
		worst = max(worst, status[i]);
		json_object_array_add(runs, run);
	}
	if (plan->options.json) {
		print_document(runs);
	} else {
		report_runs(plan, runs);
		print_verdicts(r, runs, status);
	}
	json_object_put(runs);
	free(status);
	return (int)worst;
}

static int replay(struct replay *r)
{
	int status = STATUS_USAGE;

	r->bundle = bundle_load(r->path, r->err, sizeof(r->err));
	if (r->bundle) {
		leave_here(r);
		if (unpack(r) && make_plan(r))
			status = run_all(r);
		plan_free(&r->plan);
		scratch_remove();
	}
	if (status == STATUS_USAGE)
		cli_error("replay: %s", r->err);
	json_object_put(r->bundle);
	free(r->trace);
	free(r->on);
	return status;
}

int cmd_replay(int argc, char **argv)
{
	struct replay *r = xcalloc(1, sizeof(*r));
	struct run_options *o = &r->plan.options;
	struct text_list bundles = {};
	int status = STATUS_USAGE;

	if (cmdline_parse(&table, argc, argv, o, &bundles, r->err, sizeof(r->err))) {
		cli_error("replay: %s", r->err);
	} else if (o->help) {
		cmdline_help(&table, stdout);
		status = STATUS_OK;
	} else if (bundles.nr != 1) {
		cli_error("replay: expected one repro bundle, as 'vrt run' writes them for runs that "
			  "fail");
	} else {
		o->host_stats |= !o->json && isatty(STDOUT_FILENO);
		r->path = bundles.items[0];
		status = replay(r);
	}
	free(r);
	return status;
}
