// SPDX-License-Identifier: GPL-2.0-only
/*
 * The experiments of the group "control", and what follows from them. Each variant
 * does the same job in four situations, beside tasks that want the whole machine:
 *
 *	plain	with nice level 0 and without a limit
 *	polite	with nice level 10
 *	quota	it wants four times of what its cpu.max allows
 *	nice	it wants all the time, with a nice level that entitles it to a quarter
 *
 * and once the tasks are alone, for comparison.
 */
#include "control.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../../base/error.h"
#include "../../base/strbuf.h"
#include "../../trace/metrics.h"
#include "../../vm/vm.h"
#include "../json.h"
#include "stats.h"

/* Not in step with the tick, whose phase would be that of every run otherwise. */
#define PERIOD (1010 * NSEC_PER_USEC)
#define WARMUP (200 * NSEC_PER_MSEC)
#define WINDOW (2 * NSEC_PER_SEC)
#define QUICK_WINDOW NSEC_PER_SEC
#define HOGS 2
#define PROBES 1

/* How often to see whether the machine is quiet. */
#define QUIET_TRIALS 8
/* To find out how many elements a run of the wanted length has. */
#define TRIAL_ELEMENTS 1024
#define TRIAL_WINDOW (50 * NSEC_PER_MSEC)
#define MAX_ELEMENTS 16384
/* How long runs are where the job shall want more than it may have. */
#define QUOTA_WORK (400 * NSEC_PER_USEC)
#define NICE_WORK (2 * NSEC_PER_MSEC)

#define QUOTA (10 * NSEC_PER_MSEC)
#define QUOTA_PERIOD (100 * NSEC_PER_MSEC)
#define NICE 5
/* of nice levels 5 and 0, sched_prio_to_weight[] of Linux */
#define NICE_WEIGHT 335.0
#define NICE_0_WEIGHT 1024.0
#define GREEDY_PERIOD (10 * NSEC_PER_USEC)
#define HOG_NICE 19 /* where probes and the job want something, they give way */
#define POLITE_NICE 10

enum scene { SCENE_PLAIN, SCENE_POLITE, SCENE_QUOTA, SCENE_NICE, NR_SCENES };
static const char *const scene_names[NR_SCENES] = { "plain", "polite", "quota", "nice" };

struct series {
	const struct bench *b;
	struct control_place place;
	struct json_object *rows;
	const char *on;
	u64 work; /* of a run, ns: as asked for, and then as it is */
	u64 window;
	u32 elements;
	bool quiet; /* before it began */
	struct control_figures alone;
	bool lost; /* there is no machine any more */
	char err[4096];
};

const char *control_name(u32 i)
{
	return i + CONTROL_KTHREAD < NR_CONTROL_VARIANTS ?
		       control_variant_name(i + CONTROL_KTHREAD) : NULL;
}

/* --- experiments ---------------------------------------------------------- */

static struct control_setup base_setup(const struct series *t, enum control_variant variant)
{
	return (struct control_setup){
		.variant = variant, .warmup = WARMUP, .window = t->window, .period = PERIOD,
		.work = t->work, .elements = t->elements, .hogs = HOGS, .probes = PROBES,
		.hog_nice = HOG_NICE,
	};
}

static void lengthen(struct control_setup *s, u64 work)
{
	s->elements = (u32)((double)s->elements * (double)work / (double)s->work);
	s->work = work;
}

static struct control_setup scene_setup(const struct series *t, enum control_variant variant,
					enum scene scene)
{
	struct control_setup s = base_setup(t, variant);

	if (scene == SCENE_PLAIN)
		return s;
	if (scene == SCENE_POLITE) {
		s.nice = POLITE_NICE;
		return s;
	}
	s.hogs = 1;
	s.hog_nice = 0;
	s.probes = 0;
	lengthen(&s, scene == SCENE_QUOTA ? QUOTA_WORK : NICE_WORK);
	if (scene == SCENE_QUOTA) {
		s.quota = QUOTA;
		s.quota_period = QUOTA_PERIOD;
		return s;
	}
	s.nice = NICE;
	s.period = GREEDY_PERIOD;
	/* nobody would stop a timer that wanted all: it is content with three fifths */
	s.rest = s.work * 2 / 3;
	return s;
}

static bool run(struct series *t, const struct control_setup *setup, struct control_figures *f)
{
	return control_run(&t->place, setup, f, &t->lost, t->err, sizeof(t->err));
}

/*
 * A kernel that has just booted has things to do: until others get as much done as the
 * time before. A machine whose host is busy may never be as quiet as that.
 */
static bool settle(struct series *t)
{
	struct control_setup s = base_setup(t, CONTROL_NONE);
	struct control_figures f;
	double before = 0, work;

	t->quiet = t->place.target->place == RUN_ON_SIM;
	for (u32 i = 0; i < QUIET_TRIALS && !t->quiet; i++) {
		if (!run(t, &s, &f))
			return false;
		work = (double)f.others_work / (double)f.window;
		t->quiet = before > 0 && work < before * 1.01 && work > before * 0.99;
		before = work;
		control_figures_free(&f);
	}
	return true;
}

