/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The job of 'vrt bench control' that is the same wherever it is done: in a BPF
 * program (src/control/job.bpf.c) and in the module kthread_job. What it does with
 * one element, always as much, and what it notes of each run.
 */
#ifndef KTHREAD_JOB_H
#define KTHREAD_JOB_H

#define JOB_WORDS 32
#define JOB_SAMPLES 32768 /* of the newest runs; a power of two */

struct job_element {
	__u64 age, sum;
	__u64 words[JOB_WORDS];
};

struct job_sample {
	__u64 late, took;
};

struct job_state {
	__u64 runs;
	__u64 took; /* by all of them */
	struct job_sample samples[JOB_SAMPLES];
};

static inline void job_grow_older(struct job_element *e)
{
	__u64 sum = 0xcbf29ce484222325ULL; /* FNV-1a, a word at a time */
	int i;

	e->age++;
	for (i = 0; i < JOB_WORDS; i++)
		sum = (sum ^ e->words[i]) * 0x100000001b3ULL;
	e->words[e->age % JOB_WORDS] += 1;
	e->sum = sum;
}

static inline void job_note(struct job_state *state, __u64 due, __u64 begun, __u64 ended)
{
	struct job_sample *s = &state->samples[state->runs % JOB_SAMPLES];

	s->late = begun > due ? begun - due : 0;
	s->took = ended - begun;
	state->took += ended - begun;
	state->runs++;
}

/* When to run next, the run that was due at @due being over @now: the phase stays. */
static inline __u64 job_next(__u64 due, __u64 period, __u64 now)
{
	return due + (now > due ? (now - due - 1) / period + 1 : 1) * period;
}

#endif
