// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generator. It keeps a rough idea of what each register holds, so that
 * most of what it writes has a chance; a share of instructions is made up
 * without looking.
 *
 * Conventions: r6-r9 hold what lives long, r0-r5 come and go. r9 is the context
 * until something else is put there.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "progen_internal.h"

/* --- choosing -------------------------------------------------------------------- */

/* To be written; mostly not the context. */
static u32 target(struct gen *g, const struct scope *s)
{
	u32 reg = below(g, 10);

	return s->kind[reg] == CTX && !chance(g, 5) ? below(g, 9) : reg;
}

/* An offset of an access of @bytes in @size, now and then outside. */
static s32 offset(struct gen *g, u32 size, u32 bytes)
{
	if (chance(g, 2))
		return (s32)size - (s32)bytes + 1 + (s32)below(g, 8);
	if (chance(g, 1))
		return -1 - (s32)below(g, 8);
	return (s32)(below(g, size / bytes) * bytes);
}

/* --- numbers ---------------------------------------------------------------------- */

u32 some_number(struct gen *g, struct scope *s)
{
	int reg = find(g, s, NUMBER);

	if (reg >= 0)
		return (u32)reg;
	new_number(g, s, 0);
	return 0;
}

static void alu(struct gen *g, struct scope *s)
{
	static const u8 ops[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR, BPF_AND, BPF_LSH,
				  BPF_RSH, BPF_NEG, BPF_MOD, BPF_XOR, BPF_MOV, BPF_ARSH, BPF_END };
	u8 op = ops[below(g, sizeof(ops))], class = chance(g, 60) ? BPF_ALU64 : BPF_ALU;
	u32 dst = some_number(g, s), src = some_number(g, s);
	bool shift = op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH;
	bool division = op == BPF_DIV || op == BPF_MOD;
	s32 imm = shift ? (s32)below(g, class == BPF_ALU64 ? 64 : 32) : number(g), off = 0;

	if (op == BPF_NEG) {
		emit(g, class | BPF_NEG, dst, 0, 0, 0);
		return;
	}
	if (op == BPF_END) {
		emit(g, class | BPF_END | (class == BPF_ALU && chance(g, 50) ? BPF_TO_BE : 0), dst,
		     0, 0, 16 << below(g, 3));
		return;
	}
	if (division)
		off = (s32)below(g, 2);
	if (division && !imm)
		imm = 3;
	if (op == BPF_MOV && chance(g, 50))
		off = 8 << below(g, class == BPF_ALU64 ? 3 : 2);
	if (chance(g, 50) || (op == BPF_MOV && off))
		emit(g, class | op | BPF_X, dst, src, off, 0);
	else
		emit(g, class | op | BPF_K, dst, 0, off, imm);
}

void new_number(struct gen *g, struct scope *s, u32 reg)
{
	static const u32 fields[] = { offsetof(struct __sk_buff, len),
				      offsetof(struct __sk_buff, mark),
				      offsetof(struct __sk_buff, priority),
				      offsetof(struct __sk_buff, ifindex) };
	int ctx = find(g, s, CTX), value = find(g, s, VALUE);
	u32 bytes;
	u8 size = access_size(g, &bytes);

	if (value >= 0 && chance(g, 60)) {
		emit(g, BPF_LDX | (bytes < 8 && chance(g, 30) ? BPF_MEMSX : BPF_MEM) | size, reg,
		     (u32)value, (s32)(below(g, s->size[value] / bytes) * bytes), 0);
	} else if (ctx >= 0) {
		emit(g, BPF_LDX | BPF_MEM | BPF_W, reg, (u32)ctx, (s32)fields[below(g, 4)], 0);
	} else {
		emit(g, BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, number(g));
	}
	s->kind[reg] = NUMBER;
}

/* --- calls of helpers ----------------------------------------------------------------- */

static void prandom(struct gen *g, struct scope *s)
{
	emit(g, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_prandom_u32);
	clobber(s);
	s->kind[0] = NUMBER;
}

