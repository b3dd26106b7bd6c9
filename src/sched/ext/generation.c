// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of differences between generations, and the translation of flags
 * whose values are not the same in all of them.
 *
 * The core has the values of 6.12 (kernel/ext.h). In "any" programs see these
 * too, and the rest behaves as in the newest.
 */
#include "generation.h"

#include "ext.h"

/* ENQUEUE_HEAD to ENQUEUE_INITIAL, and ENQUEUE_RQ_SELECTED */
#define ENQ_QUEUE_BITS 0xf0ULL
#define ENQ_SELECTED_BIT 0x400ULL

#define OPS_FLAGS_6_12                                                                             \
	(SCX_OPS_KEEP_BUILTIN_IDLE | SCX_OPS_ENQ_LAST | SCX_OPS_ENQ_EXITING |                      \
	 SCX_OPS_SWITCH_PARTIAL | SCX_OPS_HAS_CGROUP_WEIGHT)

static const struct scx_generation generations[NR_GENERATIONS] = {
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
		.enq_queue_shift = 12,
		.enq_selected_shift = 10,
	},
};

const struct scx_generation *scx_generation(void)
{
	return &generations[kernel.config.generation];
}

u64 scx_enq_flags_to_bpf(u64 enq_flags)
{
	const struct scx_generation *g = scx_generation();

	return (enq_flags & ~(ENQ_QUEUE_BITS | ENQ_SELECTED_BIT)) |
	       (enq_flags & ENQ_QUEUE_BITS) << g->enq_queue_shift |
	       (enq_flags & ENQ_SELECTED_BIT) << g->enq_selected_shift;
}

u64 scx_enq_flags_from_bpf(u64 enq_flags)
{
	const struct scx_generation *g = scx_generation();
	u64 queue = ENQ_QUEUE_BITS << g->enq_queue_shift;
	u64 selected = ENQ_SELECTED_BIT << g->enq_selected_shift;

	/* what has the core's bits here means something that only the core sets */
	return (enq_flags & ~(queue | selected | ENQ_QUEUE_BITS | ENQ_SELECTED_BIT)) |
	       (enq_flags & queue) >> g->enq_queue_shift |
	       (enq_flags & selected) >> g->enq_selected_shift;
}
