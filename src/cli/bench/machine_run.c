// SPDX-License-Identifier: GPL-2.0-only
/* See machine_run.h. */
#include "machine_run.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../base/alloc.h"
#include "../json.h"
#include "../run.h"

const char *const machine_tasks_text[] = {
	[TASKS_SLEEP] = "run 20 us, sleep 50 us",
	[TASKS_COMPUTE] = "compute",
};

static const char *const events[] = {
	[TASKS_SLEEP] = "\"run\": 20, \"sleep\": 50",
	[TASKS_COMPUTE] = "\"run\": 1000000",
};

/*
 * A file of the workload, and its name in @path. Making many tasks takes long, also
 * simulated; none begins before the others are there.
 */
static int workload_file(const struct machine_run *r, char *path, size_t size)
{
	int fd = memfd_create("vrt-bench", MFD_CLOEXEC);

	if (fd >= 0 && dprintf(fd,
			       "{ \"tasks\": { \"short\": { \"instance\": %u, \"phases\": { "
			       "\"wait\": { \"loop\": 1, \"barrier\": \"all\" }, "
			       "\"work\": { \"loop\": -1, %s } } } } }",
			       r->tasks, events[r->what]) < 0) {
		close(fd);
		fd = -1;
	}
	snprintf(path, size, "/proc/self/fd/%d", fd);
	return fd;
}

static struct json_object *run_planned(struct run_plan *plan, const char *scheduler)
{
	struct json_object *run = run_in_child(plan, scheduler);
	u64 status;

	run_judge(plan, run);
	if (json_u64_at(run, "status", &status) && status)
		json_add_string(run, "error", json_string_at(run, "end.message"));
	return run;
}

struct json_object *machine_run(const struct machine_run *r)
{
	struct run_plan *plan = xcalloc(1, sizeof(*plan));
	struct json_object *run;
	char err[2048], path[32];
	int fd = workload_file(r, path, sizeof(path));

	run_options_init(&plan->options);
	plan->options.machine = r->machine;
	plan->options.workload = path;
	plan->options.duration = r->duration;
	plan->options.noise = NOISE_NONE;
	plan->options.host_stats = true;
	plan->options.quiet = true;
	plan->schedulers = (struct text_list){ .items = { r->scheduler }, .nr = 1 };
	if (plan_make(plan, err, sizeof(err)) == STATUS_OK) {
		run = run_planned(plan, r->scheduler);
	} else {
		run = json_object_new_object();
		json_add_string(run, "error", err);
	}
	plan_free(plan);
	free(plan);
	if (fd >= 0)
		close(fd);
	return run;
}
