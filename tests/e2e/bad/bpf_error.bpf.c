// SPDX-License-Identifier: GPL-2.0-only
/* Throws itself out with a message of its own. */
#define BAD_ENQUEUE                                                                                \
	do {                                                                                       \
		static char fmt[] = "task %d has had enough of cpu %d";                            \
		unsigned long long args[2] = { p->pid, 7 };                                        \
                                                                                                   \
		dsq_insert(p, BAD_DSQ, SCX_SLICE_DFL, enq_flags);                                  \
		scx_bpf_error_bstr(fmt, args, sizeof(args));                                       \
	} while (0)
#include "common.h"
