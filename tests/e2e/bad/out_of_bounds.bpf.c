// SPDX-License-Identifier: GPL-2.0-only
/* Reads past the end of a map value, at an offset that nobody has looked at. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64[2]);
} counts SEC(".maps");

volatile u32 which = 5;
volatile u64 sum;

static __always_inline void read_past_the_end(void)
{
	u32 key = 0;
	u64 *value = bpf_map_lookup_elem(&counts, &key);

	if (value)
		sum += value[which];
}

#define BAD_ENQUEUE                                                                                \
	do {                                                                                       \
		read_past_the_end();                                                               \
		dsq_insert(p, BAD_DSQ, SCX_SLICE_DFL, enq_flags);                                  \
	} while (0)
#include "common.h"
