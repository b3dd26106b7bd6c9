// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the options of a run to a plan: everything that can be wrong before a
 * machine boots is found here, so that a mistake costs no simulation.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/file.h"
#include "../base/strbuf.h"
#include "../base/suggest.h"
#include "../trace/recorder.h"
#include "../workload/workload.h"
#include "expect.h"
#include "places.h"
#include "plan.h"

#define DEFAULT_MACHINE "4x2"
#define DEFAULT_DURATION (10 * NSEC_PER_SEC)
#define MAX_GROUPS_SHOWN 10u /* in a message */

/* --- schedulers ----------------------------------------------------------------- */

char *scheduler_label(const char *path, char *buf, size_t size)
{
	static const char *const suffixes[] = { ".bpf.c", ".bpf.o", ".c", ".o" };
	size_t len = strcspn(path, ",");
	const char *slash = memrchr(path, '/', len), *base = slash ? slash + 1 : path;
	const char *settings = path + len;

	len -= (size_t)(base - path);
	for (u32 i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (len > n && !memcmp(base + len - n, suffixes[i], n)) {
			len -= n;
			break;
		}
	}
	snprintf(buf, size, "%.*s%s", (int)min(len, (size_t)INT_MAX), base, settings);
	return buf;
}

bool scheduler_is_class(const char *name)
{
	return !strcmp(name, "eevdf");
}

/* How many before it have its label, too; @scheduler is one of the plan's texts itself. */
static u32 nr_namesakes(const struct run_plan *plan, const char *scheduler)
{
	char label[64], other[64];
	u32 nr = 0;

	scheduler_label(scheduler, label, sizeof(label));
	for (u32 i = 0; i < plan->schedulers.nr && plan->schedulers.items[i] != scheduler; i++)
		nr += !strcmp(scheduler_label(plan->schedulers.items[i], other, sizeof(other)),
			      label);
	return nr;
}

/* Where the last name of @path has its suffix: its end, if it has none. */
static const char *suffix_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');

	return dot ? dot : path + strlen(path);
}

char *file_of_run(const struct run_plan *plan, const char *path, const char *scheduler,
		  const char *on)
{
	const char *dot = suffix_of(path);
	u32 namesakes = nr_namesakes(plan, scheduler);
	struct strbuf sb = {};
	char label[64];

	if (plan->schedulers.nr == 1 && !*on)
		return xstrdup(path);
	scheduler_label(scheduler, label, sizeof(label));
	/* settings may have any text in them */
	for (char *c = label; *c; c++)
		if (*c == '/')
			*c = '_';
	strbuf_printf(&sb, "%.*s-%s", (int)(dot - path), path, label);
	if (namesakes)
		strbuf_printf(&sb, "-%u", namesakes + 1);
	strbuf_printf(&sb, "%s%s%s", *on ? "-" : "", on, dot);
	return strbuf_detach(&sb);
}

/* Where policies that ship are: as told, beside the build, or as installed. */
static char *find_shipped(const char *name)
{
	const char *told = getenv("VRT_SCHEDULERS");
	char *dir = told && *told ? xstrdup(told)
				  : shipped_path("/../schedulers", "/../share/vruntime/schedulers");
	struct strbuf path = {};

	strbuf_printf(&path, "%s/%s.bpf.c", dir, name);
	free(dir);
	if (!access(strbuf_str(&path), R_OK))
		return strbuf_detach(&path);
	strbuf_free(&path);
	return NULL;
}

char *scheduler_file(const char *scheduler)
{
	char *name = xstrdup(scheduler), *shipped;

	name[strcspn(name, ",")] = '\0';
	/* a word, or two as in "hello/fifo", may be a file of ours, unless there is one here */
	if (strchr(name, '.') || *name == '/' || !access(name, F_OK))
		return name;
	shipped = find_shipped(name);
	free(name);
	return shipped;
}

/* --- the machine ------------------------------------------------------------------ */

int plan_machine(struct run_plan *plan, char *err, size_t err_size)
{
	const char *spec = plan->options.machine;
	char why[512];

	if (!spec) /* whatever else runs beside this host is to be like it */
		spec = plan->options.on && strstr(plan->options.on, "host") ? "host" : DEFAULT_MACHINE;
	if (topology_parse(&plan->topology, spec, why, sizeof(why)))
		return vrt_error(err, err_size, -EINVAL, "--machine: %s", why);
	plan->costs = cost_defaults;
	if (plan->options.costs && cost_load(&plan->costs, plan->options.costs, why, sizeof(why)))
		return vrt_error(err, err_size, -EINVAL, "--costs: %s", why);
	return 0;
}

static void hash_costs(struct run_plan *plan)
{
	struct hash_sha256 hash;
	u8 digest[SHA256_BYTES];
	const char *name, *source;
	u64 value;

	hash_sha256_init(&hash);
	for (u32 i = 0; cost_entry(&plan->costs, i, &name, &value, &source); i++) {
		hash_sha256_add(&hash, name, strlen(name) + 1);
		hash_sha256_add(&hash, &value, sizeof(value));
	}
	hash_sha256_final(&hash, digest);
	hash_sha256_hex(digest, plan->costs_hash);
}

/* --- the workload ------------------------------------------------------------------ */

