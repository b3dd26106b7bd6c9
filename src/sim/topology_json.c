// SPDX-License-Identifier: GPL-2.0-only
/*
 * Machines from JSON: nodes of LLCs of groups of cores (topology.h shows the
 * form). Errors name the place, as "nodes[0].llcs[1].cores".
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/error.h"
#include "../base/jsonfile.h"
#include "../base/strbuf.h"
#include "../base/suggest.h"
#include "internal.h"

struct reader {
	const char *name;
	char *err;
	size_t err_size;
	struct machine_spec machine;
	u32 nr_nodes, nr_llcs; /* of the machine so far */
};

/* A place in the document, for messages. */
struct place {
	char path[96];
};

static struct place inside(const struct place *in, const char *key, size_t i)
{
	struct place p;
	int len = snprintf(p.path, sizeof(p.path), "%s%s%s[%zu]", in->path,
			   in->path[0] ? "." : "", key, i);

	VRT_ASSERT(len > 0 && (size_t)len < sizeof(p.path));
	return p;
}

static const char *in_words(const struct place *p)
{
	return p->path[0] ? p->path : "the machine";
}

static const char *const root_keys[] = { "nodes", "name", NULL };
static const char *const node_keys[] = { "llcs", "count", NULL };
static const char *const llc_keys[] = { "cores", "count", NULL };
static const char *const core_keys[] = { "count", "threads", "capacity", NULL };

static bool is_known(const char *key, const char *const *known)
{
	for (; *known; known++)
		if (!strcmp(key, *known))
			return true;
	return false;
}

static int unknown_member(struct reader *r, const char *key, const struct place *p,
			  const char *const *known)
{
	struct suggest s = { .word = key };
	struct strbuf list = {};
	int ret;

	for (const char *const *k = known; *k; k++) {
		suggest_try(&s, *k);
		strbuf_printf(&list, "%s'%s'", k == known ? "" : ", ", *k);
	}
	if (s.best)
		ret = vrt_error(r->err, r->err_size, -EINVAL,
				"%s: %s: unknown member '%.40s'; did you mean '%s'?", r->name,
				in_words(p), key, s.best);
	else
		ret = vrt_error(r->err, r->err_size, -EINVAL,
				"%s: %s: unknown member '%.40s'; there may be %s", r->name,
				in_words(p), key, strbuf_str(&list));
	strbuf_free(&list);
	return ret;
}

/* @obj must be an object that has no other than the known members. */
static int check_members(struct reader *r, struct json_object *obj, const struct place *p,
			 const char *const *known)
{
	struct json_object_iterator it, end;

	if (!json_object_is_type(obj, json_type_object))
		return vrt_error(r->err, r->err_size, -EINVAL, "%s: %s: expected an object {...}",
				 r->name, in_words(p));
	it = json_object_iter_begin(obj);
	end = json_object_iter_end(obj);
	for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
		const char *key = json_object_iter_peek_name(&it);

		if (!is_known(key, known))
			return unknown_member(r, key, p, known);
	}
	return 0;
}

/* The integer member @key in 1..@limit; left out: @value stays. */
static int get_number(struct reader *r, struct json_object *obj, const struct place *p,
		      const char *key, u32 limit, u32 *value)
{
	struct json_object *member;
	s64 n;

	if (!json_object_object_get_ex(obj, key, &member))
		return 0;
	n = json_object_get_int64(member);
	if (!json_object_is_type(member, json_type_int) || n < 1 || n > limit)
		return vrt_error(r->err, r->err_size, -EINVAL,
				 "%s: %s: '%s' is %.40s; expected an integer from 1 to %u",
				 r->name, in_words(p), key, json_object_to_json_string(member),
				 limit);
	*value = n;
	return 0;
}

/* The array member @key, which must not be empty. */
static int get_array(struct reader *r, struct json_object *obj, const struct place *p,
		     const char *key, struct json_object **array)
{
	if (!json_object_object_get_ex(obj, key, array) ||
	    !json_object_is_type(*array, json_type_array) || !json_object_array_length(*array))
		return vrt_error(r->err, r->err_size, -EINVAL,
				 "%s: %s: needs '%s', an array of at least one object", r->name,
				 in_words(p), key);
	return 0;
}

static int read_cores(struct reader *r, struct json_object *obj, const struct place *p)
{
	struct core_spec core = {
		.node = r->nr_nodes, .llc = r->nr_llcs,
		.threads = 1, .capacity = SCHED_CAPACITY_SCALE,
	};
	u32 count = 1;
	int ret;

	ret = check_members(r, obj, p, core_keys);
	if (!ret)
		ret = get_number(r, obj, p, "count", VRT_NR_CPUS, &count);
	if (!ret)
		ret = get_number(r, obj, p, "threads", VRT_NR_CPUS, &core.threads);
	if (!ret)
		ret = get_number(r, obj, p, "capacity", SCHED_CAPACITY_SCALE, &core.capacity);
	if (ret)
		return ret;
	while (count-- && !ret)
		ret = machine_add_core(&r->machine, &core);
	if (ret)
		vrt_error(r->err, r->err_size, 0, "%s: more than %u CPUs, which is the limit",
			  r->name, VRT_NR_CPUS);
	return ret;
}

