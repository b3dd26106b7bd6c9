/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of this room share and nobody else needs. */
#ifndef VRT_SIM_INTERNAL_H
#define VRT_SIM_INTERNAL_H

#include "cpu.h"

/* The earliest event, if the run goes on that far; else NULL. */
const struct event *event_first(void);
/* Takes that out of the queue and lets the clock reach it, as the loop does before it fires. */
struct event *event_take_first(void);

/* An event that was queued once, and is perhaps still. */
struct scouted {
	u64 time;
	struct event *const *at; /* where it was */
};
#define SCOUTS 8 /* at once */

/*
 * The earliest event that was not looked at like this before, with those in the same slot,
 * in any order; their memory is asked for. How many; 0: none are soon (in the near slots
 * of event.c). Events that are queued too late for that, for a time that was passed, are not
 * seen.
 */
u32 event_scout(struct scouted found[SCOUTS]);
/* That event, or another one in its place; NULL: none. */
const struct event *event_scouted(const struct scouted *scouted);

/* What the queue has allocated: bounded by how many are queued at once, however many come and go. */
size_t event_memory(void);

/* Its id, without a look at it. */
static inline u32 cpu_number(const struct cpu *cpu)
{
	return (u32)(cpu - cpus);
}

/* The CPU to which @ev gives control, and its timer if it is one; or NULL. */
struct cpu *event_cpu(const struct event *ev, const struct hrtimer **timer);

/* Fetching ahead; a CPU that begins to wait has a look, if cpus_look_ahead. */
void ahead_init(void);
void ahead_look(const struct cpu_ops *ops);

/*
 * The current CPU stops until somebody queues cpu->resume. Its debt must have
 * been paid or be part of that time; it is zero afterwards.
 */
void cpu_block(void);

/* Internals of topology_parse(). */
struct core_spec {
	u32 node, llc, threads, capacity;
};

/* Cores in the order of their numbers; becomes a topology. */
struct machine_spec {
	struct core_spec *cores;
	u32 nr_cores, nr_cpus;
};

/* Appends. -E2BIG when the machine gets more than VRT_NR_CPUS CPUs. */
int machine_add_core(struct machine_spec *machine, const struct core_spec *core);
/* Numbers the CPUs and makes the masks. */
void topology_build(struct topology *topo, const struct machine_spec *machine);
/* Makes the masks of numbered CPUs. */
void topology_finish(struct topology *topo);

/* @name is what messages call it. */
int topology_from_text(struct topology *topo, const char *name, const char *text, char *err,
		       size_t err_size);
int topology_from_json(struct topology *topo, const char *file, char *err, size_t err_size);
/* @root: where sysfs's devices/system is, "/sys/devices/system" but in tests. */
int topology_from_host(struct topology *topo, const char *root, char *err, size_t err_size);

#endif
