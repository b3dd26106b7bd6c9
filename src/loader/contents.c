// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an object brings: kinds of programs and operations tables, which of the
 * tables are to be attached, and what cannot be in one object.
 */
#include <string.h>

#include "internal.h"

/* --- operations tables ---------------------------------------------------------- */

#define SCX_OPS "sched_ext_ops"
#define PERIODIC_OPS "bpf_periodic_ops"

static struct bpf_map *next_struct_ops(const struct loader *l, struct bpf_map *map)
{
	do {
		map = bpf_object__next_map(l->obj, map);
	} while (map && (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS ||
			 !bpf_map__autocreate(map)));
	return map;
}

/* Is @map a table of kernel type @name? What follows "___" in a type's name is a flavour. */
static bool is_table(const struct loader *l, const struct bpf_map *map, const char *name)
{
	const struct btf_type *t = btf__type_by_id(l->btf, bpf_map__btf_value_type_id(map));
	const char *type = t ? btf__name_by_offset(l->btf, t->name_off) : "";
	size_t len = strlen(name);

	return !strncmp(type, name, len) && (!type[len] || !strncmp(type + len, "___", 3));
}

enum loader_kind table_kind(const struct loader *l, const struct bpf_map *map)
{
	if (is_table(l, map, SCX_OPS))
		return LOADER_SCX;
	return is_table(l, map, PERIODIC_OPS) ? LOADER_PERIODIC : 0;
}

/* The table that was asked for, if it is of the type of @map. */
static const struct bpf_map *asked_for(const struct loader *l, const struct bpf_map *map)
{
	const struct bpf_map *asked = NULL;

	if (l->ops)
		asked = bpf_object__find_map_by_name(l->obj, l->ops);
	return asked && bpf_map__btf_value_type_id(asked) == bpf_map__btf_value_type_id(map) ? asked
											     : NULL;
}

/*
 * As asked for, or else the first of its type: two would be in each other's
 * way. Periodic programs are not, and all of them are attached.
 */
static bool is_chosen(const struct loader *l, const struct bpf_map *map)
{
	const struct bpf_map *asked = asked_for(l, map);
	struct bpf_map *first = NULL;

	if (asked)
		return asked == map;
	if (table_kind(l, map) == LOADER_PERIODIC)
		return true;
	do {
		first = next_struct_ops(l, first);
	} while (bpf_map__btf_value_type_id(first) != bpf_map__btf_value_type_id(map));
	return first == map;
}

struct bpf_map *next_chosen(const struct loader *l, struct bpf_map *map)
{
	do {
		map = next_struct_ops(l, map);
	} while (map && !is_chosen(l, map));
	return map;
}

static bool has_table(const struct loader *l, const char *name)
{
	struct bpf_map *map = NULL;

	while ((map = next_struct_ops(l, map)))
		if (!strcmp(bpf_map__name(map), name))
			return true;
	return false;
}

static enum loader_status check_tables(const struct loader *l, struct loader_error *error)
{
	struct bpf_map *map = NULL, *chosen = NULL;
	struct strbuf names = {}, first = {};
	enum loader_status status = LOADER_OK;
	u32 left_out = 0;

	while ((map = next_struct_ops(l, map))) {
		strbuf_printf(&names, "%s%s", names.len ? ", " : "", bpf_map__name(map));
		left_out += !is_chosen(l, map);
	}
	while ((chosen = next_chosen(l, chosen)))
		strbuf_printf(&first, "%s%s", first.len ? ", " : "", bpf_map__name(chosen));
	if (l->ops && !has_table(l, l->ops))
		status = loader_fail(error, LOADER_ERR_USAGE, "%s: has no struct_ops table '%s'; it has: %s",
				     l->path, l->ops, names.len ? names.data : "none");
	else if (left_out && !l->ops)
		loader_warn(l, "of several struct_ops tables (%s), the first will be attached: %s",
			    strbuf_str(&names), strbuf_str(&first));
	strbuf_free(&names);
	strbuf_free(&first);
	return status;
}

const char *loader_name(const struct loader *l)
{
	struct bpf_map *map = NULL, *first = next_chosen(l, NULL);

	while ((map = next_chosen(l, map)))
		if (table_kind(l, map) == LOADER_SCX)
			return bpf_map__name(map);
	return first ? bpf_map__name(first) : "";
}

/* --- kinds ---------------------------------------------------------------------- */

enum loader_kind program_kind(const struct bpf_program *prog)
{
	switch ((u32)bpf_program__type(prog)) {
	case BPF_PROG_TYPE_GHOST_SCHED:
	case BPF_PROG_TYPE_GHOST_MSG:
	case BPF_PROG_TYPE_GHOST_SELECT_RQ:
		return LOADER_GHOST;
	case BPF_PROG_TYPE_PERIODIC:
		return LOADER_PERIODIC;
	case BPF_PROG_TYPE_TRACING:
	case BPF_PROG_TYPE_LSM:
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_PERF_EVENT:
		return LOADER_TRACING;
	default:
		return 0;
	}
}

