// SPDX-License-Identifier: GPL-2.0-only
/* Works twice, then reads where nothing is. */
#define BAD_RUN (run->seq < 2 ? 0 : *(volatile int *)0xdead000)
#include "periodic.h"
