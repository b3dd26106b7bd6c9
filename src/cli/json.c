// SPDX-License-Identifier: GPL-2.0-only
/* Reading JSON objects by path. */
#include "json.h"

#include <stdio.h>
#include <string.h>

struct json_object *json_at(struct json_object *obj, const char *path)
{
	char name[64];

	while (obj && *path) {
		size_t len = strcspn(path, ".");

		VRT_ASSERT(len < sizeof(name));
		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		if (!json_object_is_type(obj, json_type_object) ||
		    !json_object_object_get_ex(obj, name, &obj))
			return NULL;
		path += len + (path[len] == '.');
	}
	return obj;
}

bool json_u64_at(struct json_object *obj, const char *path, u64 *value)
{
	struct json_object *found = json_at(obj, path);

	*value = found ? json_object_get_uint64(found) : 0;
	return found != NULL;
}

const char *json_string_at(struct json_object *obj, const char *path)
{
	struct json_object *found = json_at(obj, path);
	const char *text = found ? json_object_get_string(found) : NULL;

	return text ? text : "";
}
