// SPDX-License-Identifier: GPL-2.0-only
/* Loses every tenth task: it is never dispatched. The watchdog must notice. */
#define BAD_TIMEOUT_MS 500
#define BAD_ENQUEUE                                                                                \
	do {                                                                                       \
		if (++nr_enqueued % 10)                                                            \
			dsq_insert(p, BAD_DSQ, SCX_SLICE_DFL, enq_flags);                          \
	} while (0)
static unsigned long long nr_enqueued;
#include "common.h"
