// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings of schedulers, and what is asked for beside and around them: --with,
 * --watch, --enclave.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/cpumask.h"
#include "../base/duration.h"
#include "../base/error.h"
#include "plan.h"

#define WATCH_INTERVAL NSEC_PER_SEC
#define WATCH_INTERVAL_MIN NSEC_PER_MSEC

/*
 * Cuts "OBJ,var=value,..." in @copy into OBJ and settings, which are added to
 * @set. @option: "--with: ", or "" of a command whose arguments they are.
 */
static int cut_settings(char *copy, const char *text, const char *option, struct text_list *set,
			char *err, size_t err_size)
{
	char *rest = copy, *setting;

	strsep(&rest, ",");
	while ((setting = strsep(&rest, ","))) {
		if (!strchr(setting, '=') || *setting == '=')
			return vrt_error(err, err_size, -EINVAL,
					 "%s'%s': '%s' is no setting: expected %s,VAR=VALUE,...",
					 option, text, setting, copy);
		if (set->nr == CMDLINE_MAX_LIST)
			return vrt_error(err, err_size, -EINVAL,
					 "%s'%s': more than %u settings", option, text,
					 CMDLINE_MAX_LIST);
		set->items[set->nr++] = setting;
	}
	return 0;
}

/* --- schedulers ------------------------------------------------------------------ */

void scheduler_settings(const struct run_plan *plan, const char *scheduler, struct text_list *set,
			char **copy)
{
	char err[8];

	*set = plan->options.set;
	*copy = xstrdup(scheduler);
	/* check_scheduler() has seen that it can be cut */
	cut_settings(*copy, scheduler, "", set, err, sizeof(err));
}

int check_scheduler(const struct run_plan *plan, const char *scheduler, const char *option,
		    char *err, size_t err_size)
{
	struct text_list set = plan->options.set;
	char *copy = xstrdup(scheduler);
	int ret = cut_settings(copy, scheduler, option, &set, err, err_size);

	if (!ret && strchr(scheduler, ',') && scheduler_is_class(copy))
		ret = vrt_error(err, err_size, -EINVAL,
				"%s'%s': %s has no variables to set; only BPF schedulers have",
				option, scheduler, copy);
	free(copy);
	return ret;
}

int plan_schedulers(const struct run_plan *plan, char *err, size_t err_size)
{
	for (u32 i = 0; i < plan->schedulers.nr; i++)
		if (check_scheduler(plan, plan->schedulers.items[i], "", err, err_size))
			return -EINVAL;
	return 0;
}

/* --- beside them ----------------------------------------------------------------- */

static int parse_with(struct with_plan *w, const char *option, char *err, size_t err_size)
{
	int ret = cut_settings(w->copy, w->text, option, &w->set, err, err_size);
	char *file = scheduler_file(w->copy);
	bool there = file && !access(file, R_OK);

	free(file);
	w->object = w->copy;
	if (!there)
		return vrt_error(err, err_size, -EINVAL,
				 "%s'%s' is no file that can be read and no object that ships", option,
				 w->object);
	return ret;
}

int plan_with(struct run_plan *plan, char *err, size_t err_size)
{
	const struct text_list *given = &plan->options.with;

	plan->with = xcalloc(given->nr + 1, sizeof(*plan->with));
	for (u32 i = 0; i < given->nr; i++) {
		struct with_plan *w = &plan->with[plan->nr_with++];

		w->text = given->items[i];
		w->copy = xstrdup(w->text);
		if (parse_with(w, plan->pipe ? "" : "--with: ", err, err_size))
			return -EINVAL;
	}
	return 0;
}

int plan_watches(struct run_plan *plan, char *err, size_t err_size)
{
	const struct text_list *given = &plan->options.watch;

	plan->watches = xcalloc(given->nr + 1, sizeof(*plan->watches));
	for (u32 i = 0; i < given->nr; i++) {
		struct watch_plan *w = &plan->watches[plan->nr_watches++];
		size_t len = strcspn(given->items[i], "=");

		w->text = given->items[i];
		w->map = xstrdup(w->text);
		w->map[len] = '\0';
		w->interval = WATCH_INTERVAL;
		if (!len || (w->text[len] && (parse_duration(w->text + len + 1, &w->interval) ||
					      w->interval < WATCH_INTERVAL_MIN)))
			return vrt_error(err, err_size, -EINVAL,
					 "--watch: '%s': expected MAP or MAP=INTERVAL with an interval "
					 "of at least 1ms, such as counts=500ms",
					 w->text);
	}
	return 0;
}

int plan_enclave(struct run_plan *plan, char *err, size_t err_size)
{
	const char *list = plan->options.enclave;
	int bad;

	if (!list)
		return 0;
	bad = cpumask_parse_list(list, &plan->enclave);
	if (bad)
		return vrt_error(err, err_size, -EINVAL,
				 "--enclave: '%s': expected a list of CPUs of this machine, such as "
				 "0-3,6 (it has 0 to %u); this is none from '%s' on",
				 list, plan->topology.nr_cpus - 1, list + bad - 1);
	if (cpumask_empty(&plan->enclave))
		return vrt_error(err, err_size, -EINVAL,
				 "--enclave: no CPUs: expected a list such as 0-3,6");
	return 0;
}
