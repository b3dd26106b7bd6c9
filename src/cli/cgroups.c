// SPDX-License-Identifier: GPL-2.0-only
/* Control groups that --cgroup asks for: made before anything runs, and how they fared. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../sched/cgroup/cgroup.h"
#include "json.h"
#include "session.h"

static bool fail(struct session *s, const struct cgroup_plan *c, const char *what, int err)
{
	char message[512];

	snprintf(message, sizeof(message), "--cgroup: '%s': %s: %s", c->path, what, strerror(-err));
	run_set_failure(s->run, "not_loaded", "bad cgroup", message, NULL);
	return false;
}

bool cgroups_make(struct session *s)
{
	for (u32 i = 0; i < s->plan->nr_cgroups; i++) {
		const struct cgroup_plan *c = &s->plan->cgroups[i];
		int err = 0;
		struct cgroup *cgrp = cgroup_make_path(c->path, &err);

		if (!cgrp)
			return fail(s, c, "cannot be made", err);
		err = c->weight ? cgroup_set_weight(cgrp, c->weight) : 0;
		if (err)
			return fail(s, c, "weight", err);
		err = c->period ? cgroup_set_max(cgrp, c->quota, c->period) : 0;
		if (err)
			return fail(s, c, "max", err);
	}
	return true;
}

struct json_object *cgroups_json(const struct session *s)
{
	struct json_object *array = json_object_new_array();

	for (u32 i = 0; i < s->plan->nr_cgroups; i++) {
		const struct cgroup_plan *c = &s->plan->cgroups[i];
		struct json_object *obj = json_object_new_object();
		bool limited = c->period && c->quota != CGROUP_NO_QUOTA;
		struct cgroup_cpu_stat stat;

		cgroup_cpu_stat(cgroup_find(c->path), &stat);
		json_object_object_add(obj, "path", json_text(c->path));
		json_add_u64(obj, "weight", c->weight ? c->weight : CGROUP_WEIGHT_DFL);
		json_object_object_add(obj, "quota_ns",
				       limited ? json_object_new_uint64(c->quota) : NULL);
		json_add_u64(obj, "period_ns", c->period ? c->period : CGROUP_PERIOD_DFL);
		json_add_u64(obj, "usage_ns", stat.usage);
		json_add_u64(obj, "nr_periods", stat.nr_periods);
		json_add_u64(obj, "nr_throttled", stat.nr_throttled);
		json_add_u64(obj, "throttled_ns", stat.throttled);
		json_object_array_add(array, obj);
	}
	return array;
}
