// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions. The programs are straight and long, so that entering them counts
 * for little, and every instruction depends on the one before, as in real code
 * much does. All of them begin with constants: what an engine does not know is
 * that nobody wants to know the result.
 */
#include "micro.h"

#define STRAIGHT 1024 /* instructions of a program, about */
#define BRANCHES 256
#define LOOPS 1000

static void begin(struct program *p)
{
	load_imm64(p, BPF_REG_0, 0x0123456789abcdefULL);
	load_imm64(p, BPF_REG_2, 0xfedcba9876543210ULL);
	load_imm64(p, BPF_REG_3, 0x5555aaaa3333ccccULL);
	load_imm64(p, BPF_REG_4, 0x9e3779b97f4a7c15ULL);
}

/* The same result whatever registers are wide. */
static void end(struct program *p)
{
	alu(p, BPF_ADD, BPF_REG_0, BPF_REG_2);
	alu_w(p, BPF_MOV, BPF_REG_0, BPF_REG_0);
	alu_imm(p, BPF_AND, BPF_REG_0, 0x7fffffff);
	finish(p);
}

static u32 write_exit(struct program *p)
{
	alu_imm(p, BPF_MOV, BPF_REG_0, 0);
	finish(p);
	return 1;
}

static u32 write_alu64(struct program *p)
{
	begin(p);
	for (u32 i = 0; i < STRAIGHT / 8; i++) {
		alu(p, BPF_ADD, BPF_REG_0, BPF_REG_2);
		alu_imm(p, BPF_XOR, BPF_REG_0, (s32)(0x5a5a + i));
		alu(p, BPF_SUB, BPF_REG_2, BPF_REG_0);
		alu(p, BPF_OR, BPF_REG_2, BPF_REG_3);
		alu(p, BPF_MOV, BPF_REG_5, BPF_REG_2);
		alu_imm(p, BPF_ADD, BPF_REG_0, (s32)i);
		alu(p, BPF_XOR, BPF_REG_3, BPF_REG_5);
		alu(p, BPF_AND, BPF_REG_0, BPF_REG_4);
	}
	end(p);
	return STRAIGHT;
}

static u32 write_alu32(struct program *p)
{
	begin(p);
	for (u32 i = 0; i < STRAIGHT / 8; i++) {
		alu_w(p, BPF_ADD, BPF_REG_0, BPF_REG_2);
		alu_w_imm(p, BPF_XOR, BPF_REG_0, (s32)(0x5a5a + i));
		alu_w(p, BPF_SUB, BPF_REG_2, BPF_REG_0);
		alu_w(p, BPF_OR, BPF_REG_2, BPF_REG_3);
		alu_w(p, BPF_MOV, BPF_REG_5, BPF_REG_2);
		alu_w_imm(p, BPF_ADD, BPF_REG_0, (s32)i);
		alu_w(p, BPF_XOR, BPF_REG_3, BPF_REG_5);
		alu_w(p, BPF_AND, BPF_REG_0, BPF_REG_4);
	}
	end(p);
	return STRAIGHT;
}

static u32 write_mul(struct program *p)
{
	begin(p);
	for (u32 i = 0; i < STRAIGHT / 4; i++) {
		alu(p, BPF_MUL, BPF_REG_0, BPF_REG_4);
		alu_w(p, BPF_MUL, BPF_REG_2, BPF_REG_3);
		alu_imm(p, BPF_MUL, BPF_REG_0, (s32)(2 * i + 3));
		alu_w_imm(p, BPF_MUL, BPF_REG_2, (s32)(2 * i + 5));
	}
	end(p);
	return STRAIGHT;
}

/* Divisions, with what keeps there being something to divide. */
static u32 write_div(struct program *p)
{
	u32 rounds = STRAIGHT / 16;

	begin(p);
	for (u32 i = 0; i < rounds; i++) {
		alu(p, BPF_MOV, BPF_REG_0, BPF_REG_4);
		alu_imm(p, BPF_XOR, BPF_REG_0, (s32)i);
		alu(p, BPF_DIV, BPF_REG_0, BPF_REG_3);
		alu(p, BPF_MOD, BPF_REG_2, BPF_REG_3);
		alu_w(p, BPF_DIV, BPF_REG_0, BPF_REG_3);
		alu_w_imm(p, BPF_MOD, BPF_REG_2, (s32)(i + 7));
		alu(p, BPF_OR, BPF_REG_2, BPF_REG_4);
	}
	end(p);
	return rounds * 4;
}

