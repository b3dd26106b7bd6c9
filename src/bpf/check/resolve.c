// SPDX-License-Identifier: GPL-2.0-only
/*
 * What instructions refer to by descriptor or id: maps and their values, kernel
 * variables, functions as callbacks, kfuncs, helpers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../btf/internal.h"
#include "check.h"
#include "../helpers/helpers.h"
#include "../kfunc/kfunc.h"
#include "../kfunc/reloc.h"
#include "../maps/arena.h"
#include "../maps/map_impl.h"
#include "../syscall/syscall.h"

#define FAIL(env, err, ...) (bpf_log((env)->log, __VA_ARGS__), (err))
#define MAX_USED_MAPS 64
/* Where the functions of the kernel seem to be. */
#define KERNEL_TEXT 0xffffffff81000000ULL

/* --- constants ----------------------------------------------------------- */

/* What a 64-bit load loads: its index in exec->consts. */
static s32 add_const(struct bpf_prog *prog, const struct bpf_reg *value)
{
	struct bpf_prog_exec *exec = prog->exec;

	if (!(exec->nr_consts & (exec->nr_consts - 1))) /* full at every power of two */
		exec->consts = xreallocarray(exec->consts, max(2 * exec->nr_consts, 1U),
					     sizeof(*exec->consts));
	exec->consts[exec->nr_consts] = *value;
	return (s32)exec->nr_consts++;
}

/* --- maps ---------------------------------------------------------------- */

static bool has_arena(const struct bpf_prog *prog)
{
	u32 i;

	for (i = 0; i < prog->nr_maps; i++)
		if (prog->maps[i]->type == BPF_MAP_TYPE_ARENA)
			return true;
	return false;
}

int bpf_check_add_map(struct bpf_check_env *env, int fd)
{
	struct bpf_prog *prog = env->prog;
	struct bpf_map *map = bpf_map_from_fd(fd);
	u32 i;

	if (!map)
		return FAIL(env, bpf_fd_error(fd), "fd %d is not pointing to valid bpf_map\n", fd);
	for (i = 0; i < prog->nr_maps; i++)
		if (prog->maps[i] == map) {
			bpf_map_put(map);
			return (int)i;
		}
	if (prog->nr_maps == MAX_USED_MAPS) {
		bpf_map_put(map);
		return FAIL(env, -E2BIG, "The total number of maps per program has reached the limit of %u\n",
			    MAX_USED_MAPS);
	}
	if (map->type == BPF_MAP_TYPE_PROG_ARRAY && !bpf_prog_array_compatible(map, prog)) {
		bpf_map_put(map);
		return -EINVAL;
	}
	if (map->type == BPF_MAP_TYPE_ARENA && has_arena(prog)) {
		bpf_map_put(map);
		return FAIL(env, -EBUSY, "Only one arena per program\n");
	}
	prog->maps = xreallocarray(prog->maps, prog->nr_maps + 1, sizeof(*prog->maps));
	prog->maps[prog->nr_maps] = map;
	return (int)prog->nr_maps++;
}

static int map_fd(struct bpf_check_env *env, const struct bpf_insn *insn, int *fd)
{
	const int *fds = bpf_user_ptr(env->attr->fd_array);

	*fd = insn->imm;
	if (insn->src_reg != BPF_PSEUDO_MAP_IDX && insn->src_reg != BPF_PSEUDO_MAP_IDX_VALUE)
		return 0;
	if (!fds)
		return FAIL(env, -EPROTO, "fd_idx without fd_array is invalid\n");
	if (insn->imm < 0)
		return -EFAULT;
	*fd = fds[insn->imm];
	return 0;
}

static bool wants_value(const struct bpf_insn *insn)
{
	return insn->src_reg == BPF_PSEUDO_MAP_VALUE || insn->src_reg == BPF_PSEUDO_MAP_IDX_VALUE;
}

