// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects beside the scheduler (--with): periodic and tracing programs, attached
 * before it and detached after it, whoever is in charge meanwhile.
 */
#include <stdio.h>

#include "../base/alloc.h"
#include "../sched/periodic.h"
#include "json.h"
#include "session.h"

#define PPM 1000000ULL

/* --- periodic programs ---------------------------------------------------------- */

u32 periodic_count(void)
{
	u32 nr = 0;

	while (kernel_periodic_stats(nr))
		nr++;
	return nr;
}

static struct json_object *program_json(const struct periodic_stats *p, u64 elapsed)
{
	struct json_object *obj = json_object_new_object();

	json_object_object_add(obj, "name", json_text(p->name));
	json_object_object_add(obj, "worker", p->worker[0] ? json_text(p->worker) : NULL);
	json_object_object_add(obj, "mode",
			       json_object_new_string(p->mode == BPF_PERIODIC_PROGRAM ?
							      "program" : "framework"));
	json_object_object_add(obj, "pid", json_object_new_int(p->pid));
	json_object_object_add(obj, "nice", json_object_new_int(p->nice));
	json_add_u64(obj, "period_ns", p->period);
	json_object_object_add(obj, "cgroup", json_text(p->cgroup));
	json_object_object_add(obj, "failed", json_object_new_boolean(p->failed));
	json_add_u64(obj, "runs", p->runs);
	json_add_u64(obj, "missed", p->missed);
	json_add_u64(obj, "runtime_ns", p->runtime);
	json_add_u64(obj, "cpu_ppm",
		     elapsed ? (u64)((unsigned __int128)p->runtime * PPM / elapsed) : 0);
	json_object_object_add(obj, "run_time", metrics_hist_json(&p->run_time));
	json_object_object_add(obj, "wakeup_latency", metrics_hist_json(&p->wakeup));
	json_add_u64(obj, "delay_ns", p->delay);
	json_add_u64(obj, "throttled_ns", p->throttled);
	return obj;
}

struct json_object *periodic_json(const struct periodic_range *range, u64 since)
{
	struct json_object *array = json_object_new_array();

	for (u32 i = range->first; i < range->end; i++)
		json_object_array_add(array, program_json(kernel_periodic_stats(i),
							  kernel_now() - since));
	return array;
}

/* --- attaching and detaching ------------------------------------------------------ */

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

	b->loader = load_object(s, with->object, NULL, &with->set, &none, error);
	if (!b->loader)
		return error->status;
	if (loader_kinds(b->loader) & (LOADER_SCX | LOADER_GHOST)) {
		snprintf(error->message, sizeof(error->message),
			 "'%s' is a scheduler, and cannot run beside another one: give it to 'vrt run' "
			 "as SCHED",
			 with->object);
		status = error->status = LOADER_ERR_USAGE;
	} else {
		b->periodic.first = periodic_count();
		status = loader_attach(b->loader, error);
	}
	if (status != LOADER_OK) {
		loader_close(b->loader);
		return status;
	}
	b->periodic.end = periodic_count();
	b->attached_at = kernel_now();
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

		json_object_object_add(b->json, "periodic",
				       periodic_json(&b->periodic, b->attached_at));
		json_object_array_add(s->with, b->json);
		loader_close(b->loader);
	}
	s->nr_beside = 0;
}