static u32 write_shift(struct program *p)
{
	begin(p);
	alu_imm(p, BPF_MOV, BPF_REG_5, 7);
	for (u32 i = 0; i < STRAIGHT / 8; i++) {
		alu_imm(p, BPF_LSH, BPF_REG_0, 3);
		alu(p, BPF_RSH, BPF_REG_0, BPF_REG_5);
		alu_imm(p, BPF_ARSH, BPF_REG_2, 1);
		alu(p, BPF_LSH, BPF_REG_2, BPF_REG_5);
		alu_w_imm(p, BPF_LSH, BPF_REG_3, 2);
		alu_w(p, BPF_RSH, BPF_REG_3, BPF_REG_5);
		alu(p, BPF_OR, BPF_REG_0, BPF_REG_4);
		alu(p, BPF_XOR, BPF_REG_3, BPF_REG_0);
	}
	end(p);
	return STRAIGHT;
}

static u32 write_swap(struct program *p)
{
	static const s32 bits[] = { 64, 32, 64, 16 };

	begin(p);
	for (u32 i = 0; i < STRAIGHT / 2; i++) {
		swap(p, BPF_TO_BE, BPF_REG_0, bits[i % ARRAY_SIZE(bits)]);
		alu(p, BPF_ADD, BPF_REG_0, BPF_REG_4);
	}
	end(p);
	return STRAIGHT / 2;
}

/* A value goes through memory, in all sizes. */
static u32 write_memory(struct program *p)
{
	static const u8 sizes[] = { BPF_DW, BPF_W, BPF_DW, BPF_H, BPF_DW, BPF_B };
	u32 rounds = STRAIGHT / 3;

	begin(p);
	for (s16 off = -64; off < 0; off += 8)
		store_imm(p, BPF_DW, BPF_REG_10, off, 1);
	for (u32 i = 0; i < rounds; i++) {
		u8 size = sizes[i % ARRAY_SIZE(sizes)];
		s16 off = (s16)(-8 * (s32)(i % 8 + 1));

		store(p, size, BPF_REG_10, off, BPF_REG_0);
		load(p, size, BPF_REG_2, BPF_REG_10, off);
		alu(p, BPF_ADD, BPF_REG_0, BPF_REG_2);
	}
	end(p);
	return rounds * 2;
}

static u32 write_atomic_add(struct program *p)
{
	begin(p);
	store(p, BPF_DW, BPF_REG_10, -8, BPF_REG_0);
	store(p, BPF_DW, BPF_REG_10, -16, BPF_REG_2);
	for (u32 i = 0; i < STRAIGHT / 8; i++) {
		atomic(p, BPF_DW, BPF_ADD, BPF_REG_10, -8, BPF_REG_4);
		atomic(p, BPF_W, BPF_ADD, BPF_REG_10, -16, BPF_REG_3);
	}
	load(p, BPF_DW, BPF_REG_0, BPF_REG_10, -8);
	load(p, BPF_W, BPF_REG_2, BPF_REG_10, -16);
	end(p);
	return STRAIGHT / 4;
}

static u32 write_atomic_fetch(struct program *p)
{
	u32 rounds = STRAIGHT / 16;

	begin(p);
	store(p, BPF_DW, BPF_REG_10, -8, BPF_REG_0);
	for (u32 i = 0; i < rounds; i++) {
		atomic(p, BPF_DW, BPF_ADD | BPF_FETCH, BPF_REG_10, -8, BPF_REG_2);
		atomic(p, BPF_DW, BPF_XCHG, BPF_REG_10, -8, BPF_REG_3);
		/* with r0 */
		atomic(p, BPF_DW, BPF_CMPXCHG, BPF_REG_10, -8, BPF_REG_4);
		atomic(p, BPF_W, BPF_OR | BPF_FETCH, BPF_REG_10, -8, BPF_REG_2);
		alu(p, BPF_ADD, BPF_REG_2, BPF_REG_4);
	}
	end(p);
	return rounds * 4;
}

