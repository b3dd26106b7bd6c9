// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program's BTF: which function each subprogram is, and which source line
 * each instruction comes from.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/alloc.h"
#include "../btf/internal.h"
#include "check.h"
#include "../syscall/syscall.h"

#define FAIL(env, err, ...) (bpf_log((env)->log, __VA_ARGS__), (err))

#define MAX_REC_SIZE 252

/* Records of @rec_size bytes in user space as structs of @size bytes, which ours knows. */
static int copy_records(u64 user, u32 nr, u32 rec_size, void *dst, u32 size)
{
	const char *src = bpf_user_ptr(user);
	u32 i, j;

	if (!src)
		return -EFAULT;
	for (i = 0; i < nr; i++) {
		const char *rec = src + (size_t)i * rec_size;

		for (j = size; j < rec_size; j++)
			if (rec[j])
				return -E2BIG;
		memcpy((char *)dst + (size_t)i * size, rec, min(size, rec_size));
	}
	return 0;
}

/* --- endings in the middle -------------------------------------------------------------- */

/*
 * What may end the program, or hand it over, from within a function: then the
 * function returns a number. "": nothing does.
 */
static const char *abnormal_return(const struct bpf_prog *prog, const struct bpf_subprog *sub)
{
	for (u32 i = sub->start; i < sub->end; i++) {
		const struct bpf_insn *insn = &prog->insns[i];

		if (bpf_is_ldimm64(insn))
			i++;
		else if (BPF_CLASS(insn->code) == BPF_LD)
			return "LD_ABS";
		else if (bpf_is_call(insn, 0) && insn->imm == BPF_FUNC_tail_call)
			return "tail_call";
	}
	return "";
}

/* Without function information nobody knows what functions return. */
static int check_abnormal_returns(struct bpf_check_env *env)
{
	const struct bpf_prog *prog = env->prog;

	for (u32 i = 1; i < prog->nr_subprogs; i++) {
		const char *what = abnormal_return(prog, &prog->subprogs[i]);

		if (*what)
			return FAIL(env, -EINVAL, "%s is not allowed in subprogs without BTF\n",
				    what);
	}
	return 0;
}

static bool returns_number(const struct btf *btf, const struct btf_type *func)
{
	const struct btf_type *proto = btf_type_by_id(btf, func->type);
	const struct btf_type *t = btf_type_skip_modifiers(btf, proto->type, NULL);

	return proto->type && (btf_kind(t) == BTF_KIND_ENUM || btf_kind(t) == BTF_KIND_ENUM64 ||
			       (btf_kind(t) == BTF_KIND_INT && t->size <= 8));
}

/* --- functions ------------------------------------------------------------------------ */

static int check_func(struct bpf_check_env *env, u32 i)
{
	const struct bpf_prog *prog = env->prog;
	const struct bpf_func_info *info = &prog->func_info[i];
	const struct btf_type *t;

	if (!i && info->insn_off)
		return FAIL(env, -EINVAL, "nonzero insn_off %u for the first func info record",
			    info->insn_off);
	if (i && info->insn_off <= info[-1].insn_off)
		return FAIL(env, -EINVAL,
			    "same or smaller insn offset (%u) than previous func info record (%u)",
			    info->insn_off, info[-1].insn_off);
	t = btf_type_by_id(prog->btf, info->type_id);
	if (!t || btf_kind(t) != BTF_KIND_FUNC)
		return FAIL(env, -EINVAL, "invalid type id %d in func info", info->type_id);
	return 0;
}

static int copy_func_info(struct bpf_check_env *env)
{
	const union bpf_attr *attr = env->attr;
	struct bpf_prog *prog = env->prog;
	u32 nr = attr->func_info_cnt, rec_size = attr->func_info_rec_size, i;
	int err;

	if (!nr)
		return 0;
	if (rec_size < sizeof(struct bpf_func_info) || rec_size > MAX_REC_SIZE || rec_size % 4)
		return FAIL(env, -EINVAL, "invalid func info rec size %u\n", rec_size);
	if (nr > BPF_MAX_SUBPROGS)
		return FAIL(env, -EINVAL,
			    "number of funcs in func_info doesn't match number of subprogs\n");
	prog->func_info = xcalloc(nr, sizeof(*prog->func_info));
	prog->nr_func_info = nr;
	err = copy_records(attr->func_info, nr, rec_size, prog->func_info,
			   sizeof(*prog->func_info));
	for (i = 0; i < nr && !err; i++)
		err = check_func(env, i);
	return err;
}

static int check_func_layout(struct bpf_check_env *env, u32 i)
{
	struct bpf_prog *prog = env->prog;
	const struct bpf_func_info *info = &prog->func_info[i];
	const char *what = "";

	if (prog->subprogs[i].start != info->insn_off)
		return FAIL(env, -EINVAL,
			    "func_info BTF section doesn't match subprog layout in BPF program\n");
	prog->subprogs[i].func_type_id = info->type_id;
	if (i && !returns_number(prog->btf, btf_type_by_id(prog->btf, info->type_id)))
		what = abnormal_return(prog, &prog->subprogs[i]);
	return !*what ? 0 : FAIL(env, -EINVAL,
				 "%s is only allowed in functions that return 'int'.\n", what);
}

static int check_func_info(struct bpf_check_env *env)
{
	struct bpf_prog *prog = env->prog;
	u32 nr = prog->nr_func_info, i;
	int err = 0;

	if (!nr)
		return check_abnormal_returns(env);
	if (nr != prog->nr_subprogs)
		return FAIL(env, -EINVAL,
			    "number of funcs in func_info doesn't match number of subprogs\n");
	for (i = 0; i < nr && !err; i++)
		err = check_func_layout(env, i);
	return err;
}