static int read_llc(struct reader *r, struct json_object *obj, const struct place *p)
{
	struct json_object *cores;
	u32 count = 1;
	int ret;

	ret = check_members(r, obj, p, llc_keys);
	if (!ret)
		ret = get_number(r, obj, p, "count", VRT_NR_CPUS, &count);
	if (!ret)
		ret = get_array(r, obj, p, "cores", &cores);
	for (; !ret && count--; r->nr_llcs++) {
		for (size_t i = 0; !ret && i < json_object_array_length(cores); i++) {
			struct place at = inside(p, "cores", i);

			ret = read_cores(r, json_object_array_get_idx(cores, i), &at);
		}
	}
	return ret;
}

static int read_node(struct reader *r, struct json_object *obj, const struct place *p)
{
	struct json_object *llcs;
	u32 count = 1;
	int ret;

	ret = check_members(r, obj, p, node_keys);
	if (!ret)
		ret = get_number(r, obj, p, "count", VRT_NR_CPUS, &count);
	if (!ret)
		ret = get_array(r, obj, p, "llcs", &llcs);
	for (; !ret && count--; r->nr_nodes++) {
		for (size_t i = 0; !ret && i < json_object_array_length(llcs); i++) {
			struct place at = inside(p, "llcs", i);

			ret = read_llc(r, json_object_array_get_idx(llcs, i), &at);
		}
	}
	return ret;
}

static int read_machine(struct reader *r, struct json_object *root)
{
	struct place top = {};
	struct json_object *nodes;
	int ret;

	ret = check_members(r, root, &top, root_keys);
	if (!ret)
		ret = get_array(r, root, &top, "nodes", &nodes);
	for (size_t i = 0; !ret && i < json_object_array_length(nodes); i++) {
		struct place at = inside(&top, "nodes", i);

		ret = read_node(r, json_object_array_get_idx(nodes, i), &at);
	}
	return ret;
}

/* Takes over @root. */
static int from_document(struct topology *topo, const char *name, struct json_object *root,
			 char *err, size_t err_size)
{
	struct reader r = { .name = name, .err = err, .err_size = err_size };
	int ret = read_machine(&r, root);

	if (!ret)
		topology_build(topo, &r.machine);
	free(r.machine.cores);
	json_object_put(root);
	return ret;
}

int topology_from_text(struct topology *topo, const char *name, const char *text, char *err,
		       size_t err_size)
{
	int code = 0;
	struct json_object *root = json_text_load(name, text, strlen(text), err, err_size, &code);

	return root ? from_document(topo, name, root, err, err_size) : code;
}

int topology_from_json(struct topology *topo, const char *file, char *err, size_t err_size)
{
	int code = 0;
	struct json_object *root = json_file_load(file, err, err_size, &code);

	return root ? from_document(topo, file, root, err, err_size) : code;
}

/* --- written down ---------------------------------------------------------------- */

static void add_member(struct json_object *obj, const char *name, u32 value)
{
	json_object_object_add(obj, name, json_object_new_int64(value));
}

/* An object with an empty array @list, which is returned, at the end of @array. */
static struct json_object *add_level(struct json_object *array, const char *list)
{
	struct json_object *obj = json_object_new_object(), *children = json_object_new_array();

	json_object_object_add(obj, list, children);
	json_object_array_add(array, obj);
	return children;
}

static void write_core(const struct topology *topo, u32 cpu, struct json_object *cores)
{
	struct json_object *core = json_object_new_object();

	add_member(core, "count", 1);
	add_member(core, "threads", cpumask_weight(topo->cpu[cpu].smt_mask));
	add_member(core, "capacity", topo->cpu[cpu].capacity);
	json_object_array_add(cores, core);
}

/* The first CPU of core @core. */
static u32 first_of(const struct topology *topo, u32 core)
{
	u32 cpu = 0;

	while (topo->cpu[cpu].core != core || topo->cpu[cpu].thread)
		cpu++;
	return cpu;
}

void topology_write(const struct topology *topo, struct strbuf *out)
{
	struct json_object *root = json_object_new_object(), *nodes = json_object_new_array();
	struct json_object *llcs = NULL, *cores = NULL;
	u32 node = ~0U, llc = ~0U;

	json_object_object_add(root, "nodes", nodes);
	/* cores are numbered through LLCs, and those through nodes */
	for (u32 core = 0; core < topo->nr_cores; core++) {
		u32 cpu = first_of(topo, core);

		if (!llcs || topo->cpu[cpu].node != node)
			llcs = add_level(nodes, "llcs");
		if (!cores || topo->cpu[cpu].llc != llc || topo->cpu[cpu].node != node)
			cores = add_level(llcs, "cores");
		node = topo->cpu[cpu].node;
		llc = topo->cpu[cpu].llc;
		write_core(topo, cpu, cores);
	}
	strbuf_puts(out, json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY));
	json_object_put(root);
}
