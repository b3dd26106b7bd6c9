// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers as the verifier knows them, against numbers: whatever is computed or
 * compared, the results for members of the operands are members of the result.
 * First for all ranges between values at which arithmetic is known to go wrong,
 * then for random sets of values, and then what must be known at least.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/base/rng.h"
#include "../../src/bpf/verifier/verifier.h"

#define SEED 20250731

static bool has(const struct bpf_scalar *s, u64 v)
{
	return (v & ~s->var_off.mask) == s->var_off.value && (s64)v >= s->smin_value &&
	       (s64)v <= s->smax_value && v >= s->umin_value && v <= s->umax_value &&
	       (s32)v >= s->s32_min_value && (s32)v <= s->s32_max_value &&
	       (u32)v >= s->u32_min_value && (u32)v <= s->u32_max_value;
}

#define assert_has(s, v, ...)                                                                \
	do {                                                                                 \
		if (!has(s, v)) {                                                            \
			print_error(__VA_ARGS__);                                            \
			fail_msg("%#llx is not in u[%#llx, %#llx] s[%lld, %lld] "            \
				 "u32[%#x, %#x] s32[%d, %d] (%#llx; %#llx)", (u64)(v),       \
				 (s)->umin_value, (s)->umax_value, (s)->smin_value,          \
				 (s)->smax_value, (s)->u32_min_value, (s)->u32_max_value,    \
				 (s)->s32_min_value, (s)->s32_max_value,                     \
				 (s)->var_off.value, (s)->var_off.mask);                     \
		}                                                                            \
	} while (0)

/* --- what instructions do, by RFC 9669 ------------------------------------------------- */

static u64 divide(u64 a, u64 b, bool mod, bool is_signed)
{
	if (!b)
		return mod ? a : 0;
	if (!is_signed)
		return mod ? a % b : a / b;
	if (b == ~0ULL)
		return mod ? 0 : -a;
	return (u64)(mod ? (s64)a % (s64)b : (s64)a / (s64)b);
}

static u64 alu64(u64 a, u64 b, u8 op, s16 off)
{
	switch (op) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
	case BPF_MOD:
		return divide(a, b, op == BPF_MOD, off);
	case BPF_OR:
		return a | b;
	case BPF_AND:
		return a & b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & 63);
	case BPF_RSH:
		return a >> (b & 63);
	default: /* BPF_ARSH */
		return (u64)((s64)a >> (b & 63));
	}
}

static u64 alu(u64 a, u64 b, u8 op, bool is64, s16 off)
{
	bool sext = off || op == BPF_ARSH;

	if (is64)
		return alu64(a, b, op, off);
	if (op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH)
		b &= 31;
	return (u32)alu64(sext ? (u64)(s32)a : (u32)a, sext ? (u64)(s32)b : (u32)b, op, off);
}

static bool jumps64(u64 a, u64 b, u8 op)
{
	switch (op) {
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JSET:
		return a & b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JLT:
		return a < b;
	case BPF_JLE:
		return a <= b;
	case BPF_JSGT:
		return (s64)a > (s64)b;
	case BPF_JSGE:
		return (s64)a >= (s64)b;
	case BPF_JSLT:
		return (s64)a < (s64)b;
	default: /* BPF_JSLE */
		return (s64)a <= (s64)b;
	}
}

static bool jumps(u64 a, u64 b, u8 op, bool jmp32)
{
	return jmp32 ? jumps64((u64)(s32)a, (u64)(s32)b, op) : jumps64(a, b, op);
}

static const struct {
	u8 op;
	s16 off;
} alu_ops[] = {
	{ BPF_ADD, 0 }, { BPF_SUB, 0 }, { BPF_MUL, 0 }, { BPF_OR, 0 }, { BPF_AND, 0 },
	{ BPF_XOR, 0 }, { BPF_LSH, 0 }, { BPF_RSH, 0 }, { BPF_ARSH, 0 }, { BPF_DIV, 0 },
	{ BPF_MOD, 0 }, { BPF_DIV, 1 }, { BPF_MOD, 1 },
};