/* A key on the stack, a map, a lookup; mostly a comparison with NULL, and a place to keep it. */
static void lookup(struct gen *g, struct scope *s)
{
	bool hash = chance(g, 30);
	u32 keep = 6 + below(g, 4), jump;

	emit(g, BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, (s32)below(g, PROGEN_ARRAY_ENTRIES + 1));
	s->stack |= 1;
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4);
	emit(g, BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0,
	     hash ? PROGEN_HASH : PROGEN_ARRAY);
	emit(g, 0, 0, 0, 0, 0);
	emit(g, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
	clobber(s);
	s->kind[0] = VALUE_OR_NULL;
	s->size[0] = hash ? PROGEN_HASH_VALUE : PROGEN_ARRAY_VALUE;
	if (s->kind[keep] != CTX || chance(g, 10))
		mov(g, s, keep, 0);
	if (chance(g, 3))
		return;
	jump = emit(g, BPF_JMP | BPF_JNE | BPF_K, 0, 0, 0, 0);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	emit(g, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	land(g, jump);
	s->kind[0] = VALUE;
	if (s->kind[keep] == VALUE_OR_NULL)
		s->kind[keep] = VALUE;
}

/* --- memory --------------------------------------------------------------------------- */

static void load_or_store(struct gen *g, struct scope *s, u32 base, s32 off, u8 size)
{
	u32 reg;

	switch (below(g, 5)) {
	case 0:
		emit(g, BPF_ST | BPF_MEM | size, base, 0, off, number(g));
		break;
	case 1:
	case 2:
		emit(g, BPF_STX | BPF_MEM | size, base, some_number(g, s), off, 0);
		break;
	default:
		reg = target(g, s);
		emit(g, BPF_LDX | (size != BPF_DW && chance(g, 20) ? BPF_MEMSX : BPF_MEM) | size,
		     reg, base, off, 0);
		s->kind[reg] = NUMBER;
	}
}

static void access_value(struct gen *g, struct scope *s)
{
	int base = find(g, s, VALUE);
	u32 bytes;
	u8 size = access_size(g, &bytes);

	if (base < 0)
		lookup(g, s);
	else
		load_or_store(g, s, (u32)base, offset(g, s->size[base], bytes), size);
}

/* Of ones, and not more than @limit. */
static u32 mask(struct gen *g, u32 limit)
{
	u32 m = 0x3f;

	while (m > limit || chance(g, 20))
		m >>= 1;
	return m;
}

/* An index that was made small, one way or another, added to a pointer. */
static void indexed(struct gen *g, struct scope *s)
{
	static const u8 ops[] = { BPF_JGT, BPF_JGE, BPF_JSGT, BPF_JSGE, BPF_JLT, BPF_JLE, BPF_JSLT,
				  BPF_JSLE };
	int base = find(g, s, VALUE);
	u32 bytes, index = 1 + below(g, 2), ptr = 3 + below(g, 3), jump = 0, end = 0, room;
	u8 size = access_size(g, &bytes), op = ops[below(g, sizeof(ops))];
	bool masked = chance(g, 40), up;

	if (base < 0 || (u32)base == index || (u32)base == ptr) {
		lookup(g, s);
		return;
	}
	room = s->size[base] - bytes;
	mov(g, s, index, some_number(g, s));
	if (masked) {
		emit(g, (chance(g, 70) ? BPF_ALU64 : BPF_ALU) | BPF_AND | BPF_K, index, 0, 0,
		     chance(g, 95) ? (s32)mask(g, room) : (s32)room + 1);
	} else {
		s32 limit = (s32)room + (chance(g, 90) ? 0 : chance(g, 50) ? 1 : -1);

		/* the wrong ones leave: those above the limit, or (signed) below zero */
		if ((op == BPF_JGE || op == BPF_JSGE || op == BPF_JLT || op == BPF_JSLT) && chance(g, 50))
			limit++;
		up = op == BPF_JGT || op == BPF_JGE || op == BPF_JSGT || op == BPF_JSGE;
		jump = emit(g, (chance(g, 92) ? BPF_JMP : BPF_JMP32) | op | BPF_K, index, 0, 0, limit);
		if (!up) {
			end = emit(g, BPF_JMP | BPF_JA, 0, 0, 0, 0);
			land(g, jump);
			jump = end;
		}
		if ((op == BPF_JSGT || op == BPF_JSGE || op == BPF_JSLT || op == BPF_JSLE) &&
		    chance(g, 95)) /* over the addition and the access */
			emit(g, BPF_JMP | BPF_JSLT | BPF_K, index, 0, 3, 0);
	}
	if (chance(g, 3))
		emit(g, BPF_ALU64 | BPF_LSH | BPF_K, index, 0, 0, (s32)below(g, 3));
	mov(g, s, ptr, (u32)base);
	emit(g, BPF_ALU64 | (chance(g, 98) ? BPF_ADD : BPF_SUB) | BPF_X, ptr, index, 0, 0);
	s->kind[ptr] = NONE;
	if (chance(g, 75))
		emit(g, BPF_LDX | BPF_MEM | size, index, ptr, chance(g, 4), 0);
	else
		emit(g, BPF_STX | BPF_MEM | size, ptr, index, chance(g, 4), 0);
	s->kind[index] = NUMBER;
	if (!masked) {
		land(g, jump);
		s->kind[index] = NONE; /* perhaps a number, perhaps what it was before */
		mov_imm(g, s, index, 0);
	}
	mov_imm(g, s, ptr, number(g));
}

static void packet(struct gen *g, struct scope *s)
{
	int ctx = find(g, s, CTX);
	u32 bytes, need = 1 + below(g, PROGEN_PACKET + 4), jump;
	u8 size = access_size(g, &bytes);
	s32 off;

	if (ctx < 0 || need < bytes || g->plain)
		return;
	emit(g, BPF_LDX | BPF_MEM | BPF_W, 2, (u32)ctx, offsetof(struct __sk_buff, data), 0);
	emit(g, BPF_LDX | BPF_MEM | BPF_W, 3, (u32)ctx, offsetof(struct __sk_buff, data_end), 0);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0);
	if (chance(g, 30)) {
		mov(g, s, 1, some_number(g, s));
		emit(g, BPF_ALU64 | BPF_AND | BPF_K, 1, 0, 0, 0x1f);
		emit(g, BPF_ALU64 | BPF_ADD | BPF_X, 4, 1, 0, 0);
		emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 2, 4, 0, 0);
	}
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, (s32)need);
	jump = chance(g, 50) ? emit(g, BPF_JMP | BPF_JGT | BPF_X, 4, 3, 0, 0) :
			       emit(g, BPF_JMP | BPF_JLT | BPF_X, 3, 4, 0, 0);
	for (u32 i = 1; i <= 4; i++)
		s->kind[i] = NONE;
	off = chance(g, 95) ? (s32)below(g, need - bytes + 1) : (s32)need;
	if (chance(g, 70))
		emit(g, BPF_LDX | BPF_MEM | size, 5, 2, off, 0);
	else
		emit(g, BPF_ST | BPF_MEM | size, 2, 0, off, number(g));
	land(g, jump);
	mov_imm(g, s, 5, number(g));
}

