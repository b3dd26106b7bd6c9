// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the user sets before load: "path=value", where the value is an integer,
 * a bool, names of enumerators joined with '|', or the text of a char array.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "internal.h"

/* --- which are set ---------------------------------------------------------- */

void settle_variable(struct loader *l, const char *name, size_t len)
{
	char *copy = xcalloc(1, len + 1);

	memcpy(copy, name, len);
	l->settled = xreallocarray(l->settled, l->nr_settled + 1, sizeof(*l->settled));
	l->settled[l->nr_settled++] = copy;
}

bool is_settled(const struct loader *l, const char *name)
{
	for (u32 i = 0; i < l->nr_settled; i++)
		if (!strcmp(l->settled[i], name))
			return true;
	return false;
}

static size_t root_length(const char *setting)
{
	return strcspn(setting, ".[=");
}

bool is_struct_ops_setting(const struct loader *l, const char *setting)
{
	size_t len = root_length(setting);
	struct bpf_map *map;

	bpf_object__for_each_map(map, l->obj)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS &&
		    strlen(bpf_map__name(map)) == len && !memcmp(bpf_map__name(map), setting, len))
			return true;
	return false;
}

/* --- values ----------------------------------------------------------------- */

struct value {
	const struct loader *l;
	const struct variable *var;
	const char *path; /* for messages */
	char *err;
	size_t err_size;
};

bool enumerator_value(const struct btf *btf, const struct btf_type *t, const char *name, u64 *value,
		      struct suggest *near)
{
	for (u32 i = 0; i < btf_vlen(t); i++) {
		u32 name_off = btf_is_enum(t) ? btf_enum(t)[i].name_off : btf_enum64(t)[i].name_off;
		const char *n = btf__name_by_offset(btf, name_off);

		if (near)
			suggest_try(near, n);
		if (strcmp(n, name))
			continue;
		if (btf_is_enum64(t))
			*value = btf_enum64_value(&btf_enum64(t)[i]);
		else
			*value = btf_kflag(t) ? (u64)btf_enum(t)[i].val : (u32)btf_enum(t)[i].val;
		return true;
	}
	return false;
}

/* An integer is often meant to hold an enumerator, whatever its type is called. */
static bool object_enumerator(const struct loader *l, const char *name, u64 *value)
{
	for (u32 id = 1; id < btf__type_cnt(l->btf); id++) {
		const struct btf_type *t = btf__type_by_id(l->btf, id);

		if (btf_is_any_enum(t) && enumerator_value(l->btf, t, name, value, NULL))
			return true;
	}
	return false;
}

/* An enumerator of the variable's own type, or one of the object's or the kernel's. */
static bool parse_name(const struct value *v, const char *word, u64 *value)
{
	const struct btf_type *t = btf__type_by_id(v->l->btf, v->var->type_id);
	struct suggest near = { .word = word };

	if (btf_is_any_enum(t) && enumerator_value(v->l->btf, t, word, value, &near))
		return true;
	if (!btf_is_any_enum(t) && object_enumerator(v->l, word, value))
		return true;
	if (kernel_enumerator(v->l, word, value))
		return true;
	if (near.best)
		vrt_error(v->err, v->err_size, 0, "'%s' is no value of %s; did you mean %s?", word,
			  v->path, near.best);
	else
		vrt_error(v->err, v->err_size, 0, "'%s' is no number and no enumerator known here; %s needs %s",
			  word, v->path, btf_is_any_enum(t) ? "one of its enumerators" : "an integer");
	return false;
}

/* @negative: the value is below zero and @value holds its two's complement. */
static bool parse_word(const struct value *v, const char *word, u64 *value, bool *negative)
{
	const char *digits = word + (*word == '-' || *word == '+');
	char *end;

	*negative = false;
	if (!isdigit((unsigned char)*digits))
		return parse_name(v, word, value);
	errno = 0;
	*value = strtoull(digits, &end, 0);
	if (*end) {
		vrt_error(v->err, v->err_size, 0, "'%s' is no integer; %s takes decimal or 0x... numbers",
			  word, v->path);
		return false;
	}
	*negative = *word == '-' && *value;
	if (errno || (*negative && *value > 1ULL << 63)) {
		vrt_error(v->err, v->err_size, 0, "%s does not fit into 64 bits", word);
		return false;
	}
	if (*negative)
		*value = -*value;
	return true;
}

static bool check_range(const struct value *v, const char *text, u64 value, bool negative)
{
	u32 bits = v->var->bit_size ? v->var->bit_size : v->var->size * 8;
	u64 umax = ~0ULL >> (64 - bits);
	s64 smax = (s64)(umax >> 1);

	if (!is_signed(v->l->btf, v->var)) {
		if (!negative && value <= umax)
			return true;
		vrt_error(v->err, v->err_size, 0, "%s does not fit: %s holds 0 to %llu", text, v->path,
			  (unsigned long long)umax);
		return false;
	}
	if (negative ? (s64)value >= -smax - 1 : value <= (u64)smax)
		return true;
	vrt_error(v->err, v->err_size, 0, "%s does not fit: %s holds %lld to %lld", text, v->path,
		  (long long)(-smax - 1), (long long)smax);
	return false;
}

