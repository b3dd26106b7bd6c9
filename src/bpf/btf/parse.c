// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first half of checking BTF: header, strings, every type by itself, and
 * the shape of the graph that types make. btf/members.c has the second half.
 *
 * Order matters: a check may rely only on what the ones before it have seen.
 *
 * Source of the rules: Documentation/bpf/btf.rst.
 */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIZE (16 * 1024 * 1024)
#define MAX_NAME_LEN 512
#define INFO_MASK 0x9f00ffff
#define INT_MASK 0x0fffffff
#define ENOTSUPP 524

enum name_rule {
	NAME_ANY,
	NAME_NONE,
	NAME_IDENTIFIER,
	NAME_OPTIONAL, /* an identifier if there is one */
	NAME_TEXT,
	NAME_SECTION,
};

/* What a kind looks like: bytes after struct btf_type, and what it may say. */
static const struct kind {
	const char *name;
	u32 extra, per_vlen;
	bool vlen, kflag, ref; /* ref: t->type is a type id */
	enum name_rule rule;
} kinds[NR_BTF_KINDS] = {
	[BTF_KIND_INT] = { "INT", 4, 0, false, false, false, NAME_ANY },
	[BTF_KIND_PTR] = { "PTR", 0, 0, false, false, true, NAME_NONE },
	[BTF_KIND_ARRAY] = { "ARRAY", sizeof(struct btf_array), 0, false, false, false, NAME_NONE },
	[BTF_KIND_STRUCT] = { "STRUCT", 0, sizeof(struct btf_member), true, true, false,
			      NAME_OPTIONAL },
	[BTF_KIND_UNION] = { "UNION", 0, sizeof(struct btf_member), true, true, false,
			     NAME_OPTIONAL },
	[BTF_KIND_ENUM] = { "ENUM", 0, sizeof(struct btf_enum), true, true, false, NAME_OPTIONAL },
	[BTF_KIND_FWD] = { "FWD", 0, 0, false, true, false, NAME_IDENTIFIER },
	[BTF_KIND_TYPEDEF] = { "TYPEDEF", 0, 0, false, false, true, NAME_IDENTIFIER },
	[BTF_KIND_VOLATILE] = { "VOLATILE", 0, 0, false, false, true, NAME_NONE },
	[BTF_KIND_CONST] = { "CONST", 0, 0, false, false, true, NAME_NONE },
	[BTF_KIND_RESTRICT] = { "RESTRICT", 0, 0, false, false, true, NAME_NONE },
	[BTF_KIND_FUNC] = { "FUNC", 0, 0, true, false, true, NAME_IDENTIFIER },
	[BTF_KIND_FUNC_PROTO] = { "FUNC_PROTO", 0, sizeof(struct btf_param), true, false, true,
				  NAME_NONE },
	[BTF_KIND_VAR] = { "VAR", sizeof(struct btf_var), 0, false, false, true, NAME_IDENTIFIER },
	[BTF_KIND_DATASEC] = { "DATASEC", 0, sizeof(struct btf_var_secinfo), true, false, false,
			       NAME_SECTION },
	[BTF_KIND_FLOAT] = { "FLOAT", 0, 0, false, false, false, NAME_ANY },
	[BTF_KIND_DECL_TAG] = { "DECL_TAG", sizeof(struct btf_decl_tag), 0, false, false, true,
				NAME_TEXT },
	[BTF_KIND_TYPE_TAG] = { "TYPE_TAG", 0, 0, false, false, true, NAME_TEXT },
	[BTF_KIND_ENUM64] = { "ENUM64", 0, sizeof(struct btf_enum64), true, true, false,
			      NAME_OPTIONAL },
};

int btf_complain(const struct btf *btf, struct bpf_log *log, u32 id, const char *fmt, ...)
{
	const struct btf_type *t = btf->types[id];
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	bpf_log(log, "[%u] %s %s %s\n", id, kinds[btf_kind(t)].name,
		t->name_off ? btf_name(btf, t->name_off) : "(anon)", text);
	return -EINVAL;
}

static __printf(2, 3) int refuse(struct bpf_log *log, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	bpf_log(log, "%s\n", text);
	return -EINVAL;
}

