// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a scheduler's own loader would set: constants that describe the machine
 * and its kernel, and arrays that are to be as long as the machine is wide. We
 * know them by the conventions of the sched_ext community, and say so in a
 * warning where a constant fits none of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../sim/topology.h"
#include "internal.h"

/* --- constants ---------------------------------------------------------------- */

bool kernel_enumerator(const struct loader *l, const char *name, u64 *value)
{
	const struct btf_type *t;

	for (u32 id = 1; id < btf__type_cnt(l->kernel_btf); id++) {
		t = btf__type_by_id(l->kernel_btf, id);
		if (btf_is_any_enum(t) && enumerator_value(l->kernel_btf, t, name, value, NULL))
			return true;
	}
	return false;
}

enum machine_fact {
	FACT_CPUS,
	FACT_CORES,
	FACT_LLCS,
	FACT_NODES,
	FACT_SMT,
	FACT_THREADS, /* of a core */
	FACT_NODE_CORES, /* of a node */
	FACT_PRINTK, /* may bpf_printk() be called? */
};

static const struct {
	const char *name;
	enum machine_fact fact;
} machine_variables[] = {
	{ "nr_cpu_ids", FACT_CPUS },	  { "nr_cpus", FACT_CPUS },
	{ "nr_possible_cpus", FACT_CPUS }, { "nr_cpus_possible", FACT_CPUS },
	{ "num_possible_cpus", FACT_CPUS }, { "nr_online_cpus", FACT_CPUS },
	{ "nr_cpus_online", FACT_CPUS },   { "nr_cores", FACT_CORES },
	{ "nr_llcs", FACT_LLCS },	  { "nr_nodes", FACT_NODES },
	{ "nr_numa_nodes", FACT_NODES },  { "smt_enabled", FACT_SMT },
	{ "has_smt", FACT_SMT },
	/* those of ghOSt's topology.bpf.h and common.bpf.h */
	{ "nr_siblings_per_core", FACT_THREADS },
	{ "nr_ccx", FACT_LLCS },	  { "nr_numa", FACT_NODES },
	{ "nr_cores_per_numa", FACT_NODE_CORES },
	{ "enable_bpf_printd", FACT_PRINTK },
};

static u64 machine_fact(const struct loader *l, enum machine_fact fact)
{
	const struct topology *topo = l->topology;
	u64 cores = topo ? topo->nr_cores : l->nr_cpus, nodes = topo ? topo->nr_nodes : 1;

	switch (fact) {
	case FACT_CPUS:
		return l->nr_cpus;
	case FACT_CORES:
		return cores;
	case FACT_LLCS:
		return topo ? topo->nr_llcs : 1;
	case FACT_NODES:
		return nodes;
	case FACT_SMT:
		return topo && topo->smt;
	case FACT_THREADS:
		return l->nr_cpus / cores;
	case FACT_NODE_CORES:
		return cores / nodes;
	case FACT_PRINTK:
		return 1;
	}
	return 0;
}

/* The value that convention gives to constant @name. */
static bool known_value(const struct loader *l, const char *name, const struct variable *var,
			u64 *value)
{
	u32 i;

	/* the constants of the running kernel, as compat.h of the kernel's tools reads them */
	if (!strncmp(name, "__SCX_", 6)) {
		if (!kernel_enumerator(l, name + 2, value))
			*value = 0;
		return true;
	}
	for (i = 0; i < ARRAY_SIZE(machine_variables); i++) {
		if (!strcmp(name, machine_variables[i].name)) {
			*value = machine_fact(l, machine_variables[i].fact);
			return true;
		}
	}
	/* newer schedulers leave their slice to the loader, who takes the kernel's */
	return !strcmp(name, "slice_ns") && !get_integer(l->btf, var, variable_data(var)) &&
	       kernel_enumerator(l, "SCX_SLICE_DFL", value);
}

static bool fill_one(const char *name, const struct variable *var, void *arg)
{
	struct loader *l = arg;
	u64 value;

	if (!var->rodata || !is_integer(l->btf, var) || !variable_data(var) ||
	    !known_value(l, name, var, &value))
		return false;
	put_integer(var, variable_data(var), (s64)value);
	settle_variable(l, name, strlen(name));
	return false;
}

void fill_machine_variables(struct loader *l)
{
	for_each_variable(l, fill_one, l);
}

struct defaults {
	const struct loader *l;
	struct strbuf names;
	u32 nr;
};

#define MAX_NAMES 12

