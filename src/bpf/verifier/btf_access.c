// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads and stores through pointers to objects that BTF describes: the kernel's,
 * and those that programs allocate. What matters is which pointers that are found
 * there can be trusted: that they are there, and stay for as long as they are used.
 *
 * Pointers that cannot be trusted may be read through all the same: such loads are
 * made safe when the program runs, and give 0 where nothing is.
 */
#include <errno.h>
#include <string.h>

#include "../btf/internal.h"
#include "../prog_type_internal.h"
#include "mem_internal.h"

/* --- trust ---------- */

bool is_trusted_reg(const struct bpf_reg_state *reg)
{
	u32 flags = type_flag(reg->type);

	if (reg->ref_obj_id)
		return true;
	switch (base_type(reg->type)) {
	case PTR_TO_SOCKET:
	case PTR_TO_SOCK_COMMON:
	case PTR_TO_TCP_SOCK:
	case CONST_PTR_TO_MAP:
		return !(flags & ~(u32)TRUSTED_MODIFIERS);
	default:
		return flags & TRUSTED_MODIFIERS && !(flags & ~(u32)TRUSTED_MODIFIERS);
	}
}

bool is_rcu_reg(const struct bpf_reg_state *reg)
{
	return reg->type & MEM_RCU;
}

/*
 * Pointers in objects that are as good as the pointer to the object. Others are
 * known to nobody, or have a tag (__rcu).
 */
static const struct safe_field {
	const char *type, *field, *to; /* the pointer, and the struct that it points to */
	enum { SAFE_IN_RCU, SAFE_IN_RCU_OR_NULL, SAFE, SAFE_OR_NULL } how;
} safe_fields[] = {
	{ "task_struct", "cpus_ptr", "cpumask", SAFE_IN_RCU },
	{ "task_struct", "cgroups", "css_set", SAFE_IN_RCU },
	{ "task_struct", "real_parent", "task_struct", SAFE_IN_RCU },
	{ "task_struct", "group_leader", "task_struct", SAFE_IN_RCU },
	{ "cgroup", "kn", "kernfs_node", SAFE_IN_RCU },
	{ "css_set", "dfl_cgrp", "cgroup", SAFE_IN_RCU },
	{ "mm_struct", "exe_file", "file", SAFE_IN_RCU_OR_NULL },
	{ "sk_buff", "sk", "sock", SAFE_IN_RCU_OR_NULL },
	{ "request_sock", "sk", "sock", SAFE_IN_RCU_OR_NULL },
	{ "bpf_iter_meta", "seq", "seq_file", SAFE },
	{ "bpf_iter__task", "meta", "bpf_iter_meta", SAFE },
	{ "bpf_iter__task", "task", "task_struct", SAFE },
	{ "linux_binprm", "file", "file", SAFE },
	{ "file", "f_inode", "inode", SAFE },
	{ "dentry", "d_inode", "inode", SAFE },
	{ "socket", "sk", "sock", SAFE_OR_NULL },
};

static const char *struct_name(const struct btf *btf, u32 id)
{
	return btf_name(btf, btf_type_by_id(btf, id)->name_off);
}

static const struct safe_field *find_safe_field(const struct btf *btf, u32 id,
						const struct btf_place *place)
{
	const char *type = struct_name(btf, id), *to = struct_name(btf, place->id);

	for (u32 i = 0; i < ARRAY_SIZE(safe_fields); i++) {
		const struct safe_field *f = &safe_fields[i];

		if (!strcmp(f->type, type) && !strcmp(f->field, place->field) &&
		    !strcmp(f->to, to))
			return f;
	}
	return NULL;
}

/* Flags of a pointer that was found in an object that can be trusted. */
static u32 found_in_trusted(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			    const struct btf_place *place)
{
	const struct safe_field *safe = find_safe_field(reg->btf, reg->btf_id, place);
	u32 flags = place->flags;

	if (safe && safe->how == SAFE)
		return flags | PTR_TRUSTED;
	if (safe && safe->how == SAFE_OR_NULL)
		return flags | PTR_TRUSTED | PTR_MAYBE_NULL;
	if (!in_rcu_cs(env) || type_may_be_null(reg->type))
		return PTR_UNTRUSTED;
	if (safe && safe->how == SAFE_IN_RCU)
		return flags | MEM_RCU;
	if (safe)
		return (flags | MEM_RCU | PTR_MAYBE_NULL) & ~(u32)PTR_UNTRUSTED;
	if (flags & MEM_RCU)
		return flags | PTR_MAYBE_NULL;
	return flags;
}

