// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys and values of maps, and the special fields in values and in objects that
 * programs allocate. A special field is the subsystem's: loads and stores may
 * touch only kptrs, one at a time and with the right type.
 */
#include <errno.h>
#include <string.h>

#include "../btf/internal.h"
#include "mem_internal.h"

#define KPTRS (BPF_KPTR_UNREF | BPF_KPTR_REF | BPF_KPTR_PERCPU)
#define GRAPH_NODES (BPF_LIST_NODE | BPF_RB_NODE)

/* --- special fields ---------- */

const struct btf_record *reg_btf_record(const struct bpf_reg_state *reg)
{
	if (base_type(reg->type) == PTR_TO_MAP_VALUE)
		return reg->map_ptr->record;
	if (base_type(reg->type) == PTR_TO_BTF_ID && type_is_alloc(reg->type))
		return btf_struct_record(reg->btf, reg->btf_id);
	return NULL;
}

static const struct btf_field *field_at(const struct btf_record *rec, s64 off, u32 fields)
{
	for (u32 i = 0; rec && i < rec->nr; i++)
		if (rec->fields[i].offset == off && rec->fields[i].type & fields)
			return &rec->fields[i];
	return NULL;
}

const struct btf_field *reg_find_field_offset(const struct bpf_reg_state *reg, s32 off, u32 fields)
{
	return field_at(reg_btf_record(reg), off, fields);
}

/* --- values: bounds and fields ---------- */

static int check_kptr_place(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			    const struct btf_field *field, s32 off, s32 size)
{
	u64 pos = (u64)(s64)off + reg->s.var_off.value;

	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env, "kptr access cannot have variable offset\n");
		return -EACCES;
	}
	if (field->offset != pos) {
		verbose(env, "kptr access misaligned expected=%u off=%llu\n", field->offset,
			(unsigned long long)pos);
		return -EACCES;
	}
	if (size != 8) {
		verbose(env, "kptr access size must be BPF_DW\n");
		return -EACCES;
	}
	return 0;
}

/* @direct: by an instruction, not by a call. */
static int check_field(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
		       const struct btf_field *field, s32 off, s32 size, bool direct)
{
	if (!(field->type & KPTRS)) {
		verbose(env, "%s cannot be accessed directly by load/store\n",
			btf_field_type_name(field->type));
		return -EACCES;
	}
	if (!direct) {
		verbose(env, "kptr cannot be accessed indirectly by helper\n");
		return -EACCES;
	}
	return check_kptr_place(env, reg, field, off, size);
}

static int check_value(struct bpf_verifier_env *env, u32 regno, s32 off, s32 size,
		       bool zero_size_allowed, bool direct)
{
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	const struct btf_record *rec = reg->map_ptr->record;
	int err = check_mem_region_access(env, regno, off, size, reg->map_ptr->value_size,
					  zero_size_allowed);

	for (u32 i = 0; !err && rec && i < rec->nr; i++) {
		const struct btf_field *field = &rec->fields[i];

		if (reg->s.smin_value + off < (s64)field->offset + field->size &&
		    field->offset < (s64)reg->s.umax_value + off + size)
			err = check_field(env, reg, field, off, size, direct);
	}
	return err;
}

static int check_map_flags(struct bpf_verifier_env *env, const struct bpf_map *map, s32 off,
			   s32 size, enum bpf_access_type t)
{
	if (t == BPF_WRITE ? !map->rdonly_prog : !map->wronly_prog)
		return 0;
	verbose(env, "%s map forbidden, value_size=%u off=%d size=%d\n",
		t == BPF_WRITE ? "write into" : "read from", map->value_size, off, size);
	return -EACCES;
}

int check_map_access(struct bpf_verifier_env *env, u32 regno, s32 off, s32 size,
		     bool zero_size_allowed, enum bpf_access_type t)
{
	return check_map_flags(env, reg_state(env, (int)regno)->map_ptr, off, size, t) ?:
	       check_value(env, regno, off, size, zero_size_allowed, false);
}

