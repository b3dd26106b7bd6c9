// SPDX-License-Identifier: GPL-2.0-only
/*
 * The load path under hostile input: BPF_BTF_LOAD, then BPF_PROG_LOAD with whatever
 * instructions, function and line information, descriptors, attach points and flags the
 * input says (load_input.h). No crash, no hang, no leak; what verifies and can be run is
 * run in the checked interpreter, which must not stop it.
 *
 * A libFuzzer target (meson setup -Dfuzz=true with clang); with replay.c, a test that runs
 * the files of corpus/. Objects live for one input only, except the maps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/bpf/btf/btf.h"
#include "../machine.h"
#include "load_input.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define LOG_SIZE (1 << 16)
#define PACKET 64

static struct bpf_struct_ops sched_ext_ops = { .name = "sched_ext_ops" };
static int maps[LOAD_MAPS];
static u32 *kfuncs, nr_kfuncs; /* all functions of the kernel BTF */

/* --- the machine ----------------------------------------------------------------------- */

/* Some take long; everything else is a hole in the verifier. */
static void check_fault(const struct bpf_fault *f)
{
	if (strstr(f->message, "instructions without returning"))
		return;
	fprintf(stderr, "fuzz_load: verified, and stopped: %s\n", f->message);
	abort();
}

static void close_fd(int fd)
{
	if (fd >= 0)
		machine_close(fd);
}

static void new_map(u32 i, union bpf_attr attr)
{
	maps[i] = (int)machine_bpf(BPF_MAP_CREATE, &attr);
	if (maps[i] < 0) {
		fprintf(stderr, "fuzz_load: no map of type %u: %s\n", attr.map_type,
			strerror(-maps[i]));
		exit(2);
	}
}

#define MAP(i, type, key, value, entries)                                                          \
	new_map(i, (union bpf_attr){ .map_type = (type), .key_size = (key), .value_size = (value), \
				     .max_entries = (entries) })

static void make_maps(void)
{
	MAP(0, BPF_MAP_TYPE_ARRAY, 4, 64, 4); /* the first three as progen.h has them */
	MAP(1, BPF_MAP_TYPE_HASH, 4, 24, 4);
	MAP(2, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
	MAP(3, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 2);
	MAP(4, BPF_MAP_TYPE_PERCPU_HASH, 8, 16, 4);
	MAP(5, BPF_MAP_TYPE_LRU_HASH, 4, 12, 4);
	MAP(6, BPF_MAP_TYPE_ARRAY, 4, 100, 1); /* has direct values */
	MAP(7, BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 4096);
	MAP(8, BPF_MAP_TYPE_QUEUE, 0, 8, 4);
	MAP(9, BPF_MAP_TYPE_STACK, 0, 8, 4);
	MAP(10, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4);
	MAP(11, BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 4);
}

static void list_kfuncs(void)
{
	const struct btf *btf = bpf_kernel_btf();

	kfuncs = calloc(btf->nr_types, sizeof(*kfuncs));
	for (u32 id = 1; id < btf->nr_types; id++)
		if (BTF_INFO_KIND(btf_type_by_id(btf, id)->info) == BTF_KIND_FUNC)
			kfuncs[nr_kfuncs++] = id;
}

static void start(void)
{
	if (nr_cpu_ids == 1)
		return;
	machine.fault = check_fault;
	machine.insn_budget = machine.sleepable_insn_budget = 100000;
	machine_start("fuzz_load");
	if (bpf_register_struct_ops(&sched_ext_ops)) {
		fprintf(stderr, "fuzz_load: there are no struct_ops\n");
		exit(2);
	}
	make_maps();
	atexit(bpf_exit); /* what is still there then has leaked */
	list_kfuncs();
}

/* --- an input -------------------------------------------------------------------------- */

struct input {
	struct load_head head;
	const u8 *left; /* not yet taken */
	size_t size;
	struct bpf_insn *insns;
	u8 *funcs, *lines, *btf;
	u32 btf_size;
	int fds[LOAD_FDS];
};

/* A copy of its own size, so that what is read behind it is noticed. */
static void *take(struct input *in, size_t size)
{
	void *p = malloc(size ?: 1);

	memcpy(p, in->left, size);
	in->left += size;
	in->size -= size;
	return p;
}

static u32 whole(const struct input *in, u32 nr, u32 size)
{
	return size && nr > in->size / size ? (u32)(in->size / size) : nr;
}

static void take_btf(struct input *in)
{
	u32 types = whole(in, in->head.btf_types, 1);
	struct btf_header h = { .magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(h) };
	u32 head = in->head.options & LOAD_RAW_BTF ? 0 : sizeof(h);
	u32 size = whole(in, types + in->head.btf_strings, 1);

	h.type_len = h.str_off = types;
	h.str_len = size - types;
	in->btf_size = head + size;
	in->btf = malloc(in->btf_size ?: 1);
	memcpy(in->btf, &h, head);
	memcpy(in->btf + head, in->left, size);
	in->left += size;
	in->size -= size;
}

static bool is_map_load(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) &&
	       (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE);
}

