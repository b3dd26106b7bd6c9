// SPDX-License-Identifier: GPL-2.0-only
/*
 * Special fields of values and allocated objects: locks, timers, kptrs, lists
 * and trees, found by the names and tags that programs give them.
 *
 * Works on checked BTF; types nest at most BTF_MAX_DEPTH deep. A record does
 * not hold its BTF: whoever has the record has the BTF (a map, a program).
 */
#include "internal.h"
#include "../map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"

/* Linux's BTF_FIELDS_MAX. */
#define MAX_FIELDS 11
#define MAX_DTORS 64

#define KPTRS (BPF_KPTR_UNREF | BPF_KPTR_REF | BPF_KPTR_PERCPU)
#define GRAPH_ROOTS (BPF_LIST_HEAD | BPF_RB_ROOT)
#define LOCAL_FIELDS                                                                               \
	(BPF_SPIN_LOCK | BPF_LIST_HEAD | BPF_LIST_NODE | BPF_RB_ROOT | BPF_RB_NODE |               \
	 BPF_REFCOUNT | KPTRS)

static const struct special {
	const char *name;
	enum btf_field_type type;
	u32 size, align;
	bool once; /* at most one in a value */
} specials[] = {
	{ "bpf_spin_lock", BPF_SPIN_LOCK, 4, 4, true },
	{ "bpf_timer", BPF_TIMER, 16, 8, true },
	{ "bpf_wq", BPF_WORKQUEUE, 16, 8, true },
	{ "bpf_list_head", BPF_LIST_HEAD, 16, 8, false },
	{ "bpf_list_node", BPF_LIST_NODE, 24, 8, false },
	{ "bpf_rb_root", BPF_RB_ROOT, 16, 8, false },
	{ "bpf_rb_node", BPF_RB_NODE, 32, 8, false },
	{ "bpf_refcount", BPF_REFCOUNT, 4, 4, true },
};

const char *btf_field_type_name(enum btf_field_type type)
{
	for (u32 i = 0; i < ARRAY_SIZE(specials); i++)
		if (specials[i].type == type)
			return specials[i].name;
	return type == BPF_KPTR_PERCPU ? "percpu_kptr" : "kptr";
}

/* --- destructors --------------------------------------------------------- */

static struct {
	u32 btf_id;
	void (*fn)(void *obj);
} dtors[MAX_DTORS];
static u32 nr_dtors;

int bpf_register_dtor(const char *name, void (*dtor)(void *obj))
{
	s32 id = btf_find_by_name_kind(bpf_kernel_btf(), name, BTF_KIND_STRUCT);

	if (id < 0)
		return id;
	if (nr_dtors == MAX_DTORS)
		return -E2BIG;
	dtors[nr_dtors].btf_id = (u32)id;
	dtors[nr_dtors++].fn = dtor;
	return 0;
}

void btf_dtors_exit(void)
{
	nr_dtors = 0;
}

void (*btf_find_dtor(u32 btf_id))(void *)
{
	u32 i;

	for (i = 0; i < nr_dtors; i++)
		if (dtors[i].btf_id == btf_id)
			return dtors[i].fn;
	return NULL;
}

/* --- finding ------------------------------------------------------------- */

struct finder {
	struct btf *btf;
	u32 mask, seen;
	struct btf_field fields[MAX_FIELDS];
	u32 nr;
};

static int find_in_struct(struct finder *f, u32 id, u32 base, u32 level);

static int add_field(struct finder *f, const struct btf_field *field)
{
	if (f->nr == MAX_FIELDS)
		return -E2BIG;
	f->fields[f->nr++] = *field;
	return 0;
}

/* Of what starts at @first, another @nr copies, @step bytes apart each. */
static int repeat_fields(struct finder *f, u32 first, u32 nr, u32 step)
{
	u32 count = f->nr - first, i, j;

	for (j = 0; j < count; j++)
		if (!(f->fields[first + j].type & (KPTRS | GRAPH_ROOTS)))
			return -EINVAL;
	if (count && nr > MAX_FIELDS)
		return -E2BIG;
	for (i = 1; count && i <= nr; i++) {
		for (j = 0; j < count; j++) {
			struct btf_field copy = f->fields[first + j];
			int err;

			copy.offset += i * step;
			err = add_field(f, &copy);
			if (err)
				return err;
		}
	}
	return 0;
}

