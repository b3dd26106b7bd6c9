// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds the global variables of an object, and the parts of them, by BTF; reads
 * and writes integers among them.
 *
 * The object's BTF has passed libbpf's checks, but sizes and offsets in it are
 * input still: places are compared with the map's value before they are used.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../base/error.h"
#include "internal.h"

#define MAX_MODIFIERS 32

const struct btf_type *plain_type(const struct btf *btf, u32 id, u32 *res_id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	u32 n = 0;

	/* damaged BTF may go in circles */
	while (t && (btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t))) {
		id = t->type;
		t = n++ < MAX_MODIFIERS ? btf__type_by_id(btf, id) : NULL;
	}
	if (res_id)
		*res_id = id;
	return t;
}

bool set_type(const struct btf *btf, struct variable *var, u32 type_id)
{
	s64 size = btf__resolve_size(btf, type_id);

	if (size < 0 || size > UINT32_MAX || !plain_type(btf, type_id, &var->type_id))
		return false;
	var->size = (u32)size;
	var->bit_offset = var->bit_size = 0;
	return true;
}

/* --- whole variables -------------------------------------------------------- */

bool each_in_section(const struct btf *btf, const struct bpf_map *map, variable_fn fn, void *arg)
{
	const struct btf_type *sec = btf__type_by_id(btf, bpf_map__btf_value_type_id(map)), *t;
	const struct btf_var_secinfo *info;
	const char *section;

	if (!sec || !btf_is_datasec(sec))
		return false;
	section = btf__name_by_offset(btf, sec->name_off);
	info = btf_var_secinfos(sec);
	for (u32 i = 0; i < btf_vlen(sec); i++, info++) {
		struct variable var = { .map = map, .offset = info->offset };

		t = btf__type_by_id(btf, info->type);
		if (!t || !btf_is_var(t) || btf_var(t)->linkage != BTF_VAR_GLOBAL_ALLOCATED ||
		    !set_type(btf, &var, t->type))
			continue;
		var.rodata = !strncmp(section, ".rodata", 7);
		if (fn(btf__name_by_offset(btf, t->name_off), &var, arg))
			return true;
	}
	return false;
}

void for_each_variable(const struct loader *l, variable_fn fn, void *arg)
{
	const struct bpf_map *map;

	bpf_object__for_each_map(map, l->obj)
		if (bpf_map__is_internal(map) && each_in_section(l->btf, map, fn, arg))
			return;
}

struct find {
	const char *name;
	struct variable *var;
	bool found;
};

static bool find_one(const char *name, const struct variable *var, void *arg)
{
	struct find *f = arg;

	if (strcmp(name, f->name))
		return false;
	*f->var = *var;
	return f->found = true;
}

bool find_variable(const struct loader *l, const char *name, struct variable *var)
{
	struct find f = { .name = name, .var = var };

	for_each_variable(l, find_one, &f);
	return f.found;
}

static bool find_struct_ops(const struct loader *l, const char *name, struct variable *var)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, l->obj) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS ||
		    strcmp(bpf_map__name(map), name))
			continue;
		*var = (struct variable){ .map = map };
		return set_type(l->btf, var, bpf_map__btf_value_type_id(map));
	}
	return false;
}

static bool suggest_one(const char *name, const struct variable *var, void *arg)
{
	suggest_try(arg, name);
	return false;
}

static bool is_static_variable(const struct btf *btf, const char *name)
{
	for (u32 id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (btf_is_var(t) && btf_var(t)->linkage == BTF_VAR_STATIC &&
		    !strcmp(btf__name_by_offset(btf, t->name_off), name))
			return true;
	}
	return false;
}

static bool find_root(const struct loader *l, const char *name, struct variable *var, char *err,
		      size_t err_size)
{
	struct suggest near = { .word = name };
	struct bpf_map *map;

	if (find_variable(l, name, var) || find_struct_ops(l, name, var))
		return true;
	for_each_variable(l, suggest_one, &near);
	bpf_object__for_each_map(map, l->obj)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			suggest_try(&near, bpf_map__name(map));
	if (is_static_variable(l->btf, name))
		vrt_error(err, err_size, 0, "'%s' is static, so its place is not known; remove the 'static'",
			  name);
	else if (near.best)
		vrt_error(err, err_size, 0, "the object has no global variable '%s'; did you mean '%s'?",
			  name, near.best);
	else
		vrt_error(err, err_size, 0, "the object has no global variable '%s'", name);
	return false;
}

/* --- parts ------------------------------------------------------------------ */

#define MAX_NESTING 16

bool enter_member(const struct btf *btf, struct variable *var, const struct btf_type *t, u32 i)
{
	const struct btf_member *m = btf_members(t) + i;
	u32 bits = btf_member_bit_offset(t, i), width = btf_member_bitfield_size(t, i);

	if (!set_type(btf, var, m->type))
		return false;
	if (!width && bits % 8 == 0) {
		var->offset += bits / 8;
		return true;
	}
	/* in the unit of its type that contains it */
	if (!var->size || var->size > 8)
		return false;
	var->offset += bits / 8 / var->size * var->size;
	var->bit_offset = bits % (var->size * 8);
	var->bit_size = width ? width : var->size * 8;
	return var->bit_size <= var->size * 8 - var->bit_offset;
}

/* A member of @var by its name, also within anonymous structs and unions. */
static bool find_member(const struct btf *btf, struct variable *var, const char *name, u32 nesting,
			struct suggest *near)
{
	const struct btf_type *t = btf__type_by_id(btf, var->type_id);
	const struct btf_member *m = btf_members(t);

