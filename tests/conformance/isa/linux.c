// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Linux has and RFC 9669 has not: may_goto, addr_space_cast, and tail calls (a
 * helper to the RFC). Programs by hand, with results by hand.
 */
#include <linux/btf.h>
#include <string.h>

#include "isa.h"

#define USER_START 0x7f0000000000ULL /* of the arena */
#define MAX_INSNS 64

static struct bpf_insn insns[MAX_INSNS];
static u32 len;

static void emit(u8 code, u32 dst, u32 src, s32 off, s32 imm)
{
	insns[len++] = INSN(code, dst, src, off, imm);
}

static void load_wide(u32 dst, u32 src, s32 low, s32 high)
{
	emit(BPF_LD | BPF_IMM | BPF_DW, dst, src, 0, low);
	emit(0, 0, 0, 0, high);
}

static void leave(s32 r0)
{
	emit(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, r0);
	emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int load(struct isa_engine *e, u32 type, const char *what)
{
	int fd = isa_load(e, type, insns, len);

	if (fd < 0)
		isa_wrong(e, "%s: does not load: %s\n%s", what, strerror(-fd), isa_log);
	len = 0;
	return fd;
}

/* Of a SOCKET_FILTER: its result. */
static u32 run_socket(struct isa_engine *e, int fd)
{
	u8 frame[64] = {};
	union bpf_attr attr = { .test = { .prog_fd = (u32)fd, .data_in = (u64)frame,
					  .data_size_in = sizeof(frame) } };
	int err = (int)e->bpf(BPF_PROG_TEST_RUN, &attr);

	if (err)
		isa_wrong(e, "does not run: %s", strerror(-err));
	return attr.test.retval;
}

static void expect(struct isa_engine *e, const char *what, u64 got, u64 want)
{
	isa_count(e, 1);
	if (got != want)
		isa_wrong(e, "%s: %llu instead of %llu", what, got, want);
}

/* --- may_goto ------------------------------------------------------------------------------ */

/* A loop that ends before its patience does. Its own counter, and r6 to r9, stay. */
static void goes_on(struct isa_engine *e)
{
	int fd;

	emit(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	emit(BPF_ALU64 | BPF_MOV | BPF_K, 6, 0, 0, 3);
	emit(BPF_JMP | BPF_JCOND, 0, 0, 3, 0);
	emit(BPF_ALU64 | BPF_ADD | BPF_X, 0, 6, 0, 0);
	emit(BPF_JMP | BPF_JGE | BPF_K, 0, 0, 1, 300);
	emit(BPF_JMP | BPF_JA, 0, 0, -4, 0);
	emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	fd = load(e, BPF_PROG_TYPE_SOCKET_FILTER, "may_goto");
	if (fd < 0)
		return;
	expect(e, "a loop with may_goto", run_socket(e, fd), 300);
	e->close(fd);
}

/* One that has no other end: 8 Mi rounds in Linux 6.12, and as long as it likes in later ones. */
static void gives_up(struct isa_engine *e)
{
	int fd;

	if (e == &isa_engines[ISA_HOST])
		return;
	emit(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	emit(BPF_JMP | BPF_JCOND, 0, 0, 2, 0);
	emit(BPF_ALU64 | BPF_ADD | BPF_K, 0, 0, 0, 1);
	emit(BPF_JMP | BPF_JA, 0, 0, -3, 0);
	emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	fd = load(e, BPF_PROG_TYPE_SOCKET_FILTER, "may_goto");
	if (fd < 0)
		return;
	expect(e, "rounds of may_goto", run_socket(e, fd), 8 << 20);
	e->close(fd);
}

/* --- tail calls ----------------------------------------------------------------------------- */

static int new_prog_array(struct isa_engine *e)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4,
				.value_size = 4, .max_entries = 4 };
	int fd = (int)e->bpf(BPF_MAP_CREATE, &attr);

	if (fd < 0)
		isa_wrong(e, "no prog array: %s", strerror(-fd));
	return fd;
}

static void set_prog(struct isa_engine *e, int map, u32 key, int prog)
{
	union bpf_attr attr = { .map_fd = (u32)map, .key = (u64)&key, .value = (u64)&prog };
	int err = (int)e->bpf(BPF_MAP_UPDATE_ELEM, &attr);

	if (err)
		isa_wrong(e, "no program in a prog array: %s", strerror(-err));
}

/* bpf_tail_call(r6, map, index) */
static void emit_tail_call(int map, u32 index)
{
	emit(BPF_ALU64 | BPF_MOV | BPF_X, 1, 6, 0, 0);
	load_wide(2, BPF_PSEUDO_MAP_FD, map, 0);
	emit(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, (s32)index);
	emit(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_tail_call);
}

/* *(u64 *)the map's value += 1 */
static void emit_count(const struct isa_engine *e)
{
	load_wide(1, BPF_PSEUDO_MAP_VALUE, e->maps[0], 0);
	emit(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 1);
	emit(BPF_STX | BPF_ATOMIC | BPF_DW, 1, 2, 0, BPF_ADD);
}

static u64 counted(struct isa_engine *e, bool reset)
{
	static u64 value[ISA_SMALL / 8];
	u32 key = 0;
	union bpf_attr attr = { .map_fd = (u32)e->maps[0], .key = (u64)&key,
				.value = (u64)value };

	if (reset)
		memset(value, 0, sizeof(value));
	e->bpf(reset ? BPF_MAP_UPDATE_ELEM : BPF_MAP_LOOKUP_ELEM, &attr);
	return value[0];
}

/* A program that counts itself, and tail-calls @index. */
static int chain(struct isa_engine *e, int map, u32 index, s32 ret)
{
	emit(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0);
	emit_count(e);
	emit_tail_call(map, index);
	leave(ret);
	return load(e, BPF_PROG_TYPE_SOCKET_FILTER, "tail call");
}

/* Who makes tail calls in functions must have BTF: int m(int a), int f(int a) */
static int load_btf(struct isa_engine *e)
{
	static const struct {
		struct btf_header head;
		u32 types[15];
		char strings[12];
	} btf = {
		.head = { .magic = BTF_MAGIC, .version = BTF_VERSION,
			  .hdr_len = sizeof(struct btf_header), .type_len = sizeof(btf.types),
			  .str_off = sizeof(btf.types), .str_len = sizeof(btf.strings) },
		.types = {
			1, BTF_KIND_INT << 24, 4, 32, /* 1: int */
			0, BTF_KIND_FUNC_PROTO << 24 | 1, 1, 9, 1, /* 2: int (int a) */
			5, BTF_KIND_FUNC << 24, 2, /* 3: m */
			7, BTF_KIND_FUNC << 24, 2, /* 4: f */
		},
		.strings = "\0int\0m\0f\0a",
	};
	union bpf_attr attr = { .btf = (u64)&btf, .btf_size = sizeof(btf) };

	return (int)e->bpf(BPF_BTF_LOAD, &attr);
}

/* A function that ends in a tail call returns what that program returns. */
static int from_function(struct isa_engine *e, int map, u32 index)
{
	static const struct bpf_func_info funcs[] = { { 0, 3 }, { 4, 4 } };
	int btf = load_btf(e), fd;
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insns = (u64)insns };

	emit(BPF_ALU64 | BPF_MOV | BPF_K, 7, 0, 0, 1000);
	emit(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 2);
	emit(BPF_ALU64 | BPF_ADD | BPF_X, 0, 7, 0, 0);
	emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	emit(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0);
	emit(BPF_ALU64 | BPF_MOV | BPF_K, 7, 0, 0, 5);
	emit_tail_call(map, index);
	leave(4);
	attr.insn_cnt = len;
	attr.prog_btf_fd = (u32)btf;
	attr.func_info = (u64)funcs;
	attr.func_info_cnt = ARRAY_SIZE(funcs);
	attr.func_info_rec_size = sizeof(*funcs);
	fd = isa_load_attr(e, &attr);
	if (fd < 0)
		isa_wrong(e, "tail call from a function: %s\n%s", strerror(-fd), isa_log);
	len = 0;
	e->close(btf);
	return fd;
}

