// SPDX-License-Identifier: GPL-2.0-only
/* ops.init() says no: the attach succeeds, and the exit tells why it ended. */
#define BAD_INIT -12
#include "common.h"