	for (u32 i = 0; i < btf_vlen(t); i++, m++) {
		const char *member = btf__name_by_offset(btf, m->name_off);
		struct variable part = *var;

		if (*member && strcmp(member, name)) {
			suggest_try(near, member);
			continue;
		}
		if (!enter_member(btf, &part, t, i))
			continue;
		if (*member || (nesting && btf_is_composite(btf__type_by_id(btf, part.type_id)) &&
				find_member(btf, &part, name, nesting - 1, near))) {
			*var = part;
			return true;
		}
	}
	return false;
}

static bool step_member(const struct loader *l, struct variable *var, const char *whole,
			const char *name, char *err, size_t err_size)
{
	const struct btf_type *t = btf__type_by_id(l->btf, var->type_id);
	struct suggest near = { .word = name };

	if (!btf_is_composite(t)) {
		vrt_error(err, err_size, 0, "'%s' is no struct, so it has no field '%s'", whole, name);
		return false;
	}
	if (find_member(l->btf, var, name, MAX_NESTING, &near))
		return true;
	if (near.best)
		vrt_error(err, err_size, 0, "'%s' has no field '%s'; did you mean '%s'?", whole, name,
			  near.best);
	else
		vrt_error(err, err_size, 0, "'%s' has no field '%s'", whole, name);
	return false;
}

static bool step_element(const struct loader *l, struct variable *var, const char *whole, u64 index,
			 char *err, size_t err_size)
{
	const struct btf_type *t = btf__type_by_id(l->btf, var->type_id);
	u32 offset = var->offset, nelems;

	if (!btf_is_array(t)) {
		vrt_error(err, err_size, 0, "'%s' is no array", whole);
		return false;
	}
	nelems = btf_array(t)->nelems;
	if (index >= nelems) {
		vrt_error(err, err_size, 0, "'%s' has %u elements, so [%llu] is beyond its end", whole,
			  nelems, (unsigned long long)index);
		return false;
	}
	if (!set_type(l->btf, var, btf_array(t)->type))
		return false;
	var->offset = offset + (u32)index * var->size;
	return true;
}

static size_t name_length(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n;
}

/* One ".name" or "[index]" at @step, an offset in the writable copy @path. Its length, or 0. */
static size_t take_step(const struct loader *l, struct variable *var, char *path, size_t step,
			char *err, size_t err_size)
{
	char *whole = xstrdup(path), *name = NULL, *end;
	size_t len = 0;
	u64 index;

	whole[step] = '\0';
	if (path[step] == '.' && name_length(path + step + 1)) {
		len = 1 + name_length(path + step + 1);
		name = xstrdup(path + step + 1);
		name[len - 1] = '\0';
		if (!step_member(l, var, whole, name, err, err_size))
			len = 0;
	} else if (path[step] == '[' && isdigit((unsigned char)path[step + 1])) {
		errno = 0;
		index = strtoull(path + step + 1, &end, 0);
		if (*end == ']' && !errno && step_element(l, var, whole, index, err, err_size))
			len = (size_t)(end + 1 - (path + step));
		else if (*end != ']' || errno)
			vrt_error(err, err_size, 0, "'%s': expected an index and ']' after '%s['", path, whole);
	} else {
		vrt_error(err, err_size, 0, "'%s': expected '.field' or '[index]' after '%s'", path, whole);
	}
	free(whole);
	free(name);
	return len;
}

bool find_path(const struct loader *l, const char *path, struct variable *var, char *err,
	       size_t err_size)
{
	size_t at = name_length(path), step;
	char *name = xstrdup(path), *copy;
	bool found;

	name[at] = '\0';
	found = at && find_root(l, name, var, err, err_size);
	if (!at)
		vrt_error(err, err_size, 0, "'%s': expected the name of a variable", path);
	free(name);
	copy = xstrdup(path);
	while (found && path[at]) {
		step = take_step(l, var, copy, at, err, err_size);
		found = step > 0;
		at += step;
	}
	free(copy);
	return found;
}

/* --- integers --------------------------------------------------------------- */

void *variable_data(const struct variable *var)
{
	size_t size = 0;
	char *base = bpf_map__initial_value(var->map, &size);

	if (!base || var->offset > size || var->size > size - var->offset)
		return NULL;
	return base + var->offset;
}

bool is_integer(const struct btf *btf, const struct variable *var)
{
	const struct btf_type *t = btf__type_by_id(btf, var->type_id);

	return (btf_is_int(t) || btf_is_any_enum(t)) && var->size && var->size <= 8 &&
	       !(var->size & (var->size - 1));
}

bool is_signed(const struct btf *btf, const struct variable *var)
{
	const struct btf_type *t = btf__type_by_id(btf, var->type_id);

	return btf_is_int(t) ? btf_int_encoding(t) & BTF_INT_SIGNED : btf_kflag(t);
}

s64 get_integer(const struct btf *btf, const struct variable *var, const void *data)
{
	u32 bits = var->bit_size ? var->bit_size : var->size * 8;
	u64 value = 0;

	memcpy(&value, data, var->size);
	value <<= 64 - bits - var->bit_offset;
	return is_signed(btf, var) ? (s64)value >> (64 - bits) : (s64)(value >> (64 - bits));
}

void put_integer(const struct variable *var, void *data, s64 value)
{
	u32 bits = var->bit_size ? var->bit_size : var->size * 8;
	u64 mask = (~0ULL >> (64 - bits)) << var->bit_offset, unit = 0;

	memcpy(&unit, data, var->size);
	unit = (unit & ~mask) | ((u64)value << var->bit_offset & mask);
	memcpy(data, &unit, var->size);
}
