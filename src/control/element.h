/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the job does with one element: the same in a BPF program (job.bpf.c) and in
 * a kernel module (kmod/kthread_job), and the same in every run.
 */
#ifndef VRT_CONTROL_ELEMENT_H
#define VRT_CONTROL_ELEMENT_H

#define JOB_WORDS 32

struct job_element {
	__u64 age, sum;
	__u64 words[JOB_WORDS];
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

#endif
