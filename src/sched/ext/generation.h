/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How sched_ext differs between the generations of Linux, beyond the names that
 * programs find (src/bpf/generation.h). docs/generations.md has the whole list.
 */
#ifndef VRT_SCHED_EXT_GENERATION_H
#define VRT_SCHED_EXT_GENERATION_H

#include "../../bpf/generation.h"

struct scx_generation {
	u64 ops_flags; /* SCX_OPS_* that there are */
	/* scx_bpf_select_cpu_dfl() also from ops.enqueue() and where no rq is locked */
	bool select_cpu_anywhere;
	/* the built-in choice of an idle CPU looks near the previous one first */
	bool select_cpu_near;
	/* bits of enq_flags that are elsewhere than in the core: by how much to shift them */
	u32 enq_queue_shift, enq_selected_shift;
};

/* Of the kernel that runs. */
const struct scx_generation *scx_generation(void);

/* Flags as the core has them into what programs know, and back. */
u64 scx_enq_flags_to_bpf(u64 enq_flags);
u64 scx_enq_flags_from_bpf(u64 enq_flags);

#endif
