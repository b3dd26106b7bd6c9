// SPDX-License-Identifier: GPL-2.0-only
/*
 * --at: what happens during the run. One table of actions gives the parsing and
 * the words of its errors; simulate.c does what they say.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/duration.h"
#include "../base/error.h"
#include "../base/strbuf.h"
#include "../base/suggest.h"
#include "plan.h"
#include "units.h"

static int action_cpu(const struct run_plan *plan, struct timed_action *a, char *err,
		      size_t err_size)
{
	char *end;
	unsigned long cpu = strtoul(a->value, &end, 10);

	if (*a->value < '0' || *a->value > '9' || *end || cpu >= plan->topology.nr_cpus)
		return vrt_error(err, err_size, -EINVAL,
				 "--at: '%s': '%s' is no CPU of this machine: expected 0 to %u",
				 a->text, a->value, plan->topology.nr_cpus - 1);
	a->cpu = (u32)cpu;
	return 0;
}

/* Better now than after an hour of simulation. */
static int action_scheduler(const struct run_plan *plan, struct timed_action *a, char *err,
			    size_t err_size)
{
	char *file = scheduler_file(a->value);
	bool there = scheduler_is_class(a->value) || (file && !access(file, R_OK));

	free(file);
	if (check_scheduler(plan, a->value, "--at: ", err, err_size))
		return -EINVAL;
	if (there)
		return 0;
	return vrt_error(err, err_size, -EINVAL,
			 "--at: '%s': '%s' is no file that can be read, no policy that ships and "
			 "no class (eevdf)",
			 a->text, a->value);
}

/* "bpf/gc:7" of a->value: the name, and what comes behind the last colon in *@rest. */
static int action_task(struct timed_action *a, const char *form, const char **rest, char *err,
		       size_t err_size)
{
	const char *colon = strrchr(a->value, ':');
	size_t len = colon ? (size_t)(colon - a->value) : 0;

	if (!len || !colon[1] || len >= sizeof(a->task))
		return vrt_error(err, err_size, -EINVAL,
				 "--at: '%s': expected %s, the name of a task of up to %zu "
				 "characters first",
				 a->text, form, sizeof(a->task) - 1);
	memcpy(a->task, a->value, len);
	*rest = colon + 1;
	return 0;
}

static int action_nice(const struct run_plan *plan, struct timed_action *a, char *err,
		       size_t err_size)
{
	const char *text = NULL;
	char *end;
	long nice;

	if (action_task(a, "nice=bpf/gc:10", &text, err, err_size))
		return -EINVAL;
	nice = strtol(text, &end, 10);
	if (*end || nice < MIN_NICE || nice > MAX_NICE)
		return vrt_error(err, err_size, -EINVAL,
				 "--at: '%s': '%s' is no nice level: expected %d to %d", a->text,
				 text, MIN_NICE, MAX_NICE);
	a->nice = (s32)nice;
	return 0;
}

static int action_cpus(const struct run_plan *plan, struct timed_action *a, char *err,
		       size_t err_size)
{
	const char *text = NULL;

	if (action_task(a, "cpus=bpf/gc:0-3", &text, err, err_size))
		return -EINVAL;
	if (!cpumask_parse_list(text, &a->cpus) && !cpumask_empty(&a->cpus))
		return 0;
	return vrt_error(err, err_size, -EINVAL,
			 "--at: '%s': '%s' is no list of CPUs of this machine: expected such as 0-3,8, "
			 "up to %u",
			 a->text, text, plan->topology.nr_cpus - 1);
}

static int action_cgroup(const struct run_plan *plan, struct timed_action *a, char *err,
			 size_t err_size)
{
	if (action_task(a, "cgroup=bpf/gc:/slow", &a->cgroup, err, err_size))
		return -EINVAL;
	if (a->cgroup[0] == '/')
		return 0;
	return vrt_error(err, err_size, -EINVAL,
			 "--at: '%s': '%s' is no path from the root of the cgroups: expected such as /slow",
			 a->text, a->cgroup);
}

