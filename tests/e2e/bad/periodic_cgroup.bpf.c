// SPDX-License-Identifier: GPL-2.0-only
/* Nobody has made this cgroup. */
#define BAD_CGROUP "/no/such/group"
#include "periodic.h"
