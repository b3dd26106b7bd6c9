// SPDX-License-Identifier: GPL-2.0-only
/* Does not come back from ops.enqueue(). */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include "endless.h"

#define BAD_ENQUEUE                                                                                \
	do {                                                                                       \
		run_endlessly();                                                                   \
		dsq_insert(p, BAD_DSQ, SCX_SLICE_DFL, enq_flags);                                  \
	} while (0)
#include "common.h"