/* Half of them are taken, the same ones in every run. */
static u32 write_branch(struct program *p)
{
	u32 state = add_map(p, (struct bench_map){ BPF_MAP_TYPE_ARRAY, 4, 16, 1, 0, 1 });

	begin(p);
	/* zero, which only we know */
	load_map_value(p, BPF_REG_6, state);
	load(p, BPF_DW, BPF_REG_5, BPF_REG_6, 0);
	for (u32 i = 0; i < BRANCHES; i++) {
		jump_if_imm(p, i % 2 ? BPF_JEQ : BPF_JNE, BPF_REG_5, 0, 1);
		alu_imm(p, BPF_ADD, BPF_REG_0, (s32)i);
	}
	end(p);
	return BRANCHES;
}

/* Nobody can tell which are taken: bits of a sequence that goes on from run to run. */
static u32 write_branch_random(struct program *p)
{
	u32 state = add_map(p, (struct bench_map){ BPF_MAP_TYPE_ARRAY, 4, 16, 1, 0, 1 });

	begin(p);
	load_map_value(p, BPF_REG_6, state);
	load(p, BPF_DW, BPF_REG_5, BPF_REG_6, 0);
	load_imm64(p, BPF_REG_7, 6364136223846793005ULL);
	for (u32 i = 0; i < BRANCHES; i++) {
		alu(p, BPF_MUL, BPF_REG_5, BPF_REG_7);
		alu_imm(p, BPF_ADD, BPF_REG_5, 12345);
		jump_if_imm(p, BPF_JSLT, BPF_REG_5, 0, 1);
		alu_imm(p, BPF_ADD, BPF_REG_0, (s32)i);
	}
	store(p, BPF_DW, BPF_REG_6, 0, BPF_REG_5);
	alu_imm(p, BPF_MOV, BPF_REG_0, 0);
	finish(p);
	return BRANCHES;
}

static u32 write_loop(struct program *p)
{
	begin(p);
	alu_imm(p, BPF_MOV, BPF_REG_1, LOOPS);
	alu(p, BPF_ADD, BPF_REG_0, BPF_REG_4);
	alu_imm(p, BPF_XOR, BPF_REG_0, 0x5a5a);
	alu_imm(p, BPF_SUB, BPF_REG_1, 1);
	jump_if_imm(p, BPF_JNE, BPF_REG_1, 0, -4);
	end(p);
	return LOOPS;
}

static const struct micro micros[] = {
	{ "exit", "entering a program that returns at once", .write = write_exit, .plain = true },
	{ "alu64", "add, sub, and, or, xor, mov of 64 bits", .write = write_alu64, .plain = true },
	{ "alu32", "the same of 32 bits", .write = write_alu32, .plain = true },
	{ "mul", "multiplications of 64 and 32 bits", .write = write_mul, .plain = true },
	{ "div", "divisions and remainders of 64 and 32 bits", .write = write_div, .plain = true },
	{ "shift", "shifts by constants and registers", .write = write_shift, .plain = true },
	{ "swap", "byte swaps of 64, 32 and 16 bits", .write = write_swap, .plain = true },
	{ "memory", "stores to the stack and loads from it, of 1 to 8 bytes", .write = write_memory,
	  .plain = true },
	{ "atomic-add", "atomic additions in memory", .write = write_atomic_add, .plain = true },
	{ "atomic-fetch", "fetch-and-add, exchange, compare-and-exchange", .write = write_atomic_fetch },
	{ "branch", "branches that go the same way every time", .write = write_branch },
	{ "branch-random", "branches that nobody can predict", .write = write_branch_random },
	{ "loop", "rounds of a loop of four instructions", .write = write_loop },
};

const struct micro_group isa_group = {
	"isa", "instructions", micros, ARRAY_SIZE(micros),
};
