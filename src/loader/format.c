// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values as text, by their BTF: {.pid = 7, .comm = "web"}.
 *
 * Why not btf_dump__dump_type_data(): it writes a cast before every member and
 * text as a list of characters (up to libbpf 1.7), and cannot be told names of
 * addresses.
 *
 * Whatever the BTF says, nothing outside of the value's bytes is read.
 */
#include <string.h>

#include "internal.h"

#define MAX_NESTING 16

bool is_zero(const char *data, size_t size)
{
	return !size || (!data[0] && !memcmp(data, data + 1, size - 1));
}

/* Damaged BTF may place a part anywhere. */
static bool is_within(const struct variable *part, const struct variable *whole)
{
	return part->offset >= whole->offset &&
	       (u64)part->offset + part->size <= (u64)whole->offset + whole->size;
}

static void put_bytes(const struct format *f, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		strbuf_printf(f->out, "%s%02x", i ? " " : "", (unsigned char)data[i]);
}

/* --- numbers -------------------------------------------------------------------- */

static const char *enumerator_name(const struct btf *btf, const struct btf_type *t, s64 value)
{
	u32 name_off;
	s64 v;

	for (u32 i = 0; i < btf_vlen(t); i++) {
		if (btf_is_enum64(t)) {
			v = (s64)btf_enum64_value(&btf_enum64(t)[i]);
			name_off = btf_enum64(t)[i].name_off;
		} else {
			v = btf_kflag(t) ? btf_enum(t)[i].val : (s64)(u32)btf_enum(t)[i].val;
			name_off = btf_enum(t)[i].name_off;
		}
		if (v == value)
			return btf__name_by_offset(btf, name_off);
	}
	return NULL;
}

static void put_number(const struct format *f, const struct variable *var, const char *data)
{
	const struct btf_type *t = btf__type_by_id(f->btf, var->type_id);
	s64 value = get_integer(f->btf, var, data + var->offset);
	const char *name = NULL;

	if (btf_is_any_enum(t))
		name = enumerator_name(f->btf, t, value);
	else if (btf_int_encoding(t) & BTF_INT_BOOL && (u64)value <= 1)
		name = value ? "true" : "false";
	else if (var->size == 8 && !var->bit_size && f->symbol)
		name = f->symbol((u64)value);
	if (name)
		strbuf_puts(f->out, name);
	else
		strbuf_printf(f->out, is_signed(f->btf, var) ? "%lld" : "%llu", value);
}

static void put_pointer(const struct format *f, const char *data)
{
	const char *name;
	u64 address;

	memcpy(&address, data, sizeof(address));
	name = f->symbol ? f->symbol(address) : NULL;
	if (name)
		strbuf_puts(f->out, name);
	else if (address)
		strbuf_printf(f->out, "0x%llx", address);
	else
		strbuf_puts(f->out, "NULL");
}

static void put_float(const struct format *f, const struct variable *var, const char *data)
{
	double d = 0;
	float s = 0;

	if (var->size == sizeof(d))
		memcpy(&d, data + var->offset, sizeof(d));
	else if (var->size == sizeof(s))
		memcpy(&s, data + var->offset, sizeof(s));
	strbuf_printf(f->out, "%.17g", var->size == sizeof(s) ? (double)s : d);
}

/* --- text and what is made of parts --------------------------------------------- */

static bool is_text(const struct btf *btf, const struct btf_array *array)
{
	const struct btf_type *t = plain_type(btf, array->type, NULL);

	return t && btf_is_int(t) && t->size == 1 &&
	       !strcmp(btf__name_by_offset(btf, t->name_off), "char");
}

/* Up to the first zero byte; what cannot be printed as an escape that C knows. */
static void put_text(const struct format *f, const char *text, size_t size)
{
	strbuf_putc(f->out, '"');
	for (size_t i = 0; i < size && text[i]; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			strbuf_printf(f->out, "\\%c", c);
		else if (c == '\n')
			strbuf_puts(f->out, "\\n");
		else if (c >= ' ' && c <= '~')
			strbuf_putc(f->out, (char)c);
		else
			strbuf_printf(f->out, "\\%03o", c);
	}
	strbuf_putc(f->out, '"');
}

static void put(const struct format *f, const struct variable *var, const char *data, u32 nesting);