static void stack(struct gen *g, struct scope *s)
{
	u32 slot = below(g, 16), reg = below(g, 10), bytes;
	u8 size = access_size(g, &bytes);
	s32 low = -8 * (s32)(slot + 1), off = low + (s32)(below(g, 8 / bytes) * bytes);

	if (!(s->stack >> slot & 1) || chance(g, 50)) {
		if (s->kind[reg] != NONE && chance(g, 70)) { /* a spill */
			emit(g, BPF_STX | BPF_MEM | BPF_DW, 10, reg, low, 0);
			s->stack |= 1ULL << slot;
		} else {
			emit(g, BPF_ST | BPF_MEM | size, 10, 0, off, number(g));
			s->stack |= bytes == 8 ? 1ULL << slot : 0;
		}
		return;
	}
	reg = target(g, s);
	emit(g, BPF_LDX | BPF_MEM | (chance(g, 60) ? BPF_DW : size), reg, 10,
	     chance(g, 60) ? low : off, 0);
	/* whatever it was: to be treated as a number it must be made one */
	if (chance(g, 90))
		mov_imm(g, s, reg, number(g));
	else
		s->kind[reg] = NUMBER;
}

/* Variable offset into an area of the stack that was written before. */
static void indexed_stack(struct gen *g, struct scope *s)
{
	u32 bytes;
	u8 size = access_size(g, &bytes);

	for (s32 i = 0; i < 4; i++)
		emit(g, BPF_ST | BPF_MEM | BPF_DW, 10, 0, -192 + 8 * i, number(g));
	mov(g, s, 1, some_number(g, s));
	emit(g, BPF_ALU64 | BPF_AND | BPF_K, 1, 0, 0, chance(g, 97) ? 0x1f & ~(s32)(bytes - 1) : 0x1f);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_X, 2, 1, 0, 0);
	s->kind[2] = NONE;
	if (chance(g, 60)) {
		emit(g, BPF_LDX | BPF_MEM | size, 3, 2, -192, 0);
		s->kind[3] = NUMBER;
	} else {
		emit(g, BPF_STX | BPF_MEM | size, 2, 1, -192, 0);
	}
}

