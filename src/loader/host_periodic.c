// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEC("periodic/10ms") on a real kernel, which has no such type of program: with
 * the module schedbpf it becomes what it stands for, a run() in a table
 * bpf_periodic_ops. libbpf does not notice: the two requests that such a program
 * is made of, load and link, are answered here.
 *
 * The program of a table gets a pointer to its arguments, so that an instruction
 * that fetches the first of them comes before all others.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../base/alloc.h"
#include "facade.h"
#include "internal.h"

#define MODULE "schedbpf"
#define TABLE "bpf_struct_ops_bpf_periodic_ops"
#define DEFAULT_CGROUP "/bpf" /* as on the simulated machine */

/* The module, as the kernel knows it. */
static struct {
	int fd; /* of its BTF; 0: not looked for yet */
	u32 ops_id, table_id;
} module;

/* Programs that were loaded, for their links. */
static struct host_program {
	int fd, btf_fd; /* its object's */
	u64 period;
	char name[BPF_PERIODIC_NAME_LEN];
} *programs;
static u32 nr_programs;

/* --- the module's types ------------------------------------------------------------ */

static int find_types(u32 id)
{
	struct btf *vmlinux = btf__load_vmlinux_btf();
	struct btf *btf = vmlinux ? btf__load_from_kernel_by_id_split(id, vmlinux) : NULL;
	s32 ops = btf ? btf__find_by_name_kind(btf, "bpf_periodic_ops", BTF_KIND_STRUCT) : -1;
	s32 table = btf ? btf__find_by_name_kind(btf, TABLE, BTF_KIND_STRUCT) : -1;
	int err = -ENOENT;

	if (ops > 0 && table > 0) {
		module.ops_id = (u32)ops;
		module.table_id = (u32)table;
		err = btf__type_by_id(btf, module.table_id)->size ==
				      sizeof(struct bpf_struct_ops_bpf_periodic_ops)
			      ? 0 : -EPROTO;
	}
	btf__free(btf);
	btf__free(vmlinux);
	return err;
}

static bool is_module(int fd)
{
	char name[64] = "";
	struct bpf_btf_info info = { .name = (u64)(uintptr_t)name, .name_len = sizeof(name) };
	u32 len = sizeof(info);

	return !bpf_btf_get_info_by_fd(fd, &info, &len) && info.kernel_btf && !strcmp(name, MODULE);
}

/* -ENOENT: it is not loaded; -EPROTO: it is of another version. */
static int find_module(void)
{
	u32 id = 0;

	if (module.fd)
		return 0;
	while (!bpf_btf_get_next_id(id, &id)) {
		int fd = bpf_btf_get_fd_by_id(id), err;

		if (fd < 0 || !is_module(fd)) {
			if (fd >= 0)
				close(fd);
			continue;
		}
		err = find_types(id);
		if (err)
			close(fd);
		else
			module.fd = fd;
		return err;
	}
	return -ENOENT;
}

/* --- load ---------------------------------------------------------------------------- */

static const struct bpf_insn fetch_first = {
	.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_1,
};

static u64 insert_first(const union bpf_attr *attr)
{
	struct bpf_insn *insns = xcalloc(attr->insn_cnt + 1, sizeof(*insns));

	insns[0] = fetch_first;
	memcpy(insns + 1, (void *)(uintptr_t)attr->insns, attr->insn_cnt * sizeof(*insns));
	return (u64)(uintptr_t)insns;
}

/* Records that begin with the number of an instruction: what begins the program still does. */
static u64 shift(u64 records, u32 nr, u32 size)
{
	char *copy = xcalloc(nr, size);

	memcpy(copy, (void *)(uintptr_t)records, (size_t)nr * size);
	for (u32 i = 0; i < nr; i++) {
		u32 *insn = (u32 *)(copy + (size_t)i * size);

		*insn += !!*insn;
	}
	return (u64)(uintptr_t)copy;
}

