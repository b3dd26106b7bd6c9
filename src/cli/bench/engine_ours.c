// SPDX-License-Identifier: GPL-2.0-only
/* Our own kernel, of one CPU, which interprets programs or compiles them. */
#include <stdio.h>
#include <string.h>

#include "../../bpf/bpf.h"
#include "../../bpf/jit/jit.h"
#include "../../loader/facade.h"
#include "../../sched/kernel.h"
#include "../../sim/cost.h"
#include "../../sim/topology.h"
#include "engine.h"

static const struct bpf_side ours = { .bpf = vrt_bpf, .mmap = facade_mmap };
static struct topology topology;

static bool boot(bool interpreted, char *why, size_t size)
{
	struct kernel_config config = {
		.topology = &topology,
		.costs = &cost_defaults,
		.seed = 1,
		.noise = NOISE_NONE,
		.interpreted = interpreted,
	};
	int err;

	if (topology_parse(&topology, "1", why, size))
		return false;
	err = kernel_boot(&config);
	if (err)
		snprintf(why, size, "the machine does not boot: %s", strerror(-err));
	bpf_side_set(&ours);
	return !err;
}

bool interp_open(char *why, size_t size)
{
	return boot(true, why, size);
}

bool jit_open(char *why, size_t size)
{
	if (!bpf_jit_available()) {
		snprintf(why, size, "it has no code for this machine");
		return false;
	}
	return boot(false, why, size);
}