static bool is_index_load(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) &&
	       (insn->src_reg == BPF_PSEUDO_MAP_IDX || insn->src_reg == BPF_PSEUDO_MAP_IDX_VALUE);
}

static void translate(const struct input *in, struct bpf_insn *insn)
{
	if (is_index_load(insn) && insn->imm >= 0)
		insn->imm &= LOAD_FDS - 1;
	if (in->head.options & LOAD_RAW)
		return;
	if (is_map_load(insn))
		insn->imm = maps[(u32)insn->imm % LOAD_MAPS];
	else if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
		insn->imm = (s32)kfuncs[(u32)insn->imm % nr_kfuncs];
}

static bool read_input(struct input *in, const u8 *data, size_t size)
{
	*in = (struct input){ .left = data, .size = size };
	if (size < sizeof(in->head) + sizeof(struct bpf_insn))
		return false;
	memcpy(&in->head, data, sizeof(in->head));
	in->left += sizeof(in->head);
	in->size -= sizeof(in->head);
	in->head.insns = (u16)whole(in, in->head.insns, sizeof(struct bpf_insn));
	in->insns = take(in, in->head.insns * sizeof(struct bpf_insn));
	for (u32 i = 0; i < in->head.insns; i++)
		translate(in, &in->insns[i]);
	in->head.funcs = (u8)whole(in, in->head.funcs, in->head.func_size);
	in->funcs = take(in, in->head.funcs * in->head.func_size);
	in->head.lines = (u8)whole(in, in->head.lines, in->head.line_size);
	in->lines = take(in, in->head.lines * in->head.line_size);
	take_btf(in);
	return true;
}

static void free_input(struct input *in)
{
	free(in->insns);
	free(in->funcs);
	free(in->lines);
	free(in->btf);
}

/* --- its load ---------------------------------------------------------------------------- */

static char log_text[LOG_SIZE];

static int load_btf(const struct input *in)
{
	union bpf_attr attr = { .btf = (u64)in->btf, .btf_size = in->btf_size };

	if (in->head.options & LOAD_LOG) {
		attr.btf_log_level = 1;
		attr.btf_log_buf = (u64)log_text;
		attr.btf_log_size = sizeof(log_text);
	}
	return (int)machine_bpf(BPF_BTF_LOAD, &attr);
}

static void set_btf(union bpf_attr *attr, const struct input *in, int btf)
{
	attr->prog_btf_fd = (u32)btf;
	attr->func_info = (u64)in->funcs;
	attr->func_info_cnt = in->head.funcs;
	attr->func_info_rec_size = in->head.func_size;
	attr->line_info = (u64)in->lines;
	attr->line_info_cnt = in->head.lines;
	attr->line_info_rec_size = in->head.line_size;
	if (in->head.options & LOAD_ATTACH_BTF)
		attr->attach_btf_obj_fd = (u32)btf;
}

static int load_prog(struct input *in, int btf)
{
	const struct load_head *h = &in->head;
	union bpf_attr attr = { .prog_type = h->prog_type, .insns = (u64)in->insns,
				.insn_cnt = h->insns, .prog_flags = h->prog_flags,
				.expected_attach_type = h->attach_type };

	attr.license = h->options & LOAD_GPL ? (u64) "GPL" : (u64) "Proprietary";
	attr.attach_btf_id = h->attach_btf_id % bpf_kernel_btf()->nr_types;
	if (h->options & LOAD_LOG) {
		attr.log_level = h->options & LOAD_LOG_MORE ? 2 : 1;
		attr.log_buf = (u64)log_text;
		attr.log_size = sizeof(log_text);
	}
	for (u32 i = 0; i < LOAD_FDS; i++)
		in->fds[i] = i < LOAD_MAPS ? maps[i] : i & 1 ? btf : (int)i * 1000;
	if (h->options & LOAD_FD_ARRAY)
		attr.fd_array = (u64)in->fds;
	if (btf >= 0)
		set_btf(&attr, in, btf);
	return (int)machine_bpf(BPF_PROG_LOAD, &attr);
}

static void run_prog(int prog)
{
	u8 packet[PACKET], out[2 * PACKET];
	union bpf_attr attr = {};

	for (u32 i = 0; i < sizeof(packet); i++)
		packet[i] = (u8)(i * 37);
	attr.test.prog_fd = (u32)prog;
	attr.test.data_in = (u64)packet;
	attr.test.data_size_in = sizeof(packet);
	attr.test.data_out = (u64)out;
	attr.test.data_size_out = sizeof(out);
	machine_bpf(BPF_PROG_TEST_RUN, &attr);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in;
	int btf = -1, prog;

	start();
	if (!read_input(&in, data, size))
		return 0;
	machine_random = 1;
	if (in.head.options & LOAD_BTF)
		btf = load_btf(&in);
	prog = load_prog(&in, btf);
	if (prog >= 0)
		run_prog(prog);
	close_fd(prog);
	close_fd(btf);
	free_input(&in);
	return 0;
}
