/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The documents that describe a run in a guest and how it ended. What is not
 * there has its default.
 *
 * RUN:	{"object": "sched.bpf.o",	a FILE sent before; absent: fair alone
 *	 "set": ["var=1"], "init_progs": ["setup"],	as struct loader_options
 *	 "workload": "schbench -m 2",	a generator, or a FILE's name
 *	 "ops": "table",		as struct loader_options
 *	 "print": ["map"],		maps to be told of in END, once the scheduler is out
 *	 "with": [{"object": "gc.0.bpf.o", "set": []}],	beside the scheduler, FILEs
 *	 "cgroups": [{"path": "/gc", "weight": 0, "quota_ns": 0, "period_ns": 0}],
 *		weight, quota and period 0: as the kernel has them
 *	 "actions": [{"at_ns": t,	by time, since the workload's start
 *		"what": "offline"|"online"|"run", "value": "1",
 *		"action": "1s:offline=1"}],	as given
 *	 "warmup_ns": 0, "duration_ns": 1000000000, "seed": 1}
 *
 * {"verify": LEVEL, "object": ..., "set": [...], "machine": "4x2"} instead: only the
 * kernel's verdict on each program, with logs of a level as BPF_PROG_LOAD takes it (0: none).
 * @machine: what the object's variables are to say of it. The END is then {"release": "7.0.13",
 * "programs": [{"name": "", "verdict": "accepted"|"refused"|"not asked", "message": "",
 * "processed": n, "states": n, "peak_states": n, "max_states_per_insn": n, "stack_depth": n,
 * "duration_ns": n, "log": ""}], "message": "", "warnings": [""]}.
 *
 * {"calibrate": true} instead: no workload, but what things cost, see
 * src/calibrate/calibrate.h. The END is then {"costs": {...}, "lost": [...]}.
 *
 * {"control": {...}} instead: an experiment of src/control/control.h, as control_setup_json()
 * has it. The END is then of control_figures_json().
 *
 * END:	{"release": "7.0.13", "cpus": 4, "rounds_per_ms": 123,
 *	 "start_ns": t,			CLOCK_MONOTONIC of the workload's start
 *	 "end_ns": t,			of the end of the window
 *	 "lost": 0,			records that did not fit the ring buffer
 *	 "status": "done"|"thrown_out"|"not_loaded",
 *	 "kind": "unreg", "reason": "", "message": "",	the kernel's words
 *	 "exit_code": 0, "exit_ns": t,	of a scheduler
 *	 "dump": "",			thrown_out: the kernel's
 *	 "warnings": [""], "figures": [""],
 *	 "timeline": [{"time_ns": t, "action": "", "error": null, "text": null}],
 *					as in docs/json.md
 *	 "with": [], "cgroups": [],	how those fared, as in docs/json.md
 *	 "load_status": n, "log": ""}	not_loaded: enum loader_status, libbpf's words
 */
#ifndef VRT_VM_RUN_H
#define VRT_VM_RUN_H

/* The FILE that is the kernel module schedbpf for the guest's kernel; there may be none. */
#define RUN_MODULE "schedbpf.ko"
/* The same of kthread_job, for experiments. */
#define RUN_BENCH_MODULE "kthread_job.ko"

#define RUN_KEY_OBJECT "object"
#define RUN_KEY_SET "set"
#define RUN_KEY_INIT_PROGS "init_progs"
#define RUN_KEY_OPS "ops"
#define RUN_KEY_PRINT "print"
#define RUN_KEY_ACTIONS "actions"
#define RUN_KEY_WITH "with"
#define RUN_KEY_CGROUPS "cgroups"
#define RUN_KEY_WORKLOAD "workload"
#define RUN_KEY_WARMUP "warmup_ns"
#define RUN_KEY_DURATION "duration_ns"
#define RUN_KEY_SEED "seed"
#define RUN_KEY_CALIBRATE "calibrate"
#define RUN_KEY_CONTROL "control"
#define RUN_KEY_VERIFY "verify"
#define RUN_KEY_MACHINE "machine"

#endif
