// SPDX-License-Identifier: GPL-2.0-only
/* The kernel BTF of each generation: what is found there by its name, and that ids stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bpf/btf.h>

#include "../../src/bpf/generation.h"
#include "../../src/bpf/btf/kernel_btf.h"

static struct btf *btf[NR_GENERATIONS];

static int parse_all(void **state)
{
	for (u32 g = 0; g < NR_GENERATIONS; g++) {
		u32 size;
		void *raw = generation_btf((enum kernel_generation)g, &size);

		btf[g] = btf__new(raw, size);
		free(raw);
		if (!btf[g])
			return -1;
	}
	return 0;
}

static int free_all(void **state)
{
	for (u32 g = 0; g < NR_GENERATIONS; g++)
		btf__free(btf[g]);
	return 0;
}

static void assert_has(enum kernel_generation g, const char *name, u32 kind, bool has)
{
	if ((btf__find_by_name_kind(btf[g], name, kind) > 0) != has)
		fail_msg("%s: %s is%s there", generation_name(g), name, has ? " not" : "");
}

static void names(void **state)
{
	static const struct {
		const char *name;
		u32 kind;
		bool in_6_12, in_7_0;
	} all[] = {
		{ "scx_bpf_create_dsq", BTF_KIND_FUNC, true, true },
		{ "scx_bpf_dispatch", BTF_KIND_FUNC, true, false },
		{ "scx_bpf_consume", BTF_KIND_FUNC, true, false },
		{ "scx_bpf_dispatch_vtime_from_dsq", BTF_KIND_FUNC, true, false },
		{ "scx_bpf_dispatch_cancel", BTF_KIND_FUNC, true, true },
		{ "scx_bpf_dsq_insert", BTF_KIND_FUNC, false, true },
		{ "scx_bpf_dsq_insert___v2", BTF_KIND_FUNC, false, true },
		{ "__scx_bpf_select_cpu_and", BTF_KIND_FUNC, false, true },
		{ "scx_bpf_now", BTF_KIND_FUNC, false, true },
		{ "scx_bpf_select_cpu_and_args", BTF_KIND_STRUCT, false, true },
		{ "scx_exit_flags", BTF_KIND_ENUM, false, true },
		{ "sched_ext_ops", BTF_KIND_STRUCT, true, true },
	};

	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		assert_has(GENERATION_ANY, all[i].name, all[i].kind, true);
		assert_has(GENERATION_6_12, all[i].name, all[i].kind, all[i].in_6_12);
		assert_has(GENERATION_7_0, all[i].name, all[i].kind, all[i].in_7_0);
	}
}

static void any_is_what_the_build_made(void **state)
{
	u32 size;
	void *raw = generation_btf(GENERATION_ANY, &size);

	assert_int_equal(size, vrt_kernel_btf_size());
	assert_memory_equal(raw, vrt_kernel_btf, size);
	free(raw);
}

static bool is_mark(const struct btf *b, const struct btf_type *t)
{
	const char *name = btf__name_by_offset(b, t->name_off);

	return btf_is_decl_tag(t) && (!strncmp(name, "since:", 6) || !strncmp(name, "until:", 6));
}

/* Every type is what it was, or nothing; what is gone was marked. */
static void ids_stay(void **state)
{
	for (u32 g = GENERATION_ANY + 1; g < NR_GENERATIONS; g++) {
		u32 gone = 0;

		assert_int_equal(btf__type_cnt(btf[g]), btf__type_cnt(btf[GENERATION_ANY]));
		for (u32 id = 1; id < btf__type_cnt(btf[g]); id++) {
			const struct btf_type *t = btf__type_by_id(btf[g], id);
			const struct btf_type *any = btf__type_by_id(btf[GENERATION_ANY], id);

			assert_false(is_mark(btf[g], t));
			if (t->name_off == any->name_off && btf_kind(t) == btf_kind(any))
				continue;
			assert_int_equal(t->name_off, 0);
			gone += !is_mark(btf[GENERATION_ANY], any);
		}
		assert_in_range(gone, 5, 40);
	}
}

static s64 enumerator(const struct btf *b, const char *enum_name, const char *name)
{
	s32 id = btf__find_by_name_kind(b, enum_name, BTF_KIND_ENUM64);
	bool wide = id > 0;
	const struct btf_type *t;

	if (!wide)
		id = btf__find_by_name_kind(b, enum_name, BTF_KIND_ENUM);
	assert_true(id > 0);
	t = btf__type_by_id(b, (u32)id);
	for (u32 i = 0; i < btf_vlen(t); i++) {
		u32 off = wide ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off;

		if (!strcmp(btf__name_by_offset(b, off), name))
			return wide ? (s64)btf_enum64_value(&btf_enum64(t)[i]) :
				      (s64)btf_enum(t)[i].val;
	}
	return -1;
}

static void members(void **state)
{
	for (u32 g = 0; g < NR_GENERATIONS; g++) {
		s32 id = btf__find_by_name_kind(btf[g], "scx_exit_info", BTF_KIND_STRUCT);
		const struct btf_type *t = btf__type_by_id(btf[g], (u32)id);
		bool flags = false, reason = false;

		for (u32 i = 0; i < btf_vlen(t); i++) {
			const char *name =
				btf__name_by_offset(btf[g], btf_members(t)[i].name_off);

			flags |= !strcmp(name, "flags");
			reason |= !strcmp(name, "reason");
		}
		assert_int_equal(flags, g != GENERATION_6_12);
		assert_true(reason);
	}
}

static void enumerators(void **state)
{
	static const s64 head[] = { 0x10, 0x10, 0x10000 }, selected[] = { 0x400, 0x400, 0x100000 };
	static const s64 per_node[] = { 64, -1, 64 }, all_flags[] = { 0x1007f, 0x1000f, 0x1007f };
	static const s64 in_node[] = { 2, -1, 2 };

	for (u32 g = 0; g < NR_GENERATIONS; g++) {
		assert_int_equal(enumerator(btf[g], "scx_enq_flags", "SCX_ENQ_HEAD"), head[g]);
		assert_int_equal(enumerator(btf[g], "scx_enq_flags", "SCX_ENQ_CPU_SELECTED"),
				 selected[g]);
		assert_int_equal(enumerator(btf[g], "scx_enq_flags", "SCX_ENQ_PREEMPT"), 1LL << 32);
		assert_int_equal(enumerator(btf[g], "scx_ops_flags",
					    "SCX_OPS_BUILTIN_IDLE_PER_NODE"), per_node[g]);
		assert_int_equal(enumerator(btf[g], "scx_ops_flags", "SCX_OPS_ALL_FLAGS"),
				 all_flags[g]);
		assert_int_equal(enumerator(btf[g], "scx_pick_idle_cpu_flags",
					    "SCX_PICK_IDLE_IN_NODE"), in_node[g]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(any_is_what_the_build_made),
		cmocka_unit_test(ids_stay),
		cmocka_unit_test(members),
		cmocka_unit_test(enumerators),
	};

	return cmocka_run_group_tests(tests, parse_all, free_all);
}
