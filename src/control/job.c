// SPDX-License-Identifier: GPL-2.0-only
/*
 * The job's programs through libbpf, which is ours (job.bpf.c): on the simulated
 * machine the facade answers, on a real kernel the kernel does.
 */
#include "job.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "../../kernel/periodic.h"
#include "../base/error.h"
#include "../loader/facade.h"

/* The compiled job.bpf.c, linked in (job_image.S). */
extern const char vrt_job_start[], vrt_job_end[];

#define MAX_PARTS 2

/* What of the object each variant needs. */
static const struct parts {
	const char *programs[3];
	const char *tables[MAX_PARTS]; /* maps */
	const char *names[MAX_PARTS]; /* of their periodic programs */
} parts[NR_CONTROL_VARIANTS] = {
	[CONTROL_WORKER] = { .programs = { "run_once" } },
	[CONTROL_DAEMON] = { .programs = { "run_once" } },
	[CONTROL_TIMER] = { .programs = { "arm", "disarm" } },
	[CONTROL_OWN] = { { "run_own" }, { "own" }, { "own" } },
	[CONTROL_SHARED] = { { "run_left", "run_right" }, { "half_left", "half_right" },
			     { "half_left", "half_right" } },
	[CONTROL_PROGRAM] = { { "run_managed" }, { "managed" }, { "managed" } },
};

const char *job_table_name(enum control_variant variant, u32 i)
{
	return i < MAX_PARTS ? parts[variant].names[i] : NULL;
}

/* --- what libbpf says ----------------------------------------------------- */

/* Its last complaints: a verifier's log can be long. */
static char words[2048];

static int on_words(enum libbpf_print_level level, const char *format, va_list args)
{
	size_t len = strlen(words);

	if (level != LIBBPF_WARN)
		return 0;
	return vsnprintf(words + len, sizeof(words) - len, format, args);
}

static int fail(char *err, size_t err_size, int code, const char *what)
{
	return vrt_error(err, err_size, code, "%s: %s%s%s", what, strerror(-code),
			 *words ? "\n" : "", words);
}

/* --- loading -------------------------------------------------------------- */

static bool is_one_of(const char *name, const char *const *names, u32 nr)
{
	for (u32 i = 0; i < nr && names[i]; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static void set_table(struct bpf_map *map, const struct control_setup *s)
{
	struct bpf_periodic_ops *ops = bpf_map__initial_value(map, &(size_t){ 0 });

	ops->period_ns = s->period;
	ops->nice = s->nice;
	ops->cpu_quota_us = s->quota / NSEC_PER_USEC;
	ops->cpu_period_us = s->quota_period / NSEC_PER_USEC;
}

/* Only the variant's: what another one needs this kernel may not have. */
static void choose(struct job *job)
{
	const struct parts *p = &parts[job->setup->variant];
	struct bpf_program *prog;
	struct bpf_map *map;

	bpf_object__for_each_map(map, job->obj) {
		bool ours = is_one_of(bpf_map__name(map), p->tables, MAX_PARTS);

		if (bpf_map__type(map) == BPF_MAP_TYPE_HASH)
			bpf_map__set_max_entries(map, job->setup->elements);
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		bpf_map__set_autocreate(map, ours);
		if (ours)
			set_table(map, job->setup);
	}
	bpf_object__for_each_program(prog, job->obj)
		bpf_program__set_autoload(prog, is_one_of(bpf_program__name(prog), p->programs,
							  ARRAY_SIZE(p->programs)));
}

static struct bpf_map *section(const struct job *job, const char *suffix)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, job->obj) {
		const char *name = bpf_map__name(map);
		size_t len = strlen(name), tail = strlen(suffix);

		if (bpf_map__is_internal(map) && len >= tail && !strcmp(name + len - tail, suffix))
			return map;
	}
	return NULL;
}

static int fill(const struct job *job, const char *name, u32 nr)
{
	int fd = bpf_object__find_map_fd_by_name(job->obj, name), ret = 0;
	const struct job_element zero = {};

	for (u32 key = 0; key < nr && !ret; key++)
		ret = bpf_map_update_elem(fd, &key, &zero, BPF_ANY);
	return ret;
}

