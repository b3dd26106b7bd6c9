// SPDX-License-Identifier: GPL-2.0-only
/* Wants the built-in global queue ordered by vtime. */
#define BAD_ENQUEUE dsq_insert_vtime(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0, enq_flags)
#include "common.h"
