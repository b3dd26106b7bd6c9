// SPDX-License-Identifier: GPL-2.0-only
/* A period of 0. */
#define BAD_PERIOD_NS 0
#include "periodic.h"
