// SPDX-License-Identifier: GPL-2.0-only
/*
 * --with and --cgroup in a guest: objects and groups beside the scheduler, what is
 * sent of them and what comes back. Periodic programs need the module schedbpf in
 * the guest's kernel, which is sent along where it was built for that kernel.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/file.h"
#include "../base/strbuf.h"
#include "../sched/cgroup/cgroup.h"
#include "../vm/kernels.h"
#include "../vm/run.h"
#include "guest.h"
#include "json.h"

#define MAX_MODULE (64U << 20)

/* Takes @path, which may be NULL. */
static int send_module(struct vm *vm, char *path, const char *name)
{
	struct strbuf module = {};
	int err = 0;

	if (path)
		err = file_read(path, MAX_MODULE, &module);
	if (path && !err)
		err = guest_send_file(vm, name, &module);
	strbuf_free(&module);
	free(path);
	return err;
}

int guest_send_module(struct vm *vm, const char *image)
{
	return send_module(vm, kernel_module_of(image), RUN_MODULE) ?:
	       send_module(vm, kernel_bench_module_of(image), RUN_BENCH_MODULE);
}

#define NAME_SIZE 96

/* As the agent calls it in its messages: "beats.0.bpf.o". */
static const char *object_name(const struct run_plan *plan, u32 i, char name[NAME_SIZE])
{
	char label[64];

	snprintf(name, NAME_SIZE, "%s.%u.bpf.o",
		 scheduler_label(plan->with[i].object, label, sizeof(label)), i);
	return name;
}

enum loader_status guest_send_beside(const struct run_plan *plan, struct vm *vm,
				     loader_warn_fn warn, void *arg, struct loader_error *error)
{
	struct loader_options opts = {
		.include_dirs = plan->options.include_dirs.items,
		.nr_include_dirs = plan->options.include_dirs.nr,
	};
	enum loader_status status = LOADER_OK;

	for (u32 i = 0; i < plan->nr_with && status == LOADER_OK; i++) {
		char *file = scheduler_file(plan->with[i].object), name[NAME_SIZE];
		struct strbuf object = {};

		/* plan_with() has found it */
		status = loader_read_object(file, &opts, warn, arg, &object, error);
		if (status == LOADER_OK)
			guest_send_file(vm, object_name(plan, i, name), &object);
		strbuf_free(&object);
		free(file);
	}
	return status;
}

static void add_groups(const struct run_plan *plan, struct json_object *settings)
{
	struct json_object *list = json_object_new_array();

	for (u32 i = 0; i < plan->nr_cgroups; i++) {
		const struct cgroup_plan *c = &plan->cgroups[i];
		struct json_object *entry = json_object_new_object();

		json_add_string(entry, "path", c->path);
		json_add_u64(entry, "weight", c->weight);
		json_add_u64(entry, "quota_ns", c->quota == CGROUP_NO_QUOTA ? 0 : c->quota);
		json_add_u64(entry, "period_ns", c->period);
		json_object_array_add(list, entry);
	}
	json_object_object_add(settings, RUN_KEY_CGROUPS, list);
}

void guest_add_beside(const struct run_plan *plan, struct json_object *settings)
{
	struct json_object *list = json_object_new_array();

	for (u32 i = 0; i < plan->nr_with; i++) {
		struct json_object *entry = json_object_new_object();
		char name[NAME_SIZE];

		json_add_string(entry, "object", object_name(plan, i, name));
		guest_add_list(entry, RUN_KEY_SET, &plan->with[i].set);
		json_object_array_add(list, entry);
	}
	json_object_object_add(settings, RUN_KEY_WITH, list);
	add_groups(plan, settings);
}

/* Waiting on emulated CPUs means nothing. */
static void drop_waiting(struct json_object *object)
{
	struct json_object *programs = json_at(object, "periodic");

	for (size_t i = 0; programs && i < json_object_array_length(programs); i++)
		json_object_object_del(json_object_array_get_idx(programs, i), "wakeup_latency");
}

void guest_take_beside(const struct run_plan *plan, struct json_object *end,
		       struct json_object *run, bool emulated)
{
	struct json_object *with = json_at(end, RUN_KEY_WITH), *groups = json_at(end, RUN_KEY_CGROUPS);
	char label[64];

	for (u32 i = 0; with && i < json_object_array_length(with) && i < plan->nr_with; i++) {
		struct json_object *object = json_object_array_get_idx(with, i);

		json_object_object_add(object, "object",
				       json_text(scheduler_label(plan->with[i].object, label,
								 sizeof(label))));
		if (emulated)
			drop_waiting(object);
	}
	if (with)
		json_object_object_add(run, "with", json_object_get(with));
	if (groups)
		json_object_object_add(run, "cgroups", json_object_get(groups));
}
