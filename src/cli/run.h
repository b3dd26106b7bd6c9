/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A run: what is asked for (struct run_plan, made once from the command line),
 * and its way from a process of its own to a JSON object.
 *
 *	run.c		the command
 *	child.c		one process per scheduler, so that all see the same addresses
 *	simulate.c	what that process does; with session_log.c and attach.c
 *	result.c	the document, from the plan and the parts
 *	report.c	the document for people
 */
#ifndef VRT_CLI_RUN_H
#define VRT_CLI_RUN_H

#include "../base/hash.h"
#include "../loader/loader.h"
#include "../sched/kernel.h"
#include "cli.h"
#include "cmdline.h"

struct json_object;
struct workload;

#define RUN_SCHEMA "vruntime-run-1"
/* What --kernel takes: see enum kernel_generation. */
#define RUN_KERNELS "auto|6.12|7.0|any"

enum timed_kind {
	TIMED_SWAP,
	TIMED_OFFLINE,
	TIMED_ONLINE,
	TIMED_KILL_AGENT,
	TIMED_DESTROY_ENCLAVE,
	TIMED_PRINT,
	TIMED_RUN,
	TIMED_NICE,
	TIMED_CPUS,
	TIMED_CGROUP,
};

/* Something that happens during the run: --at TIME:WHAT[=VALUE] */
struct timed_action {
	u64 at; /* ns after the workload's start */
	enum timed_kind kind;
	u32 cpu; /* of offline, online */
	/* of nice, cpus, cgroup: the tasks of that name, and what they shall have */
	char task[TASK_COMM_LEN];
	s32 nice;
	struct cpumask cpus;
	const char *cgroup;
	const char *value; /* NULL: none */
	const char *text; /* as given */
};

/* An object that runs beside the scheduler: --with OBJ[,VAR=VALUE]... */
struct with_plan {
	const char *text; /* as given */
	char *copy; /* what the others point into */
	const char *object;
	struct text_list set;
};

/* A map to print again and again: --watch MAP[=INTERVAL] */
struct watch_plan {
	const char *text; /* as given */
	char *map;
	u64 interval; /* ns */
};

/* A control group to make: --cgroup PATH[,weight=N][,max=QUOTA[/PERIOD]] */
struct cgroup_plan {
	char *path;
	u32 weight; /* 0: the default */
	u64 quota, period; /* ns; period 0: not limited */
};

/* What the command line says, as cmdline.c fills it in. */
struct run_options {
	const char *machine, *workload, *costs, *trace, *on, *enclave, *ops, *bundle;
	u64 duration; /* 0: as long as the workload says */
	u64 warmup, seed, runnable_timeout;
	u32 noise, kernel, contexts;
	bool interp;
	bool json, host_stats, verbose, quiet, help;
	struct text_list set, init_progs, include_dirs, at, expect, with, watch, print, cgroups;
};

/* The kernel of one run. */
struct run_kernel {
	enum kernel_generation generation;
	struct loader_error error; /* status: LOADER_OK, or why there is none */
};

/* "reason" of a run whose guest did not come back. */
#define GUEST_LOST "guest lost"

/* Where runs take place. */
enum run_place { RUN_ON_SIM, RUN_ON_VM, RUN_ON_HOST };

struct run_target {
	enum run_place place;
	char *kernel; /* of the guest, as given; NULL: the newest */
	struct vm *guest; /* once it is up; also this host */
};

struct run_plan {
	struct run_options options;
	struct text_list schedulers;
	struct run_kernel *kernels; /* of each scheduler's run */
	struct run_target *targets;
	u32 nr_targets;
	struct topology topology;
	struct cost_table costs;
	struct workload *workload;
	u64 duration;
	struct timed_action *actions; /* by time */
	u32 nr_actions;
	struct with_plan *with;
	struct watch_plan *watches;
	struct cgroup_plan *cgroups;
	u32 nr_with, nr_watches, nr_cgroups;
	struct cpumask enclave; /* of options.enclave */
	/* vrt trace: lines of bpf_printk() and watched maps on stdout, as they come */
	bool pipe;
	bool counted; /* guests: struct vm_config */
	bool print_all; /* vrt map dump: all maps of the scheduler as by --print */
	struct expectation *expectations;
	u32 nr_expectations;
	char workload_hash[SHA256_HEX_SIZE], costs_hash[SHA256_HEX_SIZE];
};

extern const struct cmd_table run_table;
void run_options_init(struct run_options *options);

/*
 * Everything that can be wrong before a machine boots. STATUS_OK, or
 * STATUS_USAGE with a message in @err. To be freed in both cases.
 */