static bool name_default(const char *name, const struct variable *var, void *arg)
{
	struct defaults *d = arg;

	if (!var->rodata || !is_integer(d->l->btf, var) || is_settled(d->l, name))
		return false;
	if (d->nr++ < MAX_NAMES)
		strbuf_printf(&d->names, "%s%s", d->nr > 1 ? ", " : "", name);
	return false;
}

void warn_about_defaults(const struct loader *l)
{
	struct defaults d = { .l = l };

	for_each_variable(l, name_default, &d);
	if (d.nr > MAX_NAMES)
		strbuf_printf(&d.names, " and %u more", d.nr - MAX_NAMES);
	if (d.nr)
		loader_warn(l, "constants left at their defaults: %s (VAR=VALUE sets them)",
			    strbuf_str(&d.names));
	strbuf_free(&d.names);
}

/* --- arrays --------------------------------------------------------------------- */

/*
 * RESIZABLE_ARRAY() puts an array of one element into a section of its own:
 * ".data.NAME" or ".bss.NAME". The array's type, or NULL.
 */
static const struct btf_array *resizable_array(const struct loader *l, const struct bpf_map *map,
					       const char **name)
{
	const struct btf_type *sec = btf__type_by_id(l->btf, bpf_map__btf_value_type_id(map)), *t;
	const char *section;

	if (!sec || !btf_is_datasec(sec) || btf_vlen(sec) != 1)
		return NULL;
	section = btf__name_by_offset(l->btf, sec->name_off);
	if (strncmp(section, ".data.", 6) && strncmp(section, ".bss.", 5))
		return NULL;
	t = btf__type_by_id(l->btf, btf_var_secinfos(sec)->type);
	if (!t || !btf_is_var(t))
		return NULL;
	*name = btf__name_by_offset(l->btf, t->name_off);
	t = plain_type(l->btf, t->type, NULL);
	return t && btf_is_array(t) && btf_array(t)->nelems == 1 ? btf_array(t) : NULL;
}

/* The variable NAME_len of the dump buffer NAME that UEI_DEFINE() declares. */
static bool find_dump_length(const struct loader *l, const char *name, struct variable *len)
{
	char var[256];
	size_t n = strlen(name);

	if (n < 5 || strcmp(name + n - 5, "_dump"))
		return false;
	snprintf(var, sizeof(var), "%s_len", name);
	return find_variable(l, var, len) && is_integer(l->btf, len) && variable_data(len);
}

#define DUMP_DEFAULT_LEN 32768

/* What the first of the tables that has the field asks for. */
static u32 dump_length(const struct loader *l)
{
	char path[256];
	struct bpf_map *map = NULL;
	struct variable field;
	s64 len;

	while ((map = next_chosen(l, map))) {
		snprintf(path, sizeof(path), "%s.exit_dump_len", bpf_map__name(map));
		if (!find_path(l, path, &field, NULL, 0) || !is_integer(l->btf, &field) ||
		    !variable_data(&field))
			continue;
		len = get_integer(l->btf, &field, variable_data(&field));
		if (len > 0 && len <= INT32_MAX)
			return (u32)len;
	}
	return DUMP_DEFAULT_LEN;
}

static void fill_dump_length(struct loader *l, const char *array, struct variable *var, u32 len)
{
	char name[256];

	put_integer(var, variable_data(var), len);
	snprintf(name, sizeof(name), "%s_len", array);
	settle_variable(l, name, strlen(name));
}

#define ARRAY_MAX_BYTES (1U << 30)

enum loader_status resize_arrays(struct loader *l, struct loader_error *error)
{
	const struct btf_array *array;
	struct variable len;
	struct bpf_map *map;
	const char *name;
	u64 nelems;
	s64 size;
	int err;

	bpf_object__for_each_map(map, l->obj) {
		array = bpf_map__is_internal(map) ? resizable_array(l, map, &name) : NULL;
		if (!array)
			continue;
		size = btf__resolve_size(l->btf, array->type);
		nelems = l->nr_cpus;
		if (size == 1 && find_dump_length(l, name, &len)) {
			nelems = dump_length(l);
			fill_dump_length(l, name, &len, (u32)nelems);
		}
		if (size <= 0 || (u64)size > ARRAY_MAX_BYTES / nelems)
			return loader_fail(error, LOADER_ERR_OBJECT,
					   "%s: array '%s' with %llu elements of %lld bytes is too large",
					   l->path, name, (unsigned long long)nelems,
					   (long long)size);
		err = bpf_map__set_value_size(map, (u32)((u64)size * nelems));
		if (err)
			return loader_fail(error, LOADER_ERR_OBJECT,
					   "%s: array '%s' cannot be resized to %llu elements: %s", l->path,
					   name, (unsigned long long)nelems, strerror(-err));
	}
	return LOADER_OK;
}
