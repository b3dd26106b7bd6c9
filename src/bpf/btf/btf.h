/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BTF as bpf(2) receives it: checked once, then read without checks. Type and
 * member accessors follow Linux's names. Everything a hostile blob can say is
 * caught in btf_parse(); nothing here trusts an offset it has not seen there.
 *
 * Source: Documentation/bpf/btf.rst.
 */
#ifndef VRT_BPF_BTF_H
#define VRT_BPF_BTF_H

#include <linux/btf.h>

#include "../object.h"

struct btf {
	struct bpf_obj obj;
	void *raw;
	u32 raw_size;
	u32 nr_types; /* valid ids are 1..nr_types-1; 0 is void */
	const struct btf_type **types;
	const char *strings;
	u32 strings_size;
	bool kernel;
	/* sorted (name, kind) index */
	u32 *by_name;
	/* by id, made when first asked for: btf_struct_record() */
	struct btf_record **struct_records;
	char name[BPF_OBJ_NAME_LEN];
};

/*
 * Checks and indexes @size bytes, which are copied. NULL with *err set
 * (-errno), and lines in @log (may be NULL) that say what is wrong.
 */
struct bpf_log;
struct btf *btf_parse(const void *raw, u32 size, bool kernel, struct bpf_log *log, int *err);
void btf_get(struct btf *btf);
void btf_put(struct btf *btf);

/* NULL: no such id. (libbpf, which we link, has a function of this name inside.) */
const struct btf_type *btf_type_by_id(const struct btf *btf, u32 id) __asm__("vrt_btf_type_by_id");
const char *btf_name(const struct btf *btf, u32 name_off); /* "" for anonymous */
/* The id, or -ENOENT. @kind BTF_KIND_UNKN matches any. */
s32 btf_find_by_name_kind(const struct btf *btf, const char *name, u8 kind);

/* Past typedefs, const, volatile, restrict and type tags. *id is updated if not NULL. */
const struct btf_type *btf_type_skip_modifiers(const struct btf *btf, u32 id, u32 *res_id);
/* Size in bytes of the resolved type; 0 for void, functions and forwards. */
u32 btf_type_size(const struct btf *btf, u32 id);
static inline bool btf_type_is_ptr(const struct btf_type *t)
{
	return t && BTF_INFO_KIND(t->info) == BTF_KIND_PTR;
}

static inline u32 btf_member_bit_offset(const struct btf_type *t, const struct btf_member *m)
{
	return BTF_INFO_KFLAG(t->info) ? BTF_MEMBER_BIT_OFFSET(m->offset) : m->offset;
}

static inline const struct btf_member *btf_members(const struct btf_type *t)
{
	return (const struct btf_member *)(t + 1);
}

/*
 * Does the object of struct type @id have, at byte offset @off, a (possibly
 * nested, first-member) struct of type @want? Also true for off 0 and id == want.
 */
bool btf_struct_has_type_at(const struct btf *btf, u32 id, u32 off, u32 want);

/*
 * The same for a map value, which may be a DATASEC, looking only for the types
 * of field in @mask (enum btf_field_type). btf_record_free() frees either.
 */
struct btf_record *btf_parse_record_mask(struct btf *btf, u32 id, u32 mask, int *err);
void btf_record_free(struct btf_record *record);
struct btf_record *btf_record_copy(const struct btf_record *record); /* NULL of NULL */
bool btf_record_equal(const struct btf_record *a, const struct btf_record *b);
/* How an object of kernel type @btf_id is given back, see bpf_register_dtor(); NULL: not known. */
void (*btf_find_dtor(u32 btf_id))(void *obj);
/* Forgets the destructors that bpf_register_dtor() knows. */
void btf_dtors_exit(void);

/* The special fields of struct @id, or NULL when it has none. *err: -errno if malformed. */
struct btf_record *btf_parse_record(struct btf *btf, u32 id, int *err);
/* The same, kept by @btf. NULL also of malformed ones, which nothing can allocate. */
const struct btf_record *btf_struct_record(struct btf *btf, u32 id);
void btf_struct_records_free(struct btf *btf);

#endif