static void atomic(struct gen *g, struct scope *s)
{
	static const s32 ops[] = { BPF_ADD, BPF_OR, BPF_AND, BPF_XOR, BPF_ADD | BPF_FETCH,
				   BPF_OR | BPF_FETCH, BPF_AND | BPF_FETCH, BPF_XOR | BPF_FETCH,
				   BPF_XCHG, BPF_CMPXCHG };
	int base = find(g, s, VALUE);
	u8 size = chance(g, 50) ? BPF_W : BPF_DW;
	u32 src = some_number(g, s);
	s32 op = ops[below(g, 10)];

	if (base < 0 || (op == BPF_CMPXCHG && s->kind[0] != NUMBER))
		return;
	emit(g, BPF_STX | BPF_ATOMIC | size, (u32)base, src,
	     (s32)(below(g, s->size[base] / 8) * 8), op);
}

/* --- control ------------------------------------------------------------------------------ */

static u8 condition(struct gen *g)
{
	static const u8 ops[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET, BPF_JNE, BPF_JSGT, BPF_JSGE,
				  BPF_JLT, BPF_JLE, BPF_JSLT, BPF_JSLE };

	return (chance(g, 65) ? BPF_JMP : BPF_JMP32) | ops[below(g, sizeof(ops))];
}

static void branch(struct gen *g, struct scope *s)
{
	u32 a = some_number(g, s), b = some_number(g, s), jump, over;
	struct scope other;

	jump = chance(g, 60) ? emit(g, condition(g) | BPF_K, a, 0, 0, number(g)) :
			       emit(g, condition(g) | BPF_X, a, b, 0, 0);
	other = *s;
	s->depth++;
	block(g, s, 1 + below(g, 4));
	s->depth--;
	if (chance(g, 50)) {
		over = emit(g, BPF_JMP | BPF_JA, 0, 0, 0, 0);
		land(g, jump);
		other.depth++;
		block(g, &other, 1 + below(g, 4));
		other.depth--;
		land(g, over);
	} else {
		land(g, jump);
	}
	join(s, &other);
}

/* for (r = 0; r < n; r++), with r in a register that the body may spoil (a kept slot has it). */
static void loop(struct gen *g, struct scope *s)
{
	s32 slot = -200 - 8 * (s32)below(g, 4);
	struct scope before;
	u32 start, jump;

	emit(g, BPF_ST | BPF_MEM | BPF_DW, 10, 0, slot, 0);
	before = *s;
	start = g->p->len;
	/* what the body leaves must do for its next round */
	s->depth++;
	block(g, s, 1 + below(g, 3));
	s->depth--;
	join(s, &before);
	emit(g, BPF_LDX | BPF_MEM | BPF_DW, 5, 10, slot, 0);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, 5, 0, 0, 1);
	emit(g, BPF_STX | BPF_MEM | BPF_DW, 10, 5, slot, 0);
	jump = emit(g, (chance(g, 80) ? BPF_JMP : BPF_JMP32) | BPF_JLT | BPF_K, 5, 0, 0,
		    2 + (s32)below(g, 12));
	if (jump > start)
		g->p->insns[jump].off = (s16)((s32)start - (s32)jump - 1);
	s->kind[5] = NUMBER;
	if (before.kind[5] != NUMBER)
		s->kind[5] = NONE, mov_imm(g, s, 5, 0);
}

