// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching and detaching: what only looks comes first, then what runs on its
 * own, then who is in charge, so that nothing of a scheduler's life is missed.
 *
 * Links of types that libbpf does not know are descriptors of our own.
 */
#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "../base/alloc.h"
#include "facade.h"
#include "internal.h"

struct loader_link {
	struct bpf_link *link; /* libbpf's, or NULL */
	int fd; /* without it */
};

static void add_link(struct loader *l, struct bpf_link *link, int fd)
{
	l->links = xreallocarray(l->links, l->nr_links + 1, sizeof(*l->links));
	l->links[l->nr_links++] = (struct loader_link){ .link = link, .fd = fd };
}

static enum loader_status attach_tables(struct loader *l, bool periodic, struct loader_error *error)
{
	struct bpf_map *map = NULL;
	struct bpf_link *link;

	while ((map = next_chosen(l, map))) {
		enum loader_kind kind = table_kind(l, map);

		if ((kind == LOADER_PERIODIC) != periodic)
			continue;
		link = bpf_map__attach_struct_ops(map);
		if (!link)
			return explain_attach(l, kind, bpf_map__name(map), -errno, error);
		add_link(l, link, -1);
	}
	return LOADER_OK;
}

/* By a link to @target (0: none). */
static enum loader_status attach_to(struct loader *l, const struct bpf_program *prog, int target,
				    u32 attach_type, struct loader_error *error)
{
	int fd = bpf_link_create(bpf_program__fd(prog), target, (enum bpf_attach_type)attach_type,
				 NULL);

	if (fd < 0)
		return explain_attach(l, program_kind(prog), bpf_program__name(prog), fd, error);
	add_link(l, NULL, fd);
	return LOADER_OK;
}

/* Where the program says. Beside a scheduler it is an extra that can be done without. */
static enum loader_status attach_tracing(struct loader *l, struct bpf_program *prog,
					 struct loader_error *error)
{
	struct bpf_link *link = bpf_program__attach(prog);

	if (link) {
		add_link(l, link, -1);
		return LOADER_OK;
	}
	if (!(loader_kinds(l) & (LOADER_SCX | LOADER_GHOST)))
		return explain_place(l, prog, -errno, error);
	loader_warn(l, "program '%s' (SEC(\"%s\")) will not run: the simulated kernel has no such place to attach to",
		    bpf_program__name(prog), bpf_program__section_name(prog));
	return LOADER_OK;
}

static enum loader_status attach_program(struct loader *l, struct bpf_program *prog,
					 struct loader_error *error)
{
	switch (program_kind(prog)) {
	case LOADER_GHOST:
		if (l->enclave < 0)
			return loader_fail(error, LOADER_ERR_ATTACH,
					   "%s: program '%s' cannot be attached: there is no enclave",
					   l->path, bpf_program__name(prog));
		return attach_to(l, prog, l->enclave, bpf_program__expected_attach_type(prog),
				 error);
	case LOADER_PERIODIC:
		return attach_to(l, prog, 0, BPF_PERIODIC_ATTACH, error);
	default:
		return attach_tracing(l, prog, error);
	}
}

/* Those of kind @kind; 0: of no kind of ours, for which there may be a place or not. */
static enum loader_status attach_programs(struct loader *l, enum loader_kind kind,
					  struct loader_error *error)
{
	enum loader_status status = LOADER_OK;
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, l->obj) {
		if (!is_attachable(prog) || program_kind(prog) != kind ||
		    bpf_program__type(prog) == BPF_PROG_TYPE_STRUCT_OPS ||
		    bpf_program__type(prog) == BPF_PROG_TYPE_SYSCALL)
			continue;
		status = attach_program(l, prog, error);
		if (status != LOADER_OK)
			break;
	}
	return status;
}

enum loader_status loader_attach(struct loader *l, struct loader_error *error)
{
	enum loader_status status;

	if (error)
		*error = (struct loader_error){};
	loader_begin(l);
	status = attach_programs(l, 0, error);
	if (status == LOADER_OK)
		status = attach_programs(l, LOADER_TRACING, error);
	if (status == LOADER_OK)
		status = attach_programs(l, LOADER_PERIODIC, error);
	if (status == LOADER_OK)
		status = attach_tables(l, true, error);
	if (status == LOADER_OK)
		status = attach_programs(l, LOADER_GHOST, error);
	if (status == LOADER_OK)
		status = attach_tables(l, false, error);
	loader_end(l, status, error);
	if (status != LOADER_OK)
		loader_detach(l);
	return status;
}

void loader_detach(struct loader *l)
{
	/* the scheduler before what feeds it */
	while (l->nr_links--) {
		struct loader_link *link = &l->links[l->nr_links];

		if (link->link)
			bpf_link__destroy(link->link);
		else
			facade_close(link->fd);
	}
	free(l->links);
	l->links = NULL;
	l->nr_links = 0;
}

void loader_set_enclave(struct loader *l, int ctl_fd)
{
	if (l->enclave >= 0)
		facade_close(l->enclave);
	l->enclave = ctl_fd;
}
