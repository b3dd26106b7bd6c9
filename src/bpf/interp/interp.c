// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interpreter: the reference for what instructions mean (RFC 9669), with
 * every access checked against the region that its pointer carries (exec.h).
 *
 * Direct-threaded: each decoded instruction has the address of its code. What
 * is common is here; what is rare is a call to the slow paths in
 * interp/access.c and exec/run.c.
 *
 * Instructions are counted at taken jumps, calls and exits: @seg is where the
 * straight run of slots began that has not been counted. Both slots of a
 * 64-bit load count. The counter is looked at after jumps backwards, at calls of
 * functions of the program, and after calls out: as compiled code does (jit/jit.h).
 */
#include <endian.h>
#include <string.h>

#include "../exec/exec.h"
#include "../helpers/helpers.h"
#include "ops.h"
#include "../kfunc/kfunc.h"

/* Unaligned access is fine with BPF, if not with C. */
struct __attribute__((packed)) packed16 { u16 v; };
struct __attribute__((packed)) packed32 { u32 v; };
struct __attribute__((packed)) packed64 { u64 v; };
struct __attribute__((packed)) packed8 { u8 v; };

#define MEM(bits, addr) (((struct packed##bits *)(addr))->v)

static inline void set_number(struct bpf_reg *d, u64 v)
{
	d->v = v;
	d->rsize = 0;
	d->wsize = 0;
	d->region = NULL;
}

/* Is [v + off, + size) in the first @limit bytes of the window? */
static inline bool in_window(const struct bpf_reg *r, s16 off, u32 size, u32 limit)
{
	u64 pos = r->v + (u64)(s64)off - r->base;

	return likely(pos < limit && pos + size <= limit);
}

static inline u64 swap_bytes(u64 v, u32 bits)
{
	return __builtin_bswap64(v) >> (64 - bits);
}

/* --- arithmetic: what C leaves undefined, RFC 9669 defines ------------------ */

static inline u64 div64(u64 a, u64 b)
{
	return b ? a / b : 0;
}

static inline u64 mod64(u64 a, u64 b)
{
	return b ? a % b : a;
}

static inline u64 sdiv64(u64 a, u64 b)
{
	if (b == ~0ULL)
		return -a;
	return b ? (u64)((s64)a / (s64)b) : 0;
}

static inline u64 smod64(u64 a, u64 b)
{
	if (b == ~0ULL)
		return 0;
	return b ? (u64)((s64)a % (s64)b) : a;
}

static inline u32 sdiv32(u32 a, u32 b)
{
	if (b == ~0U)
		return -a;
	return b ? (u32)((s32)a / (s32)b) : 0;
}

static inline u32 smod32(u32 a, u32 b)
{
	if (b == ~0U)
		return 0;
	return b ? (u32)((s32)a % (s32)b) : a;
}

/* --- arithmetic on pointers --------------------------------------------------- */

/* What was read from a kernel object may be a number as well as a pointer. */
static inline bool is_pointer(const struct bpf_reg *r)
{
	return r->region && r->region->kind != REGION_WALKED;
}

/* The sum keeps the region of the one that is a pointer; two pointers make a number. */
static __attribute__((noinline)) void add_pointer(struct bpf_reg *d, const struct bpf_reg *s)
{
	u64 v = d->v + s->v;

	if (is_pointer(s) && is_pointer(d))
		set_number(d, v);
	else if (!is_pointer(d))
		*d = *s;
	d->v = v;
}

/* --- atomic operations -------------------------------------------------------- */