/* --- header and strings -------------------------------------------------- */

static int check_sections(const struct btf_header *hdr, u32 size, struct bpf_log *log)
{
	u32 first_len, second_off, second_len, left = size - hdr->hdr_len;

	if (hdr->type_off & 3 || hdr->hdr_len & 3)
		return refuse(log, "Unaligned type_off");
	if (!hdr->type_len)
		return refuse(log, "No type found");
	if (hdr->type_off > left || hdr->str_off > left)
		return refuse(log, "Invalid section offset");
	if (hdr->type_off > hdr->str_off)
		return refuse(log, "String section is not at the end");
	first_len = hdr->type_len;
	second_off = hdr->str_off;
	second_len = hdr->str_len;
	if (hdr->type_off || (first_len < second_off))
		return refuse(log, "Unsupported section found");
	if (first_len > second_off)
		return refuse(log, "Section overlap found");
	if (second_len > left - second_off)
		return refuse(log, "Total section length too long");
	if (second_len < left - second_off)
		return refuse(log, "Unsupported section found");
	return 0;
}

static int check_header(struct btf *btf, struct btf_header *hdr, struct bpf_log *log)
{
	const u8 *raw = btf->raw;
	u32 i;

	if (btf->raw_size < offsetof(struct btf_header, type_off))
		return refuse(log, "hdr_len not found");
	memset(hdr, 0, sizeof(*hdr));
	memcpy(hdr, raw, min(btf->raw_size, (u32)sizeof(*hdr)));
	if (btf->raw_size < hdr->hdr_len)
		return refuse(log, "btf_header not found");
	for (i = sizeof(*hdr); i < hdr->hdr_len; i++) {
		if (raw[i]) {
			refuse(log, "Unsupported btf_header");
			return -E2BIG;
		}
	}
	if (hdr->magic != BTF_MAGIC)
		return refuse(log, "Invalid magic");
	if (hdr->version != BTF_VERSION || hdr->flags) {
		refuse(log, hdr->flags ? "Unsupported flags" : "Unsupported version");
		return -ENOTSUPP;
	}
	if (hdr->hdr_len < sizeof(*hdr))
		return refuse(log, "btf_header too short: %u bytes", hdr->hdr_len);
	if (btf->raw_size == hdr->hdr_len)
		return refuse(log, "No data");
	return check_sections(hdr, btf->raw_size, log);
}

static int check_strings(struct btf *btf, const struct btf_header *hdr, struct bpf_log *log)
{
	btf->strings = (const char *)btf->raw + hdr->hdr_len + hdr->str_off;
	btf->strings_size = hdr->str_len;
	if (!hdr->str_len || hdr->str_len - 1 > BTF_MAX_NAME_OFFSET || btf->strings[0] ||
	    btf->strings[hdr->str_len - 1])
		return refuse(log, "Invalid string section");
	return 0;
}

/* --- every type by itself ------------------------------------------------ */

static bool valid_identifier(const char *s)
{
	u32 i;

	for (i = 0; s[i]; i++) {
		unsigned char c = s[i];

		if (i >= MAX_NAME_LEN)
			return false;
		if (c != '_' && c != '.' && !(c < 0x80 && (i ? isalnum(c) : isalpha(c))))
			return false;
	}
	return i > 0;
}

static bool valid_section(const char *s)
{
	u32 i;

	for (i = 0; s[i]; i++)
		if (i >= MAX_NAME_LEN || (unsigned char)s[i] < 0x20 || (unsigned char)s[i] > 0x7e)
			return false;
	return i > 0;
}

static bool valid_name(const char *s, enum name_rule rule)
{
	switch (rule) {
	case NAME_ANY:
		return true;
	case NAME_NONE:
		return !*s;
	case NAME_IDENTIFIER:
		return valid_identifier(s);
	case NAME_OPTIONAL:
		return !*s || valid_identifier(s);
	case NAME_TEXT:
		return *s;
	case NAME_SECTION:
		return valid_section(s);
	}
	return false;
}