static u32 found_flags(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
		       const struct btf_place *place)
{
	if (reg->type & PTR_UNTRUSTED)
		return PTR_UNTRUSTED;
	if (is_trusted_reg(reg) || is_rcu_reg(reg))
		return found_in_trusted(env, reg, place);
	return place->flags & ~(u32)(TRUSTED_MODIFIERS | MEM_RCU);
}

/* --- objects ---------- */

static int check_object_ptr(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			    u32 regno, s32 off)
{
	const char *name = struct_name(reg->btf, reg->btf_id);
	char var[TNUM_STR_SIZE];

	if (!env->prog->gpl_compatible && reg->btf->kernel) {
		verbose(env, "Cannot access kernel 'struct %s' from non-GPL compatible program\n",
			name);
		return -EINVAL;
	}
	if (off < 0) {
		verbose(env, "R%u is ptr_%s invalid negative access: off=%d\n", regno, name, off);
		return -EACCES;
	}
	if (!tnum_equals_const(reg->s.var_off, 0)) {
		verbose(env, "R%u is ptr_%s invalid variable offset: off=%d, var_off=%s\n", regno,
			name, off, tnum_str(reg->s.var_off, var));
		return -EACCES;
	}
	if (reg->type & (MEM_USER | MEM_PERCPU)) {
		verbose(env, "R%u is ptr_%s access %s memory: off=%d\n", regno, name,
			reg->type & MEM_USER ? "user" : "percpu", off);
		return -EACCES;
	}
	return 0;
}

static int only_read(struct bpf_verifier_env *env)
{
	verbose(env, "only read is supported\n");
	return -EACCES;
}

/* Fields that a struct_ops type lets its programs set, in objects that are surely there. */
static int check_kernel_write(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			      s32 off, s32 size)
{
	const struct bpf_struct_ops *ops = env->prog->st_ops;
	const char *name = struct_name(reg->btf, reg->btf_id);

	if (!ops || !ops->may_write || !reg->btf->kernel)
		return only_read(env);
	if (!is_trusted_reg(reg) && !is_rcu_reg(reg)) {
		verbose(env, "struct %s can only be written through a trusted pointer\n", name);
		return -EACCES;
	}
	if (ops->may_write(name, (u32)off, (u32)size))
		return 0;
	verbose(env, "write access of %d bytes at off %d of struct %s is not supported\n", size,
		off, name);
	return -EACCES;
}

static int check_write(struct bpf_verifier_env *env, const struct bpf_reg_state *reg, s32 off,
		       s32 size)
{
	if (reg->type & PTR_UNTRUSTED)
		return only_read(env);
	return type_is_alloc(reg->type) ? 0 : check_kernel_write(env, reg, off, size);
}

/* Objects of the program's own: their special fields belong to the subsystem. */
static int check_alloc_fields(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			      s32 off, s32 size)
{
	const struct btf_record *rec = btf_struct_record(reg->btf, reg->btf_id);

	if (!(reg->type & (NON_OWN_REF | MEM_RCU)) && !reg->ref_obj_id) {
		verbose(env, "verifier internal error: ref_obj_id for allocated object must be non-zero\n");
		return -EFAULT;
	}
	for (u32 i = 0; rec && i < rec->nr; i++) {
		const struct btf_field *f = &rec->fields[i];

		if ((u32)off < f->offset + f->size && f->offset < (u32)(off + size)) {
			verbose(env, "direct access to %s is disallowed\n",
				btf_field_type_name(f->type));
			return -EACCES;
		}
	}
	return 0;
}

