// SPDX-License-Identifier: GPL-2.0-only
/* Writes a field of a task that programs may only read. */
#include <vmlinux.h>

static inline __attribute__((always_inline)) void rename(struct task_struct *p)
{
	p->pid = 1;
}

#define BAD_ENQUEUE                                                                                \
	do {                                                                                       \
		rename(p);                                                                         \
		dsq_insert(p, BAD_DSQ, SCX_SLICE_DFL, enq_flags);                                  \
	} while (0)
#include "common.h"