/* Names of members, parameters and enumerators. */
static int check_inner_names(struct btf *btf, u32 id, struct bpf_log *log)
{
	const struct btf_type *t = btf->types[id];
	const struct kind *k = &kinds[btf_kind(t)];
	const char *entry = (const char *)(t + 1);
	enum name_rule rule = NAME_OPTIONAL;
	u32 i, name_off;

	if (btf_kind(t) == BTF_KIND_DATASEC || btf_kind(t) == BTF_KIND_FUNC)
		return 0;
	if (btf_kind(t) == BTF_KIND_ENUM || btf_kind(t) == BTF_KIND_ENUM64)
		rule = NAME_IDENTIFIER;
	/* all of them start with their name_off */
	for (i = 0; i < btf_vlen(t); i++, entry += k->per_vlen) {
		memcpy(&name_off, entry, sizeof(name_off));
		if (name_off < btf->strings_size && valid_name(btf->strings + name_off, rule))
			continue;
		return btf_complain(btf, log, id,
				    btf_kind(t) == BTF_KIND_FUNC_PROTO ? "Invalid arg#%u" :
									 "Invalid name of item %u",
				    i + 1);
	}
	return 0;
}

static int check_int(struct btf *btf, u32 id, struct bpf_log *log)
{
	const struct btf_type *t = btf->types[id];
	u32 data = btf_int_data(t), bits, encoding;

	if (data & ~INT_MASK)
		return btf_complain(btf, log, id, "Invalid int_data:%x", data);
	bits = BTF_INT_BITS(data) + BTF_INT_OFFSET(data);
	if (bits > 128)
		return btf_complain(btf, log, id, "nr_bits exceeds 128");
	if (DIV_ROUND_UP(bits, 8) > t->size)
		return btf_complain(btf, log, id, "nr_bits exceeds type_size");
	encoding = BTF_INT_ENCODING(data);
	if (encoding & (encoding - 1)) {
		btf_complain(btf, log, id, "Unsupported encoding");
		return -ENOTSUPP;
	}
	return 0;
}

static int check_datasec(struct btf *btf, u32 id, struct bpf_log *log)
{
	const struct btf_type *t = btf->types[id];
	const struct btf_var_secinfo *v = (const struct btf_var_secinfo *)(t + 1);
	u64 end = 0;
	u32 i;

	if (!t->size)
		return btf_complain(btf, log, id, "size == 0");
	for (i = 0; i < btf_vlen(t); i++, v++) {
		if (v->offset < end || v->offset >= t->size)
			return btf_complain(btf, log, id, "type_id=%u Invalid offset", v->type);
		if (!v->size || v->size > t->size)
			return btf_complain(btf, log, id, "type_id=%u Invalid size", v->type);
		end = (u64)v->offset + v->size;
		if (end > t->size)
			return btf_complain(btf, log, id, "type_id=%u Invalid offset+size",
					    v->type);
	}
	return 0;
}

static int check_self(struct btf *btf, u32 id, struct bpf_log *log)
{
	const struct btf_type *t = btf->types[id];
	u32 linkage;
	s32 idx;

	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		return check_int(btf, id, log);
	case BTF_KIND_FUNC:
		return btf_vlen(t) > BTF_FUNC_GLOBAL ?
			       btf_complain(btf, log, id, "Invalid func linkage") :
			       0;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return t->size > 8 || !t->size || t->size & (t->size - 1) ?
			       btf_complain(btf, log, id, "Unexpected size") :
			       0;
	case BTF_KIND_FLOAT:
		return t->size != 2 && t->size != 4 && t->size != 8 && t->size != 12 &&
				       t->size != 16 ?
			       btf_complain(btf, log, id, "Invalid type_size") :
			       0;
	case BTF_KIND_VAR:
		linkage = ((const struct btf_var *)(t + 1))->linkage;
		return linkage != BTF_VAR_STATIC && linkage != BTF_VAR_GLOBAL_ALLOCATED ?
			       btf_complain(btf, log, id, "Linkage not supported") :
			       0;
	case BTF_KIND_DATASEC:
		return check_datasec(btf, id, log);
	case BTF_KIND_DECL_TAG:
		idx = ((const struct btf_decl_tag *)(t + 1))->component_idx;
		return idx < -1 ? btf_complain(btf, log, id, "Invalid component_idx") : 0;
	default:
		return 0;
	}
}

