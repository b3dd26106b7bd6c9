// SPDX-License-Identifier: GPL-2.0-only
/* A loop of which nobody can tell that it ends. */
#define BAD_ENQUEUE                                                                                \
	do {                                                                                       \
		while (waits)                                                                      \
			;                                                                          \
		dsq_insert(p, BAD_DSQ, SCX_SLICE_DFL, enq_flags);                                  \
	} while (0)
static volatile int waits = 1;
#include "common.h"
