// SPDX-License-Identifier: GPL-2.0-only
/*
 * BTF objects after they were checked (btf/parse.c): accessors and the index of
 * names. Nothing here can fail on bad data, because there is none left.
 *
 * Chains of modifiers and nested arrays end: btf_parse() refused cycles.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void btf_get(struct btf *btf)
{
	bpf_obj_hold(&btf->obj);
}

void btf_put(struct btf *btf)
{
	if (btf)
		bpf_obj_put(&btf->obj);
}

const struct btf_type *btf_type_by_id(const struct btf *btf, u32 id)
{
	return id < btf->nr_types ? btf->types[id] : NULL;
}

const char *btf_name(const struct btf *btf, u32 name_off)
{
	return name_off < btf->strings_size ? btf->strings + name_off : "";
}

static const char *type_name(const struct btf *btf, u32 id)
{
	return btf_name(btf, btf->types[id]->name_off);
}

s32 btf_find_by_name_kind(const struct btf *btf, const char *name, u8 kind)
{
	u32 lo = 0, hi = btf->nr_types - 1;

	if (!*name)
		return -ENOENT;
	/* the first of that name; types of one name are in order of id */
	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (strcmp(type_name(btf, btf->by_name[mid]), name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < btf->nr_types - 1; lo++) {
		u32 id = btf->by_name[lo];

		if (strcmp(type_name(btf, id), name))
			break;
		if (kind == BTF_KIND_UNKN || BTF_INFO_KIND(btf->types[id]->info) == kind)
			return (s32)id;
	}
	return -ENOENT;
}


const struct btf_type *btf_type_skip_modifiers(const struct btf *btf, u32 id, u32 *res_id)
{
	const struct btf_type *t = btf_type_by_id(btf, id);

	while (t && btf_is_modifier(t)) {
		id = t->type;
		t = btf_type_by_id(btf, id);
	}
	if (res_id)
		*res_id = id;
	return t;
}

u32 btf_type_size(const struct btf *btf, u32 id)
{
	u32 nr = 1;

	for (;;) {
		const struct btf_type *t = btf_type_skip_modifiers(btf, id, NULL);
		const struct btf_array *array;

		if (!t)
			return 0;
		switch (BTF_INFO_KIND(t->info)) {
		case BTF_KIND_INT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_FLOAT:
		case BTF_KIND_DATASEC:
			return nr * t->size;
		case BTF_KIND_PTR:
			return nr * (u32)sizeof(void *);
		case BTF_KIND_ARRAY:
			array = (const struct btf_array *)(t + 1);
			nr *= array->nelems;
			id = array->type;
			break;
		case BTF_KIND_VAR:
			id = t->type;
			break;
		default:
			return 0;
		}
	}
}

bool btf_struct_has_type_at(const struct btf *btf, u32 id, u32 off, u32 want)
{
	for (;;) {
		const struct btf_type *t = btf_type_skip_modifiers(btf, id, &id);
		const struct btf_member *m;
		u32 i, size;

		if (!t)
			return false;
		if (id == want && off == 0)
			return true;
		if (BTF_INFO_KIND(t->info) == BTF_KIND_ARRAY) {
			id = ((const struct btf_array *)(t + 1))->type;
			size = btf_type_size(btf, id);
			if (!size)
				return false;
			off %= size;
			continue;
		}
		if (BTF_INFO_KIND(t->info) != BTF_KIND_STRUCT &&
		    BTF_INFO_KIND(t->info) != BTF_KIND_UNION)
			return false;
		m = btf_members(t);
		for (i = 0; i < BTF_INFO_VLEN(t->info); i++, m++) {
			u32 start = btf_member_bit_offset(t, m) / 8;

			size = btf_type_size(btf, m->type);
			if (off < start || off - start >= size)
				continue;
			/* members of a union overlap: each may hold it */
			if (BTF_INFO_KIND(t->info) == BTF_KIND_STRUCT)
				break;
			if (btf_struct_has_type_at(btf, m->type, off - start, want))
				return true;
		}
		if (i == BTF_INFO_VLEN(t->info))
			return false;
		off -= btf_member_bit_offset(t, m) / 8;
		id = m->type;
	}
}
