// SPDX-License-Identifier: GPL-2.0-only
/* Has a map of a type that does not exist. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, 9999);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64);
} odd SEC(".maps");
#include "common.h"
