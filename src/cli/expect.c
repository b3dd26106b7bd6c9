// SPDX-License-Identifier: GPL-2.0-only
/* Expectations; see expect.h. */
#include "expect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/error.h"
#include "../base/suggest.h"
#include "json.h"
#include "units.h"

struct part {
	const char *name, *field;
	enum expect_unit unit;
};

static const struct part latency_parts[] = {
	{ "p50", "p50_ns", UNIT_NS },	  { "p90", "p90_ns", UNIT_NS },
	{ "p99", "p99_ns", UNIT_NS },	  { "p99.9", "p99_9_ns", UNIT_NS },
	{ "max", "max_ns", UNIT_NS },	  { "mean", "mean_ns", UNIT_NS },
	{ "count", "count", UNIT_COUNT }, {},
};

/* The first part is the one that is meant when none is given. */
static const struct part switch_parts[] = {
	{ "total", "total", UNIT_COUNT },	  { "voluntary", "voluntary", UNIT_COUNT },
	{ "preempted", "preempted", UNIT_COUNT }, { "yielded", "yielded", UNIT_COUNT },
	{ "idle", "idle", UNIT_COUNT },		  {},
};

static const struct part migration_parts[] = {
	{ "total", "total", UNIT_COUNT },   { "smt", "smt", UNIT_COUNT },
	{ "llc", "llc", UNIT_COUNT },	    { "node", "node", UNIT_COUNT },
	{ "remote", "remote", UNIT_COUNT }, {},
};

static const struct metric {
	const char *name, *field;
	const struct part *parts; /* NULL: a plain value of @unit */
	bool part_needed;
	enum expect_unit unit;
	bool machine, group; /* who has it */
} metrics[] = {
	{ "wakeup", "wakeup_latency", latency_parts, true, UNIT_NS, true, true },
	{ "delay", "run_delay", latency_parts, true, UNIT_NS, true, true },
	{ "request", "request_latency", latency_parts, true, UNIT_NS, true, true },
	{ "bench", "benchmark_wakeup", latency_parts, true, UNIT_NS, true, true },
	{ "lag", "lag", latency_parts, true, UNIT_NS, true, true },
	{ "switches", "context_switches", switch_parts, false, UNIT_COUNT, true, true },
	{ "migrations", "migrations", migration_parts, false, UNIT_COUNT, true, true },
	{ "throughput", "ops_per_second_milli", NULL, false, UNIT_MILLI, true, true },
	{ "ops", "ops", NULL, false, UNIT_COUNT, true, true },
	{ "runtime", "runtime_ns", NULL, false, UNIT_NS, false, true },
	{ "share", "share_ppm", NULL, false, UNIT_PPM, false, true },
	{ "jain", "jain_ppm", NULL, false, UNIT_PPM, false, true },
	{ "tasks", "tasks", NULL, false, UNIT_COUNT, false, true },
	{ "utilization", "utilization_ppm", NULL, false, UNIT_PPM, true, false },
	{ "overhead", "overhead_ppm", NULL, false, UNIT_PPM, true, false },
};

/* --- parsing ------------------------------------------------------------------ */

static const struct part *find_part(const struct part *parts, const char *name)
{
	for (; parts->name; parts++) {
		if (!strcmp(parts->name, name))
			return parts;
	}
	return NULL;
}

/* Is @text "METRIC" or "METRIC.PART"? Then sets what it means. */
static bool parse_metric(const char *text, bool machine, struct expectation *e)
{
	size_t len = strcspn(text, ".");

	for (u32 i = 0; i < ARRAY_SIZE(metrics); i++) {
		const struct metric *m = &metrics[i];
		const struct part *part;

		if (strlen(m->name) != len || strncmp(m->name, text, len) ||
		    !(machine ? m->machine : m->group))
			continue;
		if (!m->parts) {
			snprintf(e->path, sizeof(e->path), "%s", m->field);
			e->unit = m->unit;
			return !text[len];
		}
		part = text[len]      ? find_part(m->parts, text + len + 1) :
		       m->part_needed ? NULL :
					m->parts;
		if (!part)
			return false;
		snprintf(e->path, sizeof(e->path), "%s.%s", m->field, part->field);
		e->unit = part->unit;
		return true;
	}
	return false;
}

/* Names of groups may have dots, so every dot is tried as the border. */
static bool parse_subject(const char *text, struct expectation *e)
{
	if (parse_metric(text, true, e)) {
		snprintf(e->group, sizeof(e->group), "machine");
		return true;
	}
	for (const char *dot = strchr(text, '.'); dot; dot = strchr(dot + 1, '.')) {
		size_t len = dot - text;

		if (!len || len >= sizeof(e->group))
			continue;
		snprintf(e->group, sizeof(e->group), "%.*s", (int)len, text);
		if (parse_metric(dot + 1, !strcmp(e->group, "machine"), e))
			return true;
	}
	return false;
}

