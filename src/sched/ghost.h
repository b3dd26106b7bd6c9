/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ghOSt, as its users see it: make an enclave of CPUs, attach BPF programs to
 * its descriptor, start it, end it, and ask how it ended.
 *
 * Rules and numbers are those of ghOSt ABI 91 (google/ghost-userspace,
 * google/ghost-kernel); what a BPF program sees of it is kernel/ghost.h.
 */
#ifndef VRT_SCHED_GHOST_PUBLIC_H
#define VRT_SCHED_GHOST_PUBLIC_H

#include "kernel.h"

struct ghost_enclave;

struct ghost_config {
	const struct cpumask *cpus; /* copied; NULL: all possible CPUs */
	/* ns that a task may be runnable without being run before the enclave is ended; 0: no limit */
	u64 runnable_timeout;
	bool deliver_ticks, deliver_cpu_availability, wake_on_waker_cpu;
	/*
	 * Every task of policy normal or batch that is not a kernel thread and
	 * belongs to a workload's group enters at ghost_start(), and later ones when
	 * they are made. Otherwise tasks enter by task_set_policy(SCHED_GHOST).
	 */
	bool take_all;
	bool deliver_agent_runnability; /* CPU_AGENT_BLOCKED and CPU_AGENT_WAKEUP */
	/* Tasks and agents that it has room for; 0: 65,536, the most. What finds none stays fair. */
	u32 status_words;
};

/*
 * One blocked agent task per CPU is made. NULL and a sentence in @err when a CPU
 * is in another enclave, offline or not there. From outside the machine.
 */
struct ghost_enclave *ghost_enclave_create(const struct ghost_config *config, char *err,
					   size_t err_size);
/* A new descriptor of its ctl file: the target of BPF_LINK_CREATE. -errno. */
int ghost_enclave_fd(struct ghost_enclave *e);
/*
 * The programs are attached: discovers the tasks that are there (TASK_NEW for
 * each) and lets new ones in. -EINVAL and a sentence in @err when a program is
 * missing without which nothing would be scheduled (PNT and MSG).
 */
int ghost_start(struct ghost_enclave *e, char *err, size_t err_size);
/*
 * The agent dies, as a process does: its programs are detached with it, and all
 * tasks go back to fair at once (GHOST_EXIT_AGENT).
 */
void ghost_kill_agent(struct ghost_enclave *e);
/* "destroy" written to ctl: the same, GHOST_EXIT_DESTROYED. Idempotent. */
void ghost_destroy(struct ghost_enclave *e);
/* The owner is done with it; ends it first, as GHOST_EXIT_DONE, if it still runs. */
void ghost_enclave_close(struct ghost_enclave *e);

enum ghost_exit_kind {
	GHOST_EXIT_NONE, /* it is running, or was never started */
	GHOST_EXIT_DONE, /* closed by its owner */
	GHOST_EXIT_DESTROYED,
	GHOST_EXIT_AGENT, /* its agent is gone */
	GHOST_EXIT_STALL, /* runnable_timeout */
	GHOST_EXIT_FAULT, /* one of its programs was stopped for what it did */
};

struct ghost_exit_record {
	bool active; /* started and not ended */
	enum ghost_exit_kind kind;
	u64 time; /* when, ns since boot */
	char reason[64]; /* "runnable task stall" */
	char message[512]; /* of which task, program, ...; "" if there is nothing to add */
};
/* Of @e; valid until it is closed. */
const struct ghost_exit_record *ghost_exit(const struct ghost_enclave *e);

#define GHOST_MAX_MSG_TYPES 32
/* What went on since ghost_start(). */
struct ghost_stats {
	u64 nr_tasks; /* in the enclave now */
	u64 nr_refused; /* stayed away, as there was no status word for them */
	u64 picks; /* runs of PNT */
	u64 latched; /* successful bpf_ghost_run_gtid() */
	u64 latch_errors;
	struct {
		const char *name; /* "TASK_WAKEUP"; NULL: end of the list */
		u64 produced; /* BPF-MSG saw it */
		u64 kept; /* it returned 1: not for userspace */
	} messages[GHOST_MAX_MSG_TYPES + 1];
};
void ghost_stats(const struct ghost_enclave *e, struct ghost_stats *stats);

#endif