/* The type behind a tagged pointer: 1 and *@kind, *@target; 0 if it is no kptr. */
static int kptr_target(const struct btf *btf, u32 id, u32 *kind, u32 *target)
{
	const struct btf_type *t = btf_type_by_id(btf, id);
	const char *tag;

	if (btf_kind(t) == BTF_KIND_VOLATILE)
		t = btf_type_by_id(btf, t->type);
	if (btf_kind(t) != BTF_KIND_PTR)
		return 0;
	t = btf_type_by_id(btf, t->type);
	if (btf_kind(t) != BTF_KIND_TYPE_TAG)
		return 0;
	tag = btf_name(btf, t->name_off);
	if (!strcmp(tag, "kptr_untrusted"))
		*kind = BPF_KPTR_UNREF;
	else if (!strcmp(tag, "kptr"))
		*kind = BPF_KPTR_REF;
	else if (!strcmp(tag, "percpu_kptr"))
		*kind = BPF_KPTR_PERCPU;
	else
		return -EINVAL;
	if (btf_kind(btf_type_by_id(btf, t->type)) == BTF_KIND_TYPE_TAG)
		return -EINVAL;
	return btf_is_struct(btf_type_skip_modifiers(btf, t->type, target)) ? 1 : -EINVAL;
}

/* The kernel's type of that name if it has one, otherwise the program's own. */
static int resolve_kptr(const struct finder *f, struct btf_field *field)
{
	const struct btf_type *t = btf_type_by_id(f->btf, field->kptr_btf_id);
	struct btf *kernel = bpf_kernel_btf();
	s32 id = -ENOENT;

	field->kptr_btf = f->btf;
	if (kernel)
		id = btf_find_by_name_kind(kernel, btf_name(f->btf, t->name_off), btf_kind(t));
	if (id < 0)
		return 0;
	field->kptr_btf = kernel;
	field->kptr_btf_id = (u32)id;
	if (field->type == BPF_KPTR_REF) {
		field->dtor = btf_find_dtor(field->kptr_btf_id);
		if (!field->dtor)
			return -ENOENT;
	}
	return 0;
}

static int find_kptr(struct finder *f, u32 id, u32 offset, bool *found)
{
	struct btf_field field = { .offset = offset, .size = sizeof(void *) };
	u32 kind;
	int ret;

	if (!(f->mask & KPTRS) || offset % sizeof(void *))
		return 0;
	ret = kptr_target(f->btf, id, &kind, &field.kptr_btf_id);
	if (ret <= 0)
		return ret;
	*found = true;
	field.type = kind;
	return resolve_kptr(f, &field) ?: add_field(f, &field);
}

/* "contains:type:member" of a list head or tree that is member @idx of @owner (-1: a variable). */
static int contains_tag(const struct finder *f, u32 owner, s32 idx, const char **value)
{
	static const char key[] = "contains:";
	u32 id;

	*value = NULL;
	for (id = 1; id < f->btf->nr_types; id++) {
		const struct btf_type *t = f->btf->types[id];
		const char *tag = btf_name(f->btf, t->name_off);

		if (btf_kind(t) != BTF_KIND_DECL_TAG || t->type != owner ||
		    ((const struct btf_decl_tag *)(t + 1))->component_idx != idx ||
		    strncmp(tag, key, sizeof(key) - 1))
			continue;
		if (*value)
			return -EINVAL;
		*value = tag + sizeof(key) - 1;
	}
	return *value ? 0 : -EINVAL;
}

static int resolve_node(const struct finder *f, struct btf_field *field, const char *member)
{
	const char *node = field->type == BPF_LIST_HEAD ? "bpf_list_node" : "bpf_rb_node";
	const struct btf_type *t = btf_type_by_id(f->btf, field->kptr_btf_id);
	const struct btf_member *m = btf_members(t);
	bool found = false;
	u32 i;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		const struct btf_type *mt = btf_type_by_id(f->btf, m->type);

		if (strcmp(btf_name(f->btf, m->name_off), member))
			continue;
		if (found || btf_kind(mt) != BTF_KIND_STRUCT ||
		    strcmp(btf_name(f->btf, mt->name_off), node) ||
		    btf_member_bit_offset(t, m) % 64)
			return -EINVAL;
		field->node_offset = btf_member_bit_offset(t, m) / 8;
		found = true;
	}
	return found ? 0 : -ENOENT;
}

