// SPDX-License-Identifier: GPL-2.0-only
/* Did a scheduler's runs in several places let the tasks run in the same order? */
#include <stdio.h>
#include <string.h>

#include "../base/strbuf.h"
#include "cmdline.h"
#include "json.h"
#include "run.h"
#include "table.h"

/* More than one window can cut off at its ends. */
#define ORDER_SLACK 2

static const char *name_at(struct json_object *order, size_t i)
{
	return i < json_object_array_length(order)
		       ? json_object_get_string(json_object_array_get_idx(order, i))
		       : "nobody";
}

/* "sim", or "vm with Linux 6.12" when that is not clear. */
static void place(struct json_object *run, char *buf, size_t size)
{
	bool simulated = !strcmp(json_string_at(run, "on"), "sim");

	snprintf(buf, size, "%s%s%s", json_string_at(run, "on"), simulated ? "" : " with Linux ",
		 simulated ? "" : json_string_at(run, "kernel"));
}

static void compare(struct json_object *first, struct json_object *second)
{
	struct json_object *a = json_at(first, "order"), *b = json_at(second, "order");
	size_t nr_a = json_object_array_length(a), nr_b = json_object_array_length(b), i = 0;
	char here[160], there[160];
	struct strbuf text = {};

	while (i < nr_a && i < nr_b && !strcmp(name_at(a, i), name_at(b, i)))
		i++;
	place(first, here, sizeof(here));
	place(second, there, sizeof(there));
	strbuf_printf(&text, "switch order of %s on %s and %s: ", 
		      json_string_at(first, "scheduler"), here, there);
	if (nr_a == nr_b && i == nr_a)
		strbuf_printf(&text, "equal, %zu switches", i);
	else if (max(nr_a, nr_b) - i <= ORDER_SLACK && (i == nr_a || i == nr_b))
		strbuf_printf(&text, "equal, %zu switches; one has %zu more", i,
			      max(nr_a, nr_b) - i);
	else
		strbuf_printf(&text, "differs after %zu equal switches: %s on %s, %s on %s", i,
			      name_at(a, i), here, name_at(b, i), there);
	print_wrapped(stdout, strbuf_str(&text), 0, 4, TABLE_WIDTH);
	strbuf_free(&text);
}

void report_orders(struct json_object *runs)
{
	size_t nr = json_object_array_length(runs);

	for (size_t i = 1; i < nr; i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);

		for (size_t k = 0; k < i; k++) {
			struct json_object *before = json_object_array_get_idx(runs, k);

			if (strcmp(json_string_at(before, "scheduler"),
				   json_string_at(run, "scheduler")) ||
			    !json_at(before, "order") || !json_at(run, "order") ||
			    !strcmp(json_string_at(before, "kernel"), json_string_at(run, "kernel")))
				continue;
			compare(before, run);
			break;
		}
	}
}
