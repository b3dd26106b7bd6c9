/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of plan_make(): each checks some options, and says what is wrong. */
#ifndef VRT_CLI_PLAN_H
#define VRT_CLI_PLAN_H

#include "run.h"

/* The machine and what things cost: 0, or -EINVAL with a message that starts with the option. */
int plan_machine(struct run_plan *plan, char *err, size_t err_size);
/* Settings that schedulers bring: 0, or -EINVAL with a message that starts with the scheduler. */
int plan_schedulers(const struct run_plan *plan, char *err, size_t err_size);
/* Of one of them, or of an argument to @option ("--at: "). */
int check_scheduler(const struct run_plan *plan, const char *scheduler, const char *option,
		    char *err, size_t err_size);
/*
 * 0, or -EINVAL with a message that starts with the option. The machine and the
 * workload must be planned already.
 */
int plan_actions(struct run_plan *plan, char *err, size_t err_size);
int plan_with(struct run_plan *plan, char *err, size_t err_size);
int plan_watches(struct run_plan *plan, char *err, size_t err_size);
int plan_cgroups(struct run_plan *plan, char *err, size_t err_size);
int plan_targets(struct run_plan *plan, char *err, size_t err_size);
/* Only what --on says, whatever is to be done there. */
int plan_places(struct run_plan *plan, char *err, size_t err_size);
int plan_enclave(struct run_plan *plan, char *err, size_t err_size);

/*
 * The kernel of each run. Never fails: a run without a kernel fails by itself.
 * After the actions and the objects beside the scheduler, which count.
 */
void plan_kernels(struct run_plan *plan);
/* The choice of --kernel that is @generation. */
u32 kernel_choice(enum kernel_generation generation);
void free_kernels(struct run_plan *plan);
/* Ends the guests, too. */
void free_targets(struct run_plan *plan);

#endif
