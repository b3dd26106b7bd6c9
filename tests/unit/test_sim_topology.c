// SPDX-License-Identifier: GPL-2.0-only
/* Machines: the grammar, numbering, masks, JSON, the host, and the words for all that. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/sim/internal.h"

static struct topology topo;
static char err[300];

static void open_machine(const char *spec)
{
	err[0] = '\0';
	if (topology_parse(&topo, spec, err, sizeof(err)))
		fail_msg("%s: %s", spec, err);
	assert_string_equal(topo.spec, spec);
	assert_int_equal(nr_cpu_ids, topo.nr_cpus);
}

static void check_cpu(u32 i, u32 node, u32 llc, u32 core, u32 thread)
{
	assert_int_equal(topo.cpu[i].node, node);
	assert_int_equal(topo.cpu[i].llc, llc);
	assert_int_equal(topo.cpu[i].core, core);
	assert_int_equal(topo.cpu[i].thread, thread);
}

static void check_mask(const struct cpumask *mask, const char *list)
{
	char buf[100];

	cpumask_print_list(buf, sizeof(buf), mask);
	assert_string_equal(buf, list);
}

static void check_words(const char *words)
{
	char buf[200];

	topology_describe(&topo, buf, sizeof(buf));
	assert_string_equal(buf, words);
}

/* First threads of all cores first, then their siblings, as Linux on x86. */
static void test_numbering(void **state)
{
	open_machine("2x2x3x2");
	assert_int_equal(topo.nr_cpus, 24);
	assert_int_equal(topo.nr_nodes, 2);
	assert_int_equal(topo.nr_llcs, 4);
	assert_int_equal(topo.nr_cores, 12);
	assert_true(topo.smt);
	assert_false(topo.asymmetric);
	check_cpu(0, 0, 0, 0, 0);
	check_cpu(2, 0, 0, 2, 0);
	check_cpu(3, 0, 1, 3, 0);
	check_cpu(6, 1, 2, 6, 0);
	check_cpu(11, 1, 3, 11, 0);
	check_cpu(12, 0, 0, 0, 1);
	check_cpu(23, 1, 3, 11, 1);
	check_mask(topo.cpu[3].smt_mask, "3,15");
	check_mask(topo.cpu[15].smt_mask, "3,15");
	check_mask(topo.cpu[3].llc_mask, "3-5,15-17");
	check_mask(topo.cpu[3].node_mask, "0-5,12-17");
	assert_int_equal(topo.cpu[5].capacity, SCHED_CAPACITY_SCALE);
	assert_int_equal(cpu_distance(&topo.cpu[3], &topo.cpu[3]), DIST_SELF);
	assert_int_equal(cpu_distance(&topo.cpu[3], &topo.cpu[15]), DIST_SMT);
	assert_int_equal(cpu_distance(&topo.cpu[3], &topo.cpu[17]), DIST_LLC);
	assert_int_equal(cpu_distance(&topo.cpu[3], &topo.cpu[0]), DIST_NODE);
	assert_int_equal(cpu_distance(&topo.cpu[3], &topo.cpu[6]), DIST_REMOTE);
	check_words("2 nodes, each 2 LLCs of 3 cores with 2 threads: 24 CPUs");
	topology_free(&topo);
}

static void test_short_forms(void **state)
{
	open_machine("2x8x2");
	check_words("2 nodes, each 1 LLC of 8 cores with 2 threads: 32 CPUs");
	topology_free(&topo);
	open_machine("4x2");
	check_words("1 node, 1 LLC of 4 cores with 2 threads: 8 CPUs");
	topology_free(&topo);
	open_machine("1");
	check_words("1 node, 1 LLC of 1 core with 1 thread: 1 CPU");
	assert_false(topo.smt);
	topology_free(&topo);
	open_machine("4096");
	assert_int_equal(topo.nr_cpus, VRT_NR_CPUS);
	topology_free(&topo);
	open_machine("8x8x8x8");
	assert_int_equal(cpumask_weight(topo.cpu[4095].node_mask), 512);
	topology_free(&topo);
}

static void check_error(const char *spec, int code, const char *message)
{
	memset(&topo, 0, sizeof(topo));
	err[0] = '\0';
	assert_int_equal(topology_parse(&topo, spec, err, sizeof(err)), code);
	assert_null(topo.cpu);
	if (!strstr(err, message))
		fail_msg("'%s': \"%s\" does not say \"%s\"", spec, err, message);
}

