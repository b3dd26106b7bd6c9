/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs on a real kernel, through the agent (src/vm). */
#ifndef VRT_CLI_GUEST_H
#define VRT_CLI_GUEST_H

#include "run.h"

/* Where the agent is: VRT_AGENT, beside the build, or as installed. Malloc'd. */
char *guest_agent_path(void);

#endif
