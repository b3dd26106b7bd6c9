// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small programs that do something: hashes of 64 bytes on the stack, sorting,
 * and a sieve.
 */
#include "micro.h"

#define BYTES 64
#define HASHES 8 /* of what the one before has left */
#define SORTED 24 /* numbers */
#define SIEVE 1024

/* Bytes to hash, at r10 - BYTES. */
static void fill_stack(struct program *p)
{
	load_imm64(p, BPF_REG_1, 0x6a09e667f3bcc908ULL);
	load_imm64(p, BPF_REG_2, 0x9e3779b97f4a7c15ULL);
	for (s16 off = -BYTES; off < 0; off += 8) {
		store(p, BPF_DW, BPF_REG_10, off, BPF_REG_1);
		alu(p, BPF_MUL, BPF_REG_1, BPF_REG_2);
		alu_imm(p, BPF_ADD, BPF_REG_1, 0x3c6ef372);
	}
}

static void return_31_bits(struct program *p)
{
	alu_w_imm(p, BPF_AND, BPF_REG_0, 0x7fffffff);
	finish(p);
}

/* Of 64 bits, or of 32 in the low half; uses r9. */
static void rotate(struct program *p, u8 reg, u32 left)
{
	alu(p, BPF_MOV, BPF_REG_9, reg);
	alu_imm(p, BPF_LSH, reg, (s32)left);
	alu_imm(p, BPF_RSH, BPF_REG_9, (s32)(64 - left));
	alu(p, BPF_OR, reg, BPF_REG_9);
}

static void rotate_w(struct program *p, u8 reg, u32 left)
{
	alu_w(p, BPF_MOV, BPF_REG_9, reg);
	alu_w_imm(p, BPF_LSH, reg, (s32)left);
	alu_w_imm(p, BPF_RSH, BPF_REG_9, (s32)(32 - left));
	alu_w(p, BPF_OR, reg, BPF_REG_9);
}

/* x -= z, x ^= rol(z, n), z += y: a step of Jenkins' hash of words */
static void jenkins_mix(struct program *p, u8 x, u8 y, u8 z, u32 n)
{
	alu_w(p, BPF_SUB, x, z);
	alu_w(p, BPF_MOV, BPF_REG_5, z);
	rotate_w(p, BPF_REG_5, n);
	alu_w(p, BPF_XOR, x, BPF_REG_5);
	alu_w(p, BPF_ADD, z, y);
}

/* x ^= y, x -= rol(y, n): one of its last */
static void jenkins_final(struct program *p, u8 x, u8 y, u32 n)
{
	alu_w(p, BPF_XOR, x, y);
	alu_w(p, BPF_MOV, BPF_REG_5, y);
	rotate_w(p, BPF_REG_5, n);
	alu_w(p, BPF_SUB, x, BPF_REG_5);
}

/* Adds the hash of all whole blocks of 12 bytes to r6. */
static void jhash_once(struct program *p)
{
	const u8 a = BPF_REG_0, b = BPF_REG_1, c = BPF_REG_2;

	for (u8 reg = a; reg <= c; reg++)
		alu_w_imm(p, BPF_MOV, reg, (s32)(0xdeadbeef + BYTES));
	alu_w(p, BPF_ADD, c, BPF_REG_6);
	for (s16 off = -BYTES; off + 12 <= 0; off += 12) {
		for (u8 reg = a; reg <= c; reg++) {
			load(p, BPF_W, BPF_REG_3, BPF_REG_10, (s16)(off + 4 * (reg - a)));
			alu_w(p, BPF_ADD, reg, BPF_REG_3);
		}
		jenkins_mix(p, a, b, c, 4);
		jenkins_mix(p, b, c, a, 6);
		jenkins_mix(p, c, a, b, 8);
		jenkins_mix(p, a, b, c, 16);
		jenkins_mix(p, b, c, a, 19);
		jenkins_mix(p, c, a, b, 4);
	}
	jenkins_final(p, c, b, 14);
	jenkins_final(p, a, c, 11);
	jenkins_final(p, b, a, 25);
	jenkins_final(p, c, b, 16);
	jenkins_final(p, a, c, 4);
	jenkins_final(p, b, a, 14);
	jenkins_final(p, c, b, 24);
	alu_w(p, BPF_ADD, BPF_REG_6, c);
}