static int fill_maps(const struct job *job)
{
	u32 nr = job->setup->elements;

	if (job->setup->variant != CONTROL_SHARED)
		return fill(job, "all", nr);
	return fill(job, "left", nr / 2) ?: fill(job, "right", nr - nr / 2);
}

static int program_fd(struct job *job, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(job->obj, name);
	int fd = prog ? bpf_program__fd(prog) : -1;

	return fd >= 0 ? fd : -1;
}

static void count_verified(struct job *job)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, job->obj) {
		struct bpf_prog_info info = {};
		u32 len = sizeof(info);

		if (bpf_program__fd(prog) >= 0 &&
		    !bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			job->verified_insns += info.verified_insns;
	}
}

int job_open(struct job *job, const struct control_setup *setup, char *err, size_t err_size)
{
	struct job_params *params;
	size_t size = 0;
	int ret;

	*job = (struct job){ .setup = setup, .run_fd = -1, .arm_fd = -1, .disarm_fd = -1 };
	*words = '\0';
	libbpf_set_print(on_words);
	job->obj = bpf_object__open_mem(vrt_job_start, (size_t)(vrt_job_end - vrt_job_start), NULL);
	if (!job->obj)
		return fail(err, err_size, -errno, "the job's object does not open");
	params = bpf_map__initial_value(section(job, ".rodata"), &size);
	VRT_ASSERT(params && size == sizeof(*params));
	*params = (struct job_params){ setup->period, setup->rest };
	choose(job);
	ret = bpf_object__load(job->obj);
	if (ret)
		return fail(err, err_size, ret, "the job's programs are not taken");
	job->state = facade_mmap(NULL, sizeof(*job->state), PROT_READ, MAP_SHARED,
				 bpf_map__fd(section(job, ".bss")), 0);
	if (job->state == MAP_FAILED) {
		job->state = NULL;
		return fail(err, err_size, -errno, "the job's variables cannot be mapped");
	}
	job->run_fd = program_fd(job, "run_once");
	job->arm_fd = program_fd(job, "arm");
	job->disarm_fd = program_fd(job, "disarm");
	count_verified(job);
	ret = fill_maps(job);
	return ret ? fail(err, err_size, ret, "the job's map cannot be filled") : 0;
}

/* --- running -------------------------------------------------------------- */

static int call(int fd, u64 due)
{
	struct job_call ctx = { .due = due };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
	int ret = bpf_prog_test_run_opts(fd, &opts);

	return ret ?: opts.retval ? -EINVAL : 0;
}

int job_run(struct job *job, u64 due)
{
	return call(job->run_fd, due);
}

int job_start(struct job *job, u64 now, char *err, size_t err_size)
{
	const struct parts *p = &parts[job->setup->variant];
	int ret = 0;

	for (u32 i = 0; i < MAX_PARTS && p->tables[i]; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(job->obj, p->tables[i]);

		job->links[i] = bpf_map__attach_struct_ops(map);
		if (!job->links[i])
			return fail(err, err_size, -errno, "the job's table is not attached");
	}
	if (job->arm_fd >= 0)
		ret = call(job->arm_fd, now + job->setup->period);
	return ret ? fail(err, err_size, ret, "the job's timer is not armed") : 0;
}

void job_stop(struct job *job)
{
	if (!job->obj)
		return;
	for (u32 i = 0; i < MAX_PARTS; i++) {
		bpf_link__destroy(job->links[i]);
		job->links[i] = NULL;
	}
	if (job->disarm_fd >= 0)
		call(job->disarm_fd, 0);
}

void job_close(struct job *job)
{
	if (job->state)
		facade_munmap((void *)job->state, sizeof(*job->state));
	job->state = NULL;
	bpf_object__close(job->obj);
	job->obj = NULL;
}

/* --- what it noted -------------------------------------------------------- */

void job_figures(const struct job_state *state, u64 first, struct control_figures *figures)
{
	if (state->runs - first > JOB_SAMPLES)
		first = state->runs - JOB_SAMPLES;
	for (u64 i = first; i < state->runs; i++) {
		const struct job_sample *s = &state->samples[i % JOB_SAMPLES];

		hist_record(&figures->late, s->late);
		figures->body = figures->body ? min(figures->body, (u64)s->took) : s->took;
	}
}
