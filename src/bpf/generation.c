// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the kernel BTF of one generation from the one that the build made, in
 * which everything is that any generation has. Marks are explained in
 * kernel/generation.h.
 *
 * The input is our own and was checked by the build's tests: what is wrong with
 * it is a bug.
 */
#include "generation.h"

#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>

#include "../../kernel/generation.h"
#include "../base/alloc.h"
#include "btf/internal.h"
#include "btf/kernel_btf.h"

static const struct {
	const char *name, *release;
} generations[NR_GENERATIONS] = {
	[GENERATION_ANY] = { "any", "7.0.0-vruntime" },
	[GENERATION_6_12] = { "6.12", "6.12.0-vruntime" },
	[GENERATION_7_0] = { "7.0", "7.0.0-vruntime" },
};

const char *generation_name(enum kernel_generation generation)
{
	return generations[generation].name;
}

const char *generation_release(enum kernel_generation generation)
{
	return generations[generation].release;
}

static enum kernel_generation generation_of(const char *version)
{
	for (u32 g = GENERATION_ANY + 1; g < NR_GENERATIONS; g++)
		if (!strcmp(generations[g].name, version))
			return (enum kernel_generation)g;
	vrt_bug(__FILE__, __LINE__, "kernel BTF: no generation '%s'", version);
}

/* --- enumerators --------------------------------------------------------------------- */

#define NEW(name, version) { #name, version, true, 0 },
#define VALUE(name, version, value) { #name, version, false, value },

static const struct enumerator {
	const char *name, *version;
	bool new;
	u64 value;
} enumerators[] = { KERNEL_ENUMERATORS(NEW, VALUE) };

/* False: @generation does not have it. *@value is set where it has another. */
static bool enumerator_in(enum kernel_generation generation, const char *name, u64 *value)
{
	for (u32 i = 0; i < ARRAY_SIZE(enumerators); i++) {
		const struct enumerator *e = &enumerators[i];

		if (strcmp(e->name, name))
			continue;
		if (e->new && generation < generation_of(e->version))
			return false;
		if (!e->new && generation == generation_of(e->version))
			*value = e->value;
	}
	return true;
}

/* --- reading ------------------------------------------------------------------------- */

#define WHOLE_TYPE 0xffffffffU

struct filter {
	enum kernel_generation generation;
	const struct btf_header *hdr; /* of the input */
	const u8 *types;
	const char *strings;
	u32 nr; /* ids are 1..nr-1 */
	u32 *offset; /* of each in the input's types */
	struct mark { /* by id; only the absent */
		u32 type, member;
	} *absent;
	u32 nr_absent;
};

static u32 type_bytes(const struct btf_type *t)
{
	static const struct {
		u8 fixed, each;
	} sizes[NR_BTF_KINDS] = {
		[BTF_KIND_INT] = { 4, 0 },
		[BTF_KIND_ARRAY] = { sizeof(struct btf_array), 0 },
		[BTF_KIND_STRUCT] = { 0, sizeof(struct btf_member) },
		[BTF_KIND_UNION] = { 0, sizeof(struct btf_member) },
		[BTF_KIND_ENUM] = { 0, sizeof(struct btf_enum) },
		[BTF_KIND_FUNC_PROTO] = { 0, sizeof(struct btf_param) },
		[BTF_KIND_VAR] = { sizeof(struct btf_var), 0 },
		[BTF_KIND_DATASEC] = { 0, sizeof(struct btf_var_secinfo) },
		[BTF_KIND_DECL_TAG] = { sizeof(struct btf_decl_tag), 0 },
		[BTF_KIND_ENUM64] = { 0, sizeof(struct btf_enum64) },
	};
	u32 kind = btf_kind(t);

	VRT_ASSERT(kind < NR_BTF_KINDS);
	/* the vlen of a FUNC is its linkage */
	return (u32)sizeof(*t) + sizes[kind].fixed + sizes[kind].each * btf_vlen(t);
}

static const struct btf_type *type_at(const struct filter *f, u32 id)
{
	return (const struct btf_type *)(f->types + f->offset[id]);
}

static void index_types(struct filter *f)
{
	u32 at = 0;

	f->offset = xcalloc(f->hdr->type_len / sizeof(struct btf_type) + 1, sizeof(*f->offset));
	for (f->nr = 1; at < f->hdr->type_len; f->nr++) {
		f->offset[f->nr] = at;
		at += type_bytes(type_at(f, f->nr));
	}
	VRT_ASSERT(at == f->hdr->type_len);
}

/* Is @t a mark? *@absent: what it marks is not in our generation. */
static bool is_mark(const struct filter *f, const struct btf_type *t, bool *absent)
{
	const char *name = f->strings + t->name_off;
	bool since = !strncmp(name, "since:", 6);

	if (btf_kind(t) != BTF_KIND_DECL_TAG || (!since && strncmp(name, "until:", 6)))
		return false;
	*absent = since ? f->generation < generation_of(name + 6) :
			  f->generation > generation_of(name + 6);
	return true;
}