/* f(number, pointer to our stack); written when this function is done. */
static void call(struct gen *g, struct scope *s)
{
	if (s->callee || g->nr_calls == g->max_calls)
		return;
	mov(g, s, 1, some_number(g, s));
	emit(g, BPF_ST | BPF_MEM | BPF_DW, 10, 0, -128, number(g));
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -128);
	g->calls[g->nr_calls].kind = PLAIN;
	g->calls[g->nr_calls].in_callback = false; /* the main program's */
	g->calls[g->nr_calls++].at = emit(g, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0);
	clobber(s);
	s->kind[0] = NUMBER;
	s->stack |= 1ULL << 15;
}

/* A loop that ends when the kernel has had enough of it. What it makes is not known. */
static void may_goto(struct gen *g, struct scope *s)
{
	struct scope before = *s;
	u32 start, jump, back;

	start = jump = emit(g, BPF_JMP | BPF_JCOND, 0, BPF_MAY_GOTO, 0, 0);
	s->depth++;
	block(g, s, 1 + below(g, 3));
	s->depth--;
	back = emit(g, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	g->p->insns[back].off = (s16)((s32)start - (s32)back - 1);
	land(g, jump);
	join(s, &before);
}

/* --- objects of helpers --------------------------------------------------------------- */

static void write_record(struct gen *g, u32 base, u32 size)
{
	u32 bytes;
	u8 access = access_size(g, &bytes);

	if (bytes > size)
		return;
	emit(g, BPF_ST | BPF_MEM | access, base, 0, offset(g, size, bytes), number(g));
}

/* Reserved, written to, and given back; now and then one of it is wrong. */
static void ringbuf(struct gen *g, struct scope *s)
{
	u32 size = 8 * (1 + below(g, 6)), jump;

	emit(g, BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, PROGEN_RINGBUF);
	emit(g, 0, 0, 0, 0, 0);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, (s32)size);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0);
	emit(g, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_reserve);
	clobber(s);
	jump = emit(g, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0, chance(g, 98) ? 0 : 1);
	for (u32 i = below(g, 4); i; i--)
		write_record(g, 0, size);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 1, 0, 0, 0);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 0);
	if (chance(g, 98))
		emit(g, BPF_JMP | BPF_CALL, 0, 0, 0, chance(g, 50) ? BPF_FUNC_ringbuf_submit :
								     BPF_FUNC_ringbuf_discard);
	land(g, jump);
	mov_imm(g, s, 0, number(g));
}

/* A dynptr on (a part of) a map's value at fp-256; read from, written to, or looked into. */
static void dynptr(struct gen *g, struct scope *s)
{
	int base = find(g, s, VALUE);
	u32 len = 1 + below(g, 16), jump;

	if (base < 0)
		return;
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 1, (u32)base, 0, 0);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0,
	     (s32)s->size[base] - (s32)below(g, 8) + chance(g, 2) * 8);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0);
	fp_minus(g, 4, 256);
	emit(g, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_dynptr_from_mem);
	clobber(s);
	if (chance(g, 3)) /* over it */
		emit(g, BPF_ST | BPF_MEM | BPF_DW, 10, 0, -248, number(g));
	if (chance(g, 50)) {
		fp_minus(g, 1, 256);
		emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, number(g));
		emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, (s32)len);
		emit(g, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_dynptr_data);
		jump = emit(g, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0, 0);
		write_record(g, 0, len);
		land(g, jump);
		mov_imm(g, s, 0, number(g));
		return;
	}
	fp_minus(g, 1, 280);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, (s32)len);
	fp_minus(g, 3, 256);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, number(g));
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 5, 0, 0, 0);
	emit(g, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_dynptr_read);
	s->kind[0] = NUMBER;
}

static void anything(struct gen *g, struct scope *s)
{
	u32 dst = below(g, 11), src = below(g, 11);

	emit(g, (chance(g, 50) ? BPF_ALU64 : BPF_ALU) | (u8)(below(g, 13) << 4) |
		     (chance(g, 50) ? BPF_X : BPF_K), dst, src, 0, number(g));
	if (dst < 10)
		s->kind[dst] = NUMBER;
}

