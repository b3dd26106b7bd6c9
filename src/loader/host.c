// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same object in this host's own kernel: for programs that look at what it
 * does. Whatever could change the host's behaviour is refused before it gets
 * there.
 */
#include <errno.h>
#include <string.h>

#include "../sim/topology.h"
#include "facade.h"
#include "internal.h"

enum loader_status host_init(struct loader *l, struct loader_error *error)
{
	int nr_cpus;

	facade_host();
	nr_cpus = libbpf_num_possible_cpus();
	l->nr_cpus = l->topology ? l->topology->nr_cpus : nr_cpus > 0 ? (u32)nr_cpus : 1;
	l->kernel_btf = btf__load_vmlinux_btf();
	if (l->kernel_btf)
		return LOADER_OK;
	return loader_fail(error, LOADER_ERR_LOAD,
			   "%s: cannot be loaded into this host's kernel: its types are not in /sys/kernel/btf/vmlinux (%s); it must be built with CONFIG_DEBUG_INFO_BTF",
			   l->path, strerror(errno));
}

static bool only_looks(const struct bpf_program *prog)
{
	switch (bpf_program__type(prog)) {
	case BPF_PROG_TYPE_LSM:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
		return false;
	case BPF_PROG_TYPE_TRACING:
		return bpf_program__expected_attach_type(prog) != BPF_MODIFY_RETURN;
	case BPF_PROG_TYPE_SYSCALL:
		return true;
	default:
		return program_kind(prog) == LOADER_TRACING;
	}
}

enum loader_status host_explain(struct loader *l, int err, struct loader_error *error)
{
	const struct bpf_program *prog = NULL;
	char name[192];

	if (find_between(l, "prog '", "': failed to load: ", name, sizeof(name)))
		prog = bpf_object__find_program_by_name(l->obj, name);
	if (!prog || !kernel_takes(BPF_PROG_TYPE_RAW_TRACEPOINT, 0))
		return loader_fail(error, LOADER_ERR_LOAD,
				   "%s: this host's kernel does not let us load programs (%s); run as root, outside of containers that forbid bpf(2), or with the capabilities CAP_BPF and CAP_PERFMON",
				   l->path, strerror(-err));
	return loader_fail(error, LOADER_ERR_LOAD,
			   "%s: this host's kernel loads programs, but not '%s' (SEC(\"%s\")): %s; some kernels are built or locked down so that nothing can be put into their functions (fentry, fexit), while tracepoints (tp_btf/..., raw_tp/...) are open",
			   l->path, name, bpf_program__section_name(prog), strerror(-err));
}

enum loader_status host_check(const struct loader *l, struct loader_error *error)
{
	struct bpf_map *table = next_chosen(l, NULL);
	struct bpf_program *prog;

	if (table)
		return loader_fail(error, LOADER_ERR_OBJECT,
				   "%s: has an operations table, '%s'; only tracing programs (fentry/..., tp_btf/..., kprobe/...) are let into this host's kernel",
				   l->path, bpf_map__name(table));
	bpf_object__for_each_program(prog, l->obj)
		if (bpf_program__autoload(prog) && !only_looks(prog))
			return loader_fail(error, LOADER_ERR_OBJECT,
					   "%s: program '%s' (SEC(\"%s\")) is more than tracing; only programs that look (fentry/..., tp_btf/..., kprobe/...) are let into this host's kernel",
					   l->path, bpf_program__name(prog),
					   bpf_program__section_name(prog));
	return LOADER_OK;
}