static int parse_value(const struct expectation *e, const char *text, u64 *value)
{
	int err;

	switch (e->unit) {
	case UNIT_NS:
		return parse_duration(text, value);
	case UNIT_PPM:
		return parse_ratio(text, value);
	case UNIT_MILLI:
		return parse_milli(text, value);
	case UNIT_COUNT:
		break;
	}
	err = parse_milli(text, value);
	*value /= 1000;
	return err;
}

static const char *unit_text(enum expect_unit unit)
{
	switch (unit) {
	case UNIT_NS:
		return "a time with its unit, such as 2ms";
	case UNIT_PPM:
		return "a share, such as 95% or 0.95";
	default:
		return "a number, such as 1500 or 1.5k";
	}
}

static const char *parse_op(const char *text, enum expect_op *op)
{
	static const struct {
		const char *text;
		enum expect_op op;
	} ops[] = { { "<=", EXPECT_LE }, { ">=", EXPECT_GE }, { "==", EXPECT_EQ },
		    { "!=", EXPECT_NE }, { "<", EXPECT_LT },  { ">", EXPECT_GT } };

	for (u32 i = 0; i < ARRAY_SIZE(ops); i++) {
		if (!strncmp(text, ops[i].text, strlen(ops[i].text))) {
			*op = ops[i].op;
			return text + strlen(ops[i].text);
		}
	}
	return NULL;
}

int expect_parse(const char *text, struct expectation *e, char *err, size_t err_size)
{
	size_t len = strcspn(text, "<>=!");
	const char *value = parse_op(text + len, &e->op);
	char subject[128];

	e->text = text;
	if (!value || !len || len >= sizeof(subject))
		return vrt_error(err, err_size, -EINVAL,
				 "--expect: '%s': expected METRIC, one of < <= > >= == !=, and a "
				 "value, such as 'web.wakeup.p99<2ms'",
				 text);
	while (len && text[len - 1] == ' ')
		len--;
	snprintf(subject, sizeof(subject), "%.*s", (int)len, text);
	if (!parse_subject(subject, e))
		return vrt_error(
			err, err_size, -EINVAL,
			"--expect: '%s' is no metric: expected [GROUP.]METRIC[.PART], such "
			"as web.wakeup.p99 (metrics: wakeup delay request bench lag with "
			"p50 p90 p99 p99.9 max mean count; throughput ops runtime share "
			"jain tasks switches migrations; of the machine also utilization "
			"overhead)",
			subject);
	value += strspn(value, " ");
	if (parse_value(e, value, &e->value))
		return vrt_error(err, err_size, -EINVAL, "--expect: '%s': '%s' is not %s", text,
				 value, unit_text(e->unit));
	return 0;
}

/* --- looking ------------------------------------------------------------------ */

static struct json_object *group_of(struct json_object *run, const char *name)
{
	struct json_object *groups = json_at(run, "groups");
	size_t nr = groups ? json_object_array_length(groups) : 0;

	for (size_t i = 0; i < nr; i++) {
		struct json_object *group = json_object_array_get_idx(groups, i);

		if (!strcmp(json_string_at(group, "name"), name))
			return group;
	}
	return NULL;
}

static bool compare(u64 value, enum expect_op op, u64 wanted)
{
	switch (op) {
	case EXPECT_LT:
		return value < wanted;
	case EXPECT_LE:
		return value <= wanted;
	case EXPECT_GT:
		return value > wanted;
	case EXPECT_GE:
		return value >= wanted;
	case EXPECT_EQ:
		return value == wanted;
	case EXPECT_NE:
		break;
	}
	return value != wanted;
}

bool expect_holds(const struct expectation *e, struct json_object *run, bool *found, u64 *value)
{
	bool machine = !strcmp(e->group, "machine");
	struct json_object *obj = machine ? json_at(run, "metrics") : group_of(run, e->group);

	*found = json_u64_at(obj, e->path, value);
	return *found && compare(*value, e->op, e->value);
}

char *expect_human(const struct expectation *e, u64 value, char *buf, size_t size)
{
	switch (e->unit) {
	case UNIT_NS:
		return human_ns(value, buf, size);
	case UNIT_PPM:
		return human_ppm(value, buf, size);
	case UNIT_MILLI:
		return human_milli(value, buf, size);
	case UNIT_COUNT:
		break;
	}
	snprintf(buf, size, "%llu", value);
	return buf;
}