static void statement(struct gen *g, struct scope *s)
{
	static void (*const kinds[])(struct gen *g, struct scope *s) = {
		alu, alu, alu, alu, alu, access_value, access_value, indexed, indexed, indexed,
		stack, stack, stack, indexed_stack, branch, branch, branch, packet, lookup, atomic,
		prandom, loop, call, may_goto, ringbuf, dynptr,
	};
	u32 kind;

	if (g->more && chance(g, 45)) {
		more(g, s);
		return;
	}
	kind = below(g, sizeof(kinds) / sizeof(*kinds));
	if (s->light && (kinds[kind] == dynptr || kinds[kind] == loop ||
			 kinds[kind] == indexed_stack || kinds[kind] == stack))
		return;
	if (!g->more && chance(g, 1))
		anything(g, s);
	else if (s->depth < 3 || (kinds[kind] != branch && kinds[kind] != loop &&
				   kinds[kind] != may_goto))
		kinds[kind](g, s);
}

void block(struct gen *g, struct scope *s, u32 n)
{
	while (n-- && g->budget > 40)
		statement(g, s);
}

static void finish(struct gen *g, struct scope *s)
{
	int r = find(g, s, NUMBER);

	if (r > 0)
		emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 0, (u32)r, 0, 0);
	else if (r < 0)
		emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	emit(g, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void function(struct gen *g, u32 call)
{
	struct scope s = { .callee = true };
	u32 bytes;
	u8 size = access_size(g, &bytes);

	g->p->insns[call].imm = (s32)(g->p->len - call - 1);
	s.kind[1] = NUMBER;
	mov(g, &s, 6, 1);
	emit(g, BPF_LDX | BPF_MEM | size, 7, 2, 0, 0);
	s.kind[7] = NUMBER;
	g->budget += 60;
	block(g, &s, 1 + below(g, 5));
	finish(g, &s);
}

void progen(struct progen *p, u64 seed, u32 flags)
{
	struct gen g = { .p = p, .max_calls = 8, .more = flags & PROGEN_MORE,
			 .plain = flags & PROGEN_PLAIN, .sleepable = flags & PROGEN_SLEEPABLE };
	struct scope s = {};

	p->len = 0;
	p->nr_funcs = 1;
	p->funcs[0] = (struct progen_func){};
	rng_init(&g.rng, seed);
	g.budget = g.more ? 50 + below(&g, 100) : 50 + below(&g, 250);
	if (g.more) /* and the main program, and perhaps what becomes of bpf_throw() */
		g.max_calls = PROGEN_FUNCS - 2;
	emit(&g, BPF_ALU64 | BPF_MOV | BPF_X, 9, 1, 0, 0);
	s.kind[9] = CTX;
	lookup(&g, &s);
	new_number(&g, &s, 8 - below(&g, 2));
	while (g.budget > 40)
		statement(&g, &s);
	finish(&g, &s);
	if (g.more && chance(&g, 25))
		exception_function(&g);
	for (u32 i = 0; i < g.nr_calls; i++) {
		if (g.more)
			more_function(&g, i);
		else
			function(&g, g.calls[i].at);
	}
}

void progen_set_maps(struct progen *p, const int *fds)
{
	for (u32 i = 0; i + 1 < p->len; i++)
		if (p->insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) &&
		    (p->insns[i].src_reg == BPF_PSEUDO_MAP_FD ||
		     p->insns[i].src_reg == BPF_PSEUDO_MAP_VALUE))
			p->insns[i].imm = fds[p->insns[i].imm];
}

void progen_set_kfuncs(struct progen *p, const s32 ids[PROGEN_KFUNCS])
{
	for (u32 i = 0; i < p->len; i++)
		if (p->insns[i].code == (BPF_JMP | BPF_CALL) &&
		    p->insns[i].src_reg == BPF_PSEUDO_KFUNC_CALL)
			p->insns[i].imm = ids[p->insns[i].imm];
}

void progen_print(const struct progen *p)
{
	for (u32 i = 0; i < p->len; i++)
		fprintf(stderr, "/* %3u */ { .code = 0x%02x, .dst_reg = %u, .src_reg = %u, .off = %d, .imm = %d },\n",
			i, p->insns[i].code, p->insns[i].dst_reg, p->insns[i].src_reg,
			p->insns[i].off, p->insns[i].imm);
}