static const struct action {
	const char *name;
	const char *value; /* as messages call it; NULL: takes none */
	enum timed_kind kind;
	/* looks at the value; NULL: any text will do */
	int (*check)(const struct run_plan *plan, struct timed_action *a, char *err,
		     size_t err_size);
} actions[] = {
	{ "swap", "SCHED", TIMED_SWAP, action_scheduler },
	{ "offline", "CPU", TIMED_OFFLINE, action_cpu },
	{ "online", "CPU", TIMED_ONLINE, action_cpu },
	{ "kill-agent", NULL, TIMED_KILL_AGENT, NULL },
	{ "destroy-enclave", NULL, TIMED_DESTROY_ENCLAVE, NULL },
	{ "print", "MAP", TIMED_PRINT, NULL },
	{ "run", "PROG", TIMED_RUN, NULL },
	{ "nice", "TASK:N", TIMED_NICE, action_nice },
	{ "cpus", "TASK:LIST", TIMED_CPUS, action_cpus },
	{ "cgroup", "TASK:PATH", TIMED_CGROUP, action_cgroup },
};

static int bad_action(const char *text, const struct suggest *near, char *err, size_t err_size)
{
	struct strbuf forms = {};

	for (u32 i = 0; i < ARRAY_SIZE(actions); i++)
		strbuf_printf(&forms, "%s%s%s%s", i ? ", " : "", actions[i].name,
			      actions[i].value ? "=" : "",
			      actions[i].value ? actions[i].value : "");
	vrt_error(err, err_size, -EINVAL,
		  "--at: '%s': expected TIME:ACTION, such as 2s:offline=3%s%s%s; the actions are %s",
		  text, near && near->best ? " (did you mean " : "",
		  near && near->best ? near->best : "", near && near->best ? "?)" : "",
		  strbuf_str(&forms));
	strbuf_free(&forms);
	return -EINVAL;
}

/* @what: "offline=3", of the action @a->text */
static int parse_what(const struct run_plan *plan, struct timed_action *a, const char *what,
		      char *err, size_t err_size)
{
	size_t len = strcspn(what, "=");
	char name[32];
	struct suggest near = { .word = name };

	snprintf(name, sizeof(name), "%.*s", (int)min(len, sizeof(name)), what);
	a->value = what[len] ? what + len + 1 : NULL;
	for (u32 i = 0; i < ARRAY_SIZE(actions); i++) {
		const struct action *known = &actions[i];

		suggest_try(&near, known->name);
		if (strcmp(known->name, name))
			continue;
		if (!known->value != !a->value || (a->value && !*a->value))
			return bad_action(a->text, NULL, err, err_size);
		a->kind = known->kind;
		return known->check ? known->check(plan, a, err, err_size) : 0;
	}
	return bad_action(a->text, &near, err, err_size);
}

static int parse_action(const struct run_plan *plan, struct timed_action *a, char *err,
			size_t err_size)
{
	u64 end = plan->options.warmup + plan->duration;
	const char *colon = strchr(a->text, ':');
	char time[32], limit[32];

	if (!colon || (size_t)(colon - a->text) >= sizeof(time))
		return bad_action(a->text, NULL, err, err_size);
	snprintf(time, sizeof(time), "%.*s", (int)(colon - a->text), a->text);
	if (parse_duration(time, &a->at))
		return vrt_error(err, err_size, -EINVAL,
				 "--at: '%s': '%s' is not a time, such as 2s or 500ms", a->text,
				 time);
	if (a->at >= end)
		return vrt_error(err, err_size, -EINVAL, "--at: '%s': the run is over after %s",
				 a->text, human_ns(end, limit, sizeof(limit)));
	return parse_what(plan, a, colon + 1, err, err_size);
}

/* Sorted by time; equal times in the order given. */
int plan_actions(struct run_plan *plan, char *err, size_t err_size)
{
	const struct text_list *at = &plan->options.at;

	plan->actions = xcalloc(at->nr + 1, sizeof(*plan->actions));
	for (u32 i = 0; i < at->nr; i++) {
		struct timed_action action = { .text = at->items[i] };
		u32 pos = plan->nr_actions;

		if (parse_action(plan, &action, err, err_size))
			return -EINVAL;
		for (; pos && plan->actions[pos - 1].at > action.at; pos--)
			plan->actions[pos] = plan->actions[pos - 1];
		plan->actions[pos] = action;
		plan->nr_actions++;
	}
	return 0;
}