static u32 write_jhash(struct program *p)
{
	fill_stack(p);
	alu_imm(p, BPF_MOV, BPF_REG_6, 0);
	for (u32 i = 0; i < HASHES; i++)
		jhash_once(p);
	alu_w(p, BPF_MOV, BPF_REG_0, BPF_REG_6);
	return_31_bits(p);
	return HASHES * (BYTES / 12 * 12);
}

static void sip_round(struct program *p)
{
	const u8 v0 = BPF_REG_1, v1 = BPF_REG_2, v2 = BPF_REG_3, v3 = BPF_REG_4;

	alu(p, BPF_ADD, v0, v1);
	rotate(p, v1, 13);
	alu(p, BPF_XOR, v1, v0);
	rotate(p, v0, 32);
	alu(p, BPF_ADD, v2, v3);
	rotate(p, v3, 16);
	alu(p, BPF_XOR, v3, v2);
	alu(p, BPF_ADD, v0, v3);
	rotate(p, v3, 21);
	alu(p, BPF_XOR, v3, v0);
	alu(p, BPF_ADD, v2, v1);
	rotate(p, v1, 17);
	alu(p, BPF_XOR, v1, v2);
	rotate(p, v2, 32);
}

/* SipHash-2-4 of the eight words, with r6 in the key; r6 is the hash then. */
static void siphash_once(struct program *p)
{
	load_imm64(p, BPF_REG_1, 0x736f6d6570736575ULL);
	load_imm64(p, BPF_REG_2, 0x646f72616e646f6dULL);
	load_imm64(p, BPF_REG_3, 0x6c7967656e657261ULL);
	load_imm64(p, BPF_REG_4, 0x7465646279746573ULL);
	alu(p, BPF_XOR, BPF_REG_1, BPF_REG_6);
	alu(p, BPF_XOR, BPF_REG_3, BPF_REG_6);
	for (s16 off = -BYTES; off < 0; off += 8) {
		load(p, BPF_DW, BPF_REG_5, BPF_REG_10, off);
		alu(p, BPF_XOR, BPF_REG_4, BPF_REG_5);
		sip_round(p);
		sip_round(p);
		alu(p, BPF_XOR, BPF_REG_1, BPF_REG_5);
	}
	alu_imm(p, BPF_XOR, BPF_REG_3, 0xff);
	for (u32 i = 0; i < 4; i++)
		sip_round(p);
	alu(p, BPF_MOV, BPF_REG_6, BPF_REG_1);
	for (u8 reg = BPF_REG_2; reg <= BPF_REG_4; reg++)
		alu(p, BPF_XOR, BPF_REG_6, reg);
}

static u32 write_siphash(struct program *p)
{
	fill_stack(p);
	alu_imm(p, BPF_MOV, BPF_REG_6, 0);
	for (u32 i = 0; i < HASHES; i++)
		siphash_once(p);
	alu(p, BPF_MOV, BPF_REG_0, BPF_REG_6);
	return_31_bits(p);
	return HASHES * BYTES;
}

/*
 * Bubble sort of numbers that are new in every run, in a map's value; the state
 * of the generator is behind them. Returns the number of neighbours in disorder: 0.
 */
