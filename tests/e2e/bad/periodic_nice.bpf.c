// SPDX-License-Identifier: GPL-2.0-only
/* Nice levels end at 19. */
#define BAD_NICE 99
#include "periodic.h"