static void collect_marks(struct filter *f)
{
	bool absent;

	f->absent = xcalloc(f->nr, sizeof(*f->absent));
	for (u32 id = 1; id < f->nr; id++) {
		const struct btf_type *t = type_at(f, id);
		const struct btf_decl_tag *tag = (const struct btf_decl_tag *)(t + 1);

		if (is_mark(f, t, &absent) && absent)
			f->absent[f->nr_absent++] =
				(struct mark){ t->type, (u32)tag->component_idx };
	}
}

static bool is_absent(const struct filter *f, u32 id, u32 member)
{
	for (u32 i = 0; i < f->nr_absent; i++)
		if (f->absent[i].type == id && f->absent[i].member == member)
			return true;
	return false;
}

/* --- writing ------------------------------------------------------------------------- */

/* A type that nobody finds, and that may stand for anything: ids stay as they are. */
static u32 put_nothing(struct btf_type *out, u32 target)
{
	*out = (struct btf_type){ .info = BTF_KIND_PTR << 24, .type = target };
	return sizeof(*out);
}

/* An enum none of whose enumerators is there has no name either. */
static void cut_enum(struct btf_type *out, u32 nr)
{
	if (!nr)
		out->name_off = 0;
	out->info -= btf_vlen(out) - nr;
}

static u32 put_enum(const struct filter *f, const struct btf_type *t, struct btf_type *out)
{
	struct btf_enum *e = (struct btf_enum *)(out + 1);
	u32 nr = 0;

	*out = *t;
	for (u32 i = 0; i < btf_vlen(t); i++) {
		u64 value;

		e[nr] = ((const struct btf_enum *)(t + 1))[i];
		value = (u32)e[nr].val;
		if (!enumerator_in(f->generation, f->strings + e[nr].name_off, &value))
			continue;
		VRT_ASSERT(value <= 0xffffffff);
		e[nr++].val = (s32)value;
	}
	cut_enum(out, nr);
	return type_bytes(out);
}

static u32 put_enum64(const struct filter *f, const struct btf_type *t, struct btf_type *out)
{
	struct btf_enum64 *e = (struct btf_enum64 *)(out + 1);
	u32 nr = 0;

	*out = *t;
	for (u32 i = 0; i < btf_vlen(t); i++) {
		u64 value;

		e[nr] = ((const struct btf_enum64 *)(t + 1))[i];
		value = (u64)e[nr].val_hi32 << 32 | e[nr].val_lo32;
		if (!enumerator_in(f->generation, f->strings + e[nr].name_off, &value))
			continue;
		e[nr].val_lo32 = (u32)value;
		e[nr++].val_hi32 = (u32)(value >> 32);
	}
	cut_enum(out, nr);
	return type_bytes(out);
}

static u32 put_struct(const struct filter *f, u32 id, const struct btf_type *t,
		      struct btf_type *out)
{
	struct btf_member *m = (struct btf_member *)(out + 1);

	memcpy(out, t, type_bytes(t));
	if (is_absent(f, id, WHOLE_TYPE))
		out->name_off = 0;
	for (u32 i = 0; i < btf_vlen(t); i++)
		if (is_absent(f, id, i))
			m[i].name_off = 0;
	return type_bytes(t);
}

/* Type @id as it is in our generation; its size. */
static u32 put_type(const struct filter *f, u32 id, struct btf_type *out)
{
	const struct btf_type *t = type_at(f, id);
	bool absent;

	switch (btf_kind(t)) {
	case BTF_KIND_ENUM:
		return put_enum(f, t, out);
	case BTF_KIND_ENUM64:
		return put_enum64(f, t, out);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return put_struct(f, id, t, out);
	}
	if (is_mark(f, t, &absent))
		return put_nothing(out, 0);
	if (is_absent(f, id, WHOLE_TYPE)) {
		VRT_ASSERT(btf_kind(t) == BTF_KIND_FUNC);
		return put_nothing(out, t->type);
	}
	memcpy(out, t, type_bytes(t));
	return type_bytes(t);
}

void *generation_btf(enum kernel_generation generation, u32 *size)
{
	const struct btf_header *hdr = (const struct btf_header *)vrt_kernel_btf;
	struct filter f = {
		.generation = generation,
		.hdr = hdr,
		.types = vrt_kernel_btf + hdr->hdr_len + hdr->type_off,
		.strings = (const char *)vrt_kernel_btf + hdr->hdr_len + hdr->str_off,
	};
	u8 *copy = xcalloc(1, vrt_kernel_btf_size());
	struct btf_header *out = (struct btf_header *)copy;

	memcpy(copy, vrt_kernel_btf, vrt_kernel_btf_size());
	*size = vrt_kernel_btf_size();
	if (generation == GENERATION_ANY)
		return copy;
	index_types(&f);
	collect_marks(&f);
	out->type_len = 0;
	for (u32 id = 1; id < f.nr; id++)
		out->type_len += put_type(&f, id, (struct btf_type *)(copy + hdr->hdr_len +
								       hdr->type_off + out->type_len));
	/* strings come right after the types */
	out->str_off = out->type_off + out->type_len;
	memcpy(copy + out->hdr_len + out->str_off, f.strings, hdr->str_len);
	*size = out->hdr_len + out->str_off + out->str_len;
	free(f.offset);
	free(f.absent);
	return copy;
}
