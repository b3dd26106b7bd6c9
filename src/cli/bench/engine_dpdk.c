// SPDX-License-Identifier: GPL-2.0-only
/*
 * DPDK's compiler, if its library is installed (Debian: librte-bpf23). It is
 * opened at run time, so that nobody needs it: what we call of it is declared here
 * as its manual has it, as of ABI 21 to 25. It knows neither loops nor maps nor
 * functions.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

#define MAX_LOADED 64
#define ARG_RAW 1 /* a number, not a pointer */

struct dpdk_prm {
	const struct bpf_insn *insns;
	u32 nr;
	const void *symbols;
	u32 nr_symbols;
	struct {
		u32 type;
		size_t size, buf_size;
	} arg;
};

struct dpdk_jit {
	u64 (*func)(void *arg);
	size_t size;
};

static struct {
	void *(*load)(const struct dpdk_prm *prm);
	int (*get_jit)(const void *bpf, struct dpdk_jit *jit);
} dpdk;

static struct dpdk_jit loaded[MAX_LOADED];
static u32 nr_loaded;

static void *find_library(void)
{
	static const char *const names[] = { "librte_bpf.so",    "librte_bpf.so.25",
					     "librte_bpf.so.24", "librte_bpf.so.23",
					     "librte_bpf.so.22", "librte_bpf.so.21" };
	void *library = NULL;

	for (u32 i = 0; i < ARRAY_SIZE(names) && !library; i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	return library;
}

bool dpdk_open(char *why, size_t size)
{
	void *library = find_library();
	/* it says there, at length, what it does not like */
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0)
		dup2(null, STDERR_FILENO);
	if (library) {
		dpdk.load = (void *(*)(const struct dpdk_prm *))dlsym(library, "rte_bpf_load");
		dpdk.get_jit = (int (*)(const void *, struct dpdk_jit *))dlsym(library,
									       "rte_bpf_get_jit");
	}
	if (!dpdk.load || !dpdk.get_jit)
		snprintf(why, size, "its library is not installed");
	return dpdk.load && dpdk.get_jit;
}

int dpdk_load(const struct program *p, char *why, size_t size)
{
	struct dpdk_prm prm = { .insns = p->insns, .nr = p->nr, .arg.type = ARG_RAW,
				.arg.size = sizeof(u64) };
	const void *bpf = dpdk.load(&prm);

	VRT_ASSERT(nr_loaded < MAX_LOADED);
	if (!bpf || dpdk.get_jit(bpf, &loaded[nr_loaded]) || !loaded[nr_loaded].func) {
		snprintf(why, size, bpf ? "it is not compiled" : "it cannot be loaded");
		return -EINVAL;
	}
	return (int)nr_loaded++;
}

int dpdk_run(int program, u32 repeat, u32 *result)
{
	u64 (*func)(void *arg) = loaded[program].func;
	u64 value = 0;

	while (repeat--)
		value = func(NULL);
	*result = (u32)value;
	return 0;
}