static void test_errors(void **state)
{
	check_error("0x2", -EINVAL, "machine '0x2': 0 cores; every number must be 1 or more");
	check_error("0x2x2", -EINVAL, "0 nodes");
	check_error("1x1x1x0", -EINVAL, "0 threads");
	check_error("1x0x1x1", -EINVAL, "0 LLCs");
	check_error("4097", -E2BIG, "more than 4096 CPUs");
	check_error("64x65", -E2BIG, "more than 4096 CPUs");
	check_error("99999999999999999999", -E2BIG, "more than 4096 CPUs");
	check_error("4294967296x4294967296x4294967296x4294967296", -E2BIG, "4096");
	check_error("1x2x3x4x5", -EINVAL, "expected NODESxLLCSxCORESxTHREADS");
	check_error("", -EINVAL, "expected");
	check_error("4x", -EINVAL, "expected");
	check_error("x4", -EINVAL, "expected");
	check_error("4x-2", -EINVAL, "expected");
	check_error("4X2", -EINVAL, "expected");
	check_error("laptpo", -EINVAL, "did you mean 'laptop'?");
	check_error("epyc-9745", -EINVAL, "did you mean 'epyc-9754'?");
	check_error("/does/not/exist", -ENOENT, "No such file");
	check_error("missing.json", -ENOENT, "missing.json: cannot read");
}

static void test_presets(void **state)
{
	const char *name, *summary;
	u32 i;

	for (i = 0; topology_preset(i, &name, &summary); i++) {
		open_machine(name);
		assert_true(strlen(summary) > 0);
		topology_free(&topo);
	}
	assert_true(i >= 8);
	open_machine("epyc-9754");
	check_words("1 node, 16 LLCs of 8 cores with 2 threads: 256 CPUs");
	topology_free(&topo);
	open_machine("pixel-6");
	assert_true(topo.asymmetric);
	check_words("1 node, 1 LLC of 8 cores with 1 thread: 8 CPUs; "
		    "4 CPUs of capacity 250, 2 of 620, 2 of 1024");
	topology_free(&topo);
}

/* --- JSON --------------------------------------------------------------- */

static void check_text_error(const char *text, int code, const char *message)
{
	err[0] = '\0';
	memset(&topo, 0, sizeof(topo));
	assert_int_equal(topology_from_text(&topo, "m.json", text, err, sizeof(err)), code);
	if (!strstr(err, message))
		fail_msg("\"%s\" does not say \"%s\"", err, message);
}

static void test_json(void **state)
{
	static const char text[] =
		"{ \"name\": \"test\", \"nodes\": ["
		"  { \"count\": 2, \"llcs\": [ { \"count\": 2, \"cores\": ["
		"      { \"threads\": 2 }, { \"count\": 2, \"capacity\": 500 } ] } ] },"
		"  { \"llcs\": [ { \"cores\": [ { \"capacity\": 100 } ] } ] } ] }";

	memset(&topo, 0, sizeof(topo));
	assert_int_equal(topology_from_text(&topo, "m.json", text, err, sizeof(err)), 0);
	nr_cpu_ids = topo.nr_cpus;
	assert_int_equal(topo.nr_nodes, 3);
	assert_int_equal(topo.nr_llcs, 5);
	assert_int_equal(topo.nr_cores, 13);
	assert_int_equal(topo.nr_cpus, 17);
	check_cpu(4, 0, 1, 4, 0);
	check_cpu(6, 1, 2, 6, 0);
	check_cpu(12, 2, 4, 12, 0);
	/* siblings come after all first threads */
	check_cpu(13, 0, 0, 0, 1);
	check_cpu(16, 1, 3, 9, 1);
	check_mask(topo.cpu[0].smt_mask, "0,13");
	check_mask(topo.cpu[1].smt_mask, "1");
	assert_int_equal(topo.cpu[1].capacity, 500);
	assert_int_equal(topo.cpu[12].capacity, 100);
	check_words("3 nodes, 5 LLCs, 13 cores: 17 CPUs; "
		    "1 CPU of capacity 100, 8 of 500, 8 of 1024");
	topology_free(&topo);
}

static void test_json_errors(void **state)
{
	check_text_error("[]", -EINVAL, "the machine: expected an object");
	check_text_error("{}", -EINVAL, "the machine: needs 'nodes'");
	check_text_error("{ \"nodes\": [] }", -EINVAL, "at least one");
	check_text_error("{ \"nodes\": [ {} ] }", -EINVAL, "nodes[0]: needs 'llcs'");
	check_text_error("{ \"nods\": [ {} ] }", -EINVAL, "did you mean 'nodes'?");
	check_text_error("{ \"nodes\": [ { \"frequency\": 1 } ] }", -EINVAL,
			 "nodes[0]: unknown member 'frequency'; there may be 'llcs', 'count'");
	check_text_error("{ \"nodes\": [ { \"llcs\": [ { \"cores\": [ { \"count\": 0 } ] } ] } ] }",
			 -EINVAL, "nodes[0].llcs[0].cores[0]: 'count' is 0; expected an integer");
	check_text_error(
		"{ \"nodes\": [ { \"llcs\": [ { \"cores\": [ { \"capacity\": 1025 } ] } ] } ] }",
		-EINVAL, "'capacity' is 1025; expected an integer from 1 to 1024");
	check_text_error(
		"{ \"nodes\": [ { \"llcs\": [ { \"cores\": [ { \"threads\": \"2\" } ] } ] } ] }",
		-EINVAL, "'threads' is \"2\"");
	check_text_error("{ \"nodes\": [ { \"count\": 2, \"llcs\": [ { \"cores\": ["
			 "{ \"count\": 2049 } ] } ] } ] }",
			 -E2BIG, "more than 4096 CPUs");
	check_text_error("{ \"nodes\": ", -EINVAL, "m.json:1:12: not valid JSON");
}

