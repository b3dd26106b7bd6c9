// SPDX-License-Identifier: GPL-2.0-only
/*
 * Machines from a specification: the grammar, the presets, the numbering of
 * CPUs and the masks. JSON files and the host are read by topology_json.c and
 * topology_host.c.
 *
 * All masks of a topology are in one block of memory, topo->masks: one per
 * core, then one per LLC, then one per node.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "../base/strbuf.h"
#include "../base/suggest.h"
#include "internal.h"

/* @spec: numbers, or JSON text */
struct preset {
	const char *name, *spec, *summary;
};

static const char pixel_6[] = "{ \"nodes\": [ { \"llcs\": [ { \"cores\": ["
			      "{ \"count\": 4, \"capacity\": 250 },"
			      "{ \"count\": 2, \"capacity\": 620 },"
			      "{ \"count\": 2, \"capacity\": 1024 } ] } ] } ] }";

static const struct preset presets[] = {
	{ "laptop", "1x1x8x2", "8 cores with SMT" },
	{ "desktop", "1x2x8x2", "two chiplets of 8 cores with SMT" },
	{ "cloud-4", "1x1x2x2", "a virtual machine of 4 CPUs" },
	{ "pixel-6", pixel_6, "Google Tensor: 4 little, 2 middle and 2 big cores" },
	{ "graviton-3", "1x1x64x1", "AWS Graviton3, 64 cores, no SMT" },
	{ "xeon-8173m-2s", "2x1x28x2", "2 Intel Xeon Platinum 8173M, 112 CPUs (ghOSt, SOSP '21)" },
	{ "epyc-7742-2s", "2x16x4x2", "2 AMD EPYC 7742 (Rome), 256 CPUs, 4 cores to an LLC" },
	{ "epyc-9754", "1x16x8x2", "AMD EPYC 9754 (Bergamo), 256 CPUs" },
	{ "epyc-9754-2s", "2x16x8x2", "2 AMD EPYC 9754 (Bergamo), 512 CPUs" },
};

bool topology_preset(u32 i, const char **name, const char **summary)
{
	if (i >= ARRAY_SIZE(presets))
		return false;
	*name = presets[i].name;
	*summary = presets[i].summary;
	return true;
}

/* --- building ----------------------------------------------------------- */

int machine_add_core(struct machine_spec *machine, const struct core_spec *core)
{
	if (core->threads > VRT_NR_CPUS - machine->nr_cpus)
		return -E2BIG;
	if (!(machine->nr_cores & (machine->nr_cores - 1)))
		machine->cores = xreallocarray(machine->cores, max(machine->nr_cores * 2, 1U),
					       sizeof(*core));
	machine->cores[machine->nr_cores++] = *core;
	machine->nr_cpus += core->threads;
	return 0;
}

void topology_finish(struct topology *topo)
{
	struct cpumask *core, *llc, *node;

	topo->masks = xcalloc(topo->nr_cores + topo->nr_llcs + topo->nr_nodes, sizeof(*core));
	core = topo->masks;
	llc = core + topo->nr_cores;
	node = llc + topo->nr_llcs;
	for (u32 i = 0; i < topo->nr_cpus; i++) {
		struct cpu_topology *cpu = &topo->cpu[i];

		cpumask_set_cpu(i, &core[cpu->core]);
		cpumask_set_cpu(i, &llc[cpu->llc]);
		cpumask_set_cpu(i, &node[cpu->node]);
		cpu->smt_mask = &core[cpu->core];
		cpu->llc_mask = &llc[cpu->llc];
		cpu->node_mask = &node[cpu->node];
		topo->smt |= cpu->thread > 0;
		topo->asymmetric |= cpu->capacity != topo->cpu[0].capacity;
	}
}

