// SPDX-License-Identifier: GPL-2.0-only
#define LAST_FLAGS SCX_OPS_ENQ_LAST
#include "last.bpf.c"
