/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading and writing JSON objects by path. */
#ifndef VRT_CLI_JSON_H
#define VRT_CLI_JSON_H

#include <json-c/json.h>

#include "../base/util.h"

static inline void json_add_u64(struct json_object *obj, const char *name, u64 value)
{
	json_object_object_add(obj, name, json_object_new_uint64(value));
}

static inline void json_add_string(struct json_object *obj, const char *name, const char *value)
{
	json_object_object_add(obj, name, value ? json_object_new_string(value) : NULL);
}

/* The value at "a.b.c"; NULL when it, or something on the way, is missing or null. */
struct json_object *json_at(struct json_object *obj, const char *path);
/* false when it is missing; @value is then 0. */
bool json_u64_at(struct json_object *obj, const char *path, u64 *value);
/* "" when it is missing. */
const char *json_string_at(struct json_object *obj, const char *path);

#endif
