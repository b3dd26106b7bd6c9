// SPDX-License-Identifier: GPL-2.0-only
/* See assemble.h. */
#include "assemble.h"

static void emit(struct program *p, struct bpf_insn insn)
{
	VRT_ASSERT(p->nr < PROGRAM_MAX_INSNS);
	p->insns[p->nr++] = insn;
}

void alu(struct program *p, u8 op, u8 dst, u8 src)
{
	emit(p, (struct bpf_insn){ .code = BPF_ALU64 | op | BPF_X, .dst_reg = dst, .src_reg = src });
}

void alu_imm(struct program *p, u8 op, u8 dst, s32 imm)
{
	emit(p, (struct bpf_insn){ .code = BPF_ALU64 | op | BPF_K, .dst_reg = dst, .imm = imm });
}

void alu_w(struct program *p, u8 op, u8 dst, u8 src)
{
	emit(p, (struct bpf_insn){ .code = BPF_ALU | op | BPF_X, .dst_reg = dst, .src_reg = src });
}

void alu_w_imm(struct program *p, u8 op, u8 dst, s32 imm)
{
	emit(p, (struct bpf_insn){ .code = BPF_ALU | op | BPF_K, .dst_reg = dst, .imm = imm });
}

void swap(struct program *p, u8 order, u8 dst, s32 bits)
{
	emit(p, (struct bpf_insn){ .code = BPF_ALU | BPF_END | order, .dst_reg = dst, .imm = bits });
}

static void load_imm64_as(struct program *p, u8 dst, u8 kind, u32 low, u32 high)
{
	emit(p, (struct bpf_insn){ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = dst,
				   .src_reg = kind, .imm = (s32)low });
	emit(p, (struct bpf_insn){ .imm = (s32)high });
}

void load_imm64(struct program *p, u8 dst, u64 imm)
{
	load_imm64_as(p, dst, 0, (u32)imm, (u32)(imm >> 32));
}

void load(struct program *p, u8 size, u8 dst, u8 src, s16 off)
{
	emit(p, (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | size, .dst_reg = dst,
				   .src_reg = src, .off = off });
}

void store(struct program *p, u8 size, u8 dst, s16 off, u8 src)
{
	emit(p, (struct bpf_insn){ .code = BPF_STX | BPF_MEM | size, .dst_reg = dst,
				   .src_reg = src, .off = off });
}

void store_imm(struct program *p, u8 size, u8 dst, s16 off, s32 imm)
{
	emit(p, (struct bpf_insn){ .code = BPF_ST | BPF_MEM | size, .dst_reg = dst, .off = off,
				   .imm = imm });
}

void atomic(struct program *p, u8 size, s32 op, u8 dst, s16 off, u8 src)
{
	emit(p, (struct bpf_insn){ .code = BPF_STX | BPF_ATOMIC | size, .dst_reg = dst,
				   .src_reg = src, .off = off, .imm = op });
}

void jump(struct program *p, s16 off)
{
	emit(p, (struct bpf_insn){ .code = BPF_JMP | BPF_JA, .off = off });
}

void jump_if(struct program *p, u8 op, u8 dst, u8 src, s16 off)
{
	emit(p, (struct bpf_insn){ .code = BPF_JMP | op | BPF_X, .dst_reg = dst, .src_reg = src,
				   .off = off });
}

void jump_if_imm(struct program *p, u8 op, u8 dst, s32 imm, s16 off)
{
	emit(p, (struct bpf_insn){ .code = BPF_JMP | op | BPF_K, .dst_reg = dst, .off = off,
				   .imm = imm });
}

void call_helper(struct program *p, s32 id)
{
	emit(p, (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = id });
}

void finish(struct program *p)
{
	emit(p, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

u32 call_function(struct program *p)
{
	emit(p, (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL });
	return p->nr - 1;
}

u32 load_function(struct program *p, u8 dst)
{
	load_imm64_as(p, dst, BPF_PSEUDO_FUNC, 0, 0);
	return p->nr - 2;
}

void begin_function(struct program *p)
{
	VRT_ASSERT(p->nr_functions < PROGRAM_MAX_FUNCTIONS);
	p->functions[p->nr_functions++] = p->nr;
}

void set_function(struct program *p, u32 site)
{
	p->insns[site].imm = (s32)(p->functions[p->nr_functions - 1] - site - 1);
}

void jump_here(struct program *p, u32 site)
{
	p->insns[site].off = (s16)(p->nr - site - 1);
}

u32 add_map(struct program *p, struct bench_map map)
{
	VRT_ASSERT(p->nr_maps < PROGRAM_MAX_MAPS);
	p->maps[p->nr_maps] = map;
	return p->nr_maps++;
}

/* The engine puts the descriptor in place of the number. */
void load_map(struct program *p, u8 dst, u32 map)
{
	load_imm64_as(p, dst, BPF_PSEUDO_MAP_FD, map, 0);
}

void load_map_value(struct program *p, u8 dst, u32 map)
{
	load_imm64_as(p, dst, BPF_PSEUDO_MAP_VALUE, map, 0);
}
