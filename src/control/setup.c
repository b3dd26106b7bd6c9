// SPDX-License-Identifier: GPL-2.0-only
/*
 * Experiments and figures: as JSON, on their way between processes and machines,
 * which are of one build, numbers under the names of the members.
 */
#include <json-c/json.h>
#include <string.h>

#include "control.h"

struct field {
	const char *name;
	size_t offset, size;
};

#define FIELD(type, member) \
	{ #member, offsetof(struct type, member), sizeof(((struct type *)0)->member) }

static const struct field setup_fields[] = {
	FIELD(control_setup, variant), FIELD(control_setup, warmup), FIELD(control_setup, window),
	FIELD(control_setup, period), FIELD(control_setup, rest), FIELD(control_setup, quota),
	FIELD(control_setup, quota_period), FIELD(control_setup, work),
	FIELD(control_setup, elements), FIELD(control_setup, nice), FIELD(control_setup, hogs),
	FIELD(control_setup, probes), FIELD(control_setup, hog_nice),
};

static const struct field figure_fields[] = {
	FIELD(control_figures, window), FIELD(control_figures, runs),
	FIELD(control_figures, job_cpu), FIELD(control_figures, body),
	FIELD(control_figures, others_cpu), FIELD(control_figures, others_work),
	FIELD(control_figures, switches), FIELD(control_figures, verified_insns),
};

const char *control_variant_name(enum control_variant variant)
{
	static const char *const names[NR_CONTROL_VARIANTS] = {
		[CONTROL_NONE] = "none", [CONTROL_KTHREAD] = "kthread",
		[CONTROL_WORKER] = "worker", [CONTROL_DAEMON] = "daemon",
		[CONTROL_TIMER] = "timer", [CONTROL_OWN] = "own",
		[CONTROL_SHARED] = "shared", [CONTROL_PROGRAM] = "program",
	};

	return names[variant];
}

enum control_variant control_variant_of(const char *name)
{
	enum control_variant v = NR_CONTROL_VARIANTS - 1;

	while (v != CONTROL_NONE && strcmp(control_variant_name(v), name))
		v--;
	return v;
}

/* --- numbers -------------------------------------------------------------- */

/* All are of 32 or 64 bits; 32 hold a sign where the member has one. */
static void add_fields(struct json_object *json, const void *from, const struct field *fields,
		       u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		const char *at = (const char *)from + fields[i].offset;
		s64 value = fields[i].size == sizeof(u64) ? *(const s64 *)at : *(const s32 *)at;

		json_object_object_add(json, fields[i].name, json_object_new_int64(value));
	}
}

static void take_fields(struct json_object *json, void *to, const struct field *fields, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		s64 value = json_object_get_int64(json_object_object_get(json, fields[i].name));
		char *at = (char *)to + fields[i].offset;

		if (fields[i].size == sizeof(u64))
			*(s64 *)at = value;
		else
			*(s32 *)at = (s32)value;
	}
}

/* --- distributions -------------------------------------------------------- */

static struct json_object *hist_json(const struct hist *h)
{
	struct json_object *json = json_object_new_object(), *buckets = json_object_new_array();
	u64 low, high, count;
	u32 pos = 0;

	while (hist_next(h, &pos, &low, &high, &count)) {
		struct json_object *pair = json_object_new_array();

		json_object_array_add(pair, json_object_new_int64((s64)high));
		json_object_array_add(pair, json_object_new_int64((s64)count));
		json_object_array_add(buckets, pair);
	}
	json_object_object_add(json, "sum", json_object_new_int64((s64)h->sum));
	json_object_object_add(json, "min", json_object_new_int64((s64)h->min));
	json_object_object_add(json, "max", json_object_new_int64((s64)h->max));
	json_object_object_add(json, "buckets", buckets);
	return json;
}

static u64 number_at(struct json_object *array, size_t i)
{
	return (u64)json_object_get_int64(json_object_array_get_idx(array, i));
}

static void take_hist(struct json_object *json, struct hist *h)
{
	struct json_object *buckets = json_object_object_get(json, "buckets");

	for (size_t i = 0; buckets && i < json_object_array_length(buckets); i++) {
		struct json_object *pair = json_object_array_get_idx(buckets, i);

		hist_record_n(h, number_at(pair, 0), number_at(pair, 1));
	}
	h->sum = (u64)json_object_get_int64(json_object_object_get(json, "sum"));
	h->min = (u64)json_object_get_int64(json_object_object_get(json, "min"));
	h->max = (u64)json_object_get_int64(json_object_object_get(json, "max"));
}

/* --- the two documents ---------------------------------------------------- */

struct json_object *control_setup_json(const struct control_setup *setup)
{
	struct json_object *json = json_object_new_object();

	add_fields(json, setup, setup_fields, ARRAY_SIZE(setup_fields));
	return json;
}

void control_setup_parse(struct json_object *json, struct control_setup *setup)
{
	*setup = (struct control_setup){};
	take_fields(json, setup, setup_fields, ARRAY_SIZE(setup_fields));
}

struct json_object *control_figures_json(const struct control_figures *figures)
{
	struct json_object *json = json_object_new_object();

	add_fields(json, figures, figure_fields, ARRAY_SIZE(figure_fields));
	json_object_object_add(json, "late", hist_json(&figures->late));
	json_object_object_add(json, "delay", hist_json(&figures->delay));
	return json;
}

void control_figures_parse(struct json_object *json, struct control_figures *figures)
{
	*figures = (struct control_figures){};
	take_fields(json, figures, figure_fields, ARRAY_SIZE(figure_fields));
	take_hist(json_object_object_get(json, "late"), &figures->late);
	take_hist(json_object_object_get(json, "delay"), &figures->delay);
}

void control_difference(const struct control_sums *from, const struct control_sums *to,
			struct control_figures *f)
{
	f->window = to->clock - from->clock;
	f->runs = to->runs - from->runs;
	f->job_cpu = to->job_cpu - from->job_cpu;
	f->others_cpu = to->others_cpu - from->others_cpu;
	f->others_work = to->others_work - from->others_work;
	f->switches = to->switches - from->switches;
}

void control_figures_free(struct control_figures *figures)
{
	hist_free(&figures->late);
	hist_free(&figures->delay);
}
