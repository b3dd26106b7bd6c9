// SPDX-License-Identifier: GPL-2.0-only
/*
 * The enclave of a ghOSt scheduler: what an agent's process would do for its
 * BPF programs. Made before they are attached, ended before they are closed.
 */
#include <stdio.h>

#include "../base/cpumask.h"
#include "json.h"
#include "session.h"

enum loader_status enclave_create(struct session *s, struct loader_error *error)
{
	const struct run_plan *plan = s->plan;
	struct ghost_config config = {
		.cpus = plan->options.enclave ? &plan->enclave : NULL,
		.runnable_timeout = plan->options.runnable_timeout,
		.deliver_ticks = true,
		.deliver_cpu_availability = true,
		.take_all = true,
	};
	char why[512];
	int fd;

	s->enclave = ghost_enclave_create(&config, why, sizeof(why));
	fd = s->enclave ? ghost_enclave_fd(s->enclave) : -1;
	if (fd >= 0) {
		loader_set_enclave(s->loader, fd);
		return LOADER_OK;
	}
	snprintf(error->message, sizeof(error->message), "the enclave cannot be made: %s",
		 s->enclave ? "it has no descriptor left" : why);
	return error->status = LOADER_ERR_ATTACH;
}

enum loader_status enclave_start(struct session *s, const char *scheduler,
				 struct loader_error *error)
{
	char why[512];

	if (ghost_start(s->enclave, why, sizeof(why))) {
		snprintf(error->message, sizeof(error->message), "%s: %s", scheduler, why);
		return error->status = LOADER_ERR_ATTACH;
	}
	/* what programs that discover tasks wait for: the agent has seen all that were there */
	if (loader_has_var(s->loader, "initialized"))
		loader_set_var(s->loader, "initialized", 1);
	return LOADER_OK;
}

static struct json_object *messages_json(const struct ghost_stats *stats)
{
	struct json_object *messages = json_object_new_object();

	for (u32 i = 0; stats->messages[i].name; i++) {
		struct json_object *message;

		if (!stats->messages[i].produced)
			continue;
		message = json_object_new_object();
		json_add_u64(message, "produced", stats->messages[i].produced);
		json_add_u64(message, "kept", stats->messages[i].kept);
		json_object_object_add(messages, stats->messages[i].name, message);
	}
	return messages;
}

static u64 nr_messages(const struct ghost_stats *stats)
{
	u64 nr = 0;

	for (u32 i = 0; stats->messages[i].name; i++)
		nr += stats->messages[i].produced;
	return nr;
}

static struct json_object *figures(const struct session *s)
{
	struct json_object *ghost = json_object_new_object();
	struct ghost_stats stats;
	struct cpumask all;
	char cpus[512];

	cpumask_setall(&all);
	cpumask_print_list(cpus, sizeof(cpus), s->plan->options.enclave ? &s->plan->enclave : &all);
	ghost_stats(s->enclave, &stats);
	json_add_string(ghost, "cpus", cpus);
	json_add_u64(ghost, "runnable_timeout_ns", s->plan->options.runnable_timeout);
	json_add_u64(ghost, "tasks", stats.nr_tasks);
	json_add_u64(ghost, "refused_tasks", stats.nr_refused);
	json_add_u64(ghost, "picks", stats.picks);
	json_add_u64(ghost, "latched", stats.latched);
	json_add_u64(ghost, "latch_errors", stats.latch_errors);
	json_add_u64(ghost, "messages_produced", nr_messages(&stats));
	json_object_object_add(ghost, "messages", messages_json(&stats));
	return ghost;
}

struct json_object *enclave_close(struct session *s, struct ghost_exit_record *exit)
{
	struct json_object *ghost = figures(s);

	*exit = *ghost_exit(s->enclave);
	ghost_enclave_close(s->enclave);
	s->enclave = NULL;
	return ghost;
}

const char *enclave_act(struct session *s, void (*fn)(struct ghost_enclave *enclave))
{
	if (!s->enclave)
		return "the scheduler in charge is no ghOSt scheduler";
	if (!ghost_exit(s->enclave)->active)
		return "the enclave has ended before";
	fn(s->enclave);
	return NULL;
}
