/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the job's programs (job.bpf.c) and who runs them (job.c): what they are
 * told and what they note.
 */
#ifndef VRT_CONTROL_JOB_H
#define VRT_CONTROL_JOB_H

#ifndef __bpf__
#include "control.h"
#endif
#include "element.h"

#define JOB_MAX_ELEMENTS 65536
#define JOB_SAMPLES 32768 /* of the newest runs; a power of two */

struct job_params {
	__u64 period, rest;
};

/* The context of the programs that are run by hand. */
struct job_call {
	__u64 due;
};

struct job_sample {
	__u64 late, took;
};

struct job_state {
	__u64 runs;
	__u64 took; /* by all of them */
	struct job_sample samples[JOB_SAMPLES];
};

#ifndef __bpf__
struct bpf_link;
struct bpf_object;

struct job {
	const struct control_setup *setup;
	struct bpf_object *obj;
	struct bpf_link *links[2];
	const struct job_state *state; /* the programs write it */
	u64 verified_insns;
	int run_fd, arm_fd, disarm_fd; /* -1: not loaded */
};

/* Names of the tables' programs, of which @i of a variant; NULL: there are no more. */
const char *job_table_name(enum control_variant variant, u32 i);
/* Where the two halves run. */
#define JOB_WORKER "job"

/*
 * Loads what the variant needs, its map filled. 0, or -errno with a sentence;
 * job_close() in both cases.
 */
int job_open(struct job *job, const struct control_setup *setup, char *err, size_t err_size);
/* Tables are attached, a timer is armed. The same result. */
int job_start(struct job *job, u64 now, char *err, size_t err_size);
/* One run, by BPF_PROG_TEST_RUN. 0 or -errno. */
int job_run(struct job *job, u64 due);
void job_stop(struct job *job);
void job_close(struct job *job);

/* What runs since the one numbered @first, as many as there are samples of. */
void job_figures(const struct job_state *state, u64 first, struct control_figures *figures);
/* A run that was not a program's. */
void job_note(struct job_state *state, u64 due, u64 begun, u64 ended);
/* When to run next, the one that was due at @due being over @now. */
u64 job_next(u64 due, u64 period, u64 now);
#endif

#endif
