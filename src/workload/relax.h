/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the JSON that people write for rt-app to strict JSON: what rt-app's
 * workgen does with a file before rt-app sees it, on the grammar instead of on
 * lines. Comments and trailing commas go; a repeated key gets the first free
 * number ("run", "run" becomes "run", "run1"), so that order is kept; a bare
 * "suspend" gets its task's name as value, a bare "yield" an empty one.
 *
 * The syntax is checked on the way: errors are "name:line:column: message".
 */
#ifndef VRT_WORKLOAD_RELAX_H
#define VRT_WORKLOAD_RELAX_H

#include "../base/strbuf.h"

#define RELAX_MAX_DEPTH 32
#define RELAX_MAX_KEY 128 /* bytes, as written */

/* Both count from 1; a column is a byte. */
struct relax_place {
	u32 line, column;
};

struct relaxed {
	struct strbuf text; /* strict JSON */
	/*
	 * One per value, in the order of a walk that visits a container before
	 * its content: where the key is, or the value itself if it has none.
	 */
	struct relax_place *places;
	u32 nr_places;
};

/* 0, or -EINVAL with a message. @out is to be freed in both cases. */
int relax(const char *name, const char *text, size_t len, struct relaxed *out, char *err,
	  size_t err_size);
void relaxed_free(struct relaxed *r);

#endif
