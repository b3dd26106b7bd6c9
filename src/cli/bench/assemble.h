/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing programs of the micro-benchmarks, an instruction per call, as RFC 9669
 * spells them.
 */
#ifndef VRT_CLI_BENCH_ASSEMBLE_H
#define VRT_CLI_BENCH_ASSEMBLE_H

#include <linux/bpf.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../base/util.h"

#define PROGRAM_MAX_INSNS 8192
#define PROGRAM_MAX_MAPS 2
#define PROGRAM_MAX_FUNCTIONS 2

/* A map that a program uses, filled with keys 0 to @nr_keys - 1 (u32, in the key's first bytes). */
struct bench_map {
	enum bpf_map_type type;
	u32 key_size, value_size, max_entries, flags, nr_keys;
};

struct program {
	struct bpf_insn insns[PROGRAM_MAX_INSNS];
	u32 nr;
	struct bench_map maps[PROGRAM_MAX_MAPS];
	u32 nr_maps;
	u32 functions[PROGRAM_MAX_FUNCTIONS]; /* where those beside the first begin */
	u32 nr_functions;
};

/* @op: BPF_ADD and so on. Of 64 bits, of 32 with a w. */
void alu(struct program *p, u8 op, u8 dst, u8 src);
void alu_imm(struct program *p, u8 op, u8 dst, s32 imm);
void alu_w(struct program *p, u8 op, u8 dst, u8 src);
void alu_w_imm(struct program *p, u8 op, u8 dst, s32 imm);
/* @order: BPF_TO_LE, BPF_TO_BE; @bits: 16, 32, 64 */
void swap(struct program *p, u8 order, u8 dst, s32 bits);
void load_imm64(struct program *p, u8 dst, u64 imm);
/* @size: BPF_B, BPF_H, BPF_W, BPF_DW */
void load(struct program *p, u8 size, u8 dst, u8 src, s16 off);
void store(struct program *p, u8 size, u8 dst, s16 off, u8 src);
void store_imm(struct program *p, u8 size, u8 dst, s16 off, s32 imm);
/* @op: BPF_ADD, BPF_ADD | BPF_FETCH, BPF_XCHG and so on */
void atomic(struct program *p, u8 size, s32 op, u8 dst, s16 off, u8 src);
void jump(struct program *p, s16 off);
void jump_if(struct program *p, u8 op, u8 dst, u8 src, s16 off);
void jump_if_imm(struct program *p, u8 op, u8 dst, s32 imm, s16 off);
void call_helper(struct program *p, s32 id);
void finish(struct program *p);

/* Calls, or puts into @dst, a function that is not written yet: what to hand to set_function(). */
u32 call_function(struct program *p);
u32 load_function(struct program *p, u8 dst);
/* A function begins here. */
void begin_function(struct program *p);
/* @site means the one that began last. */
void set_function(struct program *p, u32 site);
/* The jump at @site (as jump_if_*() left p->nr - 1) goes to here. */
void jump_here(struct program *p, u32 site);

/* Adds a map. Its number. */
u32 add_map(struct program *p, struct bench_map map);
void load_map(struct program *p, u8 dst, u32 map);
/* The address of the only value of an array map. */
void load_map_value(struct program *p, u8 dst, u32 map);

#endif
