// SPDX-License-Identifier: GPL-2.0-only
/*
 * See ranges.h. A check uses registers that are read no more where it stands, so that the
 * program does the same with it.
 */
#include "ranges.h"

#include <string.h>

#include "../../src/bpf/verifier/state.h"
#include "minimise.h"

#define NR_REGS 10
#define MAX_POINTS 12 /* places of a program with checks */

enum { UNSEEN, NUMBER, OTHER };

static struct point {
	u16 live;
	struct {
		u8 kind;
		struct bpf_scalar s; /* what it was at any visit */
	} regs[NR_REGS];
} points[PROGEN_MAX_INSNS];

void ranges_reset(void)
{
	memset(points, 0, sizeof(points));
}

static void widen(struct bpf_scalar *s, const struct bpf_scalar *by)
{
	s->var_off = tnum_union(s->var_off, by->var_off);
	s->umin_value = min(s->umin_value, by->umin_value);
	s->umax_value = max(s->umax_value, by->umax_value);
	s->smin_value = min(s->smin_value, by->smin_value);
	s->smax_value = max(s->smax_value, by->smax_value);
	s->u32_min_value = min(s->u32_min_value, by->u32_min_value);
	s->u32_max_value = max(s->u32_max_value, by->u32_max_value);
	s->s32_min_value = min(s->s32_min_value, by->s32_min_value);
	s->s32_max_value = max(s->s32_max_value, by->s32_max_value);
}

void ranges_record(u32 insn, const struct bpf_reg_state *regs, u16 live)
{
	struct point *p = &points[insn];

	p->live = live;
	for (u32 i = 0; i < NR_REGS; i++) {
		if (!(live >> i & 1))
			continue;
		if (regs[i].type != SCALAR_VALUE) {
			p->regs[i].kind = OTHER;
		} else if (p->regs[i].kind == UNSEEN) {
			p->regs[i].kind = NUMBER;
			p->regs[i].s = regs[i].s;
		} else if (p->regs[i].kind == NUMBER) {
			widen(&p->regs[i].s, &regs[i].s);
		}
	}
}

/* --- checks ------------------------------------------------------------------------- */

struct code {
	struct bpf_insn insns[PROGEN_MAX_INSNS];
	u32 len;
};

static void emit(struct code *c, u8 code, u8 dst, u8 src, s16 off, s32 imm)
{
	if (c->len < PROGEN_MAX_INSNS)
		c->insns[c->len] = (struct bpf_insn){ code, dst, src, off, imm };
	c->len++;
}

static void constant(struct code *c, u8 reg, u64 value)
{
	emit(c, BPF_LD | BPF_IMM | BPF_DW, reg, 0, 0, (s32)value);
	emit(c, 0, 0, 0, 0, (s32)(value >> 32));
}

/* Goes on behind it if @reg @op @other; else it is stopped, for a load from nowhere. */
static void expect(struct code *c, u8 op, u8 reg, u8 other)
{
	emit(c, op | BPF_X, reg, other, 2, 0);
	emit(c, BPF_ALU64 | BPF_MOV | BPF_K, other, 0, 0, 8);
	emit(c, BPF_LDX | BPF_MEM | BPF_DW, other, other, 0, 0);
}

static void expect_const(struct code *c, u8 op, u8 reg, u8 scratch, u64 value)
{
	constant(c, scratch, value);
	expect(c, op, reg, scratch);
}

static void check_number(struct code *c, u8 reg, const struct bpf_scalar *s, u8 a, u8 b)
{
	expect_const(c, BPF_JMP | BPF_JGE, reg, a, s->umin_value);
	expect_const(c, BPF_JMP | BPF_JLE, reg, a, s->umax_value);
	expect_const(c, BPF_JMP | BPF_JSGE, reg, a, (u64)s->smin_value);
	expect_const(c, BPF_JMP | BPF_JSLE, reg, a, (u64)s->smax_value);
	expect_const(c, BPF_JMP32 | BPF_JGE, reg, a, s->u32_min_value);
	expect_const(c, BPF_JMP32 | BPF_JLE, reg, a, s->u32_max_value);
	expect_const(c, BPF_JMP32 | BPF_JSGE, reg, a, (u32)s->s32_min_value);
	expect_const(c, BPF_JMP32 | BPF_JSLE, reg, a, (u32)s->s32_max_value);
	constant(c, b, ~s->var_off.mask);
	emit(c, BPF_ALU64 | BPF_AND | BPF_X, b, reg, 0, 0);
	expect_const(c, BPF_JMP | BPF_JEQ, b, a, s->var_off.value);
}

/* What may be used for other things there; @not: that is to be looked at. */
static int free_reg(u16 live, u32 not)
{
	for (u32 i = 0; i < NR_REGS; i++)
		if (!(live >> i & 1) && i != not)
			return (int)i;
	return -1;
}

static u32 check_point(struct code *c, const struct point *p)
{
	u32 nr = 0;

	for (u8 i = 0; i < NR_REGS; i++) {
		int a = free_reg(p->live, NR_REGS), b = a < 0 ? -1 : free_reg(p->live, (u32)a);

		if (b < 0 || p->regs[i].kind != NUMBER)
			continue;
		check_number(c, i, &p->regs[i].s, (u8)a, (u8)b);
		nr++;
	}
	return nr;
}

u32 ranges_check(const struct progen *p, struct progen *out, struct rng *rng)
{
	static u32 start[PROGEN_MAX_INSNS + 1], place[PROGEN_MAX_INSNS];
	static struct code checks[MAX_POINTS];
	u32 len = 0, used = 0, nr = 0, room = PROGEN_MAX_INSNS - p->len;
	u8 of[PROGEN_MAX_INSNS];
	u32 n;

	memset(of, 0xff, sizeof(of));
	for (u32 i = 0; i < p->len && used < MAX_POINTS; i++) {
		if (is_tail(p, i) || rng_next(rng) % p->len >= 2 * MAX_POINTS)
			continue;
		checks[used].len = 0;
		n = check_point(&checks[used], &points[i]);
		if (checks[used].len > room)
			continue;
		room -= checks[used].len;
		nr += n;
		of[i] = (u8)used++;
	}
	for (u32 i = 0; i < p->len; i++) {
		start[i] = len;
		if (of[i] < MAX_POINTS)
			len += checks[of[i]].len;
		place[i] = len++;
	}
	start[p->len] = len;
	if (!nr)
		return 0;
	for (u32 i = 0; i < p->len; i++)
		if (of[i] < MAX_POINTS)
			memcpy(&out->insns[start[i]], checks[of[i]].insns,
			       checks[of[i]].len * sizeof(*out->insns));
	move_insns(p, start, place, out);
	return nr;
}
