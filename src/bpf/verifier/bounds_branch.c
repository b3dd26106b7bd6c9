// SPDX-License-Identifier: GPL-2.0-only
/*
 * Comparisons of numbers: whether a jump must or cannot happen, and what each
 * way teaches of both sides. All orders are made of "less than": a > b is b < a,
 * and a >= b is not a < b.
 */
#include "lane.h"
#include "verifier.h"

#define BPF_JNSET (BPF_JSET | BPF_X) /* the opposite of BPF_JSET, which BPF does not have */

u8 flip_opcode(u8 op)
{
	static const u8 flipped[16] = {
		[BPF_JEQ >> 4] = BPF_JEQ, [BPF_JNE >> 4] = BPF_JNE, [BPF_JSET >> 4] = BPF_JSET,
		[BPF_JGT >> 4] = BPF_JLT, [BPF_JLT >> 4] = BPF_JGT,
		[BPF_JGE >> 4] = BPF_JLE, [BPF_JLE >> 4] = BPF_JGE,
		[BPF_JSGT >> 4] = BPF_JSLT, [BPF_JSLT >> 4] = BPF_JSGT,
		[BPF_JSGE >> 4] = BPF_JSLE, [BPF_JSLE >> 4] = BPF_JSGE,
	};

	return flipped[op >> 4] | (op & BPF_X);
}

u8 rev_opcode(u8 op)
{
	static const u8 reversed[16] = {
		[BPF_JEQ >> 4] = BPF_JNE, [BPF_JNE >> 4] = BPF_JEQ,
		[BPF_JGT >> 4] = BPF_JLE, [BPF_JLE >> 4] = BPF_JGT,
		[BPF_JGE >> 4] = BPF_JLT, [BPF_JLT >> 4] = BPF_JGE,
		[BPF_JSGT >> 4] = BPF_JSLE, [BPF_JSLE >> 4] = BPF_JSGT,
		[BPF_JSGE >> 4] = BPF_JSLT, [BPF_JSLT >> 4] = BPF_JSGE,
	};

	if (op == BPF_JSET || op == BPF_JNSET)
		return op ^ BPF_X;
	return reversed[op >> 4];
}

/* --- which way? -------------------------------------------------------------------- */

enum { NEVER = 0, ALWAYS = 1, UNKNOWN = -1 };

static int not(int taken)
{
	return taken == UNKNOWN ? UNKNOWN : !taken;
}

static int less(const struct lane *a, const struct lane *b)
{
	if (a->umax < b->umin)
		return ALWAYS;
	return a->umin >= b->umax ? NEVER : UNKNOWN;
}

static int less_signed(const struct lane *a, const struct lane *b)
{
	if (a->smax < b->smin)
		return ALWAYS;
	return a->smin >= b->smax ? NEVER : UNKNOWN;
}

static int equal(const struct lane *a, const struct lane *b)
{
	if ((a->t.value ^ b->t.value) & ~(a->t.mask | b->t.mask))
		return NEVER;
	if (tnum_is_const(a->t) && tnum_is_const(b->t))
		return ALWAYS;
	return a->umax < b->umin || b->umax < a->umin || a->smax < b->smin || b->smax < a->smin ?
	       NEVER : UNKNOWN;
}

static int share_bits(const struct lane *a, const struct lane *b)
{
	if (a->t.value & b->t.value)
		return ALWAYS;
	return (a->t.value | a->t.mask) & (b->t.value | b->t.mask) ? UNKNOWN : NEVER;
}

static int lane_taken(const struct lane *a, const struct lane *b, u8 op)
{
	switch (op) {
	case BPF_JEQ:
		return equal(a, b);
	case BPF_JNE:
		return not(equal(a, b));
	case BPF_JSET:
		return share_bits(a, b);
	case BPF_JLT:
		return less(a, b);
	case BPF_JGT:
		return less(b, a);
	case BPF_JGE:
		return not(less(a, b));
	case BPF_JLE:
		return not(less(b, a));
	case BPF_JSLT:
		return less_signed(a, b);
	case BPF_JSGT:
		return less_signed(b, a);
	case BPF_JSGE:
		return not(less_signed(a, b));
	case BPF_JSLE:
		return not(less_signed(b, a));
	default:
		return UNKNOWN;
	}
}

/* A number and itself: only what it has in common with itself hangs on what it is. */
static int lane_self_taken(const struct lane *l, u8 op)
{
	switch (op) {
	case BPF_JEQ:
	case BPF_JGE:
	case BPF_JLE:
	case BPF_JSGE:
	case BPF_JSLE:
		return ALWAYS;
	case BPF_JSET:
		if (l->umin || l->t.value || l->smin > 0 || l->smax < 0)
			return ALWAYS;
		return l->umax ? UNKNOWN : NEVER;
	default:
		return NEVER;
	}
}

int scalar_is_self_taken(const struct bpf_scalar *s, u8 op, bool is_jmp32)
{
	struct lane l = lane_of(s, is_jmp32 ? 32 : 64);

	return lane_self_taken(&l, op);
}