/* Programs that have used a map: all of its regions are made when all maps are known. */
static int resolve_map(struct bpf_check_env *env, struct bpf_insn *insn)
{
	int fd, index, err = map_fd(env, insn, &fd);
	const struct bpf_map *map;

	if (err)
		return err;
	if (!wants_value(insn) && insn[1].imm)
		return FAIL(env, -EINVAL, "unrecognized bpf_ld_imm64 insn\n");
	index = bpf_check_add_map(env, fd);
	if (index < 0)
		return index;
	map = env->prog->maps[index];
	if (wants_value(insn)) {
		u32 off = (u32)insn[1].imm;

		if (off >= 1u << 29)
			return FAIL(env, -EINVAL, "direct value offset of %u is not allowed\n", off);
		if (map->type == BPF_MAP_TYPE_ARENA) {
			if (off >= (u64)map->max_entries * MAP_PAGE_SIZE)
				return -ERANGE;
			insn->imm = index;
			return 0;
		}
		if (map->type != BPF_MAP_TYPE_ARRAY || map->max_entries != 1)
			return FAIL(env, -EINVAL,
				    "no direct value access support for this map type\n");
		if (off >= map->value_size)
			return FAIL(env, -EINVAL,
				    "invalid access to map value pointer, value_size=%u off=%u\n",
				    map->value_size, off);
	}
	insn->imm = index;
	return 0;
}

/* Second half, with regions: the index of the map becomes that of the constant. */
static void finish_map(struct bpf_prog *prog, struct bpf_insn *insn)
{
	const struct bpf_region *region = bpf_region_map_ptr(prog, (u32)insn->imm);
	struct bpf_map *map = prog->maps[insn->imm];
	struct bpf_reg value;
	u32 zero = 0;

	if (map->type == BPF_MAP_TYPE_ARENA && wants_value(insn)) {
		value = (struct bpf_reg){ .v = bpf_arena_user_start(map) + (u32)insn[1].imm,
					  .region = region->values };
	} else if (wants_value(insn)) {
		bpf_reg_map_value(&value, region->values, map->ops->lookup(map, &zero));
		value.v += (u32)insn[1].imm;
	} else {
		bpf_reg_opaque(&value, region, (u64)map);
	}
	insn->imm = add_const(prog, &value);
}

/* --- variables and functions --------------------------------------------- */

static bool is_percpu(u32 var_id)
{
	struct btf *btf = bpf_kernel_btf();
	s32 id = btf_find_by_name_kind(btf, ".data..percpu", BTF_KIND_DATASEC);
	const struct btf_type *t = id > 0 ? btf_type_by_id(btf, (u32)id) : NULL;
	const struct btf_var_secinfo *v = (const struct btf_var_secinfo *)(t + 1);
	u32 i;

	for (i = 0; t && i < btf_vlen(t); i++)
		if (v[i].type == var_id)
			return true;
	return false;
}

static struct bpf_region *percpu_region(struct bpf_prog *prog, const struct bpf_kernel_var *var,
					u32 type_id)
{
	struct bpf_var_region *r = xcalloc(1, sizeof(*r));

	r->region = (struct bpf_region){ .kind = REGION_PERCPU, .name = var->name,
					 .btf_id = type_id, .var = var };
	r->next = prog->exec->var_regions;
	prog->exec->var_regions = r;
	return &r->region;
}

static int resolve_var(struct bpf_check_env *env, struct bpf_insn *insn)
{
	const struct btf_type *t = btf_type_by_id(bpf_kernel_btf(), (u32)insn->imm);
	const struct bpf_kernel_var *var;
	struct bpf_reg value;
	u32 type_id;

	if (insn[1].imm) /* a descriptor of a module's BTF */
		return FAIL(env, -EINVAL, "invalid module BTF object FD specified.\n");
	if (!t)
		return FAIL(env, -ENOENT, "ldimm64 insn specifies invalid btf_id %d.\n", insn->imm);
	if (btf_kind(t) != BTF_KIND_VAR && btf_kind(t) != BTF_KIND_FUNC)
		return FAIL(env, -EINVAL,
			    "pseudo btf_id %d in ldimm64 isn't KIND_VAR or KIND_FUNC\n", insn->imm);
	if (btf_kind(t) == BTF_KIND_FUNC) { /* does this kfunc exist? it does */
		bpf_reg_number(&value, KERNEL_TEXT + (u64)(u32)insn->imm * 16);
		insn->imm = add_const(env->prog, &value);
		return 0;
	}
	var = bpf_kernel_var_find((u32)insn->imm, &type_id);
	if (!var)
		return FAIL(env, -ENOENT, "ldimm64 failed to find the address for kernel symbol '%s'.\n",
			    btf_name(bpf_kernel_btf(), t->name_off));
	if (is_percpu((u32)insn->imm))
		bpf_reg_opaque(&value, percpu_region(env->prog, var, type_id),
			       (u64)var->address(0));
	else
		bpf_reg_object(&value, type_id, var->address(0));
	insn->imm = add_const(env->prog, &value);
	return 0;
}