static void tail_calls(struct isa_engine *e)
{
	int map = new_prog_array(e), leaf, loop, first, func, nobody;

	if (map < 0)
		return;
	emit(BPF_ALU64 | BPF_MOV | BPF_K, 7, 0, 0, 9);
	leave(77);
	leaf = load(e, BPF_PROG_TYPE_SOCKET_FILTER, "a leaf");
	loop = chain(e, map, 1, 5);
	first = chain(e, map, 0, 6);
	nobody = chain(e, map, 2, 7);
	func = from_function(e, map, 0);
	if (leaf < 0 || loop < 0 || first < 0 || nobody < 0 || func < 0)
		return;
	set_prog(e, map, 0, leaf);
	set_prog(e, map, 1, loop);
	expect(e, "a tail call", run_socket(e, first), 77);
	expect(e, "a tail call to nobody", run_socket(e, nobody), 7);
	counted(e, true);
	expect(e, "too many tail calls", run_socket(e, loop), 5);
	expect(e, "programs until there are too many tail calls", counted(e, false), 34);
	expect(e, "a tail call in a function", run_socket(e, func), 1077);
	set_prog(e, map, 0, nobody);
	expect(e, "two tail calls, one to nobody", run_socket(e, func), 1007);
	e->close(map);
	e->close(leaf);
	e->close(loop);
	e->close(first);
	e->close(nobody);
	e->close(func);
}

