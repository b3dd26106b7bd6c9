// SPDX-License-Identifier: GPL-2.0-only
/*
 * vrt calibrate: measures what things cost, on the simulated machine, a guest or
 * this host, and writes a file for 'vrt run --costs'.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/strbuf.h"
#include "../calibrate/calibrate.h"
#include "../vm/channel.h"
#include "../vm/run.h"
#include "../vm/vm.h"
#include "guest.h"
#include "json.h"
#include "plan.h"

struct calibrate_options {
	struct run_options run;
	const char *output;
};

#define RUN(member) .offset = offsetof(struct calibrate_options, run.member)

static const struct cmd_option options[] = {
	{ "on", 0, CMD_TEXT, RUN(on), "PLACE",
	  "what to measure: this host, without root; vm or vm:KERNEL, a guest; sim, the simulated "
	  "machine; default host" },
	{ "output", 'o', CMD_TEXT, .offset = offsetof(struct calibrate_options, output), "FILE",
	  "write what was measured to this file, for 'vrt run --costs'" },
	{ "machine", 'm', CMD_TEXT, RUN(machine), "SPEC",
	  "the simulated machine or the guest's, as of 'vrt run'; default 4x2" },
	{ "costs", 0, CMD_TEXT, RUN(costs), "FILE", "what things cost on the simulated machine" },
	{ "help", 'h', CMD_HELP, RUN(help), NULL, "show this help" },
};

static const struct cmd_table table = {
	.command = "vrt calibrate",
	.usage = "[options]",
	.summary = "Measures what context switches, wakeups, interrupts, system calls and so on "
		   "cost, and compares with what the simulator takes them to cost. Everything else "
		   "on the machine disturbs.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.notes = "example:\n"
		 "  vrt calibrate -o host.json\n"
		 "  vrt run eevdf fifo -m host -w workloads/mixed.json --costs host.json\n",
};

/* --- measuring ------------------------------------------------------------------------ */

/* {"costs": {...}, "lost": [...]} or {"error": "..."} */
static struct json_object *result(const struct probe_figures *figures, const char *error)
{
	struct json_object *obj = json_object_new_object(), *lost;

	if (error) {
		json_add_string(obj, "error", error);
		return obj;
	}
	json_object_object_add(obj, "costs", calibrate_solve(figures, &lost));
	json_object_object_add(obj, "lost", lost);
	return obj;
}

static struct json_object *on_sim(void *arg)
{
	const struct run_plan *plan = arg;
	struct probe_figures figures;
	int err = calibrate_sim(&plan->topology, &plan->costs, &figures);

	return result(&figures, err ? strerror(-err) : NULL);
}

static struct json_object *on_host(void *arg)
{
	struct probe_figures figures;
	char err[512];

	return result(&figures, calibrate_real(&figures, err, sizeof(err)) ? err : NULL);
}

static struct json_object *ask_guest(struct vm *vm)
{
	struct json_object *answer = NULL;
	enum channel_type type = CHANNEL_ERROR;
	struct strbuf body = {};
	int err = channel_send_text(vm_channel(vm), CHANNEL_RUN,
				    "{\"" RUN_KEY_CALIBRATE "\": true}");

	if (!err)
		err = channel_receive(vm_channel(vm), (int)guest_patience_ms(), &type, &body);
	if (!err && type == CHANNEL_END)
		answer = json_tokener_parse(strbuf_str(&body));
	if (!answer && !err)
		answer = result(NULL, strbuf_str(&body));
	strbuf_free(&body);
	return answer ? answer : result(NULL, "the guest does not answer any more");
}

static struct json_object *on_guest(const struct run_plan *plan)
{
	struct json_object *answer;
	char err[4096];
	struct vm *vm = guest_boot(plan, plan->targets[0].kernel, err, sizeof(err));

	if (!vm)
		return result(NULL, err);
	printf("guest     Linux %s%s\n\n", vm_release(vm),
	       vm_accel(vm) == VM_ACCEL_TCG ? ", emulated: this is what the emulation costs" : "");
	fflush(stdout);
	answer = ask_guest(vm);
	vm_shutdown(vm);
	return answer;
}

