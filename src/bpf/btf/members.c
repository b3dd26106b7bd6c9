// SPDX-License-Identifier: GPL-2.0-only
/*
 * The second half of checking BTF: whether sizes, members, variables, parameters
 * and tags fit what they refer to. All references are valid and free of cycles
 * by now.
 */
#include "internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

const struct btf_type *btf_sized_type(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_type_skip_modifiers(btf, id, NULL);

	switch (t ? btf_kind(t) : BTF_KIND_UNKN) {
	case BTF_KIND_UNKN:
	case BTF_KIND_FWD:
	case BTF_KIND_FUNC:
	case BTF_KIND_FUNC_PROTO:
	case BTF_KIND_DECL_TAG:
	case BTF_KIND_VAR:
		return NULL;
	default:
		return t;
	}
}

static int check_array(struct btf *btf, u32 id, struct bpf_log *log)
{
	const struct btf_array *a = btf_array_of(btf->types[id]);
	const struct btf_type *index = btf_sized_type(btf, a->index_type);
	const struct btf_type *elem = btf_sized_type(btf, a->type);

	if (!index || btf_kind(index) != BTF_KIND_INT || !btf_int_is_regular(index))
		return btf_complain(btf, log, id, "Invalid index");
	if (!elem)
		return btf_complain(btf, log, id, "Invalid elem");
	if (btf_kind(elem) == BTF_KIND_INT && !btf_int_is_regular(elem))
		return btf_complain(btf, log, id, "Invalid array of int");
	return 0;
}

/*
 * btf_type_size() multiplies along nested arrays: the product must fit at
 * every array, however they are ordered by id.
 */
static int check_array_size(struct btf *btf, u32 id, struct bpf_log *log)
{
	const struct btf_type *t = btf->types[id];
	u64 nr = 1;

	while (t && btf_kind(t) == BTF_KIND_ARRAY) {
		nr *= btf_array_of(t)->nelems;
		if (nr > UINT_MAX)
			return btf_complain(btf, log, id, "Array size overflows U32_MAX");
		t = btf_sized_type(btf, btf_array_of(t)->type);
	}
	if (t && nr * (btf_kind(t) == BTF_KIND_PTR ? sizeof(void *) : t->size) > UINT_MAX)
		return btf_complain(btf, log, id, "Array size overflows U32_MAX");
	return 0;
}

/* How many bits the member takes and whether it may start inside a byte. NULL: fine. */
static const char *member_bits(const struct btf *btf, const struct btf_type *t,
			       const struct btf_member *m, u64 *start, u64 *bits)
{
	const struct btf_type *mt = btf_sized_type(btf, m->type);
	u32 bitfield = BTF_INFO_KFLAG(t->info) ? BTF_MEMBER_BITFIELD_SIZE(m->offset) : 0;
	bool is_int;

	if (!mt)
		return "Invalid member";
	*start = btf_member_bit_offset(t, m);
	*bits = (u64)btf_type_size(btf, m->type) * 8;
	is_int = btf_kind(mt) == BTF_KIND_INT;
	if (is_int && !BTF_INFO_KFLAG(t->info)) {
		/* the old way: the int itself says which bits it takes */
		*start += BTF_INT_OFFSET(btf_int_data(mt));
		*bits = BTF_INT_BITS(btf_int_data(mt));
		return *bits + *start % 8 > 128 ? "nr_copy_bits exceeds 128" : NULL;
	}
	if (is_int && !btf_int_is_regular(mt))
		return "Invalid member base type";
	if (bitfield) {
		u32 limit = is_int ? BTF_INT_BITS(btf_int_data(mt)) : 32;

		if (!is_int && btf_kind(mt) != BTF_KIND_ENUM && btf_kind(mt) != BTF_KIND_ENUM64)
			return "Invalid member bitfield_size";
		if (bitfield > limit)
			return "Invalid member bitfield_size";
		*bits = bitfield;
		return *bits + *start % 8 > 128 ? "nr_copy_bits exceeds 128" : NULL;
	}
	if (btf_kind(mt) == BTF_KIND_FLOAT && *start % (min(mt->size, 8U) * 8))
		return "Member is not properly aligned";
	if (*start % 8)
		return is_int ? "Invalid member offset" : "Member is not byte aligned";
	return NULL;
}

static int check_struct(struct btf *btf, u32 id, struct bpf_log *log)
{
	const struct btf_type *t = btf->types[id];
	const struct btf_member *m = btf_members(t);
	u32 i, last = 0;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		u32 offset = btf_member_bit_offset(t, m);
		u64 start = 0, bits = 0;
		const char *problem = member_bits(btf, t, m, &start, &bits);

		if (!problem &&
		    (offset < last || (offset && btf_kind(t) == BTF_KIND_UNION)))
			problem = "Invalid member bits_offset";
		if (!problem && DIV_ROUND_UP(start + bits, 8) > t->size)
			problem = "Member exceeds struct_size";
		if (problem)
			return btf_complain(btf, log, id, "'%s' type_id=%u bits_offset=%u %s",
					    btf_name(btf, m->name_off), m->type, offset, problem);
		last = offset;
	}
	return 0;
}