int plan_make(struct run_plan *plan, char *err, size_t err_size);
void plan_free(struct run_plan *plan);

/*
 * A scheduler is named as on the command line, SCHED[,VAR=VALUE...], and known
 * by that. Its label is "fifo" of "schedulers/fifo.bpf.c", and "fifo,a=1" of
 * "schedulers/fifo.bpf.c,a=1"; @buf: at least 64 bytes. Returns @buf.
 */
char *scheduler_label(const char *path, char *buf, size_t size);
/* Does it name a class of ours ("eevdf") rather than a file? */
bool scheduler_is_class(const char *name);
/*
 * The file that @name stands for: itself, or a policy that ships ("fifo").
 * Malloc'd; NULL for a word that is neither.
 */
char *scheduler_file(const char *scheduler);
/*
 * What is set for it: by --set, then by its own settings. Those are parts of
 * *@copy, which is the caller's to free.
 */
void scheduler_settings(const struct run_plan *plan, const char *scheduler, struct text_list *set,
			char **copy);
/*
 * The file of its run: @path for one run, with something of the scheduler's for
 * one of several. @on: more to tell runs apart by (""). To be freed.
 */
char *file_of_run(const struct run_plan *plan, const char *path, const char *scheduler,
		  const char *on);

/*
 * Runs @plan under @scheduler in this process, and gives the "run" object of
 * docs/json.md. One call per process.
 */
struct json_object *simulate(const struct run_plan *plan, const char *scheduler);
/*
 * What @fn gives in a process of its own; NULL with the reason in @why when that
 * crashed, or left nothing.
 */
struct json_object *in_child(struct json_object *(*fn)(void *arg), void *arg, char *why,
			     size_t why_size);
/* simulate() in a process of its own. A crash gives an object, too. */
struct json_object *run_in_child(const struct run_plan *plan, const char *scheduler);

/* The same wherever @target is. */
struct json_object *run_on_target(const struct run_plan *plan, const char *scheduler,
				  struct run_target *target);

/* Could @run not be, because there was no kernel where it was to be? */
bool run_had_no_kernel(struct json_object *run);

/* Of the run of @scheduler, one of @plan's. */
const struct run_kernel *run_kernel(const struct run_plan *plan, const char *scheduler);
/* What of a run is known without running it. */
struct json_object *run_new(const struct run_plan *plan, const char *scheduler);
/* "end" of a run that did not start. */
/* What is not modelled, once per sentence: also what turns out during the run. */
void run_add_unmodelled(struct json_object *run, const char *sentence);
void run_add_workload_unmodelled(struct json_object *run, const struct workload *w);
void run_set_failure(struct json_object *run, const char *kind, const char *reason,
		     const char *message, const char *log);
/*
 * All periodic programs of a run, as an array of the caller's: of objects beside
 * the scheduler, then of schedulers.
 */
struct json_object *run_periodic(struct json_object *run);
/* Text from BPF programs and compilers: always valid in JSON, and on a terminal. */
struct json_object *json_text(const char *text);
/* Adds "expectations" and "status". */
void run_judge(const struct run_plan *plan, struct json_object *run);
struct json_object *document_new(const char *schema);
void document_print(struct json_object *document);

/*
 * vrt trace --on host: attaches the objects of @plan->options.with to the kernel
 * of this host and prints its trace_pipe. Returns enum cli_status, and what was
 * wrong in @err.
 */
int trace_on_host(struct run_plan *plan, char *err, size_t err_size);

/* A line on stderr about a run with @status other than 0. */
void tell_failure(struct json_object *run, u64 status, const char *label);

/* What is simulated, before the first run. */
void report_head(const struct run_plan *plan);
void report_runs(const struct run_plan *plan, struct json_object *runs);
/* Whether tasks ran in the same order wherever a scheduler has run; machines of one CPU. */
void report_orders(struct json_object *runs);
/* The figures of those that have some, side by side; @nr_groups: of the workload. */
void report_table(struct json_object *runs, u32 nr_groups);

/* This host's time, ns: its monotonic clock, and what this process has had of its processors. */
u64 wall_clock(void);
u64 processor_clock(void);
/* The most memory that this process has had, bytes. */
u64 peak_memory(void);
/* Adds @part / @unit per second of @wall_ns to the "host" object. */
void add_rate(struct json_object *host, const char *name, u64 part, u64 unit, u64 wall_ns);

/* On a terminal only (stderr), and never with -q. */
void progress_start(const char *label, bool enabled);
void progress_update(u64 done, u64 total);
void progress_step(u32 done, u32 total, const char *step);
/* Before anything else is printed. */
void progress_clear(void);

#endif
