// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects beside the scheduler (--with): periodic and tracing programs, attached
 * before it and detached after it, whoever is in charge meanwhile.
 */
#include <stdio.h>

#include "../base/alloc.h"
#include "json.h"
#include "session.h"

static struct json_object *kinds_json(u32 kinds)
{
	struct json_object *array = json_object_new_array();

	if (kinds & LOADER_PERIODIC)
		json_object_array_add(array, json_object_new_string("periodic"));
	if (kinds & LOADER_TRACING)
		json_object_array_add(array, json_object_new_string("tracing"));
	return array;
}

static enum loader_status attach_one(struct session *s, const struct with_plan *with,
				     struct beside *b, struct loader_error *error)
{
	static const struct text_list none;
	enum loader_status status;

	b->loader = load_object(s, with->object, &with->set, &none, error);
	if (!b->loader)
		return error->status;
	if (loader_kinds(b->loader) & (LOADER_SCX | LOADER_GHOST)) {
		snprintf(error->message, sizeof(error->message),
			 "'%s' is a scheduler, and cannot run beside another one: give it to 'vrt run' "
			 "as SCHED",
			 with->object);
		status = error->status = LOADER_ERR_USAGE;
	} else {
		status = loader_attach(b->loader, error);
	}
	if (status != LOADER_OK) {
		loader_close(b->loader);
		return status;
	}
	b->json = json_object_new_object();
	json_object_object_add(b->json, "object",
			       json_text(scheduler_label(with->object, (char[64]){}, 64)));
	json_add_string(b->json, "hash", loader_object_hash(b->loader));
	json_object_object_add(b->json, "kinds", kinds_json(loader_kinds(b->loader)));
	return LOADER_OK;
}

bool beside_attach(struct session *s)
{
	const struct run_plan *plan = s->plan;
	struct loader_error error = {};

	s->beside = xcalloc(plan->nr_with + 1, sizeof(*s->beside));
	for (; s->nr_beside < plan->nr_with; s->nr_beside++) {
		if (attach_one(s, &plan->with[s->nr_beside], &s->beside[s->nr_beside], &error) ==
		    LOADER_OK)
			continue;
		session_fail(s, &error);
		loader_error_free(&error);
		return false;
	}
	return true;
}

void beside_detach(struct session *s)
{
	for (u32 i = 0; i < s->nr_beside; i++) {
		struct beside *b = &s->beside[i];

		json_object_array_add(s->with, b->json);
		loader_close(b->loader);
	}
	s->nr_beside = 0;
}
