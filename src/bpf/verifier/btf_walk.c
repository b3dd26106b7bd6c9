// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is at some offset of a struct that BTF describes: a nested struct, a
 * pointer, or bytes. Both BTFs were checked when they were loaded, so sizes and
 * offsets of members can be relied on; what a program asks for cannot.
 */
#include <errno.h>
#include <string.h>

#include "../btf/internal.h"
#include "mem_internal.h"

static u32 bitfield_size(const struct btf_type *t, const struct btf_member *m)
{
	return BTF_INFO_KFLAG(t->info) ? BTF_MEMBER_BITFIELD_SIZE(m->offset) : 0;
}

/* A member, or an element of it when it is an array. */
struct piece {
	const struct btf_type *t;
	u32 id, start, size;
	u32 end; /* of the member */
};

/* The element of array @id, of whatever dimensions, that holds @off. False: it has no size. */
static bool resolve_piece(const struct btf *btf, u32 id, u32 start, u32 off, struct piece *piece)
{
	u32 size = btf_type_size(btf, id);

	piece->start = start;
	piece->end = start + size;
	piece->t = btf_type_skip_modifiers(btf, id, &piece->id);
	while (piece->t && btf_kind(piece->t) == BTF_KIND_ARRAY)
		piece->t = btf_type_skip_modifiers(btf, btf_array_of(piece->t)->type, &piece->id);
	if (!piece->t || (!btf_type_size(btf, piece->id) && !btf_is_struct(piece->t)))
		return false;
	piece->size = btf_type_size(btf, piece->id);
	if (piece->size && off >= start && off < piece->end)
		piece->start += (off - start) / piece->size * piece->size;
	return true;
}

/* The elements of an array without a size at the end of a struct go on beyond its end. */
static bool in_flexible_array(const struct btf *btf, const struct btf_type *t, s32 off, u32 *elem,
			      u32 *start)
{
	const struct btf_type *array;
	const struct btf_member *last;

	if (!btf->kernel || !btf_vlen(t))
		return false;
	last = btf_members(t) + btf_vlen(t) - 1;
	array = btf_type_skip_modifiers(btf, last->type, NULL);
	if (btf_kind(array) != BTF_KIND_ARRAY || btf_array_of(array)->nelems)
		return false;
	*start = btf_member_bit_offset(t, last) / 8;
	btf_type_skip_modifiers(btf, btf_array_of(array)->type, elem);
	return (u32)off >= *start;
}

/* Flags that tags on a pointer's target stand for. */
static u32 tag_flags(const struct btf *btf, const struct btf_type *ptr)
{
	static const struct {
		const char *tag;
		u32 flag;
	} tags[] = { { "user", MEM_USER }, { "percpu", MEM_PERCPU }, { "rcu", MEM_RCU } };
	const struct btf_type *t = btf_type_by_id(btf, ptr->type);

	if (!ptr->type || btf_kind(t) != BTF_KIND_TYPE_TAG)
		return 0;
	for (u32 i = 0; i < ARRAY_SIZE(tags); i++)
		if (!strcmp(btf_name(btf, t->name_off), tags[i].tag))
			return tags[i].flag;
	return 0;
}

/* 1: the access is within a bitfield and its neighbours, as compilers do it. */
static bool covers_bitfield(const struct btf_type *t, const struct btf_member *m, s32 off, s32 size)
{
	u32 bit = btf_member_bit_offset(t, m);

	return (u32)off <= bit / 8 &&
	       DIV_ROUND_UP(bit + bitfield_size(t, m), 8) <= (u32)off + (u32)size;
}

/* Member @m starts at or before the access and goes on into it: what of it is there? */
static int look_into(struct bpf_verifier_env *env, const struct btf *btf, const struct btf_type *t,
		     const struct btf_member *m, const struct piece *piece, s32 off, s32 size,
		     struct btf_place *place)
{
	const char *name = btf_name(btf, m->name_off), *struct_name = btf_name(btf, t->name_off);

