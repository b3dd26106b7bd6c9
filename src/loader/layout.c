// SPDX-License-Identifier: GPL-2.0-only
/*
 * What libbpf takes an object's BTF at its word for: it follows modifiers and
 * typedefs to their end, and copies operations tables by the sizes and offsets
 * that their types claim. Of a damaged object neither need be true, and so both
 * are checked before libbpf opens it.
 */
#include <string.h>

#include "internal.h"

/*
 * What libbpf does not look at itself when it parses BTF: chains of modifiers
 * without an end, and results of functions of a type that is not there.
 */
static enum loader_status check_types(const struct btf *btf, const char *path,
				      struct loader_error *error)
{
	for (u32 id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!plain_type(btf, id, NULL))
			return loader_fail(error, LOADER_ERR_OBJECT,
					   "%s: its BTF is damaged: type %u leads back to itself; compile it again with clang -g",
					   path, id);
		if (btf_is_func_proto(t) && t->type >= btf__type_cnt(btf))
			return loader_fail(error, LOADER_ERR_OBJECT,
					   "%s: its BTF is damaged: type %u refers to type %u of %u; compile it again with clang -g",
					   path, id, t->type, btf__type_cnt(btf));
	}
	return LOADER_OK;
}

/* --- operations tables ---------------------------------------------------------- */

struct place {
	const struct btf *btf;
	const char *path, *section;
	size_t size; /* of the section */
};

static enum loader_status check_members(const struct place *p, const char *table,
					const struct btf_type *t, struct loader_error *error)
{
	const struct btf_member *m = btf_members(t);

	for (u32 i = 0; i < btf_vlen(t); i++, m++) {
		u64 at = btf_member_bit_offset(t, i) / 8;
		s64 size = btf__resolve_size(p->btf, m->type);

		if (size < 0 || at + (u64)size > t->size)
			return loader_fail(error, LOADER_ERR_OBJECT,
					   "%s: its BTF is damaged: member '%s' of the operations table '%s' reaches beyond the %u bytes of 'struct %s'; compile it again with clang -g",
					   p->path, btf__name_by_offset(p->btf, m->name_off), table,
					   t->size, btf__name_by_offset(p->btf, t->name_off));
	}
	return LOADER_OK;
}

static enum loader_status check_table(const struct place *p, const struct btf_var_secinfo *info,
				      struct loader_error *error)
{
	const struct btf_type *var = btf__type_by_id(p->btf, info->type), *t;
	const char *name = btf__name_by_offset(p->btf, var->name_off);

	t = btf_is_var(var) ? plain_type(p->btf, var->type, NULL) : NULL;
	if (!t || !btf_is_struct(t))
		return loader_fail(error, LOADER_ERR_OBJECT,
				   "%s: section %s has '%s', which is no variable of a struct type; only operations tables belong there",
				   p->path, p->section, name);
	if ((u64)info->offset + t->size > p->size)
		return loader_fail(error, LOADER_ERR_OBJECT,
				   "%s: its BTF is damaged: the operations table '%s' (%u bytes at %u) reaches beyond the %zu bytes of section %s; compile it again with clang -g",
				   p->path, name, t->size, info->offset, p->size, p->section);
	return check_members(p, name, t, error);
}

static enum loader_status check_section(const struct place *p, struct loader_error *error)
{
	s32 id = btf__find_by_name_kind(p->btf, p->section, BTF_KIND_DATASEC);
	const struct btf_type *sec = id > 0 ? btf__type_by_id(p->btf, (u32)id) : NULL;
	enum loader_status status = LOADER_OK;

	for (u32 i = 0; sec && i < btf_vlen(sec) && status == LOADER_OK; i++)
		status = check_table(p, &btf_var_secinfos(sec)[i], error);
	return status;
}

/* --- all of it ------------------------------------------------------------------- */

/* libbpf would take the last one, or both. */
static enum loader_status fail_twice(const char *path, const char *section,
				     struct loader_error *error)
{
	return loader_fail(error, LOADER_ERR_OBJECT,
			   "%s: has two sections %s, where clang makes one; build or copy it again",
			   path, section);
}

enum loader_status check_layout(const struct image *image, const char *path,
				struct loader_error *error)
{
	static const char *const sections[] = {
		".struct_ops", ".struct_ops.link", "?.struct_ops", "?.struct_ops.link",
	};
	enum loader_status status = LOADER_OK;
	size_t size;
	const void *raw = image_section(image, ".BTF", &size);
	struct btf *btf = btf__new(raw, (u32)size);

	if (image_has_twice(image, ".BTF"))
		status = fail_twice(path, ".BTF", error);
	else if (btf)
		status = check_types(btf, path, error);
	/* BTF that cannot be read at all is explained when the object is opened */
	for (u32 i = 0; btf && i < ARRAY_SIZE(sections) && status == LOADER_OK; i++) {
		struct place p = { .btf = btf, .path = path, .section = sections[i] };

		if (image_has_twice(image, p.section))
			status = fail_twice(path, p.section, error);
		else if (image_section(image, p.section, &p.size))
			status = check_section(&p, error);
	}
	btf__free(btf);
	return status;
}
