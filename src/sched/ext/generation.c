// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of differences between generations. In "any" programs see the values
 * that the core has, and the rest behaves as in the newest.
 */
#include "generation.h"

#include "ext.h"

#define OPS_FLAGS_6_12                                                                             \
	(SCX_OPS_KEEP_BUILTIN_IDLE | SCX_OPS_ENQ_LAST | SCX_OPS_ENQ_EXITING |                      \
	 SCX_OPS_SWITCH_PARTIAL | SCX_OPS_HAS_CGROUP_WEIGHT)

const struct scx_generation scx_generations[NR_GENERATIONS] = {
	[GENERATION_ANY] = {
		.ops_flags = SCX_OPS_ALL_FLAGS,
		.select_cpu_anywhere = true,
		.select_cpu_near = true,
	},
	[GENERATION_6_12] = {
		.ops_flags = OPS_FLAGS_6_12,
	},
	[GENERATION_7_0] = {
		.ops_flags = SCX_OPS_ALL_FLAGS,
		.select_cpu_anywhere = true,
		.select_cpu_near = true,
		.enq_flags_moved = true,
	},
};
