// SPDX-License-Identifier: GPL-2.0-only
/* What happens during a run besides its workload (--at), and the account of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../../base/alloc.h"
#include "../run.h"
#include "guest.h"

static struct {
	struct guest_action *list; /* by time */
	size_t nr, next;
	struct json_object *timeline;
} actions;

/* --- the list ------------------------------------------------------------------------ */

static const char *string_at(struct json_object *obj, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(obj, key, &value) ? json_object_get_string(value) : "";
}

static u64 number_at(struct json_object *obj, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(obj, key, &value) ? json_object_get_uint64(value) : 0;
}

void actions_open(struct json_object *settings)
{
	struct json_object *list;

	actions.timeline = json_object_new_array();
	if (!json_object_object_get_ex(settings, RUN_KEY_ACTIONS, &list))
		return;
	actions.nr = json_object_array_length(list);
	actions.list = xcalloc(actions.nr + 1, sizeof(*actions.list));
	for (size_t i = 0; i < actions.nr; i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);

		actions.list[i] = (struct guest_action){
			.at = number_at(entry, "at_ns"),
			.what = string_at(entry, "what"),
			.value = string_at(entry, "value"),
			.text = string_at(entry, "action"),
		};
	}
}

const struct guest_action *actions_next(void)
{
	return actions.next < actions.nr ? &actions.list[actions.next] : NULL;
}

void actions_done(u64 time, const char *error, const char *text)
{
	actions_note(time, actions.list[actions.next++].text, error, text);
}

/* --- the account --------------------------------------------------------------------- */

static struct json_object *text_or_null(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

void actions_note(u64 time, const char *what, const char *error, const char *text)
{
	struct json_object *entry = json_object_new_object();

	json_object_object_add(entry, "time_ns", json_object_new_uint64(time));
	json_object_object_add(entry, "action", json_object_new_string(what));
	json_object_object_add(entry, "error", text_or_null(error));
	json_object_object_add(entry, "text", text_or_null(text));
	json_object_array_add(actions.timeline, entry);
}

struct json_object *actions_timeline(void)
{
	return actions.timeline;
}

/* --- CPUs ---------------------------------------------------------------------------- */

int actions_set_online(u32 cpu, bool online)
{
	char path[64];
	int fd, err = 0;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, online ? "1" : "0", 1) != 1)
		err = -errno;
	close(fd);
	return err;
}

void actions_restore(void)
{
	u32 nr_cpus = (u32)sysconf(_SC_NPROCESSORS_CONF);

	for (u32 i = 0; i < nr_cpus; i++)
		actions_set_online(i, true);
}