static int check_datasec(struct btf *btf, u32 id, struct bpf_log *log)
{
	const struct btf_type *t = btf->types[id];
	const struct btf_var_secinfo *v = (const struct btf_var_secinfo *)(t + 1);
	u32 i;

	for (i = 0; i < btf_vlen(t); i++, v++) {
		const struct btf_type *var = btf->types[v->type];

		if (!btf_sized_type(btf, var->type))
			return btf_complain(btf, log, id, "type_id=%u Invalid type", v->type);
		if (v->size < btf_type_size(btf, var->type))
			return btf_complain(btf, log, id, "type_id=%u Invalid size", v->type);
	}
	return 0;
}

static int check_func_proto(struct btf *btf, u32 id, struct bpf_log *log)
{
	const struct btf_type *t = btf->types[id];
	const struct btf_param *p = (const struct btf_param *)(t + 1);
	u32 i, nr = btf_vlen(t);

	if (t->type && !btf_sized_type(btf, t->type))
		return btf_complain(btf, log, id, "Invalid return type");
	if (nr && !p[nr - 1].type) {
		if (p[nr - 1].name_off)
			return btf_complain(btf, log, id, "Invalid arg#%u", nr);
		nr--; /* variable arguments */
	}
	for (i = 0; i < nr; i++)
		if (!btf_sized_type(btf, p[i].type))
			return btf_complain(btf, log, id, "Invalid arg#%u", i + 1);
	return 0;
}

static int check_func(struct btf *btf, u32 id, struct bpf_log *log)
{
	const struct btf_type *proto = btf->types[btf->types[id]->type];
	const struct btf_param *p = (const struct btf_param *)(proto + 1);
	u32 i;

	for (i = 0; i < btf_vlen(proto); i++)
		if (!p[i].name_off && p[i].type)
			return btf_complain(btf, log, id, "Invalid arg#%u", i + 1);
	return 0;
}

static int check_decl_tag(struct btf *btf, u32 id, struct bpf_log *log)
{
	const struct btf_type *t = btf->types[id], *target = btf->types[t->type];
	s32 idx = ((const struct btf_decl_tag *)(t + 1))->component_idx;
	u32 nr;

	if (idx == -1)
		return 0;
	if (btf_kind(target) == BTF_KIND_FUNC)
		nr = btf_vlen(btf->types[target->type]);
	else
		nr = btf_is_struct(target) ? btf_vlen(target) : 0;
	return (u32)idx >= nr ? btf_complain(btf, log, id, "Invalid component_idx") : 0;
}

static int check_one(struct btf *btf, u32 id, struct bpf_log *log)
{
	switch (btf_kind(btf->types[id])) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return check_struct(btf, id, log);
	case BTF_KIND_VAR:
		return btf_sized_type(btf, btf->types[id]->type) ?
			       0 :
			       btf_complain(btf, log, id, "Invalid type_id");
	case BTF_KIND_DATASEC:
		return check_datasec(btf, id, log);
	case BTF_KIND_FUNC_PROTO:
		return check_func_proto(btf, id, log);
	case BTF_KIND_FUNC:
		return check_func(btf, id, log);
	case BTF_KIND_DECL_TAG:
		return check_decl_tag(btf, id, log);
	default:
		return 0;
	}
}

/*
 * Structs of the kernel have none; those of a program must be well-formed where
 * the program could ask for them.
 */
static int check_special_fields(struct btf *btf, u32 id, struct bpf_log *log)
{
	int err = 0;

	if (btf->kernel || btf_kind(btf->types[id]) != BTF_KIND_STRUCT ||
	    !btf_has_special_member(btf, id))
		return 0;
	btf_record_free(btf_parse_record(btf, id, &err));
	if (err)
		btf_complain(btf, log, id, "Invalid special field");
	return err;
}

int btf_check_contents(struct btf *btf, struct bpf_log *log)
{
	int err = 0;
	u32 id;

	/* arrays first: sizes of all others may be asked for from then on */
	for (id = 1; id < btf->nr_types && !err; id++)
		if (btf_kind(btf->types[id]) == BTF_KIND_ARRAY)
			err = check_array(btf, id, log) ?: check_array_size(btf, id, log);
	for (id = 1; id < btf->nr_types && !err; id++)
		err = check_one(btf, id, log);
	for (id = 1; id < btf->nr_types && !err; id++)
		err = check_special_fields(btf, id, log);
	return err;
}