static const u8 jmp_ops[] = { BPF_JEQ, BPF_JNE, BPF_JSET, BPF_JGT, BPF_JGE, BPF_JLT,
			      BPF_JLE, BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE };

/* --- sets of numbers, and scalars that contain them -------------------------------------- */

#define MAX_MEMBERS 6

struct set {
	u64 v[MAX_MEMBERS];
	u32 n;
	struct bpf_scalar s;
};

static void check_alu(const struct set *a, const struct set *b, u32 i, bool is64)
{
	u8 op = alu_ops[i].op;
	s16 off = alu_ops[i].off;
	struct bpf_scalar r = a->s;

	scalar_alu(&r, &b->s, op, is64);
	assert_true(scalar_is_sane(&r));
	for (u32 x = 0; x < a->n; x++)
		for (u32 y = 0; y < b->n; y++)
			assert_has(&r, alu(a->v[x], b->v[y], op, is64, off),
				   "%#llx op %#x off %d 64 %d %#llx\n", a->v[x], op, off, is64,
				   b->v[y]);
}

static void check_jump(const struct set *a, const struct set *b, u8 op, bool jmp32)
{
	int pred = scalar_is_branch_taken(&a->s, &b->s, op, jmp32);
	struct bpf_scalar ways[2][2] = { { a->s, b->s }, { a->s, b->s } };

	scalar_refine(&ways[0][0], &ways[0][1], rev_opcode(op), jmp32);
	scalar_refine(&ways[1][0], &ways[1][1], op, jmp32);
	for (u32 x = 0; x < a->n; x++) {
		for (u32 y = 0; y < b->n; y++) {
			bool taken = jumps(a->v[x], b->v[y], op, jmp32);

			assert_true(pred < 0 || pred == taken);
			assert_true(scalar_is_sane(&ways[taken][0]));
			assert_has(&ways[taken][0], a->v[x], "left of %#x\n", op);
			assert_has(&ways[taken][1], b->v[y], "right of %#x\n", op);
		}
	}
}

static u64 sign_extend(u64 v, u32 size)
{
	return size == 1 ? (u64)(s8)v : size == 2 ? (u64)(s16)v : size == 4 ? (u64)(s32)v : v;
}

static u64 zero_extend(u64 v, u32 size)
{
	return size == 8 ? v : v & ((1ULL << (8 * size)) - 1);
}

static void check_width(const struct set *a, u32 size)
{
	struct bpf_scalar z = a->s, s = a->s;

	scalar_truncate(&z, size);
	scalar_sign_extend(&s, size);
	assert_true(scalar_is_sane(&z) && scalar_is_sane(&s));
	for (u32 x = 0; x < a->n; x++) {
		assert_has(&z, zero_extend(a->v[x], size), "zext %u\n", size);
		assert_has(&s, sign_extend(a->v[x], size), "sext %u\n", size);
	}
}

static void check_swap(const struct set *a, u8 code, s32 imm)
{
	struct bpf_insn insn = { .code = code, .imm = imm };
	bool to_le = code == (BPF_ALU | BPF_END | BPF_TO_LE);
	struct bpf_scalar s = a->s;

	scalar_bswap(&s, &insn);
	assert_true(scalar_is_sane(&s));
	for (u32 x = 0; x < a->n; x++) {
		u64 v = zero_extend(a->v[x], (u32)imm / 8);

		assert_has(&s, to_le ? v : __builtin_bswap64(v) >> (64 - imm), "swap %d\n", imm);
	}
}

static void check_unary(const struct set *a)
{
	struct bpf_scalar neg64 = a->s, neg32 = a->s;

	scalar_neg(&neg64, true);
	scalar_neg(&neg32, false);
	for (u32 x = 0; x < a->n; x++) {
		assert_has(&neg64, -a->v[x], "neg\n");
		assert_has(&neg32, (u32)-a->v[x], "neg32\n");
	}
	for (u32 size = 1; size <= 8; size *= 2)
		check_width(a, size);
	for (s32 bits = 16; bits <= 64; bits *= 2) {
		check_swap(a, BPF_ALU | BPF_END | BPF_TO_LE, bits);
		check_swap(a, BPF_ALU | BPF_END | BPF_TO_BE, bits);
		check_swap(a, BPF_ALU64 | BPF_END | BPF_TO_LE, bits);
	}
}

