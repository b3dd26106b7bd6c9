// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arithmetic on numbers of which bits and ranges are known. Sums, differences and
 * products are computed at both ends with 128 bits and cut to width: the result
 * is a range when both ends wrapped equally often.
 *
 * Of quotients, rests and shifts by an unknown amount nothing is known, as in
 * Linux up to 6.18: what is accepted here should be accepted there.
 */
#include "lane.h"
#include "verifier.h"

typedef void (*lane_op_fn)(struct lane *r, const struct lane *a, const struct lane *b);

static void lane_add(struct lane *r, const struct lane *a, const struct lane *b)
{
	r->t = tnum_add(a->t, b->t);
	lane_meet_wrapped(r, (u128)a->umin + b->umin, (u128)a->umax + b->umax);
	lane_meet_wrapped_s(r, (s128)a->smin + b->smin, (s128)a->smax + b->smax);
}

static void lane_sub(struct lane *r, const struct lane *a, const struct lane *b)
{
	r->t = tnum_sub(a->t, b->t);
	lane_meet_wrapped(r, (u128)a->umin - b->umax, (u128)a->umax - b->umin);
	lane_meet_wrapped_s(r, (s128)a->smin - b->smax, (s128)a->smax - b->smin);
}

static void lane_mul(struct lane *r, const struct lane *a, const struct lane *b)
{
	s128 p1 = (s128)a->smin * b->smin, p2 = (s128)a->smin * b->smax;
	s128 p3 = (s128)a->smax * b->smin, p4 = (s128)a->smax * b->smax;

	r->t = tnum_mul(a->t, b->t);
	lane_meet_wrapped(r, (u128)a->umin * b->umin, (u128)a->umax * b->umax);
	lane_meet_wrapped_s(r, min(min(p1, p2), min(p3, p4)), max(max(p1, p2), max(p3, p4)));
}

static void lane_and(struct lane *r, const struct lane *a, const struct lane *b)
{
	r->t = tnum_and(a->t, b->t);
	lane_meet_u(r, 0, min(a->umax, b->umax));
}

static void lane_or(struct lane *r, const struct lane *a, const struct lane *b)
{
	r->t = tnum_or(a->t, b->t);
	lane_meet_u(r, max(a->umin, b->umin), r->umax);
}

static void lane_xor(struct lane *r, const struct lane *a, const struct lane *b)
{
	r->t = tnum_xor(a->t, b->t);
}

/* --- shifts, by a constant that is less than the width ------------------------------- */

static void lane_lsh(struct lane *r, const struct lane *a, const struct lane *b)
{
	u8 n = (u8)b->t.value;

	r->t = tnum_lshift(a->t, n);
	lane_meet_wrapped(r, (u128)a->umin << n, (u128)a->umax << n);
	lane_meet_wrapped(r, (u128)a->smin << n, (u128)a->smax << n);
}

static void lane_rsh(struct lane *r, const struct lane *a, const struct lane *b)
{
	u8 n = (u8)b->t.value;

	r->t = tnum_rshift(a->t, n);
	lane_meet_u(r, a->umin >> n, a->umax >> n);
}

static void lane_arsh(struct lane *r, const struct lane *a, const struct lane *b)
{
	u8 n = (u8)b->t.value;

	r->t = tnum_arshift(a->t, n, (u8)a->bits);
	lane_meet_s(r, a->smin >> n, a->smax >> n);
}

/* --- on scalars ---------------------------------------------------------------------- */

static const lane_op_fn ops[16] = {
	[BPF_ADD >> 4] = lane_add, [BPF_SUB >> 4] = lane_sub, [BPF_MUL >> 4] = lane_mul,
	[BPF_OR >> 4] = lane_or,   [BPF_AND >> 4] = lane_and, [BPF_LSH >> 4] = lane_lsh,
	[BPF_RSH >> 4] = lane_rsh, [BPF_XOR >> 4] = lane_xor, [BPF_ARSH >> 4] = lane_arsh,
};

static struct lane lane_alu(const struct lane *a, const struct lane *b, u8 op)
{
	struct lane r = lane_unknown(a->bits);

	ops[op >> 4](&r, a, b);
	r.t = tnum_cast(r.t, (u8)(a->bits / 8));
	return r;
}

static bool is_computable(const struct bpf_scalar *v, u8 op, bool is64)
{
	if (op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH)
		return tnum_is_const(v->var_off) && v->var_off.value < (is64 ? 64 : 32);
	return ops[op >> 4];
}

/* Does the low half of the result depend on the low halves alone? */
static bool low_half_is_own(u8 op)
{
	return op == BPF_ADD || op == BPF_SUB || op == BPF_MUL || op == BPF_AND ||
	       op == BPF_OR || op == BPF_XOR;
}

static void alu64(struct bpf_scalar *s, const struct bpf_scalar *v, u8 op)
{
	struct lane a = lane_of(s, 64), b = lane_of(v, 64), r = lane_alu(&a, &b, op);
	struct lane low = lane_unknown(32), low_a = lane_of(s, 32), low_b = lane_of(v, 32);

	/* only the low half is left, at the top: the way to extend a sign */
	if (op == BPF_LSH && b.t.value >= 32)
		lane_meet_wrapped(&r, (u128)low_a.smin << b.t.value,
				  (u128)low_a.smax << b.t.value);
	if (low_half_is_own(op) || (op == BPF_LSH && b.t.value < 32))
		low = lane_alu(&low_a, &low_b, op);
	lane_store(s, &r);
	lane_store_ranges(s, &low);
	scalar_sync(s);
}

static void alu32(struct bpf_scalar *s, const struct bpf_scalar *v, u8 op)
{
	struct lane a = lane_of(s, 32), b = lane_of(v, 32), r = lane_alu(&a, &b, op);

	lane_store(s, &r);
	scalar_zext_32(s);
}

void scalar_alu(struct bpf_scalar *s, const struct bpf_scalar *v, u8 op, bool is64)
{
	if (!is_computable(v, op, is64))
		scalar_set_unknown(s);
	else if (is64)
		alu64(s, v, op);
	else
		alu32(s, v, op);
}

void scalar_neg(struct bpf_scalar *s, bool is64)
{
	struct bpf_scalar zero;

	scalar_set_const(&zero, 0);
	scalar_alu(&zero, s, BPF_SUB, is64);
	*s = zero;
}

static u64 swap_bytes(u64 value, u32 size)
{
	return __builtin_bswap64(value) >> (64 - 8 * size);
}

/* The machine is little endian. Bits move to places that say nothing of ranges. */
void scalar_bswap(struct bpf_scalar *s, const struct bpf_insn *insn)
{
	bool swaps = BPF_CLASS(insn->code) == BPF_ALU64 || BPF_SRC(insn->code) == BPF_TO_BE;
	u32 size = (u32)insn->imm / 8;
	struct tnum t = tnum_cast(s->var_off, (u8)size);

	if (!swaps && size == 8)
		return;
	scalar_set_unknown(s);
	s->var_off = swaps ? TNUM(swap_bytes(t.value, size), swap_bytes(t.mask, size)) : t;
	scalar_sync(s);
}
