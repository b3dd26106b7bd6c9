/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How sched_ext differs between the generations of Linux, beyond the names that
 * programs find (src/bpf/generation.h). docs/generations.md has the whole list.
 */
#ifndef VRT_SCHED_EXT_GENERATION_H
#define VRT_SCHED_EXT_GENERATION_H

#include "../sched.h"

struct scx_generation {
	u64 ops_flags; /* SCX_OPS_* that there are */
	/* scx_bpf_select_cpu_dfl() also from ops.enqueue() and where no rq is locked */
	bool select_cpu_anywhere;
	/* the built-in choice of an idle CPU looks near the previous one first */
	bool select_cpu_near;
	/* some bits of enq_flags are elsewhere than in the core */
	bool enq_flags_moved;
};

extern const struct scx_generation scx_generations[NR_GENERATIONS];

/* Of the kernel that runs. */
static inline const struct scx_generation *scx_generation(void)
{
	return &scx_generations[kernel.config.generation];
}

/* ENQUEUE_HEAD to ENQUEUE_INITIAL, and ENQUEUE_RQ_SELECTED; how far they have moved since 6.12 */
#define SCX_ENQ_QUEUE_BITS 0xf0ULL
#define SCX_ENQ_QUEUE_SHIFT 12
#define SCX_ENQ_SELECTED_BIT 0x400ULL
#define SCX_ENQ_SELECTED_SHIFT 10

/*
 * Flags as the core has them, which are those of 6.12 (kernel/ext.h), into what programs
 * know, and back.
 */
static inline u64 scx_enq_flags_to_bpf(u64 enq_flags)
{
	if (!scx_generation()->enq_flags_moved)
		return enq_flags;
	return (enq_flags & ~(SCX_ENQ_QUEUE_BITS | SCX_ENQ_SELECTED_BIT)) |
	       (enq_flags & SCX_ENQ_QUEUE_BITS) << SCX_ENQ_QUEUE_SHIFT |
	       (enq_flags & SCX_ENQ_SELECTED_BIT) << SCX_ENQ_SELECTED_SHIFT;
}

static inline u64 scx_enq_flags_from_bpf(u64 enq_flags)
{
	const u64 moved = SCX_ENQ_QUEUE_BITS << SCX_ENQ_QUEUE_SHIFT |
			  SCX_ENQ_SELECTED_BIT << SCX_ENQ_SELECTED_SHIFT;

	if (!scx_generation()->enq_flags_moved)
		return enq_flags;
	/* what has the core's bits here means something that only the core sets */
	return (enq_flags & ~(moved | SCX_ENQ_QUEUE_BITS | SCX_ENQ_SELECTED_BIT)) |
	       (enq_flags >> SCX_ENQ_QUEUE_SHIFT & SCX_ENQ_QUEUE_BITS) |
	       (enq_flags >> SCX_ENQ_SELECTED_SHIFT & SCX_ENQ_SELECTED_BIT);
}

#endif
