// SPDX-License-Identifier: GPL-2.0-only
/* A misspelt section beside a scheduler that works. */
#include "common.h"

SEC("fenrty/do_exit")
int look(void *ctx)
{
	return 0;
}
