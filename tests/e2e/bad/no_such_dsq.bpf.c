// SPDX-License-Identifier: GPL-2.0-only
/* Dispatches to a queue that it never made. */
#define BAD_ENQUEUE dsq_insert(p, 0xdeadbeef, SCX_SLICE_DFL, enq_flags)
#include "common.h"
