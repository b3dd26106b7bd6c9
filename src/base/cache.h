/* SPDX-License-Identifier: GPL-2.0-only */
/* Where things are kept that can be made again. */
#ifndef VRT_BASE_CACHE_H
#define VRT_BASE_CACHE_H

#include "util.h"

/*
 * A directory of ours that can be written to, made if missing: vruntime/@sub below
 * $XDG_CACHE_HOME or ~/.cache; @sub "" is the directory itself. NULL when there
 * can be none. To be freed.
 */
char *cache_directory(const char *sub);

#endif
