// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the runs of a plan take place: --on sim,vm:6.19,host. A guest is booted
 * when the first run wants it, and serves all others that do.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../vm/vm.h"
#include "guest.h"
#include "json.h"
#include "plan.h"

static int add_target(struct run_plan *plan, const char *text, size_t len, char *err,
		      size_t err_size)
{
	struct run_target t = { .place = RUN_ON_SIM };

	if (len > 3 && !strncmp(text, "vm:", 3)) {
		t.place = RUN_ON_VM;
		t.kernel = strndup(text + 3, len - 3);
	} else if (len == 2 && !strncmp(text, "vm", 2))
		t.place = RUN_ON_VM;
	else if (len == 4 && !strncmp(text, "host", 4))
		t.place = RUN_ON_HOST;
	else if (len != 3 || strncmp(text, "sim", 3))
		return vrt_error(err, err_size, -EINVAL,
				 "--on: '%.*s' is no place to run: expected sim, vm, vm:KERNEL "
				 "with a version (vm:6.19) or the path of a kernel image, or host",
				 (int)len, text);
	plan->targets = xreallocarray(plan->targets, plan->nr_targets + 1, sizeof(*plan->targets));
	plan->targets[plan->nr_targets++] = t;
	return 0;
}

int plan_targets(struct run_plan *plan, char *err, size_t err_size)
{
	int ret = plan_places(plan, err, err_size);

	for (u32 i = 0; i < plan->nr_targets && !ret; i++)
		if (plan->targets[i].place != RUN_ON_SIM)
			ret = guest_check_plan(plan, &plan->targets[i], err, err_size);
	return ret;
}

int plan_places(struct run_plan *plan, char *err, size_t err_size)
{
	const char *text = plan->options.on ? plan->options.on : "sim";

	for (;;) {
		size_t len = strcspn(text, ",");

		if (add_target(plan, text, len, err, err_size))
			return -EINVAL;
		if (!text[len])
			return 0;
		text += len + 1;
	}
}

void free_targets(struct run_plan *plan)
{
	while (plan->nr_targets) {
		struct run_target *t = &plan->targets[--plan->nr_targets];

		vm_shutdown(t->guest);
		free(t->kernel);
	}
	free(plan->targets);
}

static void tell_guest(const struct run_plan *plan, const struct vm *vm)
{
	if (plan->options.json)
		return;
	printf("%s Linux %s%s\n\n", vm_accel(vm) == VM_ACCEL_NONE ? "host     " : "guest    ",
	       vm_release(vm),
	       vm_accel(vm) == VM_ACCEL_TCG ? ", emulated: times are left out" : "");
	fflush(stdout);
}

struct guest_request {
	const struct run_plan *plan;
	const char *scheduler;
	struct vm *vm;
};

static struct json_object *run_request(void *arg)
{
	struct guest_request *r = arg;

	return guest_run(r->plan, r->scheduler, r->vm);
}

#define NO_KERNEL "no kernel to run on"

bool run_had_no_kernel(struct json_object *run)
{
	return !strcmp(json_string_at(run, "end.reason"), NO_KERNEL);
}

/* "end" of a run that could not be. */
static struct json_object *failed(const struct run_plan *plan, const char *scheduler,
				  const struct run_target *t, const char *reason, const char *why)
{
	struct json_object *run = run_new(plan, scheduler);

	json_add_string(run, "on", t->place == RUN_ON_HOST ? "host" : "vm");
	run_set_failure(run, reason ? "not_loaded" : "crashed", reason ? reason : "bug of vruntime",
			why, NULL);
	return run;
}

struct json_object *run_on_target(const struct run_plan *plan, const char *scheduler,
				  struct run_target *t)
{
	struct guest_request request = { plan, scheduler, NULL };
	struct json_object *run;
	char why[4096];

	if (t->place == RUN_ON_SIM)
		return run_in_child(plan, scheduler);
	if (!t->guest) {
		t->guest = t->place == RUN_ON_HOST ? guest_this_host(why, sizeof(why))
						   : guest_boot(plan, t->kernel, why, sizeof(why));
		if (!t->guest)
			return failed(plan, scheduler, t, NO_KERNEL, why);
		tell_guest(plan, t->guest);
	}
	request.vm = t->guest;
	run = in_child(run_request, &request, why, sizeof(why));
	if (run && strcmp(json_string_at(run, "end.reason"), GUEST_LOST))
		return run;
	/* what it still says belongs to this run, not to the next */
	vm_shutdown(t->guest);
	t->guest = NULL;
	return run ? run : failed(plan, scheduler, t, NULL, why);
}