static void check_pair(const struct set *a, const struct set *b)
{
	for (u32 i = 0; i < ARRAY_SIZE(alu_ops); i++) {
		check_alu(a, b, i, true);
		check_alu(a, b, i, false);
	}
	for (u32 i = 0; i < ARRAY_SIZE(jmp_ops); i++) {
		check_jump(a, b, jmp_ops[i], true);
		check_jump(a, b, jmp_ops[i], false);
	}
}

/* --- all ranges between interesting values -------------------------------------------------- */

static const u64 corners[] = {
	0, 1, 7, 31, 32, 63, 64, 0xff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
	0x7fffffffffffffff, 0x8000000000000000, 0xffffffff00000000, 0xffffffff80000000, ~0ULL - 1,
	~0ULL,
};

#define NR_CORNERS ARRAY_SIZE(corners)

/* [corners[i], corners[j]], unsigned or signed; false if that is no range. */
static bool make_range(struct set *set, u32 i, u32 j, bool is_signed)
{
	u64 lo = corners[i], hi = corners[j];

	if (is_signed ? (s64)lo > (s64)hi : lo > hi)
		return false;
	scalar_set_unknown(&set->s);
	if (is_signed) {
		set->s.smin_value = (s64)lo;
		set->s.smax_value = (s64)hi;
	} else {
		set->s.umin_value = lo;
		set->s.umax_value = hi;
	}
	scalar_sync(&set->s);
	set->n = 0;
	set->v[set->n++] = lo;
	set->v[set->n++] = hi;
	for (u32 k = 0; k < NR_CORNERS && set->n < MAX_MEMBERS; k++)
		if (is_signed ? (s64)corners[k] > (s64)lo && (s64)corners[k] < (s64)hi :
				corners[k] > lo && corners[k] < hi)
			set->v[set->n++] = corners[k];
	for (u32 k = 0; k < set->n; k++)
		assert_has(&set->s, set->v[k], "sync\n");
	return true;
}

static struct set ranges[2 * NR_CORNERS * NR_CORNERS];
static u32 nr_ranges;

static int make_ranges(void **state)
{
	for (u32 i = 0; i < NR_CORNERS; i++)
		for (u32 j = 0; j < NR_CORNERS; j++)
			for (u32 is_signed = 0; is_signed < 2; is_signed++)
				nr_ranges += make_range(&ranges[nr_ranges], i, j, is_signed);
	return 0;
}

static void test_corners(void **state)
{
	for (u32 i = 0; i < nr_ranges; i++) {
		check_unary(&ranges[i]);
		for (u32 j = 0; j < nr_ranges; j += 2 + i % 3)
			check_pair(&ranges[i], &ranges[j]);
	}
}

/* --- random sets ------------------------------------------------------------------------------ */

static u64 draw(struct rng *rng)
{
	u64 v = corners[rng_below(rng, NR_CORNERS)];

	switch (rng_below(rng, 4)) {
	case 0:
		return rng_next(rng) >> rng_below(rng, 64);
	case 1:
		return v + rng_below(rng, 8);
	case 2:
		return v - rng_below(rng, 300);
	default:
		return v;
	}
}

static u64 mix(u64 lo, u64 hi, struct rng *rng)
{
	return lo + rng_below(rng, hi - lo ?: 1);
}