static void resolve_func(struct bpf_check_env *env, u32 i)
{
	struct bpf_insn *insn = &env->prog->insns[i];
	u32 target = i + 1 + (u32)insn->imm;
	struct bpf_reg value;

	bpf_reg_opaque(&value, &bpf_region_func, bpf_func_address(target));
	bpf_subprog_at(env->prog, target)->is_callback = true;
	insn[1].imm = insn->imm; /* where it is, for whoever walks the code */
	insn->imm = add_const(env->prog, &value);
}

static int resolve_ldimm64(struct bpf_check_env *env, u32 i)
{
	struct bpf_insn *insn = &env->prog->insns[i];

	if (i + 1 == env->prog->len || insn[1].code || insn[1].dst_reg || insn[1].src_reg ||
	    insn[1].off)
		return FAIL(env, -EINVAL, "invalid bpf_ld_imm64 insn\n");
	switch (insn->src_reg) {
	case 0:
		return 0;
	case BPF_PSEUDO_BTF_ID:
		return resolve_var(env, insn);
	case BPF_PSEUDO_FUNC:
		return 0; /* after the checks that need its offset */
	case BPF_PSEUDO_MAP_FD:
	case BPF_PSEUDO_MAP_VALUE:
	case BPF_PSEUDO_MAP_IDX:
	case BPF_PSEUDO_MAP_IDX_VALUE:
		return resolve_map(env, insn);
	default:
		return FAIL(env, -EINVAL, "unrecognized bpf_ld_imm64 insn\n");
	}
}

int bpf_check_resolve(struct bpf_check_env *env)
{
	struct bpf_prog *prog = env->prog;
	u32 i;

	for (i = 0; i < prog->len; i++) {
		int err;

		if (!bpf_is_ldimm64(&prog->insns[i]))
			continue;
		err = resolve_ldimm64(env, i);
		if (err)
			return err;
		i++;
	}
	bpf_regions_init(prog);
	for (i = 0; i < prog->len; i++) {
		struct bpf_insn *insn = &prog->insns[i];

		if (!bpf_is_ldimm64(insn))
			continue;
		if (insn->src_reg && insn->src_reg != BPF_PSEUDO_BTF_ID &&
		    insn->src_reg != BPF_PSEUDO_FUNC)
			finish_map(prog, insn);
		i++;
	}
	return 0;
}

/* --- calls --------------------------------------------------------------- */

static int check_helper(struct bpf_check_env *env, u32 i)
{
	const struct bpf_prog *prog = env->prog;
	u32 id = (u32)prog->insns[i].imm;
	const struct bpf_func_proto *proto = bpf_helper_proto(prog, id);

	if (proto && bpf_helper_available(prog, proto) &&
	    (!proto->gpl_only || prog->gpl_compatible) &&
	    (!proto->might_sleep || prog->sleepable))
		return 0;
	bpf_check_log_insn(env, i);
	if (!id || (id >= __BPF_FUNC_MAX_ID && !proto))
		return FAIL(env, -EINVAL, "invalid func %s#%d\n", bpf_helper_name(prog, id), (int)id);
	if (!proto || !bpf_helper_available(prog, proto))
		return FAIL(env, -EINVAL, "program of this type cannot use helper %s#%d\n",
			    bpf_helper_name(prog, id), (int)id);
	if (proto->gpl_only && !prog->gpl_compatible)
		return FAIL(env, -EINVAL,
			    "cannot call GPL-restricted function from non-GPL compatible program\n");
	return FAIL(env, -EINVAL, "helper call might sleep in a non-sleepable prog\n");
}