	place->kind = BTF_PLACE_SCALAR;
	if (btf_type_is_ptr(piece->t)) {
		u32 id;

		if ((u32)size != piece->size || (u32)off != piece->start) {
			verbose(env,
				"cannot access ptr member %s with moff %u in struct %s with off %u size %u\n",
				name, piece->start, struct_name, (u32)off, (u32)size);
			return -EACCES;
		}
		if (btf_is_struct(btf_type_skip_modifiers(btf, piece->t->type, &id))) {
			place->kind = BTF_PLACE_PTR;
			place->id = id;
			place->flags |= tag_flags(btf, piece->t);
			place->field = name;
			return 0;
		}
	}
	if ((u32)off + (u32)size <= piece->end || place->flags & PTR_UNTRUSTED)
		return 0;
	verbose(env,
		"access beyond the end of member %s (mend:%u) in struct %s with off %u size %u\n",
		name, piece->end, struct_name, (u32)off, (u32)size);
	return -EACCES;
}

/* The next step of a walk: 0: *@place says what it found; 1: go on in struct *@id at *@off. */
static int step(struct bpf_verifier_env *env, const struct btf *btf, u32 *id, s32 *off, s32 size,
		struct btf_place *place)
{
	const struct btf_type *t = btf_type_by_id(btf, *id);
	const struct btf_member *m = btf_members(t);
	struct piece piece;
	u32 start;

	for (u32 i = 0; i < btf_vlen(t); i++, m++) {
		start = btf_member_bit_offset(t, m) / 8;
		if ((u32)(*off + size) <= start)
			break;
		if (bitfield_size(t, m)) {
			if (!covers_bitfield(t, m, *off, size))
				continue;
			place->kind = BTF_PLACE_SCALAR;
			return 0;
		}
		if ((u32)*off < start)
			break;
		if (!resolve_piece(btf, m->type, start, (u32)*off, &piece)) {
			verbose(env, "field %s doesn't have size\n", btf_name(btf, m->name_off));
			return -EFAULT;
		}
		if ((u32)*off >= piece.end)
			continue;
		if (!btf_is_struct(piece.t))
			return look_into(env, btf, t, m, &piece, *off, size, place);
		*id = piece.id;
		*off -= (s32)piece.start;
		if (*off)
			return 1;
		place->kind = BTF_PLACE_STRUCT;
		place->id = piece.id;
		return 0;
	}
	verbose(env, "struct %s doesn't have field at offset %d\n", btf_name(btf, t->name_off),
		*off);
	return -EINVAL;
}

/* The access ends beyond struct *@id: as step(). */
static int step_beyond(struct bpf_verifier_env *env, const struct btf *btf, u32 *id, s32 *off,
		       s32 size, struct btf_place *place)
{
	const struct btf_type *t = btf_type_by_id(btf, *id), *elem;
	u32 elem_id, start;

	if (in_flexible_array(btf, t, *off, &elem_id, &start)) {
		elem = btf_type_by_id(btf, elem_id);
		place->beyond = true;
		if (btf_kind(elem) == BTF_KIND_INT) {
			place->kind = BTF_PLACE_SCALAR;
			return 0;
		}
		if (btf_is_struct(elem) && elem->size) {
			*id = elem_id;
			*off = (s32)(((u32)*off - start) % elem->size);
			return 1;
		}
	}
	verbose(env, "access beyond struct %s at off %u size %u\n", btf_name(btf, t->name_off),
		(u32)*off, (u32)size);
	return -EACCES;
}

int btf_walk(struct bpf_verifier_env *env, const struct btf *btf, u32 id, s32 off, s32 size,
	     struct btf_place *place)
{
	int ret;

	do {
		const struct btf_type *t = btf_type_skip_modifiers(btf, id, &id);

		if (!btf_is_struct(t)) {
			verbose(env, "Type '%s' is not a struct\n",
				t ? btf_name(btf, t->name_off) : "");
			return -EINVAL;
		}
		/* who knows which member it is; but one alone only gives a pointer a size */
		if (btf_kind(t) == BTF_KIND_UNION && btf_vlen(t) != 1)
			place->flags |= PTR_UNTRUSTED;
		ret = (s64)off + size > t->size ? step_beyond(env, btf, &id, &off, size, place) :
						  step(env, btf, &id, &off, size, place);
	} while (ret == 1);
	return ret;
}

int btf_find_place(struct bpf_verifier_env *env, const struct btf *btf, u32 id, s32 off, s32 size,
		   struct btf_place *place)
{
	int err = btf_walk(env, btf, id, off, size, place);

	while (!err && place->kind == BTF_PLACE_STRUCT)
		err = btf_walk(env, btf, place->id, 0, size, place);
	return err;
}
