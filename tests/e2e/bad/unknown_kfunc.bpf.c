// SPDX-License-Identifier: GPL-2.0-only
/* Calls a kfunc that no kernel has. */
#define BAD_ENQUEUE scx_bpf_dispach_to_the_moon(p)
struct task_struct;
extern void scx_bpf_dispach_to_the_moon(struct task_struct *p)
	__attribute__((section(".ksyms")));
#include "common.h"
