// SPDX-License-Identifier: GPL-2.0-only
/* --cgroup PATH[,weight=N][,max=QUOTA[/PERIOD]]: control groups to make before anything else. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/duration.h"
#include "../base/error.h"
#include "../base/strbuf.h"
#include "../sched/cgroup/cgroup.h"
#include "plan.h"
#include "units.h"

/* Where a message goes, and what every message starts with. */
struct parse {
	const char *text; /* as given */
	char *err;
	size_t err_size;
};

__printf(2, 3) static int bad(const struct parse *p, const char *fmt, ...)
{
	char why[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return vrt_error(p->err, p->err_size, -EINVAL, "--cgroup: '%s': %s", p->text, why);
}

/* "/a/b" or "a/b" into "/a/b" */
static int parse_path(const struct parse *p, struct cgroup_plan *c, const char *path)
{
	const char *name = path + (*path == '/');
	struct strbuf sb = {};
	u32 depth = 1;

	if (!*name)
		return bad(p, "expected the path of a cgroup, such as /batch/gc; the root is always "
			      "there, and has no limits");
	for (const char *n = name;; n++, depth++) {
		size_t len = strcspn(n, "/");

		if (!len || len >= CGROUP_NAME_MAX)
			return bad(p, "every name in a path has 1 to %d characters", CGROUP_NAME_MAX - 1);
		if (depth > CGROUP_MAX_DEPTH)
			return bad(p, "deeper than %d levels", CGROUP_MAX_DEPTH);
		if (*n == '.' && (len == 1 || (len == 2 && n[1] == '.')))
			return bad(p, "'.' and '..' are no names of cgroups; paths start at the root");
		n += len;
		if (!*n)
			break;
	}
	strbuf_printf(&sb, "/%s", name);
	c->path = strbuf_detach(&sb);
	return 0;
}

static int parse_weight(const struct parse *p, struct cgroup_plan *c, const char *value)
{
	char *end;
	unsigned long weight = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || weight < CGROUP_WEIGHT_MIN ||
	    weight > CGROUP_WEIGHT_MAX)
		return bad(p, "weight: '%s' is not a number from %d to %d", value,
			   CGROUP_WEIGHT_MIN, CGROUP_WEIGHT_MAX);
	c->weight = (u32)weight;
	return 0;
}

static int parse_limit(const struct parse *p, const char *what, const char *value, u64 low,
		       u64 high, u64 *ns)
{
	char from[32], to[32];

	if (!parse_duration(value, ns) && *ns >= low && *ns <= high)
		return 0;
	return bad(p, "max: '%s' is not a %s: expected a time from %s to %s", value, what,
		   human_ns(low, from, sizeof(from)), human_ns(high, to, sizeof(to)));
}

/* @value is cut at the slash. */
static int parse_max(const struct parse *p, struct cgroup_plan *c, char *value)
{
	char *quota = strsep(&value, "/");

	c->period = CGROUP_PERIOD_DFL;
	if (value && parse_limit(p, "period", value, CGROUP_PERIOD_MIN, CGROUP_PERIOD_MAX,
				 &c->period))
		return -EINVAL;
	if (!strcmp(quota, "max")) {
		c->quota = CGROUP_NO_QUOTA;
		return 0;
	}
	return parse_limit(p, "quota", quota, CGROUP_QUOTA_MIN, CGROUP_QUOTA_MAX, &c->quota);
}

static int parse_cgroup(const struct parse *p, struct cgroup_plan *c, char *text)
{
	char *part;
	int err = parse_path(p, c, strsep(&text, ","));

	while (!err && (part = strsep(&text, ","))) {
		if (!strncmp(part, "weight=", 7))
			err = parse_weight(p, c, part + 7);
		else if (!strncmp(part, "max=", 4))
			err = parse_max(p, c, part + 4);
		else
			err = bad(p, "'%s': expected weight=N or max=QUOTA/PERIOD, such as "
				     "max=10ms/100ms",
				  part);
	}
	return err;
}

int plan_cgroups(struct run_plan *plan, char *err, size_t err_size)
{
	const struct text_list *given = &plan->options.cgroups;

	plan->cgroups = xcalloc(given->nr + 1, sizeof(*plan->cgroups));
	for (u32 i = 0; i < given->nr; i++) {
		struct parse p = { given->items[i], err, err_size };
		struct cgroup_plan *c = &plan->cgroups[plan->nr_cgroups++];
		char *copy = xstrdup(given->items[i]);
		int ret = parse_cgroup(&p, c, copy);

		free(copy);
		for (u32 k = 0; !ret && k < i; k++) {
			if (!strcmp(plan->cgroups[k].path, c->path))
				ret = bad(&p, "%s is given twice", c->path);
		}
		if (ret)
			return ret;
	}
	return 0;
}