static int resolve_graph_root(const struct finder *f, struct btf_field *field, u32 owner, s32 idx)
{
	const char *value, *colon;
	char name[128];
	s32 id;
	int err = contains_tag(f, owner, idx, &value);

	if (err)
		return err;
	colon = strchr(value, ':');
	if (!colon || !colon[1] || (size_t)(colon - value) >= sizeof(name))
		return -EINVAL;
	memcpy(name, value, colon - value);
	name[colon - value] = '\0';
	id = btf_find_by_name_kind(f->btf, name, BTF_KIND_STRUCT);
	if (id < 0)
		return id;
	field->kptr_btf = f->btf;
	field->kptr_btf_id = (u32)id;
	return resolve_node(f, field, colon + 1);
}

static const struct special *special_of(const struct btf *btf, const struct btf_type *t)
{
	u32 i;

	if (btf_kind(t) != BTF_KIND_STRUCT)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(specials); i++)
		if (!strcmp(btf_name(btf, t->name_off), specials[i].name))
			return &specials[i];
	return NULL;
}

static int find_special(struct finder *f, const struct special *s, u32 offset, u32 owner, s32 idx,
			bool *found)
{
	struct btf_field field = { .offset = offset, .size = s->size, .type = s->type };
	int err = 0;

	if (s->once && f->seen & s->type)
		return -E2BIG;
	f->seen |= s->type;
	if (offset % s->align)
		return 0;
	*found = true;
	if (s->type & GRAPH_ROOTS)
		err = resolve_graph_root(f, &field, owner, idx);
	return err ?: add_field(f, &field);
}

/*
 * One member or variable: member @idx of struct @owner, or variable @owner when
 * @idx is -1; its type is @id. @var_size: bytes that a variable has, 0 for members.
 */
static int find_one(struct finder *f, u32 owner, s32 idx, u32 id, u32 offset, u32 var_size,
		    u32 level)
{
	const struct btf_type *t = btf_type_by_id(f->btf, id);
	const struct special *s;
	u32 first = f->nr, step;
	u64 nr = 1;
	bool found = false;
	int err;

	for (; btf_kind(t) == BTF_KIND_ARRAY; t = btf_type_by_id(f->btf, id)) {
		nr *= btf_array_of(t)->nelems;
		id = btf_array_of(t)->type;
	}
	step = btf_type_size(f->btf, id);
	if (!nr || (var_size && var_size != nr * step))
		return 0;
	s = special_of(f->btf, t);
	if (s && (s->type & f->mask)) {
		if (t->size != s->size)
			return 0;
		err = find_special(f, s, offset, owner, idx, &found);
	} else if (btf_is_struct(t)) {
		err = find_in_struct(f, id, offset, level + 1);
		found = f->nr > first;
	} else {
		err = find_kptr(f, id, offset, &found);
	}
	if (!err && found && nr > 1)
		err = repeat_fields(f, first, (u32)min(nr - 1, (u64)MAX_FIELDS + 1), step);
	return err;
}

static int find_in_struct(struct finder *f, u32 id, u32 base, u32 level)
{
	const struct btf_type *t = btf_type_by_id(f->btf, id);
	const struct btf_member *m = btf_members(t);
	u32 i, offset;
	int err = 0;

	if (level >= BTF_MAX_RESOLVE_DEPTH)
		return -E2BIG;
	for (i = 0; i < btf_vlen(t) && !err; i++, m++) {
		offset = btf_member_bit_offset(t, m);
		if (offset % 8) /* a bit field is no special field */
			continue;
		err = find_one(f, id, (s32)i, m->type, base + offset / 8, 0, level);
	}
	return err;
}

static int find_in_datasec(struct finder *f, const struct btf_type *t)
{
	const struct btf_var_secinfo *v = (const struct btf_var_secinfo *)(t + 1);
	int err = 0;
	u32 i;

	for (i = 0; i < btf_vlen(t) && !err; i++, v++)
		err = find_one(f, v->type, -1, btf_type_by_id(f->btf, v->type)->type, v->offset,
			       v->size, 0);
	return err;
}

/* --- records ------------------------------------------------------------- */