static void remember(int fd, const union bpf_attr *attr)
{
	struct host_program *p;

	programs = xreallocarray(programs, nr_programs + 1, sizeof(*programs));
	p = &programs[nr_programs++];
	*p = (struct host_program){
		.fd = fd, .btf_fd = (int)attr->prog_btf_fd,
		.period = attr->expected_attach_type * BPF_PERIODIC_UNIT_NS,
	};
	memcpy(p->name, attr->prog_name, sizeof(p->name) - 1);
}

static long load(const union bpf_attr *wanted, u32 size)
{
	union bpf_attr attr = {};
	long fd;
	int err = find_module();

	if (err) {
		errno = -err;
		return -1;
	}
	memcpy(&attr, wanted, min((size_t)size, sizeof(attr)));
	attr.prog_type = BPF_PROG_TYPE_STRUCT_OPS;
	attr.expected_attach_type = 0; /* run() is the first member */
	attr.attach_btf_id = module.ops_id;
	attr.attach_btf_obj_fd = (u32)module.fd;
	attr.insns = insert_first(wanted);
	attr.insn_cnt++;
	if (attr.func_info_cnt)
		attr.func_info = shift(attr.func_info, attr.func_info_cnt, attr.func_info_rec_size);
	if (attr.line_info_cnt)
		attr.line_info = shift(attr.line_info, attr.line_info_cnt, attr.line_info_rec_size);
	fd = host_syscall_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	err = errno;
	free((void *)(uintptr_t)attr.insns);
	if (attr.func_info_cnt)
		free((void *)(uintptr_t)attr.func_info);
	if (attr.line_info_cnt)
		free((void *)(uintptr_t)attr.line_info);
	if (fd >= 0)
		remember((int)fd, wanted);
	errno = err;
	return fd;
}

/* --- link ------------------------------------------------------------------------------ */

/* A descriptor of a map with the table of @p in it, or -errno. */
static int make_table(const struct host_program *p)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_LINK | BPF_F_VTYPE_BTF_OBJ_FD,
		    .btf_vmlinux_value_type_id = module.table_id,
		    .value_type_btf_obj_fd = module.fd,
		    .btf_fd = (u32)p->btf_fd); /* there has to be one, of whatever */
	struct bpf_struct_ops_bpf_periodic_ops *table = xcalloc(1, sizeof(*table));
	u64 run = (u64)p->fd;
	u32 zero = 0;
	int err, fd;

	/* allocated, as the holes in it have to be zero */
	memcpy(&table->data.run, &run, sizeof(run));
	memcpy(table->data.name, p->name, sizeof(p->name));
	strcpy(table->data.cgroup, DEFAULT_CGROUP);
	table->data.period_ns = p->period;
	fd = bpf_map_create(BPF_MAP_TYPE_STRUCT_OPS, p->name, sizeof(zero), sizeof(*table), 1,
			    &opts);
	err = fd < 0 ? fd : bpf_map_update_elem(fd, &zero, table, BPF_ANY);
	free(table);
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

/* The newest is the one that has the descriptor now. */
static const struct host_program *find_program(u32 fd)
{
	for (u32 i = nr_programs; i--;)
		if (programs[i].fd == (int)fd)
			return &programs[i];
	return NULL;
}

static long make_link(const union bpf_attr *attr)
{
	const struct host_program *p = find_program(attr->link_create.prog_fd);
	int map = p ? make_table(p) : -EBADF, link = map;

	if (map >= 0) {
		link = bpf_link_create(map, 0, BPF_STRUCT_OPS, NULL);
		close(map);
	}
	if (link >= 0)
		return link;
	errno = -link;
	return -1;
}

long host_bpf(enum bpf_cmd cmd, union bpf_attr *attr, u32 size)
{
	if (cmd == BPF_PROG_LOAD && attr->prog_type == BPF_PROG_TYPE_PERIODIC)
		return load(attr, size);
	if (cmd == BPF_LINK_CREATE && attr->link_create.attach_type == BPF_PERIODIC_ATTACH)
		return make_link(attr);
	return host_syscall_bpf(cmd, attr, size);
}