/* One view that has all members, and maybe more. */
static void restrict_view(struct set *set, struct rng *rng)
{
	struct bpf_scalar *s = &set->s, hull;
	u64 slack = rng_below(rng, 2) ? 0 : rng_next(rng) >> rng_below(rng, 64);

	scalar_set_const(&hull, set->v[0]);
	for (u32 i = 1; i < set->n; i++) {
		u64 v = set->v[i];

		hull.var_off = tnum_union(hull.var_off, tnum_const(v));
		hull.umin_value = min(hull.umin_value, v);
		hull.umax_value = max(hull.umax_value, v);
		hull.smin_value = min(hull.smin_value, (s64)v);
		hull.smax_value = max(hull.smax_value, (s64)v);
		hull.u32_min_value = min(hull.u32_min_value, (u32)v);
		hull.u32_max_value = max(hull.u32_max_value, (u32)v);
		hull.s32_min_value = min(hull.s32_min_value, (s32)v);
		hull.s32_max_value = max(hull.s32_max_value, (s32)v);
	}
	switch (rng_below(rng, 5)) {
	case 0:
		s->var_off = TNUM(hull.var_off.value & ~slack, hull.var_off.mask | slack);
		break;
	case 1:
		s->umin_value = slack ? mix(0, hull.umin_value, rng) : hull.umin_value;
		s->umax_value = slack ? hull.umax_value | slack : hull.umax_value;
		break;
	case 2:
		s->smin_value = hull.smin_value;
		s->smax_value = slack ? max(hull.smax_value, (s64)slack) : hull.smax_value;
		break;
	case 3:
		s->u32_min_value = hull.u32_min_value;
		s->u32_max_value = hull.u32_max_value | (u32)slack;
		break;
	case 4:
		s->s32_min_value = slack ? min(hull.s32_min_value, (s32)slack) :
					   hull.s32_min_value;
		s->s32_max_value = hull.s32_max_value;
		break;
	}
}

static void make_random(struct set *set, struct rng *rng)
{
	u32 views = (u32)rng_below(rng, 4);

	set->n = 1 + (u32)rng_below(rng, 4);
	for (u32 i = 0; i < set->n; i++)
		set->v[i] = draw(rng);
	scalar_set_unknown(&set->s);
	if (set->n == 1 && rng_below(rng, 2)) {
		scalar_set_const(&set->s, set->v[0]);
		return;
	}
	for (u32 i = 0; i < views; i++) {
		restrict_view(set, rng);
		if (rng_below(rng, 2))
			scalar_sync(&set->s);
	}
	scalar_sync(&set->s);
	assert_true(scalar_is_sane(&set->s));
	for (u32 i = 0; i < set->n; i++)
		assert_has(&set->s, set->v[i], "sync\n");
}

/* Each result goes on as an operand, so that what bounds know piles up. */
static void test_chains(void **state)
{
	struct rng rng;

	rng_init(&rng, SEED);
	for (u32 round = 0; round < 25000; round++) {
		struct set a, b;

		make_random(&a, &rng);
		for (u32 step = 0; step < 4; step++) {
			u32 i = (u32)rng_below(&rng, ARRAY_SIZE(alu_ops));
			u8 jmp = jmp_ops[rng_below(&rng, ARRAY_SIZE(jmp_ops))];
			bool wide = rng_below(&rng, 2);

			make_random(&b, &rng);
			if (alu_ops[i].op == BPF_LSH || alu_ops[i].op == BPF_RSH)
				scalar_set_const(&b.s, b.v[0] = rng_below(&rng, 70)), b.n = 1;
			check_jump(&a, &b, jmp, wide);
			check_alu(&a, &b, i, wide);
			check_unary(&a);
			scalar_alu(&a.s, &b.s, alu_ops[i].op, wide);
			for (u32 x = 0; x < a.n; x++)
				a.v[x] = alu(a.v[x], b.v[0], alu_ops[i].op, wide, alu_ops[i].off);
		}
	}
}

/* --- what must be known ---------------------------------------------------------------- */

static struct bpf_scalar urange(u64 lo, u64 hi)
{
	struct bpf_scalar s;

	scalar_set_unknown(&s);
	s.umin_value = lo;
	s.umax_value = hi;
	scalar_sync(&s);
	return s;
}

static struct bpf_scalar srange(s64 lo, s64 hi)
{
	struct bpf_scalar s;

	scalar_set_unknown(&s);
	s.smin_value = lo;
	s.smax_value = hi;
	scalar_sync(&s);
	return s;
}

static struct bpf_scalar constant(u64 value)
{
	struct bpf_scalar s;

	scalar_set_const(&s, value);
	return s;
}

static struct bpf_scalar compute(struct bpf_scalar a, u8 op, struct bpf_scalar b, bool is64)
{
	scalar_alu(&a, &b, op, is64);
	return a;
}

