// SPDX-License-Identifier: GPL-2.0-only
/* Writes a field of a task that programs may only read. */
#define BAD_ENQUEUE                                                                                \
	do {                                                                                       \
		p->pid = 1;                                                                        \
		dsq_insert(p, BAD_DSQ, SCX_SLICE_DFL, enq_flags);                                  \
	} while (0)
#include "common.h"