/* --- addr_space_cast -------------------------------------------------------------------------- */

static int new_arena(struct isa_engine *e)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARENA, .max_entries = 4,
				.map_flags = BPF_F_MMAPABLE, .map_extra = USER_START };
	int fd = (int)e->bpf(BPF_MAP_CREATE, &attr);

	if (fd < 0)
		isa_wrong(e, "no arena: %s", strerror(-fd));
	return fd;
}

/* From ctx[0]: to an address of the kernel, a load through it, and back; to ctx[1] and [2]. */
static int casts(struct isa_engine *e, int arena, u32 dst, u32 src)
{
	u32 value = (dst + 1) % ISA_REGS;

	emit(BPF_STX | BPF_MEM | BPF_DW, 10, 1, -8, 0);
	load_wide(2, BPF_PSEUDO_MAP_FD, arena, 0);
	emit(BPF_LDX | BPF_MEM | BPF_DW, src, 1, 0, 0);
	emit(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 1, 1);
	emit(BPF_LDX | BPF_MEM | BPF_W, value, dst, 0, 0);
	emit(BPF_STX | BPF_MEM | BPF_DW, 10, value, -16, 0);
	emit(BPF_ALU64 | BPF_MOV | BPF_X, value, dst, 1, 1 << 16);
	emit(BPF_STX | BPF_MEM | BPF_DW, 10, value, -24, 0);
	emit(BPF_LDX | BPF_MEM | BPF_DW, 1, 10, -8, 0);
	for (u32 i = 0; i < 2; i++) {
		emit(BPF_LDX | BPF_MEM | BPF_DW, 2, 10, -16 - 8 * (s32)i, 0);
		emit(BPF_STX | BPF_MEM | BPF_DW, 1, 2, 8 + 8 * (s32)i, 0);
	}
	leave(0);
	return load(e, BPF_PROG_TYPE_SYSCALL, "addr_space_cast");
}

static void run_casts(struct isa_engine *e, int fd)
{
	static const u64 from[] = { 0, 4096, USER_START + 4096, USER_START, 0xffffffff00000000,
				    0x1234567800002000 };

	for (u32 i = 0; i < ARRAY_SIZE(from); i++) {
		u64 ctx[3] = { from[i], 1, 1 };
		union bpf_attr attr = { .test = { .prog_fd = (u32)fd, .ctx_in = (u64)ctx,
						  .ctx_size_in = sizeof(ctx) } };

		if (e->bpf(BPF_PROG_TEST_RUN, &attr))
			isa_wrong(e, "addr_space_cast does not run");
		expect(e, "a load of a page that is not there", ctx[1], 0);
		/* the lower half; the upper one is the arena's, but NULL stays NULL */
		expect(e, "a user's address", ctx[2],
		       (u32)from[i] ? (USER_START & ~0xffffffffULL) | (u32)from[i] : 0);
	}
}

static void addr_space_casts(struct isa_engine *e)
{
	int arena = new_arena(e);

	if (arena < 0)
		return;
	for (u32 i = 0; i < ISA_REGS * ISA_REGS; i++) {
		int fd = casts(e, arena, i / ISA_REGS, i % ISA_REGS);

		if (fd < 0)
			break;
		run_casts(e, fd);
		e->close(fd);
	}
	e->close(arena);
}

void linux_extensions(void)
{
	for (u32 i = 0; i < ISA_ENGINES; i++) {
		struct isa_engine *e = &isa_engines[i];

		if (e->why_not)
			continue;
		goes_on(e);
		gives_up(e);
		tail_calls(e);
		addr_space_casts(e);
	}
}
