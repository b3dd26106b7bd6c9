// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs of an object one by one: what they are, which were loaded, and
 * which one the load stumbled over.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "internal.h"

/* The operations tables have @prog no more. */
static void forget_member(const struct loader *l, const struct bpf_program *prog)
{
	struct bpf_map *map;
	size_t size;

	bpf_object__for_each_map(map, l->obj) {
		const struct bpf_program **slots = NULL;

		/* as libbpf shows them: a function member holds the program */
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			slots = bpf_map__initial_value(map, &size);
		for (size_t i = 0; slots && i < size / sizeof(*slots); i++)
			if (slots[i] == prog)
				slots[i] = NULL;
	}
}

/* Libbpf keeps the programs of a table in the places of their pointers. */
static const char *member_in(const struct loader *l, const struct bpf_map *map,
			     const struct bpf_program *prog)
{
	const struct btf_type *t = btf__type_by_id(l->btf, bpf_map__btf_value_type_id(map));
	const struct btf_member *m = btf_members(t);
	const char *table;
	size_t size;

	table = bpf_map__initial_value(map, &size);
	for (u32 i = 0; table && i < btf_vlen(t); i++, m++) {
		size_t at = btf_member_bit_offset(t, i) / 8;
		const struct bpf_program *there;

		if (!btf_is_ptr(plain_type(l->btf, m->type, NULL)) || at + sizeof(there) > size)
			continue;
		memcpy(&there, table + at, sizeof(there));
		if (there == prog)
			return btf__name_by_offset(l->btf, m->name_off);
	}
	return NULL;
}

/* libbpf loads whatever struct_ops programs are in a table: they are made something else. */
static void keep_out(const struct loader *l, struct bpf_program *prog)
{
	forget_member(l, prog);
	bpf_program__set_type(prog, BPF_PROG_TYPE_UNSPEC);
	bpf_program__set_autoload(prog, false);
}

/* A table that the program is not in may be of a type that the kernel does not have. */
static enum loader_status keep_only(const struct loader *l, const char *name,
				    struct loader_error *error)
{
	struct bpf_program *only = bpf_object__find_program_by_name(l->obj, name), *prog;
	struct bpf_map *map;

	if (!only)
		return loader_fail(error, LOADER_ERR_USAGE, "%s: has no program '%s'", l->path, name);
	bpf_object__for_each_program(prog, l->obj)
		if (prog != only)
			keep_out(l, prog);
	bpf_object__for_each_map(map, l->obj)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS && !member_in(l, map, only))
			bpf_map__set_autocreate(map, false);
	return LOADER_OK;
}

enum loader_status skip_programs(const struct loader *l, const struct loader_options *opts,
				 struct loader_error *error)
{
	for (u32 i = 0; i < opts->nr_skip; i++) {
		struct bpf_program *prog = bpf_object__find_program_by_name(l->obj, opts->skip[i]);

		if (!prog)
			return loader_fail(error, LOADER_ERR_USAGE, "%s: has no program '%s'",
					   l->path, opts->skip[i]);
		keep_out(l, prog);
	}
	return opts->only ? keep_only(l, opts->only, error) : LOADER_OK;
}

static const char *member_of(const struct loader *l, const struct bpf_program *prog)
{
	const char *member = NULL;
	struct bpf_map *map;

	bpf_object__for_each_map(map, l->obj) {
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS && !member)
			member = member_in(l, map, prog);
	}
	return member;
}

#define LOG_SIZE (16u << 20) /* memory that nobody writes to costs nothing */

void keep_logs(struct loader *l, u32 level)
{
	struct bpf_program *prog;

	if (!level)
		return;
	bpf_object__for_each_program(prog, l->obj) {
		l->logs = xreallocarray(l->logs, l->nr_logs + 1, sizeof(*l->logs));
		l->logs[l->nr_logs] = NULL;
		if (bpf_program__autoload(prog)) {
			l->logs[l->nr_logs] = xcalloc(1, LOG_SIZE);
			bpf_program__set_log_level(prog, level);
			bpf_program__set_log_buf(prog, l->logs[l->nr_logs], LOG_SIZE);
		}
		l->nr_logs++;
	}
}

void free_logs(struct loader *l)
{
	while (l->nr_logs)
		free(l->logs[--l->nr_logs]);
	free(l->logs);
}

bool loader_program(const struct loader *l, u32 i, struct loader_program *program)
{
	struct bpf_program *prog;
	u32 index = i;

	bpf_object__for_each_program(prog, l->obj) {
		if (i--)
			continue;
		program->log = index < l->nr_logs ? l->logs[index] : NULL;
		program->name = bpf_program__name(prog);
		program->section = bpf_program__section_name(prog);
		program->member = member_of(l, prog);
		program->insns = (u32)bpf_program__insn_cnt(prog);
		program->fd = bpf_program__fd(prog) >= 0 ? bpf_program__fd(prog) : -1;
		return true;
	}
	return false;
}

const char *loader_refused(const struct loader *l, const char **why)
{
	*why = l->refusal;
	return l->refused;
}

void set_refused(struct loader *l, const char *name, const char *why)
{
	free(l->refused);
	free(l->refusal);
	l->refused = name ? xstrdup(name) : NULL;
	l->refusal = why ? xstrdup(why) : NULL;
}