void topology_build(struct topology *topo, const struct machine_spec *machine)
{
	u32 id = 0;

	topo->nr_cpus = machine->nr_cpus;
	topo->nr_cores = machine->nr_cores;
	topo->cpu = xcalloc(topo->nr_cpus, sizeof(*topo->cpu));
	for (u32 thread = 0; id < topo->nr_cpus; thread++) {
		for (u32 i = 0; i < machine->nr_cores; i++) {
			const struct core_spec *core = &machine->cores[i];

			if (thread >= core->threads)
				continue;
			topo->cpu[id++] = (struct cpu_topology){
				.node = core->node, .llc = core->llc, .core = i,
				.thread = thread, .capacity = core->capacity,
			};
			topo->nr_nodes = max(topo->nr_nodes, core->node + 1);
			topo->nr_llcs = max(topo->nr_llcs, core->llc + 1);
		}
	}
	topology_finish(topo);
}

/* --- the grammar -------------------------------------------------------- */

enum { NODES, LLCS, CORES, THREADS, NR_LEVELS };

static const char *const level_names[NR_LEVELS] = { "nodes", "LLCs", "cores", "threads" };

/* Which level the i-th of n numbers is. */
static const u8 level_of[NR_LEVELS][NR_LEVELS] = {
	{ CORES },
	{ CORES, THREADS },
	{ NODES, CORES, THREADS },
	{ NODES, LLCS, CORES, THREADS },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Splits "1x2x3" into numbers, each cut at VRT_NR_CPUS + 1. Returns how many
 * there are, 0 when @spec is no such list.
 */
static u32 split(const char *spec, u32 numbers[NR_LEVELS])
{
	u32 n = 0;

	for (;; spec++) {
		if (n == NR_LEVELS || !is_digit(*spec))
			return 0;
		for (numbers[n] = 0; is_digit(*spec); spec++)
			numbers[n] = min(numbers[n] * 10 + (*spec - '0'), VRT_NR_CPUS + 1U);
		n++;
		if (!*spec)
			return n;
		if (*spec != 'x')
			return 0;
	}
}

static int from_numbers(struct topology *topo, const u32 *numbers, u32 n, char *err,
			size_t err_size)
{
	u32 count[NR_LEVELS] = { 1, 1, 1, 1 };
	struct machine_spec machine = {};
	u64 total = 1;

	for (u32 i = 0; i < n; i++) {
		u32 level = level_of[n - 1][i];

		count[level] = numbers[i];
		if (!numbers[i])
			return vrt_error(err, err_size, -EINVAL,
					 "machine '%s': 0 %s; every number must be 1 or more",
					 topo->spec, level_names[level]);
		/* both at most VRT_NR_CPUS + 1: cannot overflow */
		total = min(total * numbers[i], VRT_NR_CPUS + 1ULL);
	}
	if (total > VRT_NR_CPUS)
		return vrt_error(err, err_size, -E2BIG,
				 "machine '%s': more than %u CPUs, which is the limit",
				 topo->spec, VRT_NR_CPUS);
	for (u32 i = 0; i < count[NODES] * count[LLCS] * count[CORES]; i++) {
		struct core_spec core = {
			.node = i / (count[LLCS] * count[CORES]), .llc = i / count[CORES],
			.threads = count[THREADS], .capacity = SCHED_CAPACITY_SCALE,
		};

		machine_add_core(&machine, &core);
	}
	topology_build(topo, &machine);
	free(machine.cores);
	return 0;
}

static const struct preset *find_preset(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(presets); i++)
		if (!strcmp(presets[i].name, name))
			return &presets[i];
	return NULL;
}

static int unknown(const char *spec, char *err, size_t err_size)
{
	struct suggest s = { .word = spec };

	suggest_try(&s, "host");
	for (u32 i = 0; i < ARRAY_SIZE(presets); i++)
		suggest_try(&s, presets[i].name);
	if (s.best)
		return vrt_error(err, err_size, -EINVAL, "machine '%s': did you mean '%s'?", spec,
				 s.best);
	return vrt_error(err, err_size, -EINVAL,
			 "machine '%s': expected NODESxLLCSxCORESxTHREADS (as 2x4x8x2), "
			 "NODESxCORESxTHREADS, CORESxTHREADS, CORES, 'host', a preset (as "
			 "'laptop') or a JSON file",
			 spec);
}

bool topology_is_file(const char *spec)
{
	size_t len = strlen(spec);

	return strchr(spec, '/') || (len > 5 && !strcmp(spec + len - 5, ".json"));
}

