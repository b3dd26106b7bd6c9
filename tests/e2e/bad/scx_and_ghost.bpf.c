// SPDX-License-Identifier: GPL-2.0-only
/* A sched_ext scheduler that wants to be a ghOSt scheduler, too. */
#include "common.h"

SEC("ghost_sched/pnt")
int pick(void *ctx)
{
	return 0;
}

SEC("ghost_msg/msg_send")
int hear(void *ctx)
{
	return 1;
}
