// SPDX-License-Identifier: GPL-2.0-only
/* Uses what a lookup found without asking whether it did. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64);
} counts SEC(".maps");

static inline __attribute__((always_inline)) void count(u32 pid)
{
	u64 *n = bpf_map_lookup_elem(&counts, &pid);

	*n += 1;
}

#define BAD_ENQUEUE                                                                                \
	do {                                                                                       \
		if (p->prio > 100)                                                                 \
			count(p->pid);                                                             \
		dsq_insert(p, BAD_DSQ, SCX_SLICE_DFL, enq_flags);                                  \
	} while (0)
#include "common.h"