/* How many elements take about as long as is wanted, and what they take. */
static bool calibrate(struct series *t)
{
	struct control_setup s = base_setup(t, CONTROL_DAEMON);
	struct control_figures f;
	u64 wanted = t->work;

	s.hogs = s.probes = 0;
	s.warmup = 0;
	s.window = TRIAL_WINDOW;
	s.elements = TRIAL_ELEMENTS;
	for (u32 i = 0; i < 2; i++) {
		if (!run(t, &s, &f))
			return false;
		if (!i)
			s.elements = (u32)min(max(wanted * TRIAL_ELEMENTS / max(f.body, (u64)1),
						  (u64)2),
					      (u64)MAX_ELEMENTS);
		control_figures_free(&f);
	}
	t->elements = s.elements;
	t->work = f.body;
	return true;
}

/* --- figures -------------------------------------------------------------- */

static struct json_object *share_json(double limit, double used)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "limit_percent", figure_json(limit * 100));
	json_object_object_add(json, "used_percent", figure_json(used * 100));
	json_object_object_add(json, "error_percent", figure_json((used / limit - 1) * 100));
	return json;
}

static struct json_object *quota_json(const struct control_figures *f)
{
	return share_json((double)QUOTA / QUOTA_PERIOD, (double)f->job_cpu / f->window);
}

/* What a timer takes is nobody's CPU time, or that of whom it interrupts. */
static struct json_object *nice_json(const struct control_figures *f, enum control_variant variant)
{
	u64 all = variant == CONTROL_TIMER ? f->window : f->job_cpu + f->others_cpu;

	return share_json(NICE_WEIGHT / (NICE_WEIGHT + NICE_0_WEIGHT),
			  all ? (double)f->job_cpu / all : 0);
}

static void add_hist(struct json_object *json, const char *name, const struct hist *h)
{
	struct json_object *dist = metrics_hist_json(h), *buckets;
	u64 low, high, count;
	u32 pos = 0;

	json_object_object_add(json, name, dist);
	if (!dist)
		return;
	buckets = json_object_new_array();
	while (hist_next(h, &pos, &low, &high, &count)) {
		struct json_object *pair = json_object_new_array();

		json_object_array_add(pair, json_object_new_uint64(high));
		json_object_array_add(pair, json_object_new_uint64(count));
		json_object_array_add(buckets, pair);
	}
	json_object_object_add(dist, "buckets", buckets);
}

/* By how much others are later than without the job. */
static void add_disturbance(struct json_object *json, const struct series *t,
			    const struct control_figures *f)
{
	s64 with = (s64)hist_quantile(&f->delay, 99, HIST_PERCENT);
	s64 alone = (s64)hist_quantile(&t->alone.delay, 99, HIST_PERCENT);

	json_object_object_add(json, "inflicted_mean_ns",
			       json_object_new_int64((s64)hist_mean(&f->delay) -
						     (s64)hist_mean(&t->alone.delay)));
	json_object_object_add(json, "inflicted_p99_ns", json_object_new_int64(with - alone));
	add_hist(json, "delay", &f->delay);
	add_hist(json, "late", &f->late);
}

/* A run of the job in parts is several. */
static double per_period(const struct control_figures *f, double value, u32 parts)
{
	return f->runs ? value * parts / (double)f->runs : 0;
}

static void add_overhead(struct json_object *json, const struct series *t,
			 enum control_variant variant, const struct control_figures *f)
{
	u32 parts = variant == CONTROL_SHARED ? 2 : 1;
	double scale = (double)f->window / (double)t->alone.window;
	/* work is done at the speed that it has without the job */
	double speed = (double)t->alone.others_work / (double)t->alone.others_cpu;
	double lost = ((double)t->alone.others_work * scale - (double)f->others_work) / speed;
	double switches = (double)f->switches - (double)t->alone.switches * scale;
	double body = (double)f->body * parts;

	json_add_u64(json, "runs", f->runs);
	json_object_object_add(json, "job_ns", figure_json(body));
	json_object_object_add(json, "cpu_ns",
			       figure_json(per_period(f, (double)f->job_cpu, parts)));
	json_object_object_add(json, "overhead_ns", figure_json(per_period(f, lost, parts) - body));
	json_object_object_add(json, "switches", figure_json(per_period(f, switches, parts)));
	json_add_u64(json, "verified_insns", f->verified_insns);
}

static void add_scene(struct json_object *row, const struct series *t, enum control_variant variant,
		      enum scene scene, const struct control_figures *f)
{
	struct json_object *json = NULL;

	if (scene == SCENE_QUOTA)
		json = quota_json(f);
	else if (scene == SCENE_NICE)
		json = nice_json(f, variant);
	else
		add_disturbance(json = json_object_new_object(), t, f);
	if (scene == SCENE_PLAIN)
		add_overhead(json, t, variant, f);
	json_object_object_add(row, scene_names[scene], json);
}

