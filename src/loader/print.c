// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of maps as text, in an order that depends on the contents alone.
 *
 * Whoever prints stands outside of the machine, where nothing moves; a map of
 * the host's kernel may change under our eyes, and then shows some of both.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "../base/alloc.h"
#include "internal.h"

#define ENOTSUPP 524

struct listing {
	struct format format;
	const struct bpf_map *map;
	u32 key_type, value_type; /* in the object's BTF; 0: unknown */
	u32 key_size, value_size;
};

/* --- values --------------------------------------------------------------------- */

/*
 * A struct with nothing but an array in it is how ghOSt's programs get all their
 * elements by one lookup: its elements are entries of their own.
 */
static bool is_all_array(const struct listing *ls, struct variable *elem, const char **name)
{
	const struct btf *btf = ls->format.btf;
	struct variable var = {};
	const struct btf_type *t;

	if (!ls->value_type || !set_type(btf, &var, ls->value_type))
		return false;
	t = btf__type_by_id(btf, var.type_id);
	if (!btf_is_struct(t) || btf_vlen(t) != 1)
		return false;
	*name = btf__name_by_offset(btf, btf_members(t)->name_off);
	if (!enter_member(btf, &var, t, 0) || var.offset)
		return false;
	t = btf__type_by_id(btf, var.type_id);
	return btf_is_array(t) && set_type(btf, elem, btf_array(t)->type) && elem->size &&
	       btf_is_composite(btf__type_by_id(btf, elem->type_id));
}

static void print_elements(const struct listing *ls, u32 index, const struct variable *elem,
			   const char *name, const char *value)
{
	for (u32 i = 0; i < ls->value_size / elem->size; i++) {
		const char *data = value + (size_t)i * elem->size;

		if (is_zero(data, elem->size))
			continue;
		strbuf_printf(ls->format.out, "[%u].%s[%u] = ", index, name, i);
		format_value(&ls->format, elem->type_id, data, elem->size);
		strbuf_putc(ls->format.out, '\n');
	}
}

static void print_value(const struct listing *ls, const char *value)
{
	strbuf_puts(ls->format.out, " = ");
	format_value(&ls->format, ls->value_type, value, ls->value_size);
	strbuf_putc(ls->format.out, '\n');
}

static bool is_number(const struct listing *ls, struct variable *var)
{
	*var = (struct variable){};
	return ls->value_type && set_type(ls->format.btf, var, ls->value_type) &&
	       is_integer(ls->format.btf, var) && var->size == ls->value_size;
}

/* What one CPU after the other has under a key: values at steps of 8 bytes. */
static void print_percpu(const struct listing *ls, const char *key, const char *values, u32 nr_cpus)
{
	size_t stride = ALIGN_UP((size_t)ls->value_size, (size_t)8);
	struct strbuf *out = ls->format.out;
	struct variable var;
	u64 sum = 0;
	u32 nr = 0;

	if (!is_number(ls, &var)) {
		for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
			if (is_zero(values + cpu * stride, ls->value_size))
				continue;
			strbuf_printf(out, "%s cpu %u", key, cpu);
			print_value(ls, values + cpu * stride);
		}
		return;
	}
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		sum += (u64)get_integer(ls->format.btf, &var, values + cpu * stride);
	strbuf_printf(out, is_signed(ls->format.btf, &var) ? "%s = %lld" : "%s = %llu", key, sum);
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		if (is_zero(values + cpu * stride, ls->value_size))
			continue;
		strbuf_printf(out, "%scpu %u: ", nr++ ? ", " : " (", cpu);
		format_value(&ls->format, ls->value_type, values + cpu * stride, ls->value_size);
	}
	strbuf_puts(out, nr ? ")\n" : "\n");
}

/* --- arrays --------------------------------------------------------------------- */

