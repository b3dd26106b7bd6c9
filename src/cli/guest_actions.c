// SPDX-License-Identifier: GPL-2.0-only
/* --at on a real kernel: what of it can be done there, is asked for, and was done. */
#include <errno.h>
#include <string.h>

#include "../base/error.h"
#include "../vm/run.h"
#include "guest.h"
#include "json.h"

/* As run.h calls it; NULL: there is no such thing in a guest. */
static const char *action_name(enum timed_kind kind)
{
	switch (kind) {
	case TIMED_OFFLINE:
		return "offline";
	case TIMED_ONLINE:
		return "online";
	case TIMED_RUN:
		return "run";
	case TIMED_SWAP:
	case TIMED_KILL_AGENT:
	case TIMED_DESTROY_ENCLAVE:
	case TIMED_PRINT:
	case TIMED_NICE:
	case TIMED_CPUS:
	case TIMED_CGROUP:
		break;
	}
	return NULL;
}

int guest_check_actions(const struct run_plan *plan, bool host, char *err, size_t err_size)
{
	for (u32 i = 0; i < plan->nr_actions; i++) {
		const struct timed_action *a = &plan->actions[i];

		if (!action_name(a->kind))
			return vrt_error(err, err_size, -EINVAL,
					 "--at %s: only the simulated machine can do that yet "
					 "(--on sim)",
					 a->text);
		if (host && a->kind != TIMED_RUN)
			return vrt_error(err, err_size, -EINVAL,
					 "--at %s: the CPUs of this host stay as they are; choose "
					 "--on sim or vm",
					 a->text);
	}
	return 0;
}

void guest_send_actions(const struct run_plan *plan, struct json_object *settings)
{
	struct json_object *list = json_object_new_array();

	for (u32 i = 0; i < plan->nr_actions; i++) {
		const struct timed_action *a = &plan->actions[i];
		struct json_object *entry = json_object_new_object();

		json_add_u64(entry, "at_ns", a->at);
		json_add_string(entry, "what", action_name(a->kind));
		json_add_string(entry, "value", a->value);
		json_add_string(entry, "action", a->text);
		json_object_array_add(list, entry);
	}
	json_object_object_add(settings, RUN_KEY_ACTIONS, list);
}

/* What comes from a guest is text from BPF programs. */
void guest_add_timeline(struct json_object *end, struct json_object *run)
{
	static const char *const texts[] = { "action", "error", "text" };
	struct json_object *list = json_at(end, "timeline"), *timeline = json_at(run, "timeline");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *from = json_object_array_get_idx(list, i);
		struct json_object *entry = json_object_new_object();

		json_object_object_add(entry, "time_ns", json_object_get(json_at(from, "time_ns")));
		for (u32 t = 0; t < ARRAY_SIZE(texts); t++)
			json_object_object_add(entry, texts[t],
					       json_at(from, texts[t])
						       ? json_text(json_string_at(from, texts[t]))
						       : NULL);
		json_object_array_add(timeline, entry);
	}
}
