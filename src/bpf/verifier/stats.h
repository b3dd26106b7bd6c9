/* SPDX-License-Identifier: GPL-2.0-only */
/* What the verification of a program took. */
#ifndef VRT_BPF_VERIFIER_STATS_H
#define VRT_BPF_VERIFIER_STATS_H

#include "../../base/util.h"

struct bpf_verifier_stats {
	u32 insns; /* looked at, over all paths */
	u32 max_states_per_insn, total_states, peak_states, longest_mark_read_walk;
	u64 time_ns; /* of the host */
	u64 peak_memory; /* bytes, of all states at a time */
	u32 stack_depth; /* of the main program */
};

#endif