/* Of a file its content, of a generator its specification. */
static void hash_workload(struct run_plan *plan)
{
	const char *spec = plan->options.workload, *file = workload_file(spec);
	struct hash_sha256 hash;
	u8 digest[SHA256_BYTES];

	if (file && file_is_regular(file) && !hash_sha256_file(file, plan->workload_hash))
		return;
	hash_sha256_init(&hash);
	hash_sha256_add(&hash, spec, strlen(spec));
	hash_sha256_final(&hash, digest);
	hash_sha256_hex(digest, plan->workload_hash);
}

static int plan_workload(struct run_plan *plan, char *err, size_t err_size)
{
	char why[1024];

	if (!plan->options.workload)
		return vrt_error(err, err_size, -EINVAL,
				 "--workload is missing: what shall the tasks do? An rt-app file "
				 "(--workload web.json) or a generator (--workload 'schbench -m 2 "
				 "-t 16'); 'vrt workloads' lists the generators");
	plan->workload = workload_open(plan->options.workload, why, sizeof(why));
	if (!plan->workload)
		return vrt_error(err, err_size, -EINVAL, "--workload: %s", why);
	plan->duration = plan->options.duration;
	if (!plan->duration)
		plan->duration = workload_duration(plan->workload);
	if (!plan->duration)
		plan->duration = DEFAULT_DURATION;
	hash_workload(plan);
	return 0;
}

/* --- expectations ------------------------------------------------------------------------ */

static bool has_group(const struct run_plan *plan, const char *name, struct suggest *near)
{
	if (!strcmp(name, "machine") || !strcmp(name, "system"))
		return true;
	for (u32 i = 0; i < workload_nr_groups(plan->workload); i++) {
		const char *group = workload_group_name(plan->workload, i);

		if (!strcmp(group, name))
			return true;
		suggest_try(near, group);
	}
	return false;
}

static int check_group(const struct run_plan *plan, const struct expectation *e, char *err,
		       size_t err_size)
{
	struct suggest near = { .word = e->group };
	u32 nr = workload_nr_groups(plan->workload);
	struct strbuf names = {};

	if (has_group(plan, e->group, &near))
		return 0;
	for (u32 i = 0; i < min(nr, MAX_GROUPS_SHOWN); i++)
		strbuf_printf(&names, "%s%s", i ? ", " : "",
			      workload_group_name(plan->workload, i));
	vrt_error(err, err_size, -EINVAL,
		  "--expect: '%s': the workload has no group '%s'%s%s%s; it has %s%s", e->text,
		  e->group, near.best ? "; did you mean '" : "", near.best ? near.best : "",
		  near.best ? "'" : "", strbuf_str(&names), nr > MAX_GROUPS_SHOWN ? ", ..." : "");
	strbuf_free(&names);
	return -EINVAL;
}

static int plan_expectations(struct run_plan *plan, char *err, size_t err_size)
{
	const struct text_list *expect = &plan->options.expect;

	plan->expectations = xcalloc(expect->nr + 1, sizeof(*plan->expectations));
	for (u32 i = 0; i < expect->nr; i++) {
		struct expectation *e = &plan->expectations[i];

		if (expect_parse(expect->items[i], e, err, err_size) ||
		    check_group(plan, e, err, err_size))
			return -EINVAL;
		plan->nr_expectations++;
	}
	return 0;
}

/* --- all of it --------------------------------------------------------------------------- */

int plan_make(struct run_plan *plan, char *err, size_t err_size)
{
	if (!plan->schedulers.nr) {
		vrt_error(err, err_size, -EINVAL,
			  "no scheduler given: expected a .bpf.c, a .bpf.o, a policy that ships "
			  "(fifo), or eevdf");
		return STATUS_USAGE;
	}
	if (plan_schedulers(plan, err, err_size) || plan_machine(plan, err, err_size) ||
	    plan_workload(plan, err, err_size) ||
	    plan_actions(plan, err, err_size) || plan_with(plan, err, err_size) ||
	    plan_watches(plan, err, err_size) || plan_cgroups(plan, err, err_size) ||
	    plan_enclave(plan, err, err_size) || plan_targets(plan, err, err_size) ||
	    plan_expectations(plan, err, err_size))
		return STATUS_USAGE;
	if (plan->options.trace) {
		char why[512];

		if (recorder_check_path(plan->options.trace, why, sizeof(why))) {
			vrt_error(err, err_size, -EINVAL, "--trace: %s", why);
			return STATUS_USAGE;
		}
	}
	hash_costs(plan);
	plan_kernels(plan);
	return STATUS_OK;
}

void plan_free(struct run_plan *plan)
{
	workload_close(plan->workload);
	topology_free(&plan->topology);
	free_kernels(plan);
	free_targets(plan);
	for (u32 i = 0; i < plan->nr_with; i++)
		free(plan->with[i].copy);
	for (u32 i = 0; i < plan->nr_watches; i++)
		free(plan->watches[i].map);
	for (u32 i = 0; i < plan->nr_cgroups; i++)
		free(plan->cgroups[i].path);
	free(plan->with);
	free(plan->watches);
	free(plan->cgroups);
	free(plan->actions);
	free(plan->expectations);
}
