/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the job's programs (job.bpf.c) and who runs them (job.c): what they are
 * told. What they do and note is also a module's: kmod/schedbpf/bench/job.h.
 */
#ifndef VRT_CONTROL_JOB_H
#define VRT_CONTROL_JOB_H

#ifndef __bpf__
#include "control.h"
#endif
#include "../../kmod/schedbpf/bench/job.h"

struct job_params {
	__u64 period, rest;
};

/* The context of the programs that are run by hand. */
struct job_call {
	__u64 due;
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

/* Of the runs since the one numbered @first, as many as there are samples of. */
void job_figures(const struct job_state *state, u64 first, struct control_figures *figures);
#endif

#endif