bool is_attachable(const struct bpf_program *prog)
{
	return bpf_program__autoload(prog) && bpf_program__autoattach(prog);
}

u32 loader_kinds(const struct loader *l)
{
	struct bpf_program *prog;
	struct bpf_map *map = NULL;
	u32 kinds = 0;

	while ((map = next_chosen(l, map)))
		kinds |= table_kind(l, map);
	bpf_object__for_each_program(prog, l->obj)
		if (is_attachable(prog))
			kinds |= program_kind(prog);
	return kinds;
}

/* --- what goes together --------------------------------------------------------- */

/* The attachable program of @type after @prog (NULL: the first). */
static struct bpf_program *next_of(const struct loader *l, struct bpf_program *prog, u32 type)
{
	do {
		prog = bpf_object__next_program(l->obj, prog);
	} while (prog && ((u32)bpf_program__type(prog) != type || !is_attachable(prog)));
	return prog;
}

/* An enclave has one attach point of each type; without PNT and MSG nothing is scheduled. */
static enum loader_status check_ghost(const struct loader *l, bool any, struct loader_error *error)
{
	static const struct {
		u32 type;
		const char *section;
		const char *needed; /* what for; NULL: it can be left out */
	} points[] = {
		{ BPF_PROG_TYPE_GHOST_SCHED, "ghost_sched/pnt", "picks the next task" },
		{ BPF_PROG_TYPE_GHOST_MSG, "ghost_msg/msg_send", "hears of tasks that can run" },
		{ BPF_PROG_TYPE_GHOST_SELECT_RQ, "ghost_select_rq/select_rq", NULL },
	};
	struct bpf_program *first, *second;

	for (u32 i = 0; i < ARRAY_SIZE(points); i++) {
		first = next_of(l, NULL, points[i].type);
		second = first ? next_of(l, first, points[i].type) : NULL;
		if (second)
			return loader_fail(error, LOADER_ERR_OBJECT,
					   "%s: programs '%s' and '%s' are both SEC(\"%s\"), of which an enclave takes one; remove one of them or put a '?' before its section's name",
					   l->path, bpf_program__name(first),
					   bpf_program__name(second), points[i].section);
		if (!first && points[i].needed && !any)
			return loader_fail(error, LOADER_ERR_OBJECT,
					   "%s: has ghOSt programs but none in SEC(\"%s\"), which %s; without it no task would ever run",
					   l->path, points[i].section, points[i].needed);
	}
	return LOADER_OK;
}

void leave_out(const struct loader *l)
{
	struct bpf_program *prog = next_of(l, NULL, BPF_PROG_TYPE_GHOST_SELECT_RQ);

	if (!prog || kernel_takes(BPF_PROG_TYPE_GHOST_SELECT_RQ, GHOST_ATTACH(BPF_GHOST_SELECT_RQ)))
		return;
	bpf_program__set_autoload(prog, false);
	loader_warn(l, "program '%s' (SEC(\"%s\")) is left out: this kernel chooses itself where tasks wake up",
		    bpf_program__name(prog), bpf_program__section_name(prog));
}

static enum loader_status check_kinds(const struct loader *l, bool any, struct loader_error *error)
{
	u32 kinds = loader_kinds(l);

	if (kinds & LOADER_SCX && kinds & LOADER_GHOST)
		return loader_fail(error, LOADER_ERR_OBJECT,
				   "%s: has both a table " SCX_OPS
				   " and ghOSt programs; make two objects of it, as only one of them can be in charge",
				   l->path);
	if (kinds & LOADER_GHOST)
		return check_ghost(l, any, error);
	/* a table of a type that nobody knows is refused when it is loaded */
	if (!kinds && !any && !next_struct_ops(l, NULL))
		return loader_fail(error, LOADER_ERR_OBJECT,
				   "%s: has nothing that would run: no struct_ops table (SEC(\".struct_ops.link\") struct " SCX_OPS
				   "), no ghOSt, periodic or tracing program",
				   l->path);
	return LOADER_OK;
}

enum loader_status check_contents(const struct loader *l, bool any, struct loader_error *error)
{
	enum loader_status status;

	if (!bpf_object__next_program(l->obj, NULL) && !next_struct_ops(l, NULL))
		return loader_fail(error, LOADER_ERR_OBJECT,
				   "%s: contains no BPF programs; expected functions in SEC(\"struct_ops/...\")",
				   l->path);
	status = check_sections(l, error);
	if (status == LOADER_OK)
		status = check_tables(l, error);
	if (status == LOADER_OK)
		status = check_kinds(l, any, error);
	return status;
}
