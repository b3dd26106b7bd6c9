// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a bundle's command to options, as a command line's: but a bundle may be
 * anybody's, and so every file that it names must be one that it brings.
 */
#include "bundle.h"

#include <errno.h>
#include <string.h>

#include "../base/error.h"
#include "../workload/workload.h"
#include "json.h"

#define OBJECT_SUFFIX ".bpf.o"

struct reader {
	struct json_object *files;
	char *err;
	size_t err_size;
};

/* @len characters of @name. */
static bool brings(const struct reader *r, const char *name, size_t len)
{
	for (size_t i = 0; i < json_object_array_length(r->files); i++) {
		const char *file = json_string_at(json_object_array_get_idx(r->files, i), "name");

		if (strlen(file) == len && !strncmp(file, name, len))
			return true;
	}
	return false;
}

static int check_file(const struct reader *r, const char *name, size_t len)
{
	if (brings(r, name, len))
		return 0;
	return vrt_error(r->err, r->err_size, -EINVAL,
			 "is no good repro bundle: its command names the file '%.*s', which is not in "
			 "it",
			 (int)min(len, (size_t)80), name);
}

/* "x.bpf.o,a=1"; nothing that would be compiled, or that is found elsewhere. */
static int check_object(const struct reader *r, const char *text)
{
	const size_t suffix = strlen(OBJECT_SUFFIX);
	size_t len = strcspn(text, ",");

	if (scheduler_is_class(text))
		return 0;
	if (len <= suffix || strncmp(text + len - suffix, OBJECT_SUFFIX, suffix))
		return vrt_error(r->err, r->err_size, -EINVAL,
				 "is no good repro bundle: '%.80s' is not called like a compiled "
				 "object, NAME" OBJECT_SUFFIX,
				 text);
	return check_file(r, text, len);
}

/* TIME:swap=OBJECT; what is no good otherwise is found later */
static int check_action(const struct reader *r, const char *text)
{
	const char *what = strchr(text, ':');

	return what && !strncmp(what, ":swap=", 6) ? check_object(r, what + 6) : 0;
}

static int check_options(const struct reader *r, const struct run_options *o)
{
	const char *workload = o->workload ? workload_file(o->workload) : NULL;
	int err = 0;

	for (u32 i = 0; !err && i < o->with.nr; i++)
		err = check_object(r, o->with.items[i]);
	for (u32 i = 0; !err && i < o->at.nr; i++)
		err = check_action(r, o->at.items[i]);
	if (!err && workload)
		err = check_file(r, workload, strlen(workload));
	if (!err && o->machine && topology_is_file(o->machine))
		err = check_file(r, o->machine, strlen(o->machine));
	if (!err && o->costs)
		err = check_file(r, o->costs, strlen(o->costs));
	return err;
}

int bundle_options(struct json_object *document, struct run_options *options,
		   struct text_list *schedulers, char *err, size_t err_size)
{
	const struct reader r = { json_at(document, "files"), err, err_size };
	int ret = cmdline_read(&run_table, json_at(document, "command"), options, schedulers, err,
			       err_size);

	if (ret)
		return ret;
	if (schedulers->nr != 1)
		return vrt_error(err, err_size, -EINVAL,
				 "is no good repro bundle: its command must name one scheduler, not %u",
				 schedulers->nr);
	ret = check_object(&r, schedulers->items[0]);
	return ret ? ret : check_options(&r, options);
}
