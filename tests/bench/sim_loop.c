// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many events per second the bare simulator does: every CPU charges a
 * little and pays it, so that each turn is one event and one switch of fibers.
 *
 *	sim_loop [CPUS [EVENTS]]
 *
 * The first line is with the given machine, whose CPUs always interleave; the
 * second is one CPU alone, which is the path on which the clock just advances.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../../src/sim/cpu.h"

static u64 turns, limit;

static void boot(void)
{
}

static void interrupt(enum cpu_irq irq)
{
}

static void reschedule(void)
{
}

static void run(void)
{
	/* CPUs drift against each other, as they do in life */
	u64 step = 100 + this_cpu->id % 7;

	for (;;) {
		cpu_charge(step);
		cpu_sync();
		if (++turns >= limit)
			sim_stop();
	}
}

static double measure(u32 nr_cpus, u64 nr_turns)
{
	static const struct cpu_ops ops = { boot, interrupt, reschedule, run };
	struct timespec begin, end;
	struct topology topo;
	char spec[32], err[200];

	snprintf(spec, sizeof(spec), "%u", nr_cpus);
	if (topology_parse(&topo, spec, err, sizeof(err))) {
		fprintf(stderr, "%s\n", err);
		exit(1);
	}
	turns = 0;
	limit = nr_turns;
	sim_init(1);
	cpus_init(&topo, &cost_defaults, &ops);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	sim_run(SIM_NEVER);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%4u CPUs: %llu turns, %llu events", nr_cpus, turns, sim_clock.fired);
	cpus_exit();
	sim_exit();
	topology_free(&topo);
	return (end.tv_sec - begin.tv_sec) + (end.tv_nsec - begin.tv_nsec) / 1e9;
}

int main(int argc, char **argv)
{
	u32 nr_cpus = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
	u64 nr_turns = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000000;
	double seconds = measure(nr_cpus, nr_turns);

	printf(": %.1f million turns per second\n", nr_turns / seconds / 1e6);
	seconds = measure(1, nr_turns);
	printf(": %.1f million turns per second\n", nr_turns / seconds / 1e6);
	return 0;
}