/* Elements that are not zero; with their index, unless all of them are there. */
static void put_array(const struct format *f, const struct variable *var, const char *data,
		      u32 nesting)
{
	const struct btf_array *array = btf_array(btf__type_by_id(f->btf, var->type_id));
	struct variable elem = *var;
	bool all = true, first = true;

	if (is_text(f->btf, array)) {
		put_text(f, data + var->offset, var->size);
		return;
	}
	if (!set_type(f->btf, &elem, array->type) || !elem.size)
		return put_bytes(f, data + var->offset, var->size);
	for (u32 i = 0; i < array->nelems; i++)
		all &= !is_zero(data + var->offset + (size_t)i * elem.size, elem.size);
	strbuf_putc(f->out, '{');
	for (u32 i = 0; i < array->nelems; i++) {
		elem.offset = var->offset + i * elem.size;
		if (is_zero(data + elem.offset, elem.size))
			continue;
		strbuf_puts(f->out, first ? "" : ", ");
		if (!all)
			strbuf_printf(f->out, "[%u] = ", i);
		put(f, &elem, data, nesting);
		first = false;
	}
	strbuf_putc(f->out, '}');
}

/* Members of an anonymous one are the struct's own. Parts that are all zero say nothing. */
static void put_members(const struct format *f, const struct variable *var, const char *data,
			u32 nesting, bool *first)
{
	const struct btf_type *t = btf__type_by_id(f->btf, var->type_id), *type;
	const struct btf_member *m = btf_members(t);

	for (u32 i = 0; i < btf_vlen(t); i++, m++) {
		const char *name = btf__name_by_offset(f->btf, m->name_off);
		struct variable part = *var;

		if (!enter_member(f->btf, &part, t, i) || !is_within(&part, var))
			continue;
		type = btf__type_by_id(f->btf, part.type_id);
		if (!*name && btf_is_composite(type) && nesting) {
			put_members(f, &part, data, nesting - 1, first);
			continue;
		}
		if (!*name || ((btf_is_composite(type) || (btf_is_array(type) &&
							   !is_text(f->btf, btf_array(type)))) &&
			       is_zero(data + part.offset, part.size)))
			continue;
		strbuf_printf(f->out, "%s.%s = ", *first ? "" : ", ", name);
		put(f, &part, data, nesting);
		*first = false;
	}
}

/* @var is a place within @data. */
static void put(const struct format *f, const struct variable *var, const char *data, u32 nesting)
{
	const struct btf_type *t = btf__type_by_id(f->btf, var->type_id);
	bool first = true;

	if (is_integer(f->btf, var)) {
		put_number(f, var, data);
	} else if (btf_is_ptr(t) && var->size == 8) {
		put_pointer(f, data + var->offset);
	} else if (btf_is_float(t)) {
		put_float(f, var, data);
	} else if (btf_is_composite(t) && nesting) {
		strbuf_putc(f->out, '{');
		put_members(f, var, data, nesting - 1, &first);
		strbuf_putc(f->out, '}');
	} else if (btf_is_array(t) && nesting) {
		put_array(f, var, data, nesting - 1);
	} else {
		put_bytes(f, data + var->offset, var->size);
	}
}

void format_value(const struct format *f, u32 type_id, const void *data, size_t size)
{
	struct variable var = {};

	if (type_id && set_type(f->btf, &var, type_id) && var.size <= size)
		put(f, &var, data, MAX_NESTING);
	else
		put_bytes(f, data, size);
}

/* --- order ---------------------------------------------------------------------- */

static int compare_numbers(const struct btf *btf, const struct variable *var, const char *a,
			   const char *b)
{
	s64 x = get_integer(btf, var, a + var->offset), y = get_integer(btf, var, b + var->offset);

	if (is_signed(btf, var))
		return x < y ? -1 : x > y;
	return (u64)x < (u64)y ? -1 : (u64)x > (u64)y;
}

static int compare(const struct btf *btf, const struct variable *var, const char *a, const char *b,
		   u32 nesting)
{
	const struct btf_type *t = btf__type_by_id(btf, var->type_id);
	int order = 0;

	if (is_integer(btf, var))
		return compare_numbers(btf, var, a, b);
	for (u32 i = 0; btf_is_struct(t) && nesting && i < btf_vlen(t) && !order; i++) {
		struct variable part = *var;

		if (enter_member(btf, &part, t, i) && is_within(&part, var))
			order = compare(btf, &part, a, b, nesting - 1);
	}
	/* also bytes that no member covers: different keys are different */
	return order ? order : memcmp(a + var->offset, b + var->offset, var->size);
}

int compare_values(const struct btf *btf, u32 type_id, const void *a, const void *b, size_t size)
{
	struct variable var = {};

	if (type_id && set_type(btf, &var, type_id) && var.size == size)
		return compare(btf, &var, a, b, MAX_NESTING);
	return memcmp(a, b, size);
}
