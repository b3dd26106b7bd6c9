// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine we run on, from sysfs. CPUs that are online are taken in the
 * order of their numbers, so that without offline CPUs they keep them. Virtual
 * machines lack many of the files: then a CPU is a core of its own, its LLC is
 * its package, and the machine is one node.
 *
 * A set of CPUs (a core, an LLC, a node) is known by its leader, its first CPU
 * that is online.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "internal.h"

#define MAX_CACHES 16
#define LIST_SIZE 8192

struct host {
	const char *root;
	struct cpumask online; /* in the host's numbers */
};

/* One line of a file below the root, without the newline. False if there is none. */
__printf(4, 5) static bool read_line(const struct host *host, char *buf, size_t size,
				     const char *fmt, ...)
{
	char name[128], path[512];
	va_list args;
	ssize_t n;
	int fd;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	snprintf(path, sizeof(path), "%s/%s", host->root, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n < 0)
		return false;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

static bool set_leader(const struct host *host, const char *line, u32 *leader)
{
	struct cpumask set;

	if (cpumask_parse_list(line, &set) || !cpumask_and(&set, &set, &host->online))
		return false;
	*leader = cpumask_first(&set);
	return true;
}

static u32 node_leader(const struct host *host, u32 cpu)
{
	char line[LIST_SIZE];
	struct cpumask set, nodes; /* of node numbers, in the same notation */
	u32 node;

	if (!read_line(host, line, sizeof(line), "node/online") ||
	    cpumask_parse_list(line, &nodes))
		return cpumask_first(&host->online);
	for_each_cpu(node, &nodes)
		if (read_line(host, line, sizeof(line), "node/node%u/cpulist", node) &&
		    !cpumask_parse_list(line, &set) && cpumask_test_cpu(cpu, &set))
			return cpumask_next_and(0, &set, &host->online);
	return cpumask_first(&host->online);
}

/* The CPUs with which @cpu shares its highest cache; without that, its package. */
static u32 llc_leader(const struct host *host, u32 cpu)
{
	char line[LIST_SIZE];
	u32 leader = cpu, level, highest = 0;

	if (read_line(host, line, sizeof(line), "cpu/cpu%u/topology/package_cpus_list", cpu) ||
	    read_line(host, line, sizeof(line), "cpu/cpu%u/topology/core_siblings_list", cpu))
		set_leader(host, line, &leader);
	for (u32 i = 0; i < MAX_CACHES; i++) {
		if (!read_line(host, line, sizeof(line), "cpu/cpu%u/cache/index%u/level", cpu, i))
			break;
		level = strtoul(line, NULL, 10);
		/* level 1 and 2 are mostly the core's own: not what schedulers call the LLC */
		if (level <= highest || level < 2 ||
		    !read_line(host, line, sizeof(line),
			       "cpu/cpu%u/cache/index%u/shared_cpu_list", cpu, i))
			continue;
		if (set_leader(host, line, &leader))
			highest = level;
	}
	return leader;
}

static u32 core_leader(const struct host *host, u32 cpu)
{
	char line[LIST_SIZE];
	u32 leader = cpu;

	if (read_line(host, line, sizeof(line), "cpu/cpu%u/topology/core_cpus_list", cpu) ||
	    read_line(host, line, sizeof(line), "cpu/cpu%u/topology/thread_siblings_list", cpu))
		set_leader(host, line, &leader);
	return leader;
}

static u32 capacity_of(const struct host *host, u32 cpu)
{
	char line[64];
	u64 capacity;

	if (!read_line(host, line, sizeof(line), "cpu/cpu%u/cpu_capacity", cpu))
		return SCHED_CAPACITY_SCALE;
	capacity = strtoul(line, NULL, 10);
	return capacity >= 1 && capacity <= SCHED_CAPACITY_SCALE ? capacity : SCHED_CAPACITY_SCALE;
}

/* Ids of sets, in the order in which they are met. */
struct sets {
	u32 nr;
	u32 id_plus_1[VRT_NR_CPUS]; /* by leader */
};

static u32 set_id(struct sets *sets, u32 leader)
{
	if (!sets->id_plus_1[leader])
		sets->id_plus_1[leader] = ++sets->nr;
	return sets->id_plus_1[leader] - 1;
}

static void read_cpus(struct topology *topo, const struct host *host)
{
	struct sets *cores = xcalloc(3, sizeof(*cores)), *llcs = cores + 1, *nodes = cores + 2;
	u32 *threads = xcalloc(VRT_NR_CPUS, sizeof(*threads));
	u32 id = 0, cpu;

	for_each_cpu(cpu, &host->online) {
		struct cpu_topology *t = &topo->cpu[id++];

		t->core = set_id(cores, core_leader(host, cpu));
		t->thread = threads[t->core]++;
		t->llc = set_id(llcs, llc_leader(host, cpu));
		t->node = set_id(nodes, node_leader(host, cpu));
		t->capacity = capacity_of(host, cpu);
	}
	topo->nr_cores = cores->nr;
	topo->nr_llcs = llcs->nr;
	topo->nr_nodes = nodes->nr;
	free(cores);
	free(threads);
}

int topology_from_host(struct topology *topo, const char *root, char *err, size_t err_size)
{
	struct host host = { .root = root };
	u32 machine_cpus = nr_cpu_ids;
	char line[LIST_SIZE];
	int ret = 0;

	/* the lists speak of the host's CPUs, not of a machine that may have been parsed */
	nr_cpu_ids = VRT_NR_CPUS;
	if (!read_line(&host, line, sizeof(line), "cpu/online") ||
	    cpumask_parse_list(line, &host.online) || cpumask_empty(&host.online)) {
		ret = vrt_error(err, err_size, -ENODEV,
				"machine 'host': cannot read a list of up to %u CPUs from "
				"%s/cpu/online; give the machine in numbers, as 2x4x8x2",
				VRT_NR_CPUS, root);
	} else {
		topo->nr_cpus = cpumask_weight(&host.online);
		topo->cpu = xcalloc(topo->nr_cpus, sizeof(*topo->cpu));
		read_cpus(topo, &host);
		topology_finish(topo);
	}
	nr_cpu_ids = machine_cpus;
	return ret;
}
