/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vrt bench. Groups of benchmarks, in the order in which they run:
 *
 *	isa call map program	micro.c: programs on every engine (engine.h)
 *	sched			sched.c: context switches per second
 *	start			start.c: from a command to its first decision
 *	memory			memory.c: what a CPU and a task take
 *	control			control.h: one job in each of the ways of doing it periodically
 *
 * All times are of this host and mean something beside others of the same
 * invocation only; so whatever is compared is measured in turn, several times.
 */
#ifndef VRT_CLI_BENCH_BENCH_H
#define VRT_CLI_BENCH_BENCH_H

#include "../../base/util.h"
#include "../cmdline.h"

#define BENCH_SCHEMA "vruntime-bench-2"

struct json_object;
struct run_options;

struct bench_options {
	bool quick, json, help;
	const char *on, *plot; /* of control */
	u64 work;
};

struct bench {
	struct bench_options options;
	struct text_list only; /* groups, or group/name; none: all */
};

/* Was it asked for? @name NULL: any of the group. */
bool bench_wants(const struct bench *b, const char *group, const char *name);
/* What people look at while they wait, on a terminal. */
__printf(1, 2) void bench_progress(const char *fmt, ...);
void bench_progress_end(void);

/* Each says which names its group has, for bench_wants(); NULL: no more. */
const char *micro_name(u32 group, u32 i);
const char *micro_group_name(u32 group);
const char *sched_name(u32 i);
const char *start_name(u32 i);
const char *memory_name(u32 i);
const char *control_name(u32 i);

/*
 * Each measures what is wanted of its groups, and gives what it found for the
 * document: docs/json.md. What could not be measured has an "error". NULL: nothing
 * was wanted.
 */
struct json_object *micro_measure(const struct bench *b);
struct json_object *sched_measure(const struct bench *b);
struct json_object *start_measure(const struct bench *b);
struct json_object *memory_measure(const struct bench *b);
struct json_object *control_measure(const struct bench *b);

/* Before anything is measured: can control do what is asked of it? 0, or -errno with a message. */
int control_check(const struct bench *b, char *err, size_t err_size);
/* --plot, of what it has measured. The same result. */
int control_draw(const struct bench *b, struct json_object *document, char *err, size_t err_size);

/* The same for people. */
void micro_print(struct json_object *micro);
void sched_print(struct json_object *sched);
void start_print(struct json_object *start);
void memory_print(struct json_object *memory);
void control_print(struct json_object *control);

#endif