/* --- the table ------------------------------------------------------------ */

static struct json_object *new_row(const struct series *t, const char *name)
{
	struct json_object *row = json_object_new_object();

	json_add_string(row, "name", name);
	json_add_string(row, "on", t->on);
	return row;
}

static void measure_variant(struct series *t, enum control_variant variant)
{
	struct json_object *row = new_row(t, control_variant_name(variant));

	for (enum scene scene = 0; scene < NR_SCENES && !t->lost; scene++) {
		struct control_setup s = scene_setup(t, variant, scene);
		struct control_figures f;
		bool ok;

		bench_progress("control/%s, %s on %s", control_variant_name(variant),
			       scene_names[scene], t->on);
		ok = run(t, &s, &f);
		if (ok)
			add_scene(row, t, variant, scene, &f);
		control_figures_free(&f);
		if (ok)
			continue;
		json_object_object_add(row, "error", json_text(t->err));
		break;
	}
	json_object_array_add(t->rows, row);
}

static void measure_alone(struct series *t)
{
	struct json_object *row = new_row(t, control_variant_name(CONTROL_NONE));
	struct control_setup s;

	bench_progress("control, the others alone on %s", t->on);
	s = base_setup(t, CONTROL_NONE);
	if (!settle(t) || !calibrate(t) || !run(t, &s, &t->alone)) {
		json_object_object_add(row, "error", json_text(t->err));
		t->lost = true;
	} else {
		json_add_u64(row, "job_ns", t->work);
		json_add_u64(row, "elements", t->elements);
		add_hist(row, "delay", &t->alone.delay);
	}
	json_object_array_add(t->rows, row);
}

static struct json_object *measure_place(struct series *t, const struct bench *b)
{
	struct json_object *json = json_object_new_object();
	const struct run_target *target = t->place.target;

	t->work = b->options.work;
	t->window = b->options.quick ? QUICK_WINDOW : WINDOW;
	measure_alone(t);
	for (u32 i = 0; control_name(i); i++)
		if (!t->lost && bench_wants(b, "control", control_name(i)))
			measure_variant(t, i + CONTROL_KTHREAD);
	control_figures_free(&t->alone);
	json_add_string(json, "on", t->on);
	json_add_string(json, "kernel", target->guest ? vm_release(target->guest) : NULL);
	json_object_object_add(json, "emulated", json_object_new_boolean(
		target->guest && vm_accel(target->guest) == VM_ACCEL_TCG));
	json_object_object_add(json, "quiet", json_object_new_boolean(t->quiet));
	json_add_u64(json, "elements", t->elements);
	return json;
}

/* "sim", "vm:schedbpf": as in --on. */
static char *place_name(const struct run_target *target)
{
	struct strbuf name = {};

	strbuf_puts(&name, target->place == RUN_ON_SIM ? "sim" : "vm");
	if (target->kernel)
		strbuf_printf(&name, ":%s", target->kernel);
	return strbuf_detach(&name);
}

static void measure_places(const struct bench *b, struct run_plan *plan,
			   struct json_object *control)
{
	struct json_object *places = json_object_new_array(), *rows = json_object_new_array();

	for (u32 i = 0; i < plan->nr_targets; i++) {
		struct run_target *target = &plan->targets[i];
		char *on = place_name(target);
		struct series t = { .b = b, .place = { plan, target }, .rows = rows, .on = on };

		json_object_array_add(places, measure_place(&t, b));
		/* one guest at a time */
		vm_shutdown(target->guest);
		target->guest = NULL;
		free(on);
	}
	json_add_u64(control, "period_ns", PERIOD);
	json_object_object_add(control, "places", places);
	json_object_object_add(control, "benchmarks", rows);
}

int control_check(const struct bench *b, char *err, size_t err_size)
{
	struct run_plan *plan;
	int ret = 0;

	if (!bench_wants(b, "control", NULL))
		return b->options.plot || b->options.on ?
			       vrt_error(err, err_size, -EINVAL,
					 "--on and --plot are for the group control, which is not "
					 "asked for") : 0;
	plan = xcalloc(1, sizeof(*plan));
	ret = control_plan(plan, b->options.on, err, err_size);
	plan_free(plan);
	free(plan);
	return !ret && b->options.plot ? control_plot_check(b->options.plot, err, err_size) : ret;
}

struct json_object *control_measure(const struct bench *b)
{
	struct json_object *control;
	struct run_plan *plan;
	char err[2048];

	if (!bench_wants(b, "control", NULL))
		return NULL;
	control = json_object_new_object();
	plan = xcalloc(1, sizeof(*plan));
	/* control_check() was content */
	VRT_ASSERT(!control_plan(plan, b->options.on, err, sizeof(err)));
	measure_places(b, plan, control);
	plan_free(plan);
	free(plan);
	return control;
}

int control_draw(const struct bench *b, struct json_object *document, char *err, size_t err_size)
{
	return control_plot(json_at(document, "control"), b->options.plot, err, err_size);
}
