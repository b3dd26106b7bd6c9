// SPDX-License-Identifier: GPL-2.0-only
/* Works twice, then does not come back. */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include "endless.h"

#define BAD_RUN (run->seq < 2 ? 0 : run_endlessly())
#include "periodic.h"
