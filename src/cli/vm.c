// SPDX-License-Identifier: GPL-2.0-only
/*
 * vrt vm: the real kernels that '--on vm' runs in virtual machines. Fetches
 * them, builds them, lists them, and tries whether one comes up here.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/alloc.h"
#include "../vm/build.h"
#include "../vm/kernels.h"
#include "../vm/make.h"
#include "../vm/module.h"
#include "../vm/vm.h"
#include "cli.h"
#include "cmdline.h"
#include "guest.h"
#include "places.h"
#include "run.h"

struct vm_options {
	u64 cpus, jobs;
	bool keep, help;
};

static const struct cmd_option options[] = {
	{ "cpus", 0, CMD_NUMBER, .offset = offsetof(struct vm_options, cpus), "N",
	  "CPUs of the guest that 'vrt vm boot' starts; default 4", .min = 1, .max = VM_MAX_CPUS },
	{ "jobs", 'j', CMD_NUMBER, .offset = offsetof(struct vm_options, jobs), "N",
	  "compilers that 'vrt vm build' runs at a time; default: as many as CPUs", .min = 1,
	  .max = 1024 },
	{ "keep", 0, CMD_FLAG, .offset = offsetof(struct vm_options, keep), NULL,
	  "keep the tree that 'vrt vm build' built in (2 GB)" },
	{ "help", 'h', CMD_HELP, .offset = offsetof(struct vm_options, help), NULL, "show this help" },
};

static const struct cmd_table table = {
	.command = "vrt vm",
	.usage = "fetch|build|module [VERSION] | list | boot [KERNEL]",
	.summary = "Real kernels in virtual machines. 'fetch' takes a kernel image package from the "
		   "Debian archive that apt is configured for, as any user: the newest that offers "
		   "sched_ext, or the newest of a version (6.19). 'build' makes a small kernel from "
		   "Debian's package of kernel sources (6.12 unless a version is given). 'module' "
		   "builds the module schedbpf for a stock kernel of this machine's release, so that "
		   "periodic programs run on it (--on vm:schedbpf). 'list' "
		   "shows what there is, 'boot' starts a guest and says how long it took.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.notes = "Guests need QEMU (qemu-system-x86_64). KERNEL is a version or the path of an\n"
		 "image (bzImage). For 'build', the path of a package linux-source-*.deb does\n"
		 "instead of a VERSION; a build that was interrupted goes on where it was.\n",
};

static void say(const char *line)
{
	printf("%s\n", line);
	fflush(stdout);
}

static int fetch(const char *wanted)
{
	char release[128], err[2048];

	if (kernel_fetch(wanted, say, release, sizeof(release), err, sizeof(err))) {
		cli_error("%s", err);
		return STATUS_LOAD;
	}
	printf("%s is ready\n", release);
	return STATUS_OK;
}

/* Where linux/ is: as told, beside the build, or as installed. */
static char *recipe_directory(void)
{
	const char *told = getenv("VRT_LINUX");

	return told && *told ? xstrdup(told)
			     : shipped_path("/../linux", "/../share/vruntime/linux");
}

static void say_between(const char *line)
{
	progress_clear();
	say(line);
}

static int build(const char *wanted, const struct vm_options *o)
{
	char release[128], err[8192], *recipe = recipe_directory();
	struct build_options options = {
		.wanted = wanted, .recipe = recipe, .jobs = (u32)o->jobs, .keep = o->keep,
		.say = say_between, .progress = progress_step,
	};
	int ret;

	progress_start("building", true);
	ret = kernel_build(&options, release, sizeof(release), err, sizeof(err));
	progress_clear();
	free(recipe);
	if (!ret) {
		printf("%s is ready\n", release);
		return STATUS_OK;
	}
	cli_error("%s", err);
	if (ret == -EINTR)
		raise(make_signal());
	return STATUS_LOAD;
}