/* The header of the type at @t, of which @left bytes are there. Its size, or -EINVAL. */
static s64 check_type_header(struct btf *btf, u32 id, const struct btf_type *t, u64 left,
			     struct bpf_log *log)
{
	const struct kind *k;
	u64 need;

	if (left < sizeof(*t))
		return refuse(log, "[%u] meta_left:%llu meta_needed:%zu", id,
			      (unsigned long long)left, sizeof(*t));
	if (t->info & ~INFO_MASK)
		return refuse(log, "[%u] Invalid btf_info:%x", id, t->info);
	if (btf_kind(t) > BTF_KIND_MAX || !btf_kind(t))
		return refuse(log, "[%u] Invalid kind:%u", id, btf_kind(t));
	if (t->name_off >= btf->strings_size)
		return refuse(log, "[%u] Invalid name_offset:%u", id, t->name_off);
	k = &kinds[btf_kind(t)];
	need = sizeof(*t) + k->extra + (u64)k->per_vlen * btf_vlen(t);
	if (left < need)
		return refuse(log, "[%u] %s meta_left:%llu meta_needed:%llu", id, k->name,
			      (unsigned long long)(left - sizeof(*t)),
			      (unsigned long long)(need - sizeof(*t)));
	btf->types[id] = t;
	if (!k->vlen && btf_vlen(t))
		return btf_complain(btf, log, id, "vlen != 0");
	if (!k->kflag && BTF_INFO_KFLAG(t->info))
		return btf_complain(btf, log, id, "Invalid btf_info kind_flag");
	if (t->size && (btf_kind(t) == BTF_KIND_FWD || btf_kind(t) == BTF_KIND_ARRAY))
		return btf_complain(btf, log, id, "%s != 0",
				    btf_kind(t) == BTF_KIND_FWD ? "type" : "size");
	if (!valid_name(btf->strings + t->name_off, k->rule))
		return btf_complain(btf, log, id, "Invalid %s",
				    btf_kind(t) == BTF_KIND_DECL_TAG ? "value" : "name");
	return (s64)need;
}

static const struct btf_type void_type;

static int check_all_headers(struct btf *btf, const struct btf_header *hdr, struct bpf_log *log)
{
	const char *pos = (const char *)btf->raw + hdr->hdr_len + hdr->type_off;
	const char *end = pos + hdr->type_len;
	u32 id, room = hdr->type_len / sizeof(struct btf_type) + 2;

	btf->types = calloc(room, sizeof(*btf->types));
	if (!btf->types)
		return -ENOMEM;
	btf->types[0] = &void_type;
	for (id = 1; pos < end; id++) {
		s64 size;
		int err;

		if (id > BTF_MAX_TYPE)
			return -E2BIG;
		size = check_type_header(btf, id, (const struct btf_type *)pos, end - pos, log);
		if (size < 0)
			return (int)size;
		err = check_inner_names(btf, id, log) ?: check_self(btf, id, log);
		if (err)
			return err;
		pos += size;
	}
	btf->nr_types = id;
	return 0;
}

/* --- references ---------------------------------------------------------- */

/* May nothing but its section or a tag refer to @t? */
static bool is_source_only(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_VAR || btf_kind(t) == BTF_KIND_DATASEC ||
	       btf_kind(t) == BTF_KIND_DECL_TAG;
}

static bool valid_target(const struct btf *btf, u32 id)
{
	return id < btf->nr_types && !is_source_only(btf->types[id]) &&
	       btf_kind(btf->types[id]) != BTF_KIND_FUNC;
}

static bool valid_tag_target(const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_FUNC:
	case BTF_KIND_VAR:
	case BTF_KIND_TYPEDEF:
		return true;
	default:
		return false;
	}
}

