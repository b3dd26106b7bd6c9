/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "Did you mean ...?": the nearest of a number of names to a mistyped word.
 *
 *	struct suggest s = { .word = word };
 *	for each name: suggest_try(&s, name);
 *	if (s.best) ...
 */
#ifndef VRT_BASE_SUGGEST_H
#define VRT_BASE_SUGGEST_H

#include "util.h"

struct suggest {
	const char *word;
	const char *best; /* NULL while no name is near; the first one among equals */
	u32 distance;
};

/* @name must live as long as @s. Words over 64 bytes are near to nothing. */
void suggest_try(struct suggest *s, const char *name);

#endif