static int by_offset(const void *a, const void *b)
{
	const struct btf_field *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Fields that overlap (unions), or that make no sense without one another. */
static int check_record(const struct btf_record *rec)
{
	u32 i;

	for (i = 1; i < rec->nr; i++)
		if (rec->fields[i].offset < rec->fields[i - 1].offset + rec->fields[i - 1].size)
			return -EEXIST;
	if (rec->field_mask & GRAPH_ROOTS && !(rec->field_mask & BPF_SPIN_LOCK))
		return -EINVAL;
	if (rec->field_mask & BPF_LIST_NODE && rec->field_mask & BPF_RB_NODE &&
	    !(rec->field_mask & BPF_REFCOUNT))
		return -EINVAL;
	return 0;
}

static struct btf_record *make_record(const struct finder *f, int *err)
{
	struct btf_record *rec;
	u32 i;

	rec = xcalloc(1, sizeof(*rec) + f->nr * sizeof(rec->fields[0]));
	rec->nr = f->nr;
	memcpy(rec->fields, f->fields, f->nr * sizeof(rec->fields[0]));
	for (i = 0; i < rec->nr; i++)
		rec->field_mask |= rec->fields[i].type;
	qsort(rec->fields, rec->nr, sizeof(rec->fields[0]), by_offset);
	*err = check_record(rec);
	if (*err) {
		btf_record_free(rec);
		return NULL;
	}
	return rec;
}

struct btf_record *btf_parse_record_mask(struct btf *btf, u32 id, u32 mask, int *err)
{
	struct finder f = { .btf = btf, .mask = mask };
	const struct btf_type *t = btf_type_skip_modifiers(btf, id, &id);

	*err = 0;
	if (!t)
		return NULL;
	if (btf_kind(t) == BTF_KIND_DATASEC)
		*err = find_in_datasec(&f, t);
	else if (btf_is_struct(t))
		*err = find_in_struct(&f, id, 0, 0);
	return *err || !f.nr ? NULL : make_record(&f, err);
}

struct btf_record *btf_parse_record(struct btf *btf, u32 id, int *err)
{
	return btf_parse_record_mask(btf, id, LOCAL_FIELDS, err);
}

/* In struct_records: it was looked for, and there is none. */
static struct btf_record no_record;

const struct btf_record *btf_struct_record(struct btf *btf, u32 id)
{
	struct btf_record **slot;
	int err;

	VRT_ASSERT(id < btf->nr_types);
	if (btf->kernel)
		return NULL;
	if (!btf->struct_records)
		btf->struct_records = xcalloc(btf->nr_types, sizeof(*btf->struct_records));
	slot = &btf->struct_records[id];
	if (!*slot)
		*slot = btf_parse_record(btf, id, &err) ?: &no_record;
	return *slot == &no_record ? NULL : *slot;
}

void btf_struct_records_free(struct btf *btf)
{
	if (!btf->struct_records)
		return;
	for (u32 i = 0; i < btf->nr_types; i++)
		if (btf->struct_records[i] != &no_record)
			btf_record_free(btf->struct_records[i]);
	free(btf->struct_records);
}

void btf_record_free(struct btf_record *record)
{
	free(record);
}

struct btf_record *btf_record_copy(const struct btf_record *record)
{
	size_t size;

	if (!record)
		return NULL;
	size = sizeof(*record) + record->nr * sizeof(record->fields[0]);
	return memcpy(xcalloc(1, size), record, size);
}

bool btf_record_equal(const struct btf_record *a, const struct btf_record *b)
{
	u32 i;

	if (!a || !b)
		return a == b;
	if (a->nr != b->nr)
		return false;
	for (i = 0; i < a->nr; i++) {
		const struct btf_field *x = &a->fields[i], *y = &b->fields[i];

		if (x->offset != y->offset || x->size != y->size || x->type != y->type ||
		    x->kptr_btf_id != y->kptr_btf_id || x->kptr_btf != y->kptr_btf ||
		    x->node_offset != y->node_offset || x->dtor != y->dtor)
			return false;
	}
	return true;
}

bool btf_has_special_member(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_type_by_id(btf, id);
	const struct btf_member *m = btf_members(t);
	u32 i, kind, target;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		const struct special *s = special_of(btf, btf_type_by_id(btf, m->type));

		if ((s && s->type & LOCAL_FIELDS) || kptr_target(btf, m->type, &kind, &target) > 0)
			return true;
	}
	return false;
}
