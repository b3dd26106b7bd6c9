// SPDX-License-Identifier: GPL-2.0-only
/*
 * Edit distance with insertions, deletions, substitutions and swaps of
 * neighbours (optimal string alignment), on three rows of the table.
 */
#include <string.h>

#include "suggest.h"

#define MAX_WORD 64

static u32 edit_distance(const char *a, size_t na, const char *b, size_t nb)
{
	u32 row[3][MAX_WORD + 1], *before = row[0], *prev = row[1], *cur = row[2], *spare;

	for (size_t j = 0; j <= nb; j++)
		prev[j] = j;
	for (size_t i = 1; i <= na; i++) {
		cur[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			u32 best = prev[j - 1] + (a[i - 1] != b[j - 1]);

			best = min(best, prev[j] + 1);
			best = min(best, cur[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = min(best, before[j - 2] + 1);
			cur[j] = best;
		}
		spare = before;
		before = prev;
		prev = cur;
		cur = spare;
	}
	return prev[nb];
}

void suggest_try(struct suggest *s, const char *name)
{
	size_t nw = strlen(s->word), nn = strlen(name);
	u32 distance;

	if (nw > MAX_WORD || nn > MAX_WORD)
		return;
	distance = edit_distance(s->word, nw, name, nn);
	/* A third of the word may be wrong, but never all of it. */
	if (distance > (nw + 2) / 3 || distance >= nw)
		return;
	if (!s->best || distance < s->distance) {
		s->best = name;
		s->distance = distance;
	}
}
