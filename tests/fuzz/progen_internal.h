/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the generator share: what it knows of registers on its way, and
 * how it writes and chooses.
 */
#ifndef VRT_TESTS_PROGEN_INTERNAL_H
#define VRT_TESTS_PROGEN_INTERNAL_H

#include "progen.h"

/* What a function is called with. */
enum function {
	PLAIN, /* a number, and a pointer to 8 bytes of the caller's stack */
	LOOP_CALLBACK, /* bpf_loop(): an index, and such a pointer */
	EACH_CALLBACK, /* bpf_for_each_map_elem(): map, key, value, and such a pointer */
	NUMBERS, /* five numbers */
	GLOBAL, /* two numbers: verified by itself */
	ASYNC_CALLBACK, /* of timers and work queues: map, key, value */
	LESS_CALLBACK, /* bpf_rbtree_add(): two nodes */
	EXCEPTION_CALLBACK, /* a number */
};

enum kind { NONE, NUMBER, CTX, VALUE, VALUE_OR_NULL, STACK, PACKET, PACKET_END };

/* What one function knows on its way. */
struct scope {
	enum kind kind[11];
	u32 size[11]; /* of what a VALUE points into */
	u64 stack; /* slots that were written */
	bool callee, light; /* light: a function that has little stack */
	bool callback;
	bool in_callback; /* or called by one */
	u32 depth; /* of blocks in blocks */
	u32 calls; /* how deep the function is */
	bool section; /* RCU, or no preemption: calls of some kinds are not allowed */
};

struct gen {
	struct progen *p;
	struct rng rng;
	u32 budget; /* instructions that may still be written */
	/* references to functions that come later */
	struct {
		u32 at;
		enum function kind;
		u32 depth; /* of calls */
		bool in_callback; /* it is called in one */
	} calls[PROGEN_FUNCS - 1];
	u32 nr_calls, max_calls;
	bool more; /* all that progen_more.c has */
	bool plain; /* PROGEN_PLAIN */
	bool sleepable; /* PROGEN_SLEEPABLE */
};

static inline u32 below(struct gen *g, u32 n)
{
	return (u32)rng_below(&g->rng, n);
}

static inline bool chance(struct gen *g, u32 percent)
{
	return below(g, 100) < percent;
}

static inline u32 emit(struct gen *g, u8 code, u32 dst, u32 src, s32 off, s32 imm)
{
	struct progen *p = g->p;

	if (p->len < PROGEN_MAX_INSNS)
		p->insns[p->len] = (struct bpf_insn){ .code = code, .dst_reg = dst & 15,
						      .src_reg = src & 15, .off = (s16)off,
						      .imm = imm };
	if (g->budget)
		g->budget--;
	return p->len < PROGEN_MAX_INSNS ? p->len++ : p->len - 1;
}

/* The jump at @at goes to where the next instruction will be. */
static inline void land(struct gen *g, u32 at)
{
	g->p->insns[at].off = (s16)(g->p->len - at - 1);
}

static inline void mov(struct gen *g, struct scope *s, u32 dst, u32 src)
{
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
	s->kind[dst] = s->kind[src];
	s->size[dst] = s->size[src];
}

static inline void mov_imm(struct gen *g, struct scope *s, u32 dst, s32 imm)
{
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
	s->kind[dst] = NUMBER;
}

/* A register of that kind, or -1. */
static inline int find(struct gen *g, const struct scope *s, enum kind kind)
{
	u32 from = below(g, 10);

	for (u32 i = 0; i < 10; i++)
		if (s->kind[(from + i) % 10] == kind)
			return (int)((from + i) % 10);
	return -1;
}

static inline s32 number(struct gen *g)
{
	static const s32 edges[] = { 0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 65, 127, 128, 255,
				     256, 0x7fff, 0x8000, 0xffff, 0x7fffffff, -1, -2, -8, -64,
				     (s32)0x80000000, (s32)0x80000001, 0x10000 };

	return chance(g, 75) ? edges[below(g, sizeof(edges) / sizeof(*edges))] :
			       (s32)rng_next(&g->rng);
}

static inline u8 access_size(struct gen *g, u32 *bytes)
{
	static const u8 sizes[] = { BPF_B, BPF_H, BPF_W, BPF_DW };
	u32 i = below(g, 4);

	*bytes = 1u << i;
	return sizes[i];
}

static inline void clobber(struct scope *s)
{
	for (u32 i = 0; i <= 5; i++)
		s->kind[i] = NONE;
}

static inline void fp_minus(struct gen *g, u32 reg, s32 off)
{
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, reg, 10, 0, 0);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, reg, 0, 0, -off);
}

/* What both know. */
static inline void join(struct scope *s, const struct scope *other)
{
	for (u32 i = 0; i < 10; i++)
		if (s->kind[i] != other->kind[i] || s->size[i] != other->size[i])
			s->kind[i] = NONE;
	s->stack &= other->stack;
}

/* --- progen.c ---------------------------------------------------------------------------- */

/* A register with a number; makes one if there is none. */
u32 some_number(struct gen *g, struct scope *s);
/* Something that nobody knows. */
void new_number(struct gen *g, struct scope *s, u32 reg);
/* @n statements. */
void block(struct gen *g, struct scope *s, u32 n);

/* --- progen_more.c ----------------------------------------------------------------------- */

void more(struct gen *g, struct scope *s);
/* Of the call @i of g->calls. */
void more_function(struct gen *g, u32 i);
/* What becomes of bpf_throw(). */
void exception_function(struct gen *g);
void helper(struct gen *g, struct scope *s, s32 id);
void kfunc(struct gen *g, struct scope *s, enum progen_kfunc id);
void map_fd(struct gen *g, u32 reg, u32 map);
bool can_call(const struct gen *g, const struct scope *s);
/* @reg = a function that comes later. */
void function_reference(struct gen *g, struct scope *s, u32 reg, enum function kind);
/* A few operations in a row on numbers. */
void mix(struct gen *g, struct scope *s);

/* --- progen_kernel.c --------------------------------------------------------------------- */

/* Something that the kernel has for programs. */
void kernel_thing(struct gen *g, struct scope *s);

/* --- progen_btf.c ------------------------------------------------------------------------ */

/*
 * Objects of the program's own: {u64 key; bpf_rb_node node; bpf_refcount refs}, and
 * {u64 key; bpf_list_node link}.
 */
enum { OBJECT_KEY, OBJECT_NODE = 8 };
u32 tree_object(void);
u32 list_object(void);

#endif
