/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small readers shared by the files that check BTF (btf/parse.c, btf/members.c)
 * and find special fields in it (btf/record.c).
 */
#ifndef VRT_BPF_BTF_INTERNAL_H
#define VRT_BPF_BTF_INTERNAL_H

#include "btf.h"
#include "../log.h"

/* Nesting of types by value, as deep as anything may recurse. */
#define BTF_MAX_DEPTH 64
/* Linux's MAX_RESOLVE_DEPTH: unresolved types on the way to one. */
#define BTF_MAX_RESOLVE_DEPTH 32

static inline u32 btf_kind(const struct btf_type *t)
{
	return BTF_INFO_KIND(t->info);
}

static inline u32 btf_vlen(const struct btf_type *t)
{
	return BTF_INFO_VLEN(t->info);
}

static inline bool btf_is_struct(const struct btf_type *t)
{
	return t && (btf_kind(t) == BTF_KIND_STRUCT || btf_kind(t) == BTF_KIND_UNION);
}

static inline bool btf_is_modifier(const struct btf_type *t)
{
	u32 kind = btf_kind(t);

	return kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_CONST || kind == BTF_KIND_VOLATILE ||
	       kind == BTF_KIND_RESTRICT || kind == BTF_KIND_TYPE_TAG;
}

static inline const struct btf_array *btf_array_of(const struct btf_type *t)
{
	return (const struct btf_array *)(t + 1);
}

static inline u32 btf_int_data(const struct btf_type *t)
{
	return *(const u32 *)(t + 1);
}

/* An int of whole bytes, of a size that machines have. */
static inline bool btf_int_is_regular(const struct btf_type *t)
{
	u32 bits = BTF_INT_BITS(btf_int_data(t));

	return !BTF_INT_OFFSET(btf_int_data(t)) &&
	       (bits == 8 || bits == 16 || bits == 32 || bits == 64 || bits == 128);
}

/* The type of @id past modifiers if it is one that has a size, else NULL. */
const struct btf_type *btf_sized_type(const struct btf *btf, u32 id);

/* "[id] KIND name message" and -EINVAL. */
__printf(4, 5) int btf_complain(const struct btf *btf, struct bpf_log *log, u32 id,
				const char *fmt, ...);

/* Has struct @id itself a member that is a special field of allocated objects? */
bool btf_has_special_member(const struct btf *btf, u32 id);

/* The second half of checking: what types say of each other's sizes. In btf/members.c. */
int btf_check_contents(struct btf *btf, struct bpf_log *log);

#endif
