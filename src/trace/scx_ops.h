/* SPDX-License-Identifier: GPL-2.0-only */
/* Names and numbers of the sched_ext ops, as TRACE_OP records have them. */
#ifndef VRT_TRACE_SCX_OPS_H
#define VRT_TRACE_SCX_OPS_H

#include "../base/util.h"

/* Members of struct sched_ext_ops that are functions, by TRACE_OP's index. */
#define NR_SCX_OPS 40
/* NULL for an index that is no op. */
const char *scx_op_name(u64 index);
/* -ENOENT for a name that no index has. */
int scx_op_index(const char *name);

#endif
