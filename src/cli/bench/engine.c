// SPDX-License-Identifier: GPL-2.0-only
/* The engines there are; see engine.h. */
#include "engine.h"

const struct engine engines[NR_ENGINES] = {
	[ENGINE_INTERP] = { "interp", "our interpreter", interp_open, bpf_side_load,
			    bpf_side_run },
	[ENGINE_JIT] = { "jit", "our compiler", jit_open, bpf_side_load, bpf_side_run },
	[ENGINE_HOST] = { "host", "the kernel of this host", host_open, bpf_side_load,
			  bpf_side_run },
	[ENGINE_DPDK] = { "dpdk", "the compiler of DPDK's librte-bpf", dpdk_open, dpdk_load,
			  dpdk_run, .plain = true },
};
