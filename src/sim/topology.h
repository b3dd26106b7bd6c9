/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine: nodes, last-level caches, cores and hardware threads, with
 * capacities. Numbered as Linux numbers x86 machines: first threads of all
 * cores first, then their siblings.
 */
#ifndef VRT_SIM_TOPOLOGY_H
#define VRT_SIM_TOPOLOGY_H

#include "../base/cpumask.h"

#define SCHED_CAPACITY_SCALE 1024

/* How far apart two CPUs are, by what they share. */
enum cpu_distance {
	DIST_SELF, /* the same CPU */
	DIST_SMT, /* a core */
	DIST_LLC, /* a last-level cache */
	DIST_NODE, /* a memory node */
	DIST_REMOTE, /* nothing */
	NR_DISTANCES,
};

struct cpu_topology {
	u32 node, llc, core, thread; /* global ids, but thread: 0 is the first of its core */
	u32 capacity; /* SCHED_CAPACITY_SCALE is the fastest */
	const struct cpumask *smt_mask; /* CPUs of this core, itself included */
	const struct cpumask *llc_mask;
	const struct cpumask *node_mask;
};

struct topology {
	u32 nr_cpus, nr_nodes, nr_llcs, nr_cores;
	bool smt; /* some core has more than one thread */
	bool asymmetric; /* capacities differ */
	struct cpu_topology *cpu;
	struct cpumask *masks; /* what the masks of @cpu point into */
	char spec[128]; /* as given */
};

/*
 * "NODESxLLCSxCORESxTHREADS" (LLCs per node, cores per LLC), three numbers:
 * one LLC per node, two: cores x threads, one: cores; the name of a preset;
 * "host" (with the host's own CPU numbers, if all CPUs are online); or a JSON
 * file, recognised by a "/" or ".json":
 *
 *	{ "nodes": [ { "count": 1, "llcs": [ { "count": 1, "cores": [
 *		{ "count": 4, "threads": 1, "capacity": 446 },
 *		{ "count": 4, "threads": 1, "capacity": 1024 } ] } ] } ] }
 *
 * in which "count" (1), "threads" (1) and "capacity" (1024) may be left out.
 *
 * 1 to VRT_NR_CPUS CPUs. 0, or -errno with a message that says what was
 * expected. Sets nr_cpu_ids when it succeeds.
 */
int topology_parse(struct topology *topo, const char *spec, char *err, size_t err_size);
void topology_free(struct topology *topo);
/* Is @spec the name of a file? */
bool topology_is_file(const char *spec);
struct strbuf;
/* The machine in the form of such a file: but for the numbers of its CPUs, all there is to it. */
void topology_write(const struct topology *topo, struct strbuf *out);
/* The presets: name and what it is; false past the end. */
bool topology_preset(u32 i, const char **name, const char **summary);
/* "2 nodes, each 1 LLC of 8 cores with 2 threads: 32 CPUs" */
void topology_describe(const struct topology *topo, char *buf, size_t size);

static inline enum cpu_distance cpu_distance(const struct cpu_topology *a,
					     const struct cpu_topology *b)
{
	if (a == b)
		return DIST_SELF;
	if (a->core == b->core)
		return DIST_SMT;
	if (a->llc == b->llc)
		return DIST_LLC;
	return a->node == b->node ? DIST_NODE : DIST_REMOTE;
}

#endif