/* --- exceptions --------------------------------------------------------------------------- */

#define EXCEPTION_CALLBACK "exception_callback:"

/* The tag of function @func_id that names its callback, after tag *@id; NULL: no more. */
static const char *next_exception_tag(const struct btf *btf, u32 func_id, u32 *id)
{
	const size_t len = strlen(EXCEPTION_CALLBACK);

	while (++*id < btf->nr_types) {
		const struct btf_type *t = btf_type_by_id(btf, *id);
		const char *name = btf_name(btf, t->name_off);

		if (btf_kind(t) == BTF_KIND_DECL_TAG && t->type == func_id &&
		    ((const struct btf_decl_tag *)(t + 1))->component_idx == -1 &&
		    !strncmp(name, EXCEPTION_CALLBACK, len))
			return name + len;
	}
	return NULL;
}

/* Nothing refers to it but the tag: with it, the program has one more function. */
static int find_exception_callback(struct bpf_check_env *env)
{
	struct bpf_prog *prog = env->prog;
	const char *name;
	u32 id = 0, i;
	s32 func;

	if (!prog->nr_func_info)
		return 0;
	name = next_exception_tag(prog->btf, prog->func_info[0].type_id, &id);
	if (!name)
		return 0;
	if (next_exception_tag(prog->btf, prog->func_info[0].type_id, &id))
		return FAIL(env, -EEXIST,
			    "multiple exception callback tags for main subprog\n");
	func = btf_find_by_name_kind(prog->btf, name, BTF_KIND_FUNC);
	if (func < 0)
		return FAIL(env, func, "exception callback '%s' could not be found in BTF\n", name);
	if (btf_vlen(btf_type_by_id(prog->btf, (u32)func)) != BTF_FUNC_GLOBAL)
		return FAIL(env, -EINVAL, "exception callback '%s' must have global linkage\n",
			    name);
	for (i = 1; i < prog->nr_func_info; i++)
		if (prog->func_info[i].type_id == (u32)func)
			prog->exception_cb = prog->func_info[i].insn_off;
	if (!prog->exception_cb)
		return FAIL(env, -EINVAL,
			    "exception callback type id not found in func_info\n");
	return 0;
}

/* --- lines -------------------------------------------------------------------------------- */

static int check_line(struct bpf_check_env *env, u32 i)
{
	const struct bpf_prog *prog = env->prog;
	const struct bpf_line_info *line = &prog->line_info[i];

	if ((i && line->insn_off <= line[-1].insn_off) || line->insn_off >= prog->len)
		return FAIL(env, -EINVAL,
			    "Invalid line_info[%u].insn_off:%u (prev_offset:%u prog->len:%u)\n", i,
			    line->insn_off, i ? line[-1].insn_off : 0, prog->len);
	if (!prog->insns[line->insn_off].code)
		return FAIL(env, -EINVAL, "Invalid insn code at line_info[%u].insn_off\n", i);
	if (line->line_off >= prog->btf->strings_size ||
	    line->file_name_off >= prog->btf->strings_size)
		return FAIL(env, -EINVAL, "Invalid line_info[%u].line_off or .file_name_off\n", i);
	return 0;
}

/* Each function starts with a line of its own. */
static int check_functions_have_lines(struct bpf_check_env *env)
{
	const struct bpf_prog *prog = env->prog;
	u32 s, i = 0;

	for (s = 0; s < prog->nr_subprogs; s++) {
		while (i < prog->nr_line_info &&
		       prog->line_info[i].insn_off < prog->subprogs[s].start)
			i++;
		if (i == prog->nr_line_info ||
		    prog->line_info[i].insn_off != prog->subprogs[s].start)
			return FAIL(env, -EINVAL, "missing bpf_line_info for func#%u\n", s);
	}
	return 0;
}

static int check_line_info(struct bpf_check_env *env)
{
	const union bpf_attr *attr = env->attr;
	struct bpf_prog *prog = env->prog;
	u32 nr = attr->line_info_cnt, rec_size = attr->line_info_rec_size, i;
	int err;

	if (!nr)
		return 0;
	if (nr > INT_MAX / sizeof(struct bpf_line_info) || nr > prog->len)
		return -EINVAL;
	if (rec_size < offsetof(struct bpf_line_info, line_col) + 4 || rec_size > MAX_REC_SIZE ||
	    rec_size % 4)
		return -EINVAL;
	prog->line_info = xcalloc(nr, sizeof(*prog->line_info));
	prog->nr_line_info = nr;
	err = copy_records(attr->line_info, nr, rec_size, prog->line_info,
			   sizeof(*prog->line_info));
	for (i = 0; i < nr && !err; i++)
		err = check_line(env, i);
	return err ?: check_functions_have_lines(env);
}

int bpf_check_btf_early(struct bpf_check_env *env)
{
	const union bpf_attr *attr = env->attr;
	struct bpf_prog *prog = env->prog;
	struct bpf_obj *obj;

	if (attr->core_relo_cnt) /* libbpf relocates by itself; light skeletons do not */
		return FAIL(env, -EOPNOTSUPP, "CO-RE relocation by the kernel is not supported\n");
	if (!attr->func_info_cnt && !attr->line_info_cnt)
		return 0;
	obj = bpf_obj_from_fd((int)attr->prog_btf_fd, BPF_OBJ_BTF);
	if (!obj)
		return bpf_fd_error((int)attr->prog_btf_fd);
	prog->btf = container_of(obj, struct btf, obj);
	if (prog->btf->kernel)
		return -EACCES;
	return copy_func_info(env) ?: find_exception_callback(env);
}

int bpf_check_btf_info(struct bpf_check_env *env)
{
	return check_func_info(env) ?: check_line_info(env);
}