static int check_references(struct btf *btf, u32 id, struct bpf_log *log)
{
	const struct btf_type *t = btf->types[id];
	const struct btf_var_secinfo *vsi;
	const struct btf_member *m;
	const struct btf_param *p;
	u32 i;

	switch (btf_kind(t)) {
	case BTF_KIND_ARRAY:
		if (!btf_array_of(t)->type || !valid_target(btf, btf_array_of(t)->type))
			return btf_complain(btf, log, id, "Invalid elem");
		if (!btf_array_of(t)->index_type || !valid_target(btf, btf_array_of(t)->index_type))
			return btf_complain(btf, log, id, "Invalid index");
		return 0;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		for (i = 0, m = btf_members(t); i < btf_vlen(t); i++, m++)
			if (!m->type || !valid_target(btf, m->type))
				return btf_complain(btf, log, id, "'%s' type_id=%u Invalid %s",
						    btf_name(btf, m->name_off), m->type,
						    m->type ? "member" : "type_id");
		return 0;
	case BTF_KIND_FUNC_PROTO:
		if (!valid_target(btf, t->type))
			return btf_complain(btf, log, id, "Invalid return type");
		for (i = 0, p = (const void *)(t + 1); i < btf_vlen(t); i++, p++)
			if (!valid_target(btf, p->type))
				return btf_complain(btf, log, id, "Invalid arg#%u", i + 1);
		return 0;
	case BTF_KIND_DATASEC:
		for (i = 0, vsi = (const void *)(t + 1); i < btf_vlen(t); i++, vsi++)
			if (vsi->type >= btf->nr_types ||
			    btf_kind(btf->types[vsi->type]) != BTF_KIND_VAR)
				return btf_complain(btf, log, id, "type_id=%u Not a VAR kind member",
						    vsi->type);
		return 0;
	case BTF_KIND_FUNC:
		if (t->type >= btf->nr_types ||
		    btf_kind(btf->types[t->type]) != BTF_KIND_FUNC_PROTO)
			return btf_complain(btf, log, id, "Invalid type_id");
		return 0;
	case BTF_KIND_DECL_TAG:
		if (t->type >= btf->nr_types || !valid_tag_target(btf->types[t->type]))
			return btf_complain(btf, log, id, "Invalid type_id");
		return 0;
	case BTF_KIND_VAR:
		if (!t->type || !valid_target(btf, t->type) ||
		    btf_kind(btf->types[t->type]) == BTF_KIND_FWD)
			return btf_complain(btf, log, id, "Invalid type_id");
		return 0;
	default:
		if (kinds[btf_kind(t)].ref && !valid_target(btf, t->type))
			return btf_complain(btf, log, id, "Invalid type_id");
		return 0;
	}
}

/* --- cycles -------------------------------------------------------------- */

/*
 * Two graphs must have no cycle: what contains what by value, without which no
 * size could be told; and what points at what through pointers and modifiers
 * alone.
 */
enum graph { BY_VALUE, BY_POINTER };

struct walk {
	struct btf *btf;
	struct bpf_log *log;
	enum graph graph;
	u8 *depth; /* of what is below; 0: not visited yet */
};

#define ON_THE_WAY 255

static int visit(struct walk *w, u32 id, u32 level);

static int visit_child(struct walk *w, u32 id, u32 level, u8 *deepest)
{
	int err = visit(w, id, level + 1);

	if (!err)
		*deepest = max(*deepest, w->depth[id]);
	return err;
}

static int visit_children(struct walk *w, const struct btf_type *t, u32 level, u8 *deepest)
{
	const struct btf_member *m = btf_members(t);
	u32 i;
	int err;

	if (btf_is_modifier(t) || (w->graph == BY_POINTER && btf_kind(t) == BTF_KIND_PTR))
		return visit_child(w, t->type, level, deepest);
	if (w->graph == BY_POINTER)
		return 0;
	if (btf_kind(t) == BTF_KIND_ARRAY)
		return visit_child(w, btf_array_of(t)->type, level, deepest) ?:
			       visit_child(w, btf_array_of(t)->index_type, level, deepest);
	if (btf_is_struct(t)) {
		for (i = 0; i < btf_vlen(t); i++) {
			err = visit_child(w, m[i].type, level, deepest);
			if (err)
				return err;
		}
	}
	return 0;
}