#define ATOMIC(bits)                                                                               \
	static void atomic##bits(struct bpf_reg *r, const struct bpf_ins *pc, void *addr)          \
	{                                                                                          \
		struct bpf_reg *s = &r[pc->src];                                                   \
		u##bits old = MEM(bits, addr), val = (u##bits)s->v;                                \
                                                                                                   \
		switch (pc->imm & ~BPF_FETCH) {                                                    \
		case BPF_ADD:                                                                      \
			val = old + val;                                                           \
			break;                                                                     \
		case BPF_OR:                                                                       \
			val = old | val;                                                           \
			break;                                                                     \
		case BPF_AND:                                                                      \
			val = old & val;                                                           \
			break;                                                                     \
		case BPF_XOR:                                                                      \
			val = old ^ val;                                                           \
			break;                                                                     \
		case BPF_CMPXCHG & ~BPF_FETCH:                                                     \
			if (old != (u##bits)r[0].v)                                                \
				val = old;                                                         \
			s = &r[0];                                                                 \
			break;                                                                     \
		default: /* BPF_XCHG */                                                            \
			break;                                                                     \
		}                                                                                  \
		MEM(bits, addr) = val;                                                             \
		if (pc->imm & BPF_FETCH)                                                           \
			set_number(s, old);                                                        \
	}
ATOMIC(32)
ATOMIC(64)

/* --- frames ------------------------------------------------------------------- */

static inline void enter_frame(struct bpf_exec *x, struct bpf_frame *f, struct bpf_reg *r,
			       u32 stack)
{
	u8 *top = x->stack + (size_t)(BPF_MAX_FRAMES - x->depth) * BPF_STACK_SIZE;

	f->fat = 0;
	f->may_goto = BPF_MAX_LOOP_ITERATIONS;
	f->zeroed = stack;
	if (stack)
		memset(top - stack, 0, stack);
	r[10] = (struct bpf_reg){ .v = (u64)top,
				  .base = (u64)top - BPF_STACK_SIZE,
				  .region = &bpf_region_stack };
}

/* --- the loop -------------------------------------------------------------------- */

static const void *const *interp_labels;

/*
 * From @pc on in frame x->depth, of which @stack bytes must be zeroed; @r[1..5]
 * are the arguments. Returns r0.
 * After a fault x->stopped is set and the result meaningless. With x NULL it
 * only publishes its labels.
 */
__attribute__((noinline, noclone))
u64 bpf_interp(struct bpf_exec *x, const struct bpf_ins *pc, struct bpf_reg *r, u32 stack)
{
#define LABEL(name) [OP_##name] = &&name,
#define LABELS4(name)                                                                              \
	[OP_##name##64_K] = &&name##64_K, [OP_##name##64_X] = &&name##64_X,                        \
	[OP_##name##32_K] = &&name##32_K, [OP_##name##32_X] = &&name##32_X,
	static const void *const labels[NR_BPF_OPS] = {
		BPF_ARITH(LABELS4) BPF_COMPARE(LABELS4) BPF_UNARY(LABEL) BPF_MOVSX(LABEL)
		BPF_MEMORY(LABEL) BPF_OTHER(LABEL)
	};
	const struct bpf_ins *code, *seg = pc;
	struct bpf_frame *f;
	s64 left;

	if (!x) {
		interp_labels = labels;
		return 0;
	}
	code = x->prog->exec->code;
	f = &x->frames[x->depth];
	f->ret = NULL;
	enter_frame(x, f, r, stack);
	left = x->left;

#define D (&r[pc->dst])
#define S (&r[pc->src])
#define NEXT                                                                                       \
	do {                                                                                       \
		pc++;                                                                              \
		goto *pc->op;                                                                      \
	} while (0)
#define JUMP(disp)                                                                                 \
	do {                                                                                       \
		s32 disp_ = (disp);                                                                \
                                                                                                   \
		left -= pc - seg + 1;                                                              \
		pc += disp_ + 1;                                                                   \
		seg = pc;                                                                          \
		if (unlikely(left < 0) && disp_ < 0)                                               \
			goto refill;                                                               \
		goto *pc->op;                                                                      \
	} while (0)
/* Before calls out: everything that others may look at. */
#define SYNC                                                                                       \
	do {                                                                                       \
		left -= pc - seg + 1;                                                              \
		seg = pc + 1;                                                                      \
		x->left = left;                                                                    \
		x->insn = (u32)(pc - code);                                                        \
		x->regs = r;                                                                       \
	} while (0)
#define SLOW(call)                                                                                 \
	do {                                                                                       \
		x->left = left - (pc - seg + 1);                                                   \
		x->insn = (u32)(pc - code);                                                        \
		if (unlikely(!(call)))                                                             \
			return 0;                                                                  \
	} while (0)

	goto *pc->op;

	/* --- arithmetic -------------------------------------------------------- */

#define OP4(name, expr64, expr32)                                                                  \
	name##64_K : {                                                                             \
		u64 a = D->v, b = (u64)(s64)pc->imm;                                               \
		set_number(D, expr64);                                                             \
		NEXT;                                                                              \
	}                                                                                          \
	name##64_X : {                                                                             \
		u64 a = D->v, b = S->v;                                                            \
		set_number(D, expr64);                                                             \
		NEXT;                                                                              \
	}                                                                                          \
	OP2_32(name, expr32)
#define OP2_32(name, expr32)                                                                       \
	name##32_K : {                                                                             \
		u32 a = (u32)D->v, b = (u32)pc->imm;                                               \
		(void)a;                                                                           \
		set_number(D, (u32)(expr32));                                                      \
		NEXT;                                                                              \
	}                                                                                          \
	name##32_X : {                                                                             \
		u32 a = (u32)D->v, b = (u32)S->v;                                                  \
		(void)a;                                                                           \
		set_number(D, (u32)(expr32));                                                      \
		NEXT;                                                                              \
	}

	OP4(MUL, a * b, a * b)
	OP4(DIV, div64(a, b), b ? a / b : 0)
	OP4(SDIV, sdiv64(a, b), sdiv32(a, b))
	OP4(MOD, mod64(a, b), b ? a % b : a)
	OP4(SMOD, smod64(a, b), smod32(a, b))
	OP4(OR, a | b, a | b)
	OP4(AND, a & b, a & b)
	OP4(XOR, a ^ b, a ^ b)
	OP4(LSH, a << (b & 63), a << (b & 31))
	OP4(RSH, a >> (b & 63), a >> (b & 31))
	OP4(ARSH, (u64)((s64)a >> (b & 63)), (u32)((s32)a >> (b & 31)))
	OP2_32(ADD, a + b)
	OP2_32(SUB, a - b)
	OP2_32(MOV, b)

	/* pointers stay pointers */
ADD64_K:
	D->v += (u64)(s64)pc->imm;
	NEXT;
ADD64_X: {
	struct bpf_reg *d = D, *s = S;

	if (unlikely(s->region))
		add_pointer(d, s);
	else
		d->v += s->v;
	NEXT;
}
SUB64_K:
	D->v -= (u64)(s64)pc->imm;
	NEXT;
SUB64_X: {
	struct bpf_reg *d = D, *s = S;

	if (unlikely(is_pointer(s)))
		set_number(d, d->v - s->v);
	else
		d->v -= s->v;
	NEXT;
}
MOV64_K:
	set_number(D, (u64)(s64)pc->imm);
	NEXT;
MOV64_X:
	*D = *S;
	NEXT;
CAST_KERN: /* user-space address of the arena -> pointer to it */
	*D = (struct bpf_reg){ .v = (u32)S->v, .region = x->prog->exec->arena };
	NEXT;
CAST_USER:
	set_number(D, bpf_arena_user_address(x->prog, S->v));
	NEXT;

#define UNARY(name, expr)                                                                          \
	name : {                                                                                   \
		u64 a = D->v;                                                                      \
		set_number(D, expr);                                                               \
		NEXT;                                                                              \
	}
	UNARY(NEG64, -a)
	UNARY(NEG32, (u32)-a)
	UNARY(LE16, htole16((u16)a))
	UNARY(LE32, htole32((u32)a))
	UNARY(LE64, htole64(a))
	UNARY(BE16, htobe16((u16)a))
	UNARY(BE32, htobe32((u32)a))
	UNARY(BE64, htobe64(a))
	UNARY(SWAP16, swap_bytes(a, 16))
	UNARY(SWAP32, swap_bytes(a, 32))
	UNARY(SWAP64, swap_bytes(a, 64))

#define EXTEND(name, expr)                                                                         \
	name : {                                                                                   \
		u64 b = S->v;                                                                      \
		set_number(D, expr);                                                               \
		NEXT;                                                                              \
	}
	EXTEND(MOVSX64_8, (u64)(s64)(s8)b)
	EXTEND(MOVSX64_16, (u64)(s64)(s16)b)
	EXTEND(MOVSX64_32, (u64)(s64)(s32)b)
	EXTEND(MOVSX32_8, (u32)(s32)(s8)b)
	EXTEND(MOVSX32_16, (u32)(s32)(s16)b)

LD64:
	set_number(D, (u64)pc[1].op);
	pc++;
	NEXT;
LD_CONST:
	*D = x->prog->exec->consts[pc->imm];
	pc++;
	NEXT;

	/* --- jumps --------------------------------------------------------------- */

#define COMPARE(name, op, sign)                                                                    \
	name##64_K : if ((sign##64)D->v op(sign##64)(s64) pc->imm) JUMP(pc->off);                  \
	NEXT;                                                                                      \
	name##64_X : if ((sign##64)D->v op(sign##64) S->v) JUMP(pc->off);                          \
	NEXT;                                                                                      \
	name##32_K : if ((sign##32)D->v op(sign##32) pc->imm) JUMP(pc->off);                       \
	NEXT;                                                                                      \
	name##32_X : if ((sign##32)D->v op(sign##32) S->v) JUMP(pc->off);                          \
	NEXT;
	COMPARE(JEQ, ==, u)
	COMPARE(JNE, !=, u)
	COMPARE(JSET, &, u)
	COMPARE(JGT, >, u)
	COMPARE(JGE, >=, u)
	COMPARE(JLT, <, u)
	COMPARE(JLE, <=, u)
	COMPARE(JSGT, >, s)
	COMPARE(JSGE, >=, s)
	COMPARE(JSLT, <, s)
	COMPARE(JSLE, <=, s)
JA:
	JUMP(pc->imm);
MAY_GOTO:
	if (!f->may_goto)
		JUMP(pc->off);
	f->may_goto--;
	NEXT;

	/* --- memory ------------------------------------------------------------------ */

#define LOAD(name, bits, type)                                                                     \
	name : {                                                                                   \
		struct bpf_reg *d = D;                                                             \
		const struct bpf_reg *s = S;                                                       \
                                                                                                   \
		if (in_window(s, pc->off, bits / 8, s->rsize)) {                                   \
			set_number(d, (u64)(type)MEM(bits, s->v + (u64)(s64)pc->off));             \
			NEXT;                                                                      \
		}                                                                                  \
		SLOW(bpf_exec_load(x, d, s, pc->off, bits / 8));                                   \
		d->v = (u64)(type)d->v;                                                            \
		NEXT;                                                                              \
	}
	LOAD(LDX_B, 8, u8)
	LOAD(LDX_H, 16, u16)
	LOAD(LDSX_B, 8, s8)
	LOAD(LDSX_H, 16, s16)
	LOAD(LDSX_W, 32, s32)
LDX_W: {
	struct bpf_reg *d = D;
	const struct bpf_reg *s = S;

	/* the slow path is not narrowed: a packet pointer in a context is wider than its field */
	if (in_window(s, pc->off, 4, s->rsize))
		set_number(d, MEM(32, s->v + (u64)(s64)pc->off));
	else
		SLOW(bpf_exec_load(x, d, s, pc->off, 4));
	NEXT;
}
LDX_DW: {
	struct bpf_reg *d = D;
	const struct bpf_reg *s = S;

	if (in_window(s, pc->off, 8, s->rsize)) {
		const struct bpf_region *loads = s->region->loads;

		set_number(d, MEM(64, s->v + (u64)(s64)pc->off));
		d->region = loads;
	} else {
		SLOW(bpf_exec_load(x, d, s, pc->off, 8));
	}
	NEXT;
}

#define STORE(name, bits)                                                                          \
	STX_##name : {                                                                             \
		const struct bpf_reg *d = D, *s = S;                                               \
                                                                                                   \
		if (in_window(d, pc->off, bits / 8, d->wsize))                                     \
			MEM(bits, d->v + (u64)(s64)pc->off) = (u##bits)s->v;                       \
		else                                                                               \
			SLOW(bpf_exec_store(x, d, pc->off, bits / 8, s));                          \
		NEXT;                                                                              \
	}                                                                                          \
	ST_##name : {                                                                              \
		const struct bpf_reg *d = D;                                                       \
                                                                                                   \
		if (in_window(d, pc->off, bits / 8, d->wsize)) {                                   \
			MEM(bits, d->v + (u64)(s64)pc->off) = (u##bits)(s64)pc->imm;               \
		} else {                                                                           \
			struct bpf_reg value = { .v = (u64)(s64)pc->imm };                         \
                                                                                                   \
			SLOW(bpf_exec_store(x, d, pc->off, bits / 8, &value));                     \
		}                                                                                  \
		NEXT;                                                                              \
	}
	STORE(B, 8)
	STORE(H, 16)
	STORE(W, 32)
	STORE(DW, 64)

	/* In the own frame; pc->imm is the slot. */
#define SLOT_BIT (1ULL << pc->imm)
#define STACK_LOAD(name, bits)                                                                     \
	STACK_LDX_##name : set_number(D, MEM(bits, r[10].v + (u64)(s64)pc->off));                  \
	NEXT;                                                                                      \
	STACK_STX_##name : MEM(bits, r[10].v + (u64)(s64)pc->off) = (u##bits)S->v;                 \
	f->fat &= ~SLOT_BIT;                                                                       \
	NEXT;
	STACK_LOAD(B, 8)
	STACK_LOAD(H, 16)
	STACK_LOAD(W, 32)
STACK_LDX_DW:
	if (unlikely(f->fat & SLOT_BIT))
		*D = x->shadow[x->depth * BPF_SLOTS + (u32)pc->imm];
	else
		set_number(D, MEM(64, r[10].v + (u64)(s64)pc->off));
	NEXT;
STACK_STX_DW: {
	const struct bpf_reg *s = S;

	MEM(64, r[10].v + (u64)(s64)pc->off) = s->v;
	if (s->region) {
		f->fat |= SLOT_BIT;
		x->shadow[x->depth * BPF_SLOTS + (u32)pc->imm] = *s;
	} else {
		f->fat &= ~SLOT_BIT;
	}
	NEXT;
}

#define ATOMIC_OP(name, bits)                                                                      \
	name : {                                                                                   \
		const struct bpf_reg *d = D;                                                       \
		void *addr = (void *)(d->v + (u64)(s64)pc->off);                                   \
                                                                                                   \
		if (!in_window(d, pc->off, bits / 8, d->wsize) || (u64)addr % (bits / 8))          \
			SLOW(addr = bpf_exec_atomic(x, d, pc->off, bits / 8));                     \
		atomic##bits(r, pc, addr);                                                         \
		NEXT;                                                                              \
	}
	ATOMIC_OP(ATOMIC_W, 32)
	ATOMIC_OP(ATOMIC_DW, 64)

LD_ABS:
LD_IND:
{
	s64 pos = pc->imm + (s64)(s32)(pc->src == 0xff ? 0 : (u32)S->v);
	u64 value = 0;
	bool there = bpf_exec_load_packet(x, pos, (u32)pc->off, &value);

	set_number(&r[0], value);
	if (there)
		NEXT;
	goto EXIT; /* beyond the packet: as if it had returned 0 */
}

	/* --- calls --------------------------------------------------------------------- */

CALL_LOCAL:
	SYNC;
	if (unlikely(x->depth + 1 >= BPF_MAX_FRAMES)) {
		bpf_exec_too_deep(x);
		return 0;
	}
	x->depth++;
	f++;
	f->ret = pc + 1;
	f->prog = x->prog;
	memcpy(f->saved, &r[6], sizeof(f->saved));
	enter_frame(x, f, r, (u32)pc->off);
	pc += pc->imm + 1;
	seg = pc;
	if (unlikely(left < 0))
		goto refill;
	goto *pc->op;
CALL_HELPER:
	SYNC;
	bpf_helper_call(x, (u32)pc->imm, r);
	goto called;
CALL_KFUNC:
	SYNC;
	bpf_kfunc_call(x, x->prog->exec->kfuncs[pc->imm], r);
called:
	if (unlikely(x->stopped))
		return 0;
	left = x->left;
	if (unlikely(left < 0))
		goto refill_next;
	NEXT;
TAIL_CALL:
	SYNC;
	if (!bpf_exec_tail_call(x, r))
		goto called;
	left = x->left;
	code = x->prog->exec->code;
	pc = seg = code;
	enter_frame(x, f, r, x->prog->subprogs[0].stack);
	goto *pc->op;
EXIT:
	left -= pc - seg + 1;
	x->left = left;
	if (!f->ret)
		return r[0].v;
	pc = seg = f->ret;
	x->prog = f->prog;
	code = x->prog->exec->code;
	memcpy(&r[6], f->saved, sizeof(f->saved));
	x->depth--;
	f--;
	r[10].v += BPF_STACK_SIZE;
	r[10].base += BPF_STACK_SIZE;
	goto *pc->op;
MISSING:
	SYNC;
	bpf_exec_missing(x, pc->imm);
	return 0;

refill_next:
	pc++;
refill:
	x->left = left;
	x->insn = (u32)(pc - code);
	if (bpf_exec_refill(x))
		return 0;
	left = x->left;
	goto *pc->op;
}

const void *const *bpf_interp_labels(void)
{
	bpf_interp(NULL, NULL, NULL, 0);
	return interp_labels;
}
