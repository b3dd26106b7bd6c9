// SPDX-License-Identifier: GPL-2.0-only
/* Calls one implementation of dispatch by its own name, which is for the kernel to choose. */
#include <vrt/scx.bpf.h>

bool scx_bpf_dispatch_direct(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym;

#define BAD_ENQUEUE scx_bpf_dispatch_direct(p, BAD_DSQ, SCX_SLICE_DFL, enq_flags)
#include "common.h"