static struct json_object *measure(struct run_plan *plan)
{
	struct json_object *obj;
	char why[512];

	if (plan->targets[0].place == RUN_ON_VM)
		return on_guest(plan);
	obj = in_child(plan->targets[0].place == RUN_ON_SIM ? on_sim : on_host, plan, why,
		       sizeof(why));
	return obj ? obj : result(NULL, why);
}

/* --- telling --------------------------------------------------------------------------- */

static bool is_lost(struct json_object *lost, const char *name)
{
	for (size_t i = 0; i < json_object_array_length(lost); i++)
		if (!strcmp(json_object_get_string(json_object_array_get_idx(lost, i)), name))
			return true;
	return false;
}

static void print_costs(const struct run_plan *plan, struct json_object *measured)
{
	struct json_object *costs = json_at(measured, "costs"), *lost = json_at(measured, "lost");
	const char *name, *source;
	struct strbuf others = {};
	u64 value, ns;

	printf("%-18s %10s %10s\n", "ns", "measured", "simulated");
	for (u32 i = 0; cost_entry(&plan->costs, i, &name, &value, &source); i++) {
		if (json_u64_at(costs, name, &ns))
			printf("%-18s %10llu %10llu\n", name, ns, value);
		else if (is_lost(lost, name))
			printf("%-18s %10s %10llu\n", name, "too small", value);
		else
			strbuf_printf(&others, "%s%s", others.len ? ", " : "", name);
	}
	fputs("\nnot measured: ", stdout);
	print_wrapped(stdout, strbuf_str(&others), 14, 2, 80);
	strbuf_free(&others);
}

static int write_file(const char *path, struct json_object *costs)
{
	FILE *f = fopen(path, "we");
	bool ok = f && fprintf(f, "%s\n", json_object_to_json_string_ext(
						  costs, JSON_C_TO_STRING_PRETTY |
								 JSON_C_TO_STRING_SPACED)) > 0;

	if (f)
		ok &= !fclose(f);
	if (ok)
		return STATUS_OK;
	cli_error("calibrate: %s: cannot be written: %s", path, strerror(errno));
	return STATUS_LOAD;
}

static int calibrate(struct run_plan *plan, const char *output)
{
	struct json_object *measured = measure(plan);
	int status = STATUS_OK;

	if (json_at(measured, "error")) {
		cli_error("calibrate: %s", json_string_at(measured, "error"));
		status = STATUS_LOAD;
	} else {
		print_costs(plan, measured);
		if (output)
			status = write_file(output, json_at(measured, "costs"));
	}
	json_object_put(measured);
	return status;
}

/* --- the command -------------------------------------------------------------------------- */

static int make_plan(struct run_plan *plan, char *err, size_t err_size)
{
	if (plan_machine(plan, err, err_size) || plan_targets(plan, err, err_size))
		return STATUS_USAGE;
	if (plan->nr_targets > 1) {
		snprintf(err, err_size, "--on: one place at a time");
		return STATUS_USAGE;
	}
	return STATUS_OK;
}

int cmd_calibrate(int argc, char **argv)
{
	struct run_plan *plan = xcalloc(1, sizeof(*plan));
	struct calibrate_options o = {};
	struct text_list args = {};
	char err[2048] = "";
	int status = STATUS_USAGE;

	if (cmdline_parse(&table, argc, argv, &o, &args, err, sizeof(err))) {
		cli_error("calibrate: %s", err);
	} else if (o.run.help) {
		cmdline_help(&table, stdout);
		status = STATUS_OK;
	} else if (args.nr) {
		cli_error("calibrate: '%s' is not expected: only options are", args.items[0]);
	} else {
		plan->options = o.run;
		if (!plan->options.on)
			plan->options.on = "host";
		status = make_plan(plan, err, sizeof(err));
		if (status == STATUS_OK)
			status = calibrate(plan, o.output);
		else
			cli_error("calibrate: %s", err);
	}
	plan_free(plan);
	free(plan);
	return status;
}
