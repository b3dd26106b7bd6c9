/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the machine is busy with beside the job, simulated or real (both have the
 * calls of sched/kernel.h): hogs, which compute all the time, and probes, which
 * want a short time on a CPU every so often and note how much later than possible
 * they have had it.
 */
#ifndef VRT_CONTROL_OTHERS_H
#define VRT_CONTROL_OTHERS_H

#include "control.h"

struct others;

/* Makes and starts them, from outside of the machine. NULL with -errno in *@err. */
struct others *others_start(const struct control_setup *setup, int *err);
/* From inside: probes note delays from now on, or no longer. */
void others_record(struct others *o, bool on);
/* From inside: adds up CPU time and work so far. */
void others_sum(struct others *o, u64 *cpu, u64 *work);
/* What probes have noted; once they are gone. */
void others_delays(const struct others *o, struct hist *delay);
void others_free(struct others *o);

#endif