static void print_element(const struct listing *ls, u32 index, const char *value, u32 nr_cpus)
{
	struct variable elem = {};
	const char *name;
	char key[16];

	if (is_zero(value, nr_cpus ? ALIGN_UP((size_t)ls->value_size, (size_t)8) * nr_cpus :
				     ls->value_size))
		return;
	snprintf(key, sizeof(key), "[%u]", index);
	if (nr_cpus) {
		print_percpu(ls, key, value, nr_cpus);
	} else if (is_all_array(ls, &elem, &name)) {
		print_elements(ls, index, &elem, name, value);
	} else {
		strbuf_puts(ls->format.out, key);
		print_value(ls, value);
	}
}

static int print_array(const struct listing *ls, u32 nr_cpus)
{
	size_t size = nr_cpus ? ALIGN_UP((size_t)ls->value_size, (size_t)8) * nr_cpus :
				ls->value_size;
	char *value;
	int err = 0;

	value = xcalloc(1, size);
	for (u32 i = 0; i < bpf_map__max_entries(ls->map) && !err; i++) {
		err = bpf_map_lookup_elem(bpf_map__fd(ls->map), &i, value);
		if (!err)
			print_element(ls, i, value, nr_cpus);
	}
	free(value);
	return err;
}

static int print_mapped(const struct listing *ls, const struct map_view *view)
{
	for (u32 i = 0; i < bpf_map__max_entries(ls->map); i++)
		print_element(ls, i, view->data + i * view->stride, 0);
	return 0;
}

/* --- global variables ----------------------------------------------------------- */

struct section {
	const struct listing *ls;
	const struct map_view *view;
};

static bool print_variable(const char *name, const struct variable *var, void *arg)
{
	const struct section *s = arg;

	if (var->offset > s->view->size || var->size > s->view->size - var->offset)
		return false;
	strbuf_printf(s->ls->format.out, "%s = ", name);
	format_value(&s->ls->format, var->type_id, s->view->data + var->offset, var->size);
	strbuf_putc(s->ls->format.out, '\n');
	return false;
}

static int print_section(const struct listing *ls, const struct map_view *view)
{
	struct section s = { .ls = ls, .view = view };

	each_in_section(ls->format.btf, ls->map, print_variable, &s);
	return 0;
}

/* --- hashes --------------------------------------------------------------------- */

static int by_key(const void *a, const void *b, void *arg)
{
	const struct listing *ls = arg;

	return compare_values(ls->format.btf, ls->key_type, a, b, ls->key_size);
}

/* All keys, sorted, to be freed; -errno in *err. */
static char *collect_keys(const struct listing *ls, u32 *nr, int *err)
{
	u32 max = bpf_map__max_entries(ls->map);
	char *keys = NULL, *prev = NULL;
	size_t size = ls->key_size;

	*err = 0;
	for (*nr = 0; *nr < max; ++*nr) {
		/* in steps, as most maps are emptier than they may be */
		if (!(*nr & (*nr - 1))) {
			keys = xreallocarray(keys, max(*nr * 2, 1U), size);
			prev = *nr ? keys + (*nr - 1) * size : NULL;
		}
		*err = bpf_map_get_next_key(bpf_map__fd(ls->map), prev, keys + *nr * size);
		if (*err)
			break;
		prev = keys + *nr * size;
	}
	if (*err == -ENOENT)
		*err = 0;
	else if (*err == -ENOTSUPP)
		*err = -EOPNOTSUPP;
	if (*nr)
		qsort_r(keys, *nr, size, by_key, (void *)ls);
	return keys;
}

static void print_entry(const struct listing *ls, const char *key, const char *value, u32 nr_cpus)
{
	struct strbuf text = {};
	struct format format = ls->format;

	format.out = &text;
	format_value(&format, ls->key_type, key, ls->key_size);
	if (nr_cpus) {
		print_percpu(ls, strbuf_str(&text), value, nr_cpus);
	} else {
		strbuf_puts(ls->format.out, strbuf_str(&text));
		print_value(ls, value);
	}
	strbuf_free(&text);
}

