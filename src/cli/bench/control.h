/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The group "control": the same job in each of the ways that a kernel has of doing
 * something periodically (src/control), side by side.
 *
 *	control.c	the experiments, and the figures that follow from them
 *	control_place.c	where they take place
 *	control_print.c	the table
 *	control_plot.c	the plot of delays
 */
#ifndef VRT_CLI_BENCH_CONTROL_H
#define VRT_CLI_BENCH_CONTROL_H

#include "../../control/control.h"
#include "../run.h"
#include "bench.h"

/* Where experiments take place, one after the other. */
struct control_place {
	struct run_plan *plan;
	struct run_target *target;
};

/* 0 or -EINVAL with a message: the places that --on names. */
int control_plan(struct run_plan *plan, const char *on, char *err, size_t err_size);
/*
 * One experiment. False with a sentence in @err: it could not be done. *@lost: nor can
 * any other there.
 */
bool control_run(struct control_place *place, const struct control_setup *setup,
		 struct control_figures *figures, bool *lost, char *err, size_t err_size);

/* Draws the delays in the document's "control" into @file. 0, or -errno with a message. */
int control_plot(struct json_object *control, const char *file, char *err, size_t err_size);
/* Can it be? The same result. */
int control_plot_check(const char *file, char *err, size_t err_size);

#endif