static void assert_urange(struct bpf_scalar s, u64 lo, u64 hi)
{
	assert_int_equal(s.umin_value, lo);
	assert_int_equal(s.umax_value, hi);
}

static void assert_srange(struct bpf_scalar s, s64 lo, s64 hi)
{
	assert_int_equal(s.smin_value, lo);
	assert_int_equal(s.smax_value, hi);
}

static void test_ranges_deduced(void **state)
{
	struct bpf_scalar s = urange(10, 20);

	assert_srange(s, 10, 20);
	assert_int_equal(s.s32_min_value, 10);
	assert_int_equal(s.u32_max_value, 20);
	assert_int_equal(s.var_off.mask, 31);
	/* a sign that only the other view knows */
	s = srange(-4, 100);
	s.umax_value = 1ULL << 62;
	scalar_sync(&s);
	assert_urange(s, 0, 100);
	s = srange(-4, 100);
	s.umin_value = 200;
	scalar_sync(&s);
	assert_srange(s, -4, -1);
	/* small numbers around zero are small in 32 bits, too */
	s = srange(-1, 1);
	assert_int_equal(s.s32_min_value, -1);
	assert_int_equal(s.s32_max_value, 1);
	/* a sign-extended number of which the low half is not negative */
	s = srange(INT32_MIN, INT32_MAX);
	s.s32_min_value = 0;
	scalar_sync(&s);
	assert_urange(s, 0, INT32_MAX);
	/* the ends of 64 bits have a low half that is possible */
	s = urange(0x100000000, 0x380000000);
	s.s32_min_value = 1;
	scalar_sync(&s);
	assert_urange(s, 0x100000001, 0x37fffffff);
}

/* The numbers of the kernel's own tests (verifier_bounds.c). */
static void test_arithmetic_known(void **state)
{
	struct bpf_scalar r;

	r = compute(urange(0, 255), BPF_XOR, constant(0x1a0), true);
	assert_urange(r, 0x100, 0x1ff);
	r = compute(urange(0, 255), BPF_MUL, urange(0, 15), true);
	assert_urange(r, 0, 3825);
	assert_int_equal(r.var_off.mask, 0xfff);
	r = compute(urange(0, 400), BPF_SUB, urange(546, 655), true);
	assert_srange(r, -655, -146);
	r = compute(srange(-3, 5), BPF_MUL, srange(-7, 2), true);
	assert_srange(r, -35, 21);
	r = compute(urange(~0ULL - 5, ~0ULL), BPF_ADD, constant(10), true); /* both ends wrap */
	assert_urange(r, 4, 9);
	r = compute(urange(0, 100), BPF_DIV, constant(7), true); /* not tracked */
	assert_urange(r, 0, ~0ULL);
	r = compute(urange(0, ~0ULL), BPF_AND, constant(0xf0), true);
	assert_int_equal(r.var_off.mask, 0xf0);
	r = compute(urange(1, 2), BPF_LSH, constant(64), true); /* no such shift */
	assert_urange(r, 0, ~0ULL);
	r = srange(-20, -10);
	scalar_neg(&r, true);
	assert_urange(r, 10, 20);
}

/* How compilers extend the sign: up, and down again. */
static void test_sign_extension(void **state)
{
	struct bpf_scalar s;

	scalar_set_unknown(&s);
	s = compute(compute(s, BPF_LSH, constant(32), true), BPF_ARSH, constant(32), true);
	assert_srange(s, INT32_MIN, INT32_MAX);
	scalar_set_unknown(&s);
	s.s32_min_value = -5;
	s.s32_max_value = 9;
	s = compute(compute(s, BPF_LSH, constant(32), true), BPF_ARSH, constant(32), true);
	assert_srange(s, -5, 9);
	s = urange(0x7e, 0x7f);
	scalar_sign_extend(&s, 1);
	assert_srange(s, 0x7e, 0x7f);
	s = urange(0x17e, 0x17f);
	scalar_sign_extend(&s, 1);
	assert_srange(s, 0x7e, 0x7f);
	s = urange(0x80, 0x82);
	scalar_sign_extend(&s, 1);
	assert_srange(s, -128, -126);
	s = urange(0x7f, 0x80);
	scalar_sign_extend(&s, 1);
	assert_srange(s, -128, 127);
}