static u32 write_sort(struct program *p)
{
	u32 map = add_map(p, (struct bench_map){ BPF_MAP_TYPE_ARRAY, 4, 8 * (SORTED + 1), 1, 0, 1 });
	s16 state = 8 * SORTED;

	load_map_value(p, BPF_REG_6, map);
	load(p, BPF_DW, BPF_REG_1, BPF_REG_6, state);
	load_imm64(p, BPF_REG_2, 6364136223846793005ULL);
	for (s16 i = 0; i < SORTED; i++) {
		alu(p, BPF_MUL, BPF_REG_1, BPF_REG_2);
		alu_imm(p, BPF_ADD, BPF_REG_1, 12345);
		store(p, BPF_DW, BPF_REG_6, (s16)(8 * i), BPF_REG_1);
	}
	store(p, BPF_DW, BPF_REG_6, state, BPF_REG_1);
	for (s16 last = SORTED - 1; last > 0; last--) {
		for (s16 i = 0; i < last; i++) {
			load(p, BPF_DW, BPF_REG_1, BPF_REG_6, (s16)(8 * i));
			load(p, BPF_DW, BPF_REG_2, BPF_REG_6, (s16)(8 * i + 8));
			jump_if(p, BPF_JLE, BPF_REG_1, BPF_REG_2, 2);
			store(p, BPF_DW, BPF_REG_6, (s16)(8 * i), BPF_REG_2);
			store(p, BPF_DW, BPF_REG_6, (s16)(8 * i + 8), BPF_REG_1);
		}
	}
	alu_imm(p, BPF_MOV, BPF_REG_0, 0);
	for (s16 i = 0; i + 1 < SORTED; i++) {
		load(p, BPF_DW, BPF_REG_1, BPF_REG_6, (s16)(8 * i));
		load(p, BPF_DW, BPF_REG_2, BPF_REG_6, (s16)(8 * i + 8));
		jump_if(p, BPF_JLE, BPF_REG_1, BPF_REG_2, 1);
		alu_imm(p, BPF_ADD, BPF_REG_0, 1);
	}
	finish(p);
	return SORTED;
}

/* The multiples of r7, from its square on, are no primes. */
static void write_crossing_out(struct program *p)
{
	alu(p, BPF_MOV, BPF_REG_8, BPF_REG_7);
	alu(p, BPF_MUL, BPF_REG_8, BPF_REG_7);
	/* the loop: six instructions */
	jump_if_imm(p, BPF_JGE, BPF_REG_8, SIEVE, 5);
	alu(p, BPF_MOV, BPF_REG_1, BPF_REG_6);
	alu(p, BPF_ADD, BPF_REG_1, BPF_REG_8);
	store_imm(p, BPF_B, BPF_REG_1, 0, 1);
	alu(p, BPF_ADD, BPF_REG_8, BPF_REG_7);
	jump(p, -6);
}

/* Returns the number of primes below SIEVE, 172. */
static u32 write_sieve(struct program *p)
{
	u32 map = add_map(p, (struct bench_map){ BPF_MAP_TYPE_ARRAY, 4, SIEVE, 1, 0, 1 });
	u32 site;

	load_map_value(p, BPF_REG_6, map);
	alu_imm(p, BPF_MOV, BPF_REG_2, 0);
	for (s16 off = 0; off < SIEVE; off += 8)
		store(p, BPF_DW, BPF_REG_6, off, BPF_REG_2);
	for (s32 i = 2; i * i < SIEVE; i++) {
		load(p, BPF_B, BPF_REG_1, BPF_REG_6, (s16)i);
		jump_if_imm(p, BPF_JNE, BPF_REG_1, 0, 0);
		site = p->nr - 1;
		alu_imm(p, BPF_MOV, BPF_REG_7, i);
		write_crossing_out(p);
		jump_here(p, site);
	}
	alu_imm(p, BPF_MOV, BPF_REG_0, SIEVE - 2);
	for (s16 i = 2; i < SIEVE; i++) {
		load(p, BPF_B, BPF_REG_1, BPF_REG_6, i);
		alu(p, BPF_SUB, BPF_REG_0, BPF_REG_1);
	}
	finish(p);
	return SIEVE;
}

static const struct micro micros[] = {
	{ "jhash", "Jenkins' hash, per byte", .write = write_jhash, .plain = true },
	{ "siphash", "SipHash-2-4, per byte", .write = write_siphash, .plain = true },
	{ "sort", "bubble sort, per number of 24", .write = write_sort },
	{ "sieve", "primes below 1,024, per number", .write = write_sieve },
};

const struct micro_group program_group = {
	"program", "small programs", micros, ARRAY_SIZE(micros),
};