static int visit(struct walk *w, u32 id, u32 level)
{
	u8 deepest = 0;
	int err;

	if (w->depth[id] == ON_THE_WAY) {
		btf_complain(w->btf, w->log, id, "Loop detected");
		return -EEXIST;
	}
	if (w->depth[id])
		return 0;
	if (level >= BTF_MAX_RESOLVE_DEPTH) {
		btf_complain(w->btf, w->log, id, "Exceeded max resolving depth:%u",
			     BTF_MAX_RESOLVE_DEPTH);
		return -E2BIG;
	}
	w->depth[id] = ON_THE_WAY;
	err = visit_children(w, w->btf->types[id], level, &deepest);
	w->depth[id] = deepest + 1;
	if (!err && deepest >= BTF_MAX_DEPTH) {
		btf_complain(w->btf, w->log, id, "Nested too deep: more than %u types",
			     BTF_MAX_DEPTH);
		err = -E2BIG;
	}
	return err;
}

static int check_cycles(struct btf *btf, enum graph graph, struct bpf_log *log)
{
	struct walk w = { .btf = btf, .log = log, .graph = graph };
	int err = 0;
	u32 id;

	w.depth = calloc(btf->nr_types, 1);
	if (!w.depth)
		return -ENOMEM;
	for (id = 1; id < btf->nr_types && !err; id++)
		err = visit(&w, id, 0);
	free(w.depth);
	return err;
}

/* Type tags come before all other modifiers of the same chain. */
static int check_type_tags(struct btf *btf, struct bpf_log *log)
{
	u32 id;

	for (id = 1; id < btf->nr_types; id++) {
		const struct btf_type *t = btf->types[id];

		if (btf_is_modifier(t) && btf_kind(t) != BTF_KIND_TYPE_TAG &&
		    btf_kind(btf->types[t->type]) == BTF_KIND_TYPE_TAG)
			return refuse(log, "Type tags don't precede modifiers");
	}
	return 0;
}

/* --- all of it ----------------------------------------------------------- */

static int by_name(const void *a, const void *b, void *arg)
{
	const struct btf *btf = arg;
	u32 x = *(const u32 *)a, y = *(const u32 *)b;
	int order = strcmp(btf_name(btf, btf->types[x]->name_off),
			   btf_name(btf, btf->types[y]->name_off));

	return order ?: (x > y) - (x < y);
}

static int build_index(struct btf *btf)
{
	u32 id;

	btf->by_name = calloc(btf->nr_types, sizeof(*btf->by_name));
	if (!btf->by_name)
		return -ENOMEM;
	for (id = 1; id < btf->nr_types; id++)
		btf->by_name[id - 1] = id;
	qsort_r(btf->by_name, btf->nr_types - 1, sizeof(*btf->by_name), by_name, btf);
	return 0;
}

static void btf_free(struct btf *btf)
{
	btf_struct_records_free(btf);
	free(btf->by_name);
	free(btf->types);
	free(btf->raw);
	free(btf);
}

static void btf_release(struct bpf_obj *obj)
{
	btf_free(container_of(obj, struct btf, obj));
}

static int check_all(struct btf *btf, struct bpf_log *log)
{
	struct btf_header hdr;
	u32 id;
	int err;

	err = check_header(btf, &hdr, log) ?: check_strings(btf, &hdr, log) ?:
						      check_all_headers(btf, &hdr, log);
	for (id = 1; !err && id < btf->nr_types; id++)
		err = check_references(btf, id, log);
	return err ?: check_cycles(btf, BY_VALUE, log) ?: check_cycles(btf, BY_POINTER, log) ?:
		      check_type_tags(btf, log) ?: build_index(btf) ?: btf_check_contents(btf, log);
}

struct btf *btf_parse(const void *raw, u32 size, bool kernel, struct bpf_log *log, int *err)
{
	struct btf *btf;

	*err = size > MAX_SIZE ? -E2BIG : -ENOMEM;
	if (size > MAX_SIZE)
		return NULL;
	btf = calloc(1, sizeof(*btf));
	if (!btf)
		return NULL;
	btf->raw = malloc(size ?: 1);
	if (!btf->raw) {
		btf_free(btf);
		return NULL;
	}
	memcpy(btf->raw, raw, size);
	btf->raw_size = size;
	btf->kernel = kernel;
	if (kernel)
		snprintf(btf->name, sizeof(btf->name), "vmlinux");
	*err = check_all(btf, log);
	if (*err) {
		btf_free(btf);
		return NULL;
	}
	bpf_obj_init(&btf->obj, BPF_OBJ_BTF, btf_release);
	return btf;
}
