// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who executes programs. The kernel of this host is asked where it lets us: as
 * root, through the real bpf(2).
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../../src/bpf/jit/jit.h"
#include "../../machine.h"
#include "isa.h"

#define ETHERNET 14

char isa_log[1 << 20];

static long host_bpf(int cmd, union bpf_attr *attr)
{
	long ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : ret;
}

static void host_close(int fd)
{
	close(fd);
}

struct isa_engine isa_engines[ISA_ENGINES] = {
	{ .name = "interpreter", .bpf = machine_bpf, .close = machine_close, .interpreted = true },
	{ .name = "JIT", .bpf = machine_bpf, .close = machine_close },
	{ .name = "host", .bpf = host_bpf, .close = host_close },
};

static int new_map(struct isa_engine *e, u32 size)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = size,
				.max_entries = 1 };

	return (int)e->bpf(BPF_MAP_CREATE, &attr);
}

void isa_engines_init(void)
{
	machine_start("isa");
	if (!bpf_jit_available())
		isa_engines[ISA_JIT].why_not = "not for this machine";
	for (u32 i = 0; i < ISA_ENGINES; i++) {
		struct isa_engine *e = &isa_engines[i];

		if (e->why_not)
			continue;
		e->maps[0] = new_map(e, ISA_SMALL);
		e->maps[1] = new_map(e, ISA_BIG);
		if (e->maps[0] < 0 || e->maps[1] < 0)
			e->why_not = strerror(-e->maps[0]);
	}
}

int isa_load_attr(struct isa_engine *e, union bpf_attr *attr)
{
	int fd;

	attr->license = (u64) "GPL";
	machine.interpreted = e->interpreted;
	fd = (int)e->bpf(BPF_PROG_LOAD, attr);
	if (fd >= 0)
		return fd;
	attr->log_level = 1;
	attr->log_buf = (u64)isa_log;
	attr->log_size = sizeof(isa_log);
	isa_log[0] = '\0';
	return (int)e->bpf(BPF_PROG_LOAD, attr);
}

int isa_load(struct isa_engine *e, u32 type, const struct bpf_insn *insns, u32 len)
{
	union bpf_attr attr = { .prog_type = type, .insns = (u64)insns, .insn_cnt = len };

	if (type == BPF_PROG_TYPE_SYSCALL)
		attr.prog_flags = BPF_F_SLEEPABLE;
	return isa_load_attr(e, &attr);
}

static int map_of(const struct isa_engine *e, const struct isa_prog *prog)
{
	return e->maps[prog->map_size == ISA_BIG];
}

int isa_load_prog(struct isa_engine *e, const struct isa_prog *prog)
{
	static struct bpf_insn insns[ISA_MAX_INSNS];

	memcpy(insns, prog->insns, prog->len * sizeof(*insns));
	for (u32 i = 0; i < prog->len; i++) {
		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insns[i].src_reg)
			insns[i].imm = map_of(e, prog);
		i++;
	}
	return isa_load(e, prog->type == ISA_SYSCALL ? BPF_PROG_TYPE_SYSCALL :
						       BPF_PROG_TYPE_SOCKET_FILTER,
			insns, prog->len);
}

static int map_elem(struct isa_engine *e, int cmd, int map, void *value)
{
	u32 key = 0;
	union bpf_attr attr = { .map_fd = (u32)map, .key = (u64)&key, .value = (u64)value };

	return (int)e->bpf(cmd, &attr);
}

static bool uses_map(const struct isa_prog *prog)
{
	for (u32 i = 0; i < prog->len; i++)
		if (prog->insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) && prog->insns[i].src_reg)
			return true;
	return false;
}

int isa_run(struct isa_engine *e, int fd, const struct isa_prog *prog, struct isa_io *io,
	    const u8 packet[ISA_PACKET])
{
	u8 frame[ETHERNET + ISA_PACKET] = {};
	union bpf_attr attr = { .test.prog_fd = (u32)fd };
	bool map = uses_map(prog);
	int err;

	memcpy(frame + ETHERNET, packet, ISA_PACKET);
	if (prog->type == ISA_SYSCALL) {
		attr.test.ctx_in = (u64)io->regs;
		attr.test.ctx_size_in = sizeof(io->regs);
	} else {
		attr.test.data_in = (u64)frame;
		attr.test.data_size_in = sizeof(frame);
	}
	err = map ? map_elem(e, BPF_MAP_UPDATE_ELEM, map_of(e, prog), io->map) : 0;
	err = err ?: (int)e->bpf(BPF_PROG_TEST_RUN, &attr);
	if (!err && map)
		err = map_elem(e, BPF_MAP_LOOKUP_ELEM, map_of(e, prog), io->map);
	io->ret = attr.test.retval;
	return err;
}