/* --- kptrs ---------- */

/* Objects of the kernel that stay until all readers have seen that they are gone. */
static bool rcu_protected(const struct btf *btf, u32 id)
{
	static const char *const names[] = { "prog_test_ref_kfunc", "cgroup", "bpf_cpumask",
					     "task_struct", "bpf_crypto_ctx" };
	const char *name = btf_name(btf, btf_type_by_id(btf, id)->name_off);

	if (!btf->kernel)
		return true;
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* What a load of the kptr gives, as flags: it may be gone unless RCU keeps it. */
static u32 loaded_kptr_flags(struct bpf_verifier_env *env, const struct btf_field *field)
{
	bool local = !field->kptr_btf->kernel;
	const struct btf_record *rec;
	u32 flags = PTR_MAYBE_NULL;

	if (!in_rcu_cs(env) ||
	    !(field->type == BPF_KPTR_PERCPU ||
	      (field->type == BPF_KPTR_REF && rcu_protected(field->kptr_btf, field->kptr_btf_id))))
		return flags | PTR_UNTRUSTED;
	flags |= MEM_RCU;
	if (field->type == BPF_KPTR_PERCPU)
		flags |= MEM_PERCPU;
	else if (local)
		flags |= MEM_ALLOC;
	rec = local ? btf_struct_record(field->kptr_btf, field->kptr_btf_id) : NULL;
	return rec && rec->field_mask & GRAPH_NODES ? flags | NON_OWN_REF : flags;
}

static const char *type_name(const struct btf *btf, u32 id)
{
	return btf_name(btf, btf_type_by_id(btf, id)->name_off);
}

/* May a pointer with these flags be stored there? */
static bool kptr_flags_ok(const struct btf_field *field, const struct bpf_reg_state *reg)
{
	u32 allowed = PTR_MAYBE_NULL;

	if (base_type(reg->type) != PTR_TO_BTF_ID)
		return false;
	if (reg->btf->kernel) {
		allowed |= PTR_TRUSTED | MEM_RCU;
		if (field->type == BPF_KPTR_UNREF)
			allowed |= PTR_UNTRUSTED;
	} else {
		allowed |= MEM_ALLOC;
		if (field->type == BPF_KPTR_PERCPU)
			allowed |= MEM_PERCPU;
	}
	return !(type_flag(reg->type) & ~allowed) &&
	       (field->type == BPF_KPTR_PERCPU) == !!(reg->type & MEM_PERCPU);
}

static void complain_kptr(struct bpf_verifier_env *env, const struct btf_field *field,
			  const struct bpf_reg_state *reg, u32 regno, const char *reg_name)
{
	const char *name = type_name(field->kptr_btf, field->kptr_btf_id);
	char buf[128];

	verbose(env, "invalid kptr access, R%u type=%s%s ", regno,
		reg_type_str(env, reg->type, buf), reg_name);
	verbose(env, "expected=%s%s", reg_type_str(env, PTR_TO_BTF_ID, buf), name);
	if (field->type == BPF_KPTR_UNREF)
		verbose(env, " or %s%s", reg_type_str(env, PTR_TO_BTF_ID | PTR_UNTRUSTED, buf),
			name);
	verbose(env, "\n");
}

int map_kptr_match_type(struct bpf_verifier_env *env, const struct btf_field *field,
			const struct bpf_reg_state *reg, u32 regno)
{
	bool strict = field->type != BPF_KPTR_UNREF;

	if (!kptr_flags_ok(field, reg)) {
		complain_kptr(env, field, reg, regno, "");
		return -EINVAL;
	}
	if (check_ptr_off_reg(env, reg, regno, true))
		return -EACCES;
	if (btf_struct_ids_match(env, reg->btf, reg->btf_id, reg->off, field->kptr_btf,
				 field->kptr_btf_id, strict))
		return 0;
	complain_kptr(env, field, reg, regno, type_name(reg->btf, reg->btf_id));
	return -EINVAL;
}

static int store_kptr(struct bpf_verifier_env *env, const struct mem_access *a,
		      const struct btf_field *field)
{
	const struct bpf_insn *insn = &env->insns[a->insn_idx];
	const struct bpf_reg_state *value;

	if (field->type != BPF_KPTR_UNREF) {
		verbose(env, "store to referenced kptr disallowed\n");
		return -EACCES;
	}
	if (a->value_regno < 0) {
		if (!insn->imm)
			return 0;
		verbose(env, "BPF_ST imm must be 0 when storing to kptr at off=%u\n",
			field->offset);
		return -EACCES;
	}
	value = reg_state(env, a->value_regno);
	if (register_is_null(value)) /* that it is zero is what makes the store safe */
		return mark_chain_precision(env, (u32)a->value_regno);
	return map_kptr_match_type(env, field, value, (u32)a->value_regno) ? -EACCES : 0;
}

static int access_kptr(struct bpf_verifier_env *env, const struct mem_access *a,
		       const struct btf_field *field)
{
	if (BPF_MODE(env->insns[a->insn_idx].code) != BPF_MEM) {
		verbose(env, "kptr in map can only be accessed using BPF_MEM instruction mode\n");
		return -EACCES;
	}
	if (a->t == BPF_WRITE)
		return store_kptr(env, a, field);
	mark_btf_ld_reg(env, cur_regs(env), (u32)a->value_regno, PTR_TO_BTF_ID, field->kptr_btf,
			field->kptr_btf_id, loaded_kptr_flags(env, field));
	return 0;
}

/* --- loads and stores ---------- */

int access_map_key(struct bpf_verifier_env *env, const struct mem_access *a)
{
	int err;

	if (a->t == BPF_WRITE) {
		verbose(env, "write to change key R%u not allowed\n", a->regno);
		return -EACCES;
	}
	err = check_mem_region_access(env, a->regno, a->off, a->size, a->reg->map_ptr->key_size,
				      false);
	if (!err)
		mark_loaded_scalar(env, a);
	return err;
}

/* The one value of a map that nobody can write any more, or NULL. */
static const u8 *constant_value(struct bpf_map *map)
{
	u32 key = 0;

	if (map->type != BPF_MAP_TYPE_ARRAY || map->max_entries != 1 || !map->rdonly_prog ||
	    !map->frozen || map->writable_mappings)
		return NULL;
	return map->ops->lookup(map, &key);
}

static void load_constant(struct bpf_verifier_env *env, const struct mem_access *a, const u8 *from)
{
	u64 value = 0;

	memcpy(&value, from, (size_t)a->size); /* little endian, as what is simulated */
	if (a->is_ldsx && a->size < 8) {
		u32 shift = 64 - 8 * (u32)a->size;

		value = (u64)((s64)(value << shift) >> shift);
	}
	reg_mark_known(reg_state(env, a->value_regno), value);
}

int access_map_value(struct bpf_verifier_env *env, const struct mem_access *a)
{
	struct tnum var = a->reg->s.var_off;
	struct bpf_map *map = a->reg->map_ptr;
	const struct btf_field *kptr = NULL;
	const u8 *value;
	int err = check_map_flags(env, map, a->off, a->size, a->t) ?:
		  check_value(env, a->regno, a->off, a->size, false, true);

	if (err)
		return err;
	if (tnum_is_const(var))
		kptr = field_at(map->record, a->off + (s64)var.value, KPTRS);
	if (kptr)
		return access_kptr(env, a, kptr);
	if (a->t == BPF_WRITE || a->value_regno < 0)
		return 0;
	value = tnum_is_const(var) ? constant_value(map) : NULL;
	if (value)
		load_constant(env, a, value + a->off + var.value);
	else
		mark_loaded_scalar(env, a);
	return 0;
}
