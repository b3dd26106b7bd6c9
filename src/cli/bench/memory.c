// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory: the peak of a process that simulates much, less that of one that
 * simulates little, by what it had more of.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "../json.h"
#include "bench.h"
#include "machine_run.h"
#include "stats.h"

#define DURATION (5 * NSEC_PER_MSEC)
#define MIB (1024.0 * 1024.0)

struct size {
	const char *machine;
	u32 cpus, tasks;
};

static const struct {
	const char *name, *what;
	struct size small, large, quick; /* quick: in place of the large one */
	bool per_cpu;
} rows[] = {
	{ "cpu", "per CPU", { "2x16x2", 64, 1024 }, { "4x8x16x2", 1024, 1024 },
	  { "2x4x16x2", 256, 1024 }, true },
	{ "task", "per task", { "2x16x2", 64, 1000 }, { "2x16x2", 64, 101000 },
	  { "2x16x2", 64, 11000 }, false },
};

/* What DESIGN and users ask: does the largest machine fit? */
static const struct size largest = { "4x8x16x2", 1024, 100000 };

const char *memory_name(u32 i)
{
	static const char *const names[] = { "cpu", "task", "largest" };

	return i < ARRAY_SIZE(names) ? names[i] : NULL;
}

static double peak(const struct size *size, struct json_object *object)
{
	struct machine_run r = { .scheduler = "fifo", .machine = size->machine,
				 .tasks = size->tasks, .duration = DURATION };
	struct json_object *run;
	const char *error;
	u64 bytes = 0;

	bench_progress("memory, %u CPUs, %u tasks", size->cpus, size->tasks);
	run = machine_run(&r);
	error = json_string_at(run, "error");
	if (*error)
		json_add_string(object, "error", error);
	else
		json_u64_at(run, "host.peak_memory_bytes", &bytes);
	json_object_put(run);
	return (double)bytes;
}

static void add_size(struct json_object *object, const char *name, const struct size *size,
		     double bytes)
{
	struct json_object *json = json_object_new_object();

	json_add_string(json, "machine", size->machine);
	json_add_u64(json, "cpus", size->cpus);
	json_add_u64(json, "tasks", size->tasks);
	json_object_object_add(json, "peak_bytes", figure_json(bytes));
	json_object_object_add(object, name, json);
}

static struct json_object *measure_row(u32 i, bool quick)
{
	const struct size *small = &rows[i].small, *large = quick ? &rows[i].quick : &rows[i].large;
	struct json_object *object = json_object_new_object();
	double little = peak(small, object), much = peak(large, object);
	u32 more = rows[i].per_cpu ? large->cpus - small->cpus : large->tasks - small->tasks;

	json_add_string(object, "name", rows[i].name);
	json_add_string(object, "what", rows[i].what);
	json_object_object_add(object, "bytes", figure_json((much - little) / more));
	add_size(object, "small", small, little);
	add_size(object, "large", large, much);
	return object;
}

static struct json_object *measure_largest(void)
{
	struct json_object *object = json_object_new_object();
	double bytes = peak(&largest, object);

	json_add_string(object, "name", "largest");
	json_add_string(object, "what", "1,024 CPUs with 100,000 tasks");
	json_object_object_add(object, "bytes", figure_json(bytes));
	return object;
}

struct json_object *memory_measure(const struct bench *b)
{
	struct json_object *all;

	if (!bench_wants(b, "memory", NULL))
		return NULL;
	all = json_object_new_array();
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (bench_wants(b, "memory", rows[i].name))
			json_object_array_add(all, measure_row(i, b->options.quick));
	/* it takes its time */
	if (bench_wants(b, "memory", "largest") && !b->options.quick)
		json_object_array_add(all, measure_largest());
	return all;
}

void memory_print(struct json_object *memory)
{
	char text[32];

	printf("memory under fifo (tasks: %s)\n", machine_tasks_text[TASKS_SLEEP]);
	for (size_t i = 0; i < json_object_array_length(memory); i++) {
		struct json_object *object = json_object_array_get_idx(memory, i);
		double bytes = json_object_get_double(json_at(object, "bytes"));
		bool large = bytes >= MIB;

		figure_text(bytes / (large ? MIB : 1024.0), text, sizeof(text));
		printf("  %-30s%12s %s\n", json_string_at(object, "what"), text,
		       large ? "MiB" : "KiB");
	}
}