static int add_kfunc(struct bpf_prog_exec *exec, const struct bpf_kfunc_desc *desc)
{
	u32 i;

	for (i = 0; i < exec->nr_kfuncs; i++)
		if (exec->kfuncs[i] == desc)
			return (int)i;
	exec->kfuncs = xreallocarray(exec->kfuncs, exec->nr_kfuncs + 1, sizeof(*exec->kfuncs));
	exec->kfuncs[exec->nr_kfuncs] = desc;
	return (int)exec->nr_kfuncs++;
}

static const char *kfunc_name(u32 btf_id)
{
	return btf_name(bpf_kernel_btf(), btf_type_by_id(bpf_kernel_btf(), btf_id)->name_off);
}

/* What the verifier asks of a call that it meets, of one that is not verified. */
static int check_unverified_kfunc(struct bpf_check_env *env, u32 i)
{
	struct bpf_prog *prog = env->prog;
	const struct bpf_kfunc_desc *desc = bpf_kfunc_find((u32)prog->insns[i].imm);

	if (!desc || bpf_kfunc_allowed(prog, desc)) {
		bpf_check_log_insn(env, i);
		return FAIL(env, -EACCES, "calling kernel function %s is not allowed\n",
			    kfunc_name((u32)prog->insns[i].imm));
	}
	return bpf_kfunc_bind(env, i, BPF_CONTEXT_MAIN, BPF_CONTEXT_MAIN, desc);
}

static int check_kfunc(struct bpf_check_env *env, u32 i)
{
	const struct bpf_insn *insn = &env->prog->insns[i];
	const struct btf_type *t = btf_type_by_id(bpf_kernel_btf(), (u32)insn->imm);

	if (insn->off) /* kfuncs of modules, of which there are none */
		return FAIL(env, -EINVAL, "kernel function is of a module, and there are none\n");
	if (!env->prog->gpl_compatible)
		return FAIL(env, -EINVAL,
			    "cannot call kernel function from non-GPL compatible program\n");
	if (!t || btf_kind(t) != BTF_KIND_FUNC)
		return FAIL(env, -EINVAL, "kernel btf_id %d is not a function\n", insn->imm);
	return env->verify ? 0 : check_unverified_kfunc(env, i);
}

int bpf_check_calls(struct bpf_check_env *env)
{
	const struct bpf_prog *prog = env->prog;
	int err = 0;

	for (u32 i = 0; i < prog->len && !err; i++) {
		const struct bpf_insn *insn = &prog->insns[i];

		if (bpf_is_ldimm64(insn))
			i++;
		else if (bpf_is_call(insn, BPF_PSEUDO_KFUNC_CALL))
			err = check_kfunc(env, i);
		else if (bpf_is_call(insn, 0) && !bpf_call_is_missing(insn) && !env->verify)
			err = check_helper(env, i);
	}
	return err;
}

/* --- what is executed ---------------------------------------------------------- */

static void link_kfunc(struct bpf_check_env *env, u32 i)
{
	struct bpf_prog *prog = env->prog;
	struct bpf_insn *insn = &prog->insns[i];
	const struct bpf_kfunc_desc *desc = bpf_kfunc_find((u32)insn->imm);

	if (env->live && !env->live[i])
		bpf_kfunc_unreached(prog, i, (u32)insn->imm);
	else
		insn->imm = add_kfunc(prog->exec, bpf_kfunc_bound(prog, i, desc));
}

/*
 * What the verifier did not reach it did not look at: it stops the run, so that
 * nothing that was not proved is ever executed. It keeps its place, and with it all
 * jumps, lines and counts of instructions.
 */
static void trap(struct bpf_prog *prog, u32 i)
{
	prog->insns[i] = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL,
					    .imm = BPF_POISON_UNREACHED };
}

int bpf_check_link(struct bpf_check_env *env)
{
	struct bpf_prog *prog = env->prog;

	for (u32 i = 0; i < prog->len; i++) {
		bool wide = bpf_is_ldimm64(&prog->insns[i]);
		bool live = !env->live || env->live[i];

		if (bpf_is_call(&prog->insns[i], BPF_PSEUDO_KFUNC_CALL))
			link_kfunc(env, i);
		else if (live && bpf_is_func_ref(&prog->insns[i]))
			resolve_func(env, i);
		if (!live) {
			trap(prog, i);
			if (wide)
				trap(prog, i + 1);
		}
		i += wide;
	}
	bpf_kfunc_calls_done(prog);
	return 0;
}
