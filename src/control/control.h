/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One job, done every period, in each of the ways that a kernel has for that (Table
 * 1 of the SchedBPF paper), on a machine that is busy with other tasks. The same
 * experiment on the simulated machine and on a real kernel:
 *
 *	job.bpf.c	the job, and the programs around it
 *	job.c		loading and starting those, by libbpf, and what they noted
 *	others.c	the tasks that the machine is busy with
 *	setup.c		an experiment and what came of it, as JSON
 *	sim.c		on the simulated machine; src/vm/guest/control.c is the other
 *
 * Nothing here judges: what is measured is CPU time, work, switches and delays.
 */
#ifndef VRT_CONTROL_CONTROL_H
#define VRT_CONTROL_CONTROL_H

#include "../base/hist.h"
#include "../sim/cost.h"

struct json_object;

enum control_variant {
	CONTROL_NONE, /* the others alone */
	CONTROL_KTHREAD, /* native code on a kernel thread */
	CONTROL_WORKER, /* a program on a generic kthread_worker, queued by a timer */
	CONTROL_DAEMON, /* a process that calls BPF_PROG_TEST_RUN */
	CONTROL_TIMER, /* a bpf_timer that arms itself again */
	CONTROL_OWN, /* SchedBPF, a thread of its own */
	CONTROL_SHARED, /* in two halves, as two programs of a shared thread */
	CONTROL_PROGRAM, /* managing its periods itself */
	NR_CONTROL_VARIANTS,
};

/* Times in ns. */
struct control_setup {
	enum control_variant variant;
	u64 warmup, window; /* measured is the window, which comes after the warmup */
	u64 period;
	u64 rest; /* of a timer, from the end of a run to the next; 0: it keeps to @period */
	u64 quota, quota_period; /* cpu.max of the job's group; 0: none */
	u64 work; /* what the simulated machine charges for the job in native code */
	u32 elements; /* of the job's map */
	s32 nice; /* of the job */
	u32 hogs, probes; /* the others; probes have nice level 0 */
	s32 hog_nice;
};

struct control_figures {
	u64 window; /* as it really was */
	u64 runs; /* of the job: all of its parts */
	u64 job_cpu; /* CPU time of the job's threads; of a timer: in its callback */
	u64 body; /* the shortest run */
	u64 others_cpu; /* CPU time */
	u64 others_work; /* what they got done, in ns of a CPU to themselves */
	u64 switches; /* of the machine */
	u64 verified_insns; /* that the verifier has looked at; 0: no program was verified */
	struct hist late; /* from when a run was due to when it began */
	struct hist delay; /* of probes: from activation to completion, less the work */
};

/* "kthread" */
const char *control_variant_name(enum control_variant variant);
/* CONTROL_NONE: there is none of that name. */
enum control_variant control_variant_of(const char *name);

/* setup.c: to and from JSON. The result is the caller's. */
struct json_object *control_setup_json(const struct control_setup *setup);
void control_setup_parse(struct json_object *json, struct control_setup *setup);
struct json_object *control_figures_json(const struct control_figures *figures);
void control_figures_parse(struct json_object *json, struct control_figures *figures);
void control_figures_free(struct control_figures *figures);

/* What there has been so far, at one instant; job_cpu as above. */
struct control_sums {
	u64 clock, runs, job_cpu, others_cpu, others_work, switches;
};
/* The window was from @from to @to. */
void control_difference(const struct control_sums *from, const struct control_sums *to,
			struct control_figures *figures);

/*
 * On a simulated machine with these costs. Boots the kernel: once per process. 0, or
 * -errno with a sentence: -EOPNOTSUPP for a variant that it does not have.
 */
int control_sim(const struct topology *topology, const struct cost_table *costs, u64 seed,
		const struct control_setup *setup, struct control_figures *figures, char *err,
		size_t err_size);

#endif