static int module(const char *wanted)
{
	char release[128], err[8192], *told = getenv("VRT_KMOD");
	char *source = told && *told ? xstrdup(told)
				     : shipped_path("/../kmod/schedbpf", "/../share/vruntime/kmod/schedbpf");
	struct module_options options = { .wanted = wanted, .source = source, .say = say };
	int ret = module_build(&options, release, sizeof(release), err, sizeof(err));

	free(source);
	if (ret) {
		cli_error("%s", err);
		return STATUS_LOAD;
	}
	printf("%s has the module schedbpf: --on vm:schedbpf\n", release);
	return STATUS_OK;
}

/* What takes room in the cache and is no kernel. */
static void list_builds(void)
{
	u32 nr;
	char **builds = kernel_builds(&nr);

	for (u32 i = 0; i < nr; i++) {
		printf("%s%s\n", i ? "" : "\ntrees of builds that did not end, or were kept:\n", builds[i]);
		free(builds[i]);
	}
	free(builds);
}

static int list(void)
{
	struct kernel_list kernels;
	char err[512];

	if (kernels_list(&kernels, err, sizeof(err))) {
		cli_error("%s", err);
		return STATUS_LOAD;
	}
	if (!kernels.nr)
		printf("no kernels yet; 'vrt vm fetch' gets one, 'vrt vm build' makes one\n");
	for (u32 i = 0; i < kernels.nr; i++) {
		const struct kernel_entry *e = &kernels.entries[i];

		printf("%-32s", e->release);
		if (e->refused)
			print_wrapped(stdout, e->refused, 32, 32, 80);
		else
			printf("ready%s%s\n", e->key ? ", built here" : "",
			       e->module_key ? ", with schedbpf" : "");
	}
	kernels_free(&kernels);
	list_builds();
	return STATUS_OK;
}

static int boot(const char *kernel, u32 cpus)
{
	struct vm_config config = { .cpus = cpus };
	char err[4096], *path = kernel_find(kernel, err, sizeof(err)), *agent;
	struct vm *vm = NULL;
	u64 start = wall_clock();

	if (path) {
		agent = guest_agent_path();
		config.kernel = path;
		config.agent = agent;
		vm = vm_boot(&config, err, sizeof(err));
		free(agent);
	}
	free(path);
	if (!vm) {
		cli_error("%s", err);
		return STATUS_LOAD;
	}
	printf("Linux %s with %u CPUs on %s: up after %.1f s\n", vm_release(vm), vm_cpus(vm),
	       vm_accel(vm) == VM_ACCEL_KVM ? "KVM" : "TCG (emulation: times mean little)",
	       (double)(wall_clock() - start) / 1e9);
	vm_shutdown(vm);
	return STATUS_OK;
}

static int usage(const char *why, const char *what)
{
	cli_error("vm: %s%s; expected 'fetch [VERSION]', 'build [VERSION]', "
		  "'module [VERSION]', 'list' or 'boot [KERNEL]'", why, what);
	return STATUS_USAGE;
}

int cmd_vm(int argc, char **argv)
{
	struct vm_options o = { .cpus = 4 };
	struct text_list args = {};
	const char *what, *arg;
	char err[512];

	if (cmdline_parse(&table, argc, argv, &o, &args, err, sizeof(err))) {
		cli_error("%s", err);
		return STATUS_USAGE;
	}
	if (o.help) {
		cmdline_help(&table, stdout);
		return STATUS_OK;
	}
	if (!args.nr)
		return usage("nothing to do", "");
	what = args.items[0];
	arg = args.nr > 1 ? args.items[1] : NULL;
	if (args.nr > 2 || (arg && !strcmp(what, "list")))
		return usage("too many arguments: ", args.items[args.nr - 1]);
	if (!strcmp(what, "fetch"))
		return fetch(arg);
	if (!strcmp(what, "build"))
		return build(arg, &o);
	if (!strcmp(what, "module"))
		return module(arg);
	if (!strcmp(what, "list"))
		return list();
	if (!strcmp(what, "boot"))
		return boot(arg, (u32)o.cpus);
	return usage("unknown: ", what);
}