static int parse(struct topology *topo, const char *spec, char *err, size_t err_size)
{
	const struct preset *preset = find_preset(spec);
	u32 numbers[NR_LEVELS], n = split(preset ? preset->spec : spec, numbers);

	if (preset && !n)
		return topology_from_text(topo, spec, preset->spec, err, err_size);
	if (n)
		return from_numbers(topo, numbers, n, err, err_size);
	if (!strcmp(spec, "host"))
		return topology_from_host(topo, "/sys/devices/system", err, err_size);
	if (topology_is_file(spec))
		return topology_from_json(topo, spec, err, err_size);
	return unknown(spec, err, err_size);
}

int topology_parse(struct topology *topo, const char *spec, char *err, size_t err_size)
{
	int ret;

	*topo = (struct topology){};
	snprintf(topo->spec, sizeof(topo->spec), "%s", spec);
	ret = parse(topo, spec, err, err_size);
	if (!ret)
		nr_cpu_ids = topo->nr_cpus;
	return ret;
}

void topology_free(struct topology *topo)
{
	free(topo->cpu);
	free(topo->masks);
	*topo = (struct topology){};
}

/* --- in words ----------------------------------------------------------- */

static void count_noun(struct strbuf *sb, u32 n, const char *noun)
{
	strbuf_printf(sb, "%u %s%s", n, noun, n == 1 ? "" : "s");
}

static u32 weight(const struct cpumask *m)
{
	u32 n = 0;

	for (u32 i = 0; i < ARRAY_SIZE(m->bits); i++)
		n += __builtin_popcountl(m->bits[i]);
	return n;
}

/* Does every node have the same LLCs, every LLC the same cores, every core the same threads? */
static bool is_regular(const struct topology *topo)
{
	const struct cpu_topology *first = &topo->cpu[0];
	u32 per_core = weight(first->smt_mask), per_llc = weight(first->llc_mask);
	u32 per_node = weight(first->node_mask);

	for (u32 i = 1; i < topo->nr_cpus; i++)
		if (weight(topo->cpu[i].smt_mask) != per_core ||
		    weight(topo->cpu[i].llc_mask) != per_llc ||
		    weight(topo->cpu[i].node_mask) != per_node)
			return false;
	return true;
}

/* "; 4 CPUs of capacity 446, 4 of 1024", lowest first */
static void describe_capacities(struct strbuf *sb, const struct topology *topo)
{
	const char *prefix = "; ";

	for (u32 capacity = 0; capacity <= SCHED_CAPACITY_SCALE; capacity++) {
		u32 n = 0;

		for (u32 i = 0; i < topo->nr_cpus; i++)
			n += topo->cpu[i].capacity == capacity;
		if (!n)
			continue;
		strbuf_puts(sb, prefix);
		if (prefix[0] == ';')
			count_noun(sb, n, "CPU");
		else
			strbuf_printf(sb, "%u", n);
		strbuf_printf(sb, " of %s%u", prefix[0] == ';' ? "capacity " : "", capacity);
		prefix = ", ";
	}
}

void topology_describe(const struct topology *topo, char *buf, size_t size)
{
	u32 llcs = topo->nr_llcs / topo->nr_nodes, cores = topo->nr_cores / topo->nr_llcs;
	struct strbuf sb = {};

	count_noun(&sb, topo->nr_nodes, "node");
	if (is_regular(topo)) {
		strbuf_puts(&sb, topo->nr_nodes > 1 ? ", each " : ", ");
		count_noun(&sb, llcs, "LLC");
		strbuf_puts(&sb, " of ");
		count_noun(&sb, cores, "core");
		strbuf_puts(&sb, " with ");
		count_noun(&sb, topo->nr_cpus / topo->nr_cores, "thread");
	} else {
		strbuf_puts(&sb, ", ");
		count_noun(&sb, topo->nr_llcs, "LLC");
		strbuf_puts(&sb, ", ");
		count_noun(&sb, topo->nr_cores, "core");
	}
	strbuf_puts(&sb, ": ");
	count_noun(&sb, topo->nr_cpus, "CPU");
	if (topo->asymmetric)
		describe_capacities(&sb, topo);
	snprintf(buf, size, "%s", strbuf_str(&sb));
	strbuf_free(&sb);
}