int check_ptr_to_btf_access(struct bpf_verifier_env *env, struct bpf_reg_state *regs, u32 regno,
			    s32 off, s32 size, enum bpf_access_type t, s32 value_regno)
{
	struct bpf_reg_state *reg = &regs[regno];
	struct btf_place place = { .kind = BTF_PLACE_SCALAR };
	bool alloc = type_is_alloc(reg->type);
	int err = check_object_ptr(env, reg, regno, off);

	if (!err && t == BPF_WRITE)
		err = check_write(env, reg, off, size);
	if (!err && alloc)
		err = check_alloc_fields(env, reg, off, size);
	if (!err && (alloc || t == BPF_READ))
		err = btf_find_place(env, reg->btf, reg->btf_id, off, size, &place);
	if (!err && place.beyond)
		facts_of_beyond(env);
	if (err || t == BPF_WRITE || value_regno < 0)
		return err;
	/* what a program put in its own objects is a number, whatever its type says */
	if (place.kind == BTF_PLACE_PTR && !alloc)
		mark_btf_ld_reg(env, regs, (u32)value_regno, PTR_TO_BTF_ID, reg->btf, place.id,
				found_flags(env, reg, &place));
	else
		mark_reg_unknown(env, regs, (u32)value_regno);
	return 0;
}

int access_btf_object(struct bpf_verifier_env *env, const struct mem_access *a)
{
	return check_ptr_to_btf_access(env, cur_regs(env), a->regno, a->off, a->size, a->t,
				       a->value_regno);
}

/* --- maps ---------- */

/* The struct that a map is; NULL: programs cannot look into it. */
static const char *map_struct(enum bpf_map_type type)
{
	switch (type) {
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
		return "bpf_array";
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		return "bpf_htab";
	case BPF_MAP_TYPE_LPM_TRIE:
		return "lpm_trie";
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
		return "bpf_queue_stack";
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
		return "bpf_ringbuf_map";
	case BPF_MAP_TYPE_TASK_STORAGE:
	case BPF_MAP_TYPE_CGRP_STORAGE:
		return "bpf_local_storage_map";
	case BPF_MAP_TYPE_BLOOM_FILTER:
		return "bpf_bloom_filter";
	case BPF_MAP_TYPE_ARENA:
		return "bpf_arena";
	default:
		return NULL;
	}
}

int check_ptr_to_map_access(struct bpf_verifier_env *env, struct bpf_reg_state *regs, u32 regno,
			    s32 off, s32 size, enum bpf_access_type t, s32 value_regno)
{
	const struct bpf_map *map = regs[regno].map_ptr;
	const char *name = map_struct(map->type);
	struct btf *btf = bpf_kernel_btf();
	struct btf_place place = { .kind = BTF_PLACE_SCALAR };
	s32 id = name ? btf_find_by_name_kind(btf, name, BTF_KIND_STRUCT) : -ENOENT;
	int err;

	if (off < 0 && name) {
		verbose(env, "R%u is %s invalid negative access: off=%d\n", regno, name, off);
		return -EACCES;
	}
	if (t != BPF_READ && name) {
		verbose(env, "only read from %s is supported\n", name);
		return -EACCES;
	}
	if (id < 0) {
		verbose(env, "map_ptr access not supported for map type %d\n", (int)map->type);
		return -524; /* ENOTSUPP */
	}
	err = btf_find_place(env, btf, (u32)id, off, size, &place);
	if (err || value_regno < 0)
		return err;
	if (place.kind == BTF_PLACE_PTR)
		mark_btf_ld_reg(env, regs, (u32)value_regno, PTR_TO_BTF_ID, btf, place.id,
				place.flags);
	else
		mark_reg_unknown(env, regs, (u32)value_regno);
	return 0;
}

int access_map_struct(struct bpf_verifier_env *env, const struct mem_access *a)
{
	return check_ptr_to_map_access(env, cur_regs(env), a->regno, a->off, a->size, a->t,
				       a->value_regno);
}

/* --- types ---------- */

bool btf_struct_ids_match(struct bpf_verifier_env *env, const struct btf *btf, u32 id, s32 off,
			  const struct btf *need_btf, u32 need_id, bool strict)
{
	struct btf_place place = { .kind = BTF_PLACE_STRUCT };

	if (!off && btf == need_btf && id == need_id)
		return true;
	if (strict || off < 0 || btf != need_btf)
		return false;
	do {
		if (btf_walk(env, btf, id, off, 1, &place) || place.kind != BTF_PLACE_STRUCT)
			return false;
		id = place.id;
		off = 0;
	} while (id != need_id);
	return true;
}
