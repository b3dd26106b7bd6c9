// SPDX-License-Identifier: GPL-2.0-only
/* Dispatches the task at hand twice. */
#define BAD_ENQUEUE                                                                                \
	do {                                                                                       \
		dsq_insert(p, BAD_DSQ, SCX_SLICE_DFL, enq_flags);                                  \
		dsq_insert(p, BAD_DSQ, SCX_SLICE_DFL, enq_flags);                                  \
	} while (0)
#include "common.h"
