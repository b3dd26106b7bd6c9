// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control groups of a run, in cgroup v2: made before anything runs, measured and
 * removed when it is over.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/file.h"
#include "../../sched/cgroup/cgroup.h"
#include "../run.h"
#include "guest.h"

#define MOUNT GUEST_DIR "/cgroup"
#define PERIODIC_CGROUP "/bpf" /* as on the simulated machine */

/* The parts of the run's "cgroups". */
static struct json_object *groups;

static u64 number(struct json_object *obj, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(obj, key, &value) ? json_object_get_uint64(value) : 0;
}

static const char *path_of(struct json_object *group)
{
	return json_object_get_string(json_object_object_get(group, "path"));
}

/* "0" becomes -errno. The path of @file in the group whose path has @len characters. */
static int write_to(const char *group, size_t len, const char *file, const char *text)
{
	struct strbuf path = {};
	FILE *f;
	int err = 0;

	strbuf_printf(&path, MOUNT "%.*s/%s", (int)len, group, file);
	f = fopen(strbuf_str(&path), "we");
	if (!f || fputs(text, f) < 0)
		err = -errno;
	if (f && fclose(f) && !err)
		err = -errno;
	strbuf_free(&path);
	return err;
}

/* All on the way, each of which gives its controllers to the next. */
static int make_path(const char *group)
{
	const char *end = group;
	int err = 0;

	while (!err && *end) {
		struct strbuf path = {};

		err = write_to(group, (size_t)(end - group), "cgroup.subtree_control", "+cpu");
		end += 1 + strcspn(end + 1, "/");
		strbuf_printf(&path, MOUNT "%.*s", (int)(end - group), group);
		if (!err && mkdir(strbuf_str(&path), 0755) && errno != EEXIST)
			err = -errno;
		strbuf_free(&path);
	}
	return err;
}

static int make_group(struct json_object *group)
{
	const char *path = path_of(group);
	u64 weight = number(group, "weight"), quota = number(group, "quota_ns");
	u64 period = number(group, "period_ns");
	char text[64];
	int err = make_path(path);

	if (!err && weight) {
		snprintf(text, sizeof(text), "%llu", weight);
		err = write_to(path, strlen(path), "cpu.weight", text);
	}
	if (!err && period && quota) {
		snprintf(text, sizeof(text), "%llu %llu", quota / NSEC_PER_USEC,
			 period / NSEC_PER_USEC);
		err = write_to(path, strlen(path), "cpu.max", text);
	}
	return err;
}

int cgroups_mount(void)
{
	mkdir(MOUNT, 0755);
	if (mount("cgroup2", MOUNT, "cgroup2", 0, NULL) && errno != EBUSY)
		return -errno;
	/* for tables with a quota, and for SEC("periodic/...") */
	return make_path(PERIODIC_CGROUP);
}

int cgroups_make(struct json_object *settings, char *err, size_t err_size)
{
	int ret = 0;

	if (json_object_object_get_ex(settings, RUN_KEY_CGROUPS, &groups) &&
	    json_object_array_length(groups))
		ret = cgroups_mount();
	if (ret)
		snprintf(err, err_size, "the guest's kernel has no cgroup v2: %s", strerror(-ret));
	for (size_t i = 0; groups && !ret && i < json_object_array_length(groups); i++) {
		struct json_object *group = json_object_array_get_idx(groups, i);

		ret = make_group(group);
		if (ret)
			snprintf(err, err_size, "--cgroup: '%s': cannot be made: %s", path_of(group),
				 strerror(-ret));
	}
	return ret;
}

int cgroups_move(const char *group, pid_t pid)
{
	char text[32];

	snprintf(text, sizeof(text), "%d", pid);
	return write_to(group, strlen(group), "cgroup.procs", text);
}

/* --- figures -------------------------------------------------------------------------- */

static u64 stat_of(const char *text, const char *key)
{
	const char *line = text;

	while (line && (strncmp(line, key, strlen(key)) || line[strlen(key)] != ' ')) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return line ? strtoull(line + strlen(key), NULL, 10) : 0;
}

static void read_stat(const char *group, struct strbuf *text)
{
	struct strbuf path = {};

	strbuf_printf(&path, MOUNT "%s/cpu.stat", group);
	file_read(strbuf_str(&path), 65536, text);
	strbuf_free(&path);
}

u64 cgroups_throttled(const char *group)
{
	struct strbuf text = {};
	u64 ns;

	read_stat(group, &text);
	ns = stat_of(strbuf_str(&text), "throttled_usec") * NSEC_PER_USEC;
	strbuf_free(&text);
	return ns;
}

static struct json_object *group_json(struct json_object *group)
{
	struct json_object *obj = json_object_new_object();
	u64 weight = number(group, "weight"), quota = number(group, "quota_ns");
	u64 period = number(group, "period_ns");
	struct strbuf text = {};
	const struct {
		const char *name, *key;
		u64 unit;
	} figures[] = {
		{ "usage_ns", "usage_usec", NSEC_PER_USEC },
		{ "nr_periods", "nr_periods", 1 },
		{ "nr_throttled", "nr_throttled", 1 },
		{ "throttled_ns", "throttled_usec", NSEC_PER_USEC },
	};

	json_object_object_add(obj, "path", json_object_new_string(path_of(group)));
	json_object_object_add(obj, "weight",
			       json_object_new_uint64(weight ? weight : CGROUP_WEIGHT_DFL));
	json_object_object_add(obj, "quota_ns",
			       quota && period ? json_object_new_uint64(quota) : NULL);
	json_object_object_add(obj, "period_ns",
			       json_object_new_uint64(period ? period : CGROUP_PERIOD_DFL));
	read_stat(path_of(group), &text);
	for (u32 i = 0; i < ARRAY_SIZE(figures); i++)
		json_object_object_add(obj, figures[i].name,
				       json_object_new_uint64(stat_of(strbuf_str(&text),
								      figures[i].key) *
							      figures[i].unit));
	strbuf_free(&text);
	return obj;
}

struct json_object *cgroups_json(void)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; groups && i < json_object_array_length(groups); i++)
		json_object_array_add(array, group_json(json_object_array_get_idx(groups, i)));
	return array;
}

/* Deepest first; who still has a task in it, or is used by another group, stays. */
void cgroups_remove(void)
{
	for (size_t i = groups ? json_object_array_length(groups) : 0; i--;) {
		const char *group = path_of(json_object_array_get_idx(groups, i));

		for (size_t len = strlen(group); len; len--) {
			struct strbuf path = {};

			if (group[len] && group[len] != '/')
				continue;
			strbuf_printf(&path, MOUNT "%.*s", (int)len, group);
			rmdir(strbuf_str(&path));
			strbuf_free(&path);
		}
	}
}