static bool parse_integer(const struct value *v, const char *text, u64 *value)
{
	char *copy = xstrdup(text), *rest = copy, *word;
	bool negative = false, ok = true;
	u32 words = 0;
	u64 part;

	*value = 0;
	while (ok && (word = strsep(&rest, "|"))) {
		ok = parse_word(v, word, &part, &negative);
		if (ok && negative && (words || rest)) {
			vrt_error(v->err, v->err_size, 0, "'%s': negative numbers cannot be combined with '|'",
				  text);
			ok = false;
		}
		*value |= ok ? part : 0;
		words++;
	}
	free(copy);
	return ok && check_range(v, text, *value, negative);
}

static bool parse_bool(const struct value *v, const char *text, u64 *value)
{
	static const char *const words[][2] = {
		{ "0", "1" }, { "false", "true" }, { "no", "yes" }, { "off", "on" }, { "n", "y" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
		for (*value = 0; *value < 2; ++*value)
			if (!strcmp(text, words[i][*value]))
				return true;
	}
	vrt_error(v->err, v->err_size, 0, "'%s' is no truth value; %s takes true or false", text, v->path);
	return false;
}

static bool is_bool(const struct value *v)
{
	const struct btf_type *t = btf__type_by_id(v->l->btf, v->var->type_id);

	return btf_is_int(t) && btf_int_encoding(t) & BTF_INT_BOOL;
}

static bool is_text(const struct value *v)
{
	const struct btf_type *t = btf__type_by_id(v->l->btf, v->var->type_id), *elem;

	if (!btf_is_array(t))
		return false;
	elem = plain_type(v->l->btf, btf_array(t)->type, NULL);
	return elem && btf_is_int(elem) && elem->size == 1;
}

static bool store_text(const struct value *v, const char *text, char *data)
{
	size_t len = strlen(text);

	if (len >= v->var->size) {
		vrt_error(v->err, v->err_size, 0, "'%s' is too long: %s holds %u characters", text, v->path,
			  v->var->size ? v->var->size - 1 : 0);
		return false;
	}
	memset(data, 0, v->var->size);
	memcpy(data, text, len);
	return true;
}

static void refuse(const struct value *v)
{
	const struct btf_type *t = btf__type_by_id(v->l->btf, v->var->type_id);

	if (btf_is_composite(t))
		vrt_error(v->err, v->err_size, 0, "%s is a struct; set its fields: '%s.%s=...'", v->path,
			  v->path,
			  btf_vlen(t) ? btf__name_by_offset(v->l->btf, btf_members(t)->name_off) : "");
	else if (btf_is_array(t))
		vrt_error(v->err, v->err_size, 0, "%s is an array; set its elements: '%s[0]=...'", v->path,
			  v->path);
	else if (btf_is_ptr(t) && bpf_map__type(v->var->map) == BPF_MAP_TYPE_STRUCT_OPS)
		vrt_error(v->err, v->err_size, 0, "%s is an operation, which is a program, not a value",
			  v->path);
	else
		vrt_error(v->err, v->err_size, 0,
			  "%s is neither an integer nor text, and nothing else can be set", v->path);
}

static bool store(const struct value *v, const char *text, void *data)
{
	u64 value;

	if (is_text(v))
		return store_text(v, text, data);
	if (!is_integer(v->l->btf, v->var)) {
		refuse(v);
		return false;
	}
	if (!(is_bool(v) ? parse_bool(v, text, &value) : parse_integer(v, text, &value)))
		return false;
	put_integer(v->var, data, (s64)value);
	return true;
}

enum loader_status apply_setting(struct loader *l, const char *setting,
				 struct loader_error *error)
{
	const char *text = strchr(setting, '=');
	char why[512] = "", *path;
	struct variable var;
	struct value v = { .l = l, .var = &var, .err = why, .err_size = sizeof(why) };
	void *data;
	bool ok;

	if (!text || text == setting)
		return loader_fail(error, LOADER_ERR_USAGE,
				   "--set %s: expected VAR=VALUE, for instance slice_ns=5000000", setting);
	path = xcalloc(1, (size_t)(text - setting) + 1);
	memcpy(path, setting, (size_t)(text - setting));
	v.path = path;
	ok = find_path(l, path, &var, why, sizeof(why));
	data = ok ? variable_data(&var) : NULL;
	if (ok && !data) {
		vrt_error(why, sizeof(why), 0, "the object's BTF places %s outside of its section", path);
		ok = false;
	}
	ok = ok && store(&v, text + 1, data);
	free(path);
	if (!ok)
		return loader_fail(error, LOADER_ERR_USAGE, "--set %s: %s (in %s)", setting, why, l->path);
	settle_variable(l, setting, root_length(setting));
	return LOADER_OK;
}
