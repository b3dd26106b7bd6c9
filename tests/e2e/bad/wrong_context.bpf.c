// SPDX-License-Identifier: GPL-2.0-only
/* Consumes a queue from ops.enqueue(), where that is not allowed. */
#define BAD_ENQUEUE                                                                                \
	do {                                                                                       \
		dsq_insert(p, BAD_DSQ, SCX_SLICE_DFL, enq_flags);                                  \
		dsq_move_to_local(BAD_DSQ);                                                        \
	} while (0)
#include "common.h"