static int print_hash(const struct listing *ls, u32 nr_cpus)
{
	size_t size = ALIGN_UP((size_t)ls->value_size, (size_t)8) * max(nr_cpus, 1U);
	char *value = xcalloc(1, size), *keys;
	int err;
	u32 nr;

	keys = collect_keys(ls, &nr, &err);
	for (u32 i = 0; i < nr && !err; i++) {
		err = bpf_map_lookup_elem(bpf_map__fd(ls->map), keys + (size_t)i * ls->key_size,
					  value);
		if (!err)
			print_entry(ls, keys + (size_t)i * ls->key_size, value, nr_cpus);
		else if (err == -ENOENT)
			err = 0; /* it has just gone */
	}
	free(keys);
	free(value);
	return err;
}

/* --- maps ----------------------------------------------------------------------- */

static bool is_printable(const struct bpf_map *map)
{
	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LPM_TRIE:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
		return true;
	default:
		return false;
	}
}

static int print_by_type(const struct listing *ls)
{
	bool section = bpf_map__is_internal(ls->map);
	struct map_view view;
	int nr_cpus = 0, err;

	switch (bpf_map__type(ls->map)) {
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
		nr_cpus = libbpf_num_possible_cpus();
		if (nr_cpus < 0)
			return nr_cpus;
		if (bpf_map__type(ls->map) != BPF_MAP_TYPE_PERCPU_ARRAY)
			return print_hash(ls, (u32)nr_cpus);
		return print_array(ls, (u32)nr_cpus);
	case BPF_MAP_TYPE_ARRAY:
		err = map_view_open(&view, ls->map, false);
		if (err == -EOPNOTSUPP)
			return print_array(ls, 0);
		if (err)
			return err;
		err = section ? print_section(ls, &view) : print_mapped(ls, &view);
		map_view_close(&view);
		return err;
	default:
		return print_hash(ls, 0);
	}
}

int loader_print_map(struct loader *l, const char *name, const char *(*symbol)(u64 address),
		     struct strbuf *out)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(l->obj, name);
	struct listing ls = { .format = { l->btf, symbol, out }, .map = map };

	if (!map)
		return -ENOENT;
	if (!is_printable(map))
		return -EOPNOTSUPP;
	ls.key_type = bpf_map__btf_key_type_id(map);
	ls.value_type = bpf_map__btf_value_type_id(map);
	ls.key_size = bpf_map__key_size(map);
	ls.value_size = bpf_map__value_size(map);
	return print_by_type(&ls);
}

const char *loader_map_name(const struct loader *l, u32 i)
{
	const struct bpf_map *map;

	bpf_object__for_each_map(map, l->obj)
		if (is_printable(map) && !i--)
			return bpf_map__name(map);
	return NULL;
}

enum loader_status loader_check_map(const struct loader *l, const char *name,
				    struct loader_error *error)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(l->obj, name);
	struct suggest near = { .word = name };
	enum loader_status status = LOADER_OK;
	struct strbuf names = {};
	const char *type;

	if (map && !is_printable(map)) {
		type = libbpf_bpf_map_type_str(bpf_map__type(map));
		return loader_fail(error, LOADER_ERR_USAGE,
				   "%s: map '%s' is of type %s, whose contents cannot be listed; hashes and arrays can",
				   l->path, name, type ? type : "unknown");
	}
	if (map)
		return LOADER_OK;
	bpf_object__for_each_map(map, l->obj) {
		if (!is_printable(map))
			continue;
		suggest_try(&near, bpf_map__name(map));
		strbuf_printf(&names, "%s%s", names.len ? ", " : "", bpf_map__name(map));
	}
	status = loader_fail(error, LOADER_ERR_USAGE, "%s: has no map '%s'%s%s%s; it has: %s", l->path,
			     name, near.best ? " (did you mean '" : "", near.best ? near.best : "",
			     near.best ? "'?)" : "", names.len ? strbuf_str(&names) : "none");
	strbuf_free(&names);
	return status;
}