static void refine(struct bpf_scalar *a, u64 value, u8 op, bool jmp32)
{
	struct bpf_scalar b = constant(value);

	scalar_refine(a, &b, op, jmp32);
}

static void test_comparisons_teach(void **state)
{
	struct bpf_scalar s, v;

	scalar_set_unknown(&s);
	refine(&s, 100, BPF_JLT, false);
	assert_urange(s, 0, 99);
	refine(&s, 99, BPF_JNE, false);
	assert_urange(s, 0, 98);
	refine(&s, 5, BPF_JSGE, false);
	assert_srange(s, 5, 98);
	scalar_set_unknown(&s);
	refine(&s, 7, BPF_JLE, true);
	assert_int_equal(s.u32_max_value, 7);
	assert_int_equal(s.var_off.mask, 0xffffffff00000007);
	scalar_set_unknown(&s);
	refine(&s, 8, BPF_JSET, false);
	assert_int_equal(s.var_off.value, 8);
	assert_int_equal(s.umin_value, 8);
	scalar_set_unknown(&s);
	refine(&s, ~7ULL, rev_opcode(BPF_JSET), false);
	assert_urange(s, 0, 7);
	s = urange(3, 50);
	v = urange(20, 90);
	scalar_refine(&s, &v, BPF_JEQ, false);
	assert_urange(s, 20, 50);
	assert_urange(v, 20, 50);
	s = urange(3, 50);
	v = urange(20, 90);
	scalar_refine(&s, &v, BPF_JGT, false);
	assert_urange(s, 21, 50);
	assert_urange(v, 20, 49);
}

static void test_impossible_ways_show(void **state)
{
	struct bpf_scalar s = constant(5), v = constant(5);

	assert_int_equal(scalar_is_branch_taken(&s, &v, BPF_JEQ, false), 1);
	scalar_refine(&s, &v, BPF_JNE, false);
	assert_false(scalar_is_sane(&s) && scalar_is_sane(&v));
	s = urange(0, 0);
	refine(&s, 0, BPF_JLT, false);
	assert_false(scalar_is_sane(&s));
	/* multiples of 8 between 1 and 7 */
	scalar_set_unknown(&s);
	s.var_off.mask = ~7ULL;
	scalar_sync(&s);
	refine(&s, 1, BPF_JGE, false);
	refine(&s, 7, BPF_JLE, false);
	assert_false(scalar_is_sane(&s));
	s = urange(0, 10);
	refine(&s, 11, BPF_JEQ, true);
	assert_false(scalar_is_sane(&s));
}

static void test_branches_predicted(void **state)
{
	struct bpf_scalar a = urange(0, 10), b = urange(10, 20), c = srange(-9, -1);

	assert_int_equal(scalar_is_branch_taken(&a, &b, BPF_JLE, false), 1);
	assert_int_equal(scalar_is_branch_taken(&a, &b, BPF_JGT, false), 0);
	assert_int_equal(scalar_is_branch_taken(&a, &b, BPF_JLT, false), -1);
	assert_int_equal(scalar_is_branch_taken(&a, &c, BPF_JSGT, true), 1);
	assert_int_equal(scalar_is_branch_taken(&a, &c, BPF_JLT, false), 1);
	assert_int_equal(scalar_is_branch_taken(&a, &c, BPF_JEQ, true), 0);
	a.var_off = TNUM(1, 2);
	scalar_sync(&a);
	b = constant(1);
	assert_int_equal(scalar_is_branch_taken(&a, &b, BPF_JSET, false), 1);
	b = constant(4);
	assert_int_equal(scalar_is_branch_taken(&a, &b, BPF_JSET, false), 0);
	assert_int_equal(scalar_is_branch_taken(&a, &b, BPF_JNE, false), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corners),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_ranges_deduced),
		cmocka_unit_test(test_arithmetic_known),
		cmocka_unit_test(test_sign_extension),
		cmocka_unit_test(test_comparisons_teach),
		cmocka_unit_test(test_impossible_ways_show),
		cmocka_unit_test(test_branches_predicted),
	};

	return cmocka_run_group_tests(tests, make_ranges, NULL);
}