int scalar_is_branch_taken(const struct bpf_scalar *a, const struct bpf_scalar *b, u8 op,
			   bool is_jmp32)
{
	struct lane low_a = lane_of(a, 32), low_b = lane_of(b, 32);
	struct lane all_a = lane_of(a, 64), all_b = lane_of(b, 64);

	if (is_jmp32)
		return lane_taken(&low_a, &low_b, op);
	/* numbers whose low halves differ are not equal */
	if ((op == BPF_JEQ || op == BPF_JNE) && equal(&low_a, &low_b) == NEVER)
		return op == BPF_JNE;
	return lane_taken(&all_a, &all_b, op);
}

/* --- what it teaches ---------------------------------------------------------------- */

static void refine_equal(struct lane *a, struct lane *b)
{
	lane_meet_u(a, b->umin, b->umax);
	lane_meet_s(a, b->smin, b->smax);
	lane_meet_tnum(a, b->t);
	*b = *a;
}

/* @a is not @value: that helps when it is at an end of a range. */
static void refine_not_value(struct lane *a, u64 value)
{
	s64 svalue = lane_sext(value, a->bits);

	if ((a->umin == value && a->umax == value) || (a->smin == svalue && a->smax == svalue)) {
		lane_set_empty(a);
		return;
	}
	a->umin += a->umin == value;
	a->umax -= a->umax == value;
	a->smin += a->smin == svalue;
	a->smax -= a->smax == svalue;
}

static void refine_not_equal(struct lane *a, struct lane *b)
{
	if (tnum_is_const(b->t))
		refine_not_value(a, b->t.value);
	else if (tnum_is_const(a->t))
		refine_not_value(b, a->t.value);
}

/* One bit that must be there is known then; with more it may be any of them. */
static void refine_has_bits(struct lane *a, struct tnum bits)
{
	if (tnum_is_const(bits) && bits.value && !(bits.value & (bits.value - 1)))
		lane_meet_tnum(a, TNUM(bits.value, lane_mask(a->bits) & ~bits.value));
}

static void refine_lacks_bits(struct lane *a, struct tnum bits)
{
	lane_meet_tnum(a, TNUM(0, lane_mask(a->bits) & ~bits.value));
}

static void refine_less(struct lane *a, struct lane *b)
{
	if (!b->umax || a->umin == lane_mask(a->bits)) {
		lane_set_empty(a);
		return;
	}
	lane_meet_u(a, 0, b->umax - 1);
	lane_meet_u(b, a->umin + 1, lane_mask(b->bits));
}

static void refine_less_signed(struct lane *a, struct lane *b)
{
	struct lane any = lane_unknown(a->bits);

	if (b->smax == any.smin || a->smin == any.smax) {
		lane_set_empty(a);
		return;
	}
	lane_meet_s(a, any.smin, b->smax - 1);
	lane_meet_s(b, a->smin + 1, any.smax);
}

static void refine_less_equal(struct lane *a, struct lane *b)
{
	lane_meet_u(a, 0, b->umax);
	lane_meet_u(b, a->umin, lane_mask(b->bits));
}

static void refine_less_equal_signed(struct lane *a, struct lane *b)
{
	struct lane any = lane_unknown(a->bits);

	lane_meet_s(a, any.smin, b->smax);
	lane_meet_s(b, a->smin, any.smax);
}

static void lane_refine(struct lane *a, struct lane *b, u8 op)
{
	struct tnum bits_of_a = a->t;

	switch (op) {
	case BPF_JEQ:
		refine_equal(a, b);
		break;
	case BPF_JNE:
		refine_not_equal(a, b);
		break;
	case BPF_JSET:
		refine_has_bits(a, b->t);
		refine_has_bits(b, bits_of_a);
		break;
	case BPF_JNSET:
		refine_lacks_bits(a, b->t);
		refine_lacks_bits(b, bits_of_a);
		break;
	case BPF_JLT:
		refine_less(a, b);
		break;
	case BPF_JLE:
		refine_less_equal(a, b);
		break;
	case BPF_JSLT:
		refine_less_signed(a, b);
		break;
	case BPF_JSLE:
		refine_less_equal_signed(a, b);
		break;
	default: /* the other orders, from the other side */
		lane_refine(b, a, flip_opcode(op));
	}
}

static void refine_width(struct bpf_scalar *a, struct bpf_scalar *b, u8 op, u32 bits)
{
	struct lane x = lane_of(a, bits), y = lane_of(b, bits);

	lane_refine(&x, &y, op);
	lane_store(a, &x);
	lane_store(b, &y);
}

void scalar_refine(struct bpf_scalar *a, struct bpf_scalar *b, u8 op, bool is_jmp32)
{
	if (!is_jmp32)
		refine_width(a, b, op, 64);
	if (is_jmp32 || op == BPF_JEQ) /* equal numbers have equal low halves */
		refine_width(a, b, op, 32);
	scalar_sync(a);
	scalar_sync(b);
}
