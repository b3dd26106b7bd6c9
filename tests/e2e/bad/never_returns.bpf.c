// SPDX-License-Identifier: GPL-2.0-only
/* Loops for ever in ops.enqueue(). */
#define BAD_ENQUEUE                                                                                \
	do {                                                                                       \
		while (forever)                                                                    \
			spins++;                                                                   \
		dsq_insert(p, BAD_DSQ, SCX_SLICE_DFL, enq_flags);                                  \
	} while (0)
static volatile unsigned long long spins;
static volatile int forever = 1;
#include "common.h"