/* --- the host ----------------------------------------------------------- */

static char root[64];

__attribute__((format(printf, 2, 3))) static void put(const char *text, const char *fmt, ...)
{
	char path[256];
	va_list args;
	FILE *f;
	int n = snprintf(path, sizeof(path), "%s/", root);

	va_start(args, fmt);
	vsnprintf(path + n, sizeof(path) - n, fmt, args);
	va_end(args);
	for (char *slash = path + n; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void make_root(void)
{
	strcpy(root, "/tmp/vrt-test-XXXXXX");
	assert_non_null(mkdtemp(root));
}

static void remove_root(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

static void from_root(void)
{
	memset(&topo, 0, sizeof(topo));
	nr_cpu_ids = 2; /* of an earlier machine: must not matter */
	if (topology_from_host(&topo, root, err, sizeof(err)))
		fail_msg("%s", err);
	assert_int_equal(nr_cpu_ids, 2);
	nr_cpu_ids = topo.nr_cpus;
}

/* Siblings next to each other, two LLCs, nodes 0 and 8, CPU 3 offline. */
static void test_host(void **state)
{
	static const char *const cores[] = { "0-1", "0-1", "2", NULL, "4-5", "4-5", "6-7", "6-7" };

	make_root();
	put("0-2,4-7\n", "cpu/online");
	put("0,8\n", "node/online");
	put("0-3\n", "node/node0/cpulist");
	put("4-7\n", "node/node8/cpulist");
	for (u32 i = 0; i < 8; i++) {
		if (i == 3)
			continue;
		put(cores[i], "cpu/cpu%u/topology/core_cpus_list", i);
		put("1\n", "cpu/cpu%u/cache/index0/level", i);
		put(cores[i], "cpu/cpu%u/cache/index0/shared_cpu_list", i);
		put("3\n", "cpu/cpu%u/cache/index1/level", i);
		put(i < 4 ? "0-3" : "4-7", "cpu/cpu%u/cache/index1/shared_cpu_list", i);
		put(i < 4 ? "1024\n" : "512\n", "cpu/cpu%u/cpu_capacity", i);
	}
	from_root();
	assert_int_equal(topo.nr_cpus, 7);
	assert_int_equal(topo.nr_cores, 4);
	assert_int_equal(topo.nr_llcs, 2);
	assert_int_equal(topo.nr_nodes, 2);
	check_cpu(0, 0, 0, 0, 0);
	check_cpu(1, 0, 0, 0, 1);
	check_cpu(2, 0, 0, 1, 0);
	check_cpu(3, 1, 1, 2, 0); /* the host's CPU 4 */
	check_cpu(6, 1, 1, 3, 1);
	check_mask(topo.cpu[3].smt_mask, "3-4");
	check_mask(topo.cpu[3].llc_mask, "3-6");
	assert_true(topo.smt && topo.asymmetric);
	assert_int_equal(topo.cpu[6].capacity, 512);
	topology_free(&topo);
	remove_root();
}

/* A virtual machine that tells next to nothing. */
static void test_bare_host(void **state)
{
	make_root();
	put("0-3\n", "cpu/online");
	for (u32 i = 0; i < 4; i++)
		put("0-3\n", "cpu/cpu%u/topology/package_cpus_list", i);
	from_root();
	check_words("1 node, 1 LLC of 4 cores with 1 thread: 4 CPUs");
	topology_free(&topo);
	put("nonsense", "cpu/online");
	assert_int_equal(topology_from_host(&topo, root, err, sizeof(err)), -ENODEV);
	assert_non_null(strstr(err, "give the machine in numbers"));
	remove_root();
}

static void test_this_host(void **state)
{
	/* a container may have no /sys */
	if (access("/sys/devices/system/cpu/online", R_OK))
		skip();
	open_machine("host");
	assert_int_equal(topo.nr_cpus, sysconf(_SC_NPROCESSORS_ONLN));
	topology_free(&topo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbering),
		cmocka_unit_test(test_short_forms),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_presets),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_errors),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_bare_host),
		cmocka_unit_test(test_this_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
