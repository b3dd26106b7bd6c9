// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BTF that BPF programs are relocated against was made by clang for BPF,
 * the runtime by the native compiler, both from kernel/. Every size and every
 * member's offset must agree, or programs would read the wrong fields.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "../../kernel/bpf_types.h"
#include "../../kernel/cgroup.h"
#include "../../kernel/ext.h"
#include "../../kernel/ghost.h"
#include "../../kernel/periodic.h"
#include "../../kernel/sched.h"
#include "../../kernel/syscalls.h"
#include "../../kernel/types.h"

struct layout {
	const char *what;
	size_t native, btf;
};

#include "layout_table.h"

#define NR_LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

static void test_layouts_agree(void **state)
{
	size_t bad = 0;

	for (size_t i = 0; i < NR_LAYOUTS; i++) {
		if (layouts[i].native == layouts[i].btf)
			continue;
		print_error("%s: %zu for the native compiler, %zu in the BTF\n", layouts[i].what,
			    layouts[i].native, layouts[i].btf);
		bad++;
	}
	assert_int_equal(bad, 0);
}

/* The table is generated: it must not have come out empty or without the big ones. */
static void test_table_is_complete(void **state)
{
	static const char *const must[] = {
		"task_struct",
		"task_struct.scx",
		"rq.scx",
		"rq.curr",
		"sched_ext_ops.name",
		"sched_ext_entity.slice",
		"cgroup.ancestors",
		"bpf_struct_ops_sched_ext_ops.data",
	};

	for (size_t i = 0; i < sizeof(must) / sizeof(must[0]); i++) {
		bool found = false;

		for (size_t j = 0; j < NR_LAYOUTS; j++)
			found = found || !strcmp(layouts[j].what, must[i]);
		if (!found)
			fail_msg("%s is not in the table", must[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts_agree),
		cmocka_unit_test(test_table_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
