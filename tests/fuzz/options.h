/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options with a number, as the fuzzers' command lines have them.
 */
#ifndef VRT_FUZZ_OPTIONS_H
#define VRT_FUZZ_OPTIONS_H

#include <stdlib.h>
#include <string.h>

#include "../../src/base/util.h"

struct fuzz_number {
	const char *name;
	u64 *value;
};

/* Was @arg one of them, with @value (NULL: there is none) behind it? */
static inline bool fuzz_number_option(const struct fuzz_number *options, u32 nr, const char *arg,
				      const char *value)
{
	for (u32 i = 0; i < nr; i++) {
		if (strcmp(arg, options[i].name) || !value)
			continue;
		*options[i].value = strtoull(value, NULL, 0);
		return true;
	}
	return false;
}

#endif
