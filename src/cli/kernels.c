// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which generation of Linux each run is: as --kernel says, or the newest that
 * all objects of the run fit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/strbuf.h"
#include "plan.h"

/* The choices of --kernel; what "auto" is for a run is found out. */
static const enum kernel_generation choices[] = {
	GENERATION_ANY, GENERATION_6_12, GENERATION_7_0, GENERATION_ANY,
};

_Static_assert(ARRAY_SIZE(choices) == NR_GENERATIONS + 1, "RUN_KERNELS has all, and auto");

u32 kernel_choice(enum kernel_generation generation)
{
	u32 i = 1;

	while (choices[i] != generation)
		i++;
	return i;
}

struct fitting {
	u32 fits; /* bits of generations that fit all objects so far */
	struct strbuf names; /* what each wants, for the message */
};

static void fit_object(struct fitting *f, const char *name, u32 fits)
{
	const char *sep = " or ";
	u32 nr = 0;

	f->fits &= fits;
	strbuf_printf(&f->names, "%s%s fits ", f->names.len ? ", " : "", name);
	for (u32 g = GENERATION_ANY + 1; g < NR_GENERATIONS; g++)
		if (fits & 1U << g)
			strbuf_printf(&f->names, "%s%s", nr++ ? sep : "",
				      generation_name((enum kernel_generation)g));
}

/* An object that cannot be looked at fits everything: opening it will say what is wrong. */
static enum loader_status look_at(const struct run_plan *plan, const char *name,
				  struct fitting *f, struct loader_error *error)
{
	struct loader_options opts = {
		.include_dirs = plan->options.include_dirs.items,
		.nr_include_dirs = plan->options.include_dirs.nr,
	};
	struct loader_error found = {};
	enum loader_status status;
	char *file = NULL;
	u32 fits;

	if (!scheduler_is_class(name))
		file = scheduler_file(name);
	if (!file)
		return LOADER_OK;
	status = loader_detect_generation(file, &opts, &fits, &found);
	free(file);
	if (status == LOADER_OK)
		fit_object(f, name, fits);
	/* an object that was read, but has no kernel */
	if (status == LOADER_ERR_LOAD) {
		*error = found;
		return status;
	}
	loader_error_free(&found);
	return LOADER_OK;
}

static void find_kernel(const struct run_plan *plan, const char *scheduler, struct run_kernel *k)
{
	struct fitting f = { .fits = ~0U };
	enum loader_status status = look_at(plan, scheduler, &f, &k->error);

	for (u32 i = 0; i < plan->nr_actions && status == LOADER_OK; i++)
		if (plan->actions[i].kind == TIMED_SWAP)
			status = look_at(plan, plan->actions[i].value, &f, &k->error);
	for (u32 i = 0; i < plan->nr_with && status == LOADER_OK; i++)
		status = look_at(plan, plan->with[i].object, &f, &k->error);
	k->generation = GENERATION_NEWEST;
	while (k->generation > GENERATION_ANY && !(f.fits & 1U << k->generation))
		k->generation--;
	if (status == LOADER_OK && k->generation == GENERATION_ANY) {
		k->error.status = LOADER_ERR_LOAD;
		snprintf(k->error.message, sizeof(k->error.message),
			 "no kernel generation fits all objects of this run: %s; use --kernel any",
			 strbuf_str(&f.names));
	}
	strbuf_free(&f.names);
}

void plan_kernels(struct run_plan *plan)
{
	plan->kernels = xcalloc(plan->schedulers.nr, sizeof(*plan->kernels));
	for (u32 i = 0; i < plan->schedulers.nr; i++) {
		if (plan->options.kernel)
			plan->kernels[i].generation = choices[plan->options.kernel];
		else
			find_kernel(plan, plan->schedulers.items[i], &plan->kernels[i]);
	}
}

void free_kernels(struct run_plan *plan)
{
	for (u32 i = 0; plan->kernels && i < plan->schedulers.nr; i++)
		loader_error_free(&plan->kernels[i].error);
	free(plan->kernels);
}

const struct run_kernel *run_kernel(const struct run_plan *plan, const char *scheduler)
{
	u32 i = 0;

	while (i < plan->schedulers.nr && strcmp(plan->schedulers.items[i], scheduler))
		i++;
	VRT_ASSERT(i < plan->schedulers.nr);
	return &plan->kernels[i];
}
