// SPDX-License-Identifier: GPL-2.0-only
/*
 * What generated programs have beyond what is verified differently: ways to call
 * and to be called. Functions of numbers down to the last frame, global functions,
 * callbacks of helpers, tail calls, kfuncs, iterators, exceptions; and helpers whose
 * results hang on what has been charged so far.
 */
#include "progen_internal.h"

#define MAX_CALLS 7 /* frames below the main program's */

const char *const progen_kfuncs[PROGEN_KFUNCS] = {
	[PROGEN_ITER_NEW] = "bpf_iter_num_new",
	[PROGEN_ITER_NEXT] = "bpf_iter_num_next",
	[PROGEN_ITER_DESTROY] = "bpf_iter_num_destroy",
	[PROGEN_RCU_LOCK] = "bpf_rcu_read_lock",
	[PROGEN_RCU_UNLOCK] = "bpf_rcu_read_unlock",
	[PROGEN_PREEMPT_DISABLE] = "bpf_preempt_disable",
	[PROGEN_PREEMPT_ENABLE] = "bpf_preempt_enable",
	[PROGEN_THROW] = "bpf_throw",
	[PROGEN_NEW] = "bpf_obj_new_impl",
	[PROGEN_DROP] = "bpf_obj_drop_impl",
	[PROGEN_PUSH_FRONT] = "bpf_list_push_front_impl",
	[PROGEN_PUSH_BACK] = "bpf_list_push_back_impl",
	[PROGEN_POP_FRONT] = "bpf_list_pop_front",
	[PROGEN_POP_BACK] = "bpf_list_pop_back",
	[PROGEN_ADD] = "bpf_rbtree_add_impl",
	[PROGEN_FIRST] = "bpf_rbtree_first",
	[PROGEN_REMOVE] = "bpf_rbtree_remove",
	[PROGEN_CAST] = "bpf_rdonly_cast",
	[PROGEN_ARENA_ALLOC] = "bpf_arena_alloc_pages",
	[PROGEN_ARENA_FREE] = "bpf_arena_free_pages",
	[PROGEN_WQ_INIT] = "bpf_wq_init",
	[PROGEN_WQ_CALLBACK] = "bpf_wq_set_callback_impl",
	[PROGEN_WQ_START] = "bpf_wq_start",
	[PROGEN_MASK_NEW] = "bpf_cpumask_create",
	[PROGEN_MASK_RELEASE] = "bpf_cpumask_release",
	[PROGEN_MASK_SET] = "bpf_cpumask_set_cpu",
	[PROGEN_MASK_TEST] = "bpf_cpumask_test_cpu",
	[PROGEN_MASK_FIRST] = "bpf_cpumask_first",
	[PROGEN_TASK_CPU] = "scx_bpf_task_cpu",
	[PROGEN_REFERENCE] = "bpf_refcount_acquire_impl",
};

void helper(struct gen *g, struct scope *s, s32 id)
{
	emit(g, BPF_JMP | BPF_CALL, 0, 0, 0, id);
	clobber(s);
	s->kind[0] = NUMBER;
}

void kfunc(struct gen *g, struct scope *s, enum progen_kfunc id)
{
	emit(g, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, (s32)id);
	clobber(s);
}

void map_fd(struct gen *g, u32 reg, u32 map)
{
	emit(g, BPF_LD | BPF_IMM | BPF_DW, reg, BPF_PSEUDO_MAP_FD, 0, (s32)map);
	emit(g, 0, 0, 0, 0, 0);
}

/* --- numbers, many of them -------------------------------------------------------------- */

/* Registers that differ, so that it matters which is which. */
static void fill(struct gen *g, struct scope *s)
{
	for (u32 reg = 0; reg < 9; reg++) {
		if (s->kind[reg] != NONE && s->kind[reg] != NUMBER)
			continue;
		if (chance(g, 40)) {
			new_number(g, s, reg);
		} else if (chance(g, 30)) {
			emit(g, BPF_LD | BPF_IMM | BPF_DW, reg, 0, 0, number(g));
			emit(g, 0, 0, 0, 0, number(g));
			s->kind[reg] = NUMBER;
		} else {
			mov_imm(g, s, reg, number(g));
		}
	}
}

/* On two registers, as compilers write them. */
void mix(struct gen *g, struct scope *s)
{
	static const u8 ops[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_OR, BPF_AND, BPF_XOR, BPF_LSH,
				  BPF_RSH, BPF_ARSH, BPF_DIV, BPF_MOD };

	for (u32 i = 2 + below(g, 6); i; i--) {
		u32 dst = some_number(g, s), src = some_number(g, s);
		u8 op = ops[below(g, sizeof(ops))];
		bool division = op == BPF_DIV || op == BPF_MOD;

		emit(g, (chance(g, 50) ? BPF_ALU64 : BPF_ALU) | op | BPF_X, dst, src,
		     division ? (s32)below(g, 2) : 0, 0);
	}
}

static void helpers(struct gen *g, struct scope *s)
{
	static const s32 ids[] = { BPF_FUNC_ktime_get_ns, BPF_FUNC_ktime_get_boot_ns,
				   BPF_FUNC_get_smp_processor_id, BPF_FUNC_jiffies64,
				   BPF_FUNC_get_prandom_u32, BPF_FUNC_get_numa_node_id };

	helper(g, s, ids[below(g, sizeof(ids) / sizeof(*ids))]);
	if (chance(g, 70))
		mov(g, s, 6 + below(g, 3), 0);
}

/* --- maps -------------------------------------------------------------------------------- */

static void key(struct gen *g, struct scope *s)
{
	emit(g, BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, (s32)below(g, PROGEN_ARRAY_ENTRIES + 2));
	s->stack |= 1;
	fp_minus(g, 2, 4);
}

/* A value from the caller's; r0 is 0 or an error. */
static void update_or_delete(struct gen *g, struct scope *s)
{
	int value = find(g, s, VALUE);

	if (value < 0 || s->size[value] < PROGEN_HASH_VALUE)
		return;
	if (chance(g, 60)) {
		emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 3, (u32)value, 0, 0);
		key(g, s);
		map_fd(g, 1, PROGEN_HASH);
		emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, (s32)below(g, 3));
		helper(g, s, BPF_FUNC_map_update_elem);
	} else {
		key(g, s);
		map_fd(g, 1, PROGEN_HASH);
		helper(g, s, BPF_FUNC_map_delete_elem);
	}
}

/* r0 = a value, or the program ends. */
static void percpu(struct gen *g, struct scope *s)
{
	u32 keep = 6 + below(g, 3);

	key(g, s);
	map_fd(g, 1, PROGEN_PERCPU);
	helper(g, s, BPF_FUNC_map_lookup_elem);
	emit(g, BPF_JMP | BPF_JNE | BPF_K, 0, 0, 2, 0);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	emit(g, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	s->kind[0] = VALUE;
	s->size[0] = PROGEN_PERCPU_VALUE;
	if (s->kind[keep] != CTX)
		mov(g, s, keep, 0);
}

/* As a global variable is. */
static void direct_value(struct gen *g, struct scope *s)
{
	u32 reg = below(g, 9), off = below(g, PROGEN_ARRAY_VALUE / 8) * 8;

	if (s->kind[reg] == CTX)
		return;
	emit(g, BPF_LD | BPF_IMM | BPF_DW, reg, BPF_PSEUDO_MAP_VALUE, 0, PROGEN_GLOBALS);
	emit(g, 0, 0, 0, 0, (s32)off);
	s->kind[reg] = VALUE;
	s->size[reg] = PROGEN_ARRAY_VALUE - off;
}

/* --- functions --------------------------------------------------------------------------- */

/* The reference at @at is to a function that comes later. */
static void later(struct gen *g, struct scope *s, u32 at, enum function kind)
{
	g->calls[g->nr_calls].at = at;
	g->calls[g->nr_calls].kind = kind;
	g->calls[g->nr_calls].depth = s->calls + 1;
	g->calls[g->nr_calls].in_callback = s->in_callback;
	g->nr_calls++;
}

bool can_call(const struct gen *g, const struct scope *s)
{
	return g->nr_calls < g->max_calls && s->calls < MAX_CALLS && !s->section;
}

/* f(numbers): nothing of the caller is known to it, and r6 to r9 of the caller stay. */
static void call_numbers(struct gen *g, struct scope *s)
{
	enum function kind = chance(g, 30) && !s->callback ? GLOBAL : NUMBERS;

	if (!can_call(g, s))
		return;
	for (u32 arg = 5; arg; arg--)
		mov(g, s, arg, some_number(g, s));
	later(g, s, emit(g, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0), kind);
	clobber(s);
	s->kind[0] = NUMBER;
}

void function_reference(struct gen *g, struct scope *s, u32 reg, enum function kind)
{
	later(g, s, emit(g, BPF_LD | BPF_IMM | BPF_DW, reg, BPF_PSEUDO_FUNC, 0, 0), kind);
	emit(g, 0, 0, 0, 0, 0);
}

static void callback(struct gen *g, struct scope *s)
{
	bool each = chance(g, 40);

	if (!can_call(g, s) || s->callback)
		return;
	emit(g, BPF_ST | BPF_MEM | BPF_DW, 10, 0, -16, number(g));
	s->stack |= 2;
	fp_minus(g, 3, 16);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, 0);
	if (each) {
		map_fd(g, 1, chance(g, 50) ? PROGEN_HASH : PROGEN_ARRAY);
		function_reference(g, s, 2, EACH_CALLBACK);
		helper(g, s, BPF_FUNC_for_each_map_elem);
	} else {
		emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, (s32)below(g, 9));
		function_reference(g, s, 2, LOOP_CALLBACK);
		helper(g, s, BPF_FUNC_loop);
	}
}

/* Goes on elsewhere, or not. */
static void tail_call(struct gen *g, struct scope *s)
{
	int ctx = find(g, s, CTX);

	if (ctx < 0 || s->callback || s->section || g->plain)
		return;
	if (chance(g, 50)) {
		u32 index = some_number(g, s);

		emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 3, index, 0, 0);
	} else {
		emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, (s32)below(g, PROGEN_PROG_SLOTS + 1));
	}
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 1, (u32)ctx, 0, 0);
	map_fd(g, 2, PROGEN_PROGS);
	helper(g, s, BPF_FUNC_tail_call);
	mov_imm(g, s, 0, number(g));
}

/* --- kfuncs -------------------------------------------------------------------------------- */

/* for (i = from; i < to; i++) with the iterator on the stack, a slot per depth */
static void iterate(struct gen *g, struct scope *s)
{
	s32 slot = 288 + 8 * (s32)s->depth, from = (s32)below(g, 8) - 2;
	struct scope before;
	u32 start, done, back;

	if (s->light || s->depth >= 2)
		return;
	fp_minus(g, 1, slot);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, from);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, from + (s32)below(g, 7));
	kfunc(g, s, PROGEN_ITER_NEW);
	before = *s;
	start = g->p->len;
	fp_minus(g, 1, slot);
	kfunc(g, s, PROGEN_ITER_NEXT);
	done = emit(g, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0, 0);
	emit(g, BPF_LDX | BPF_MEM | BPF_W, 0, 0, 0, 0);
	s->kind[0] = NUMBER;
	s->depth++;
	mix(g, s);
	if (chance(g, 50))
		direct_value(g, s);
	mix(g, s);
	s->depth--;
	back = emit(g, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	g->p->insns[back].off = (s16)((s32)start - (s32)back - 1);
	land(g, done);
	fp_minus(g, 1, slot);
	kfunc(g, s, PROGEN_ITER_DESTROY);
	join(s, &before);
	mov_imm(g, s, 0, number(g));
}

static void section(struct gen *g, struct scope *s)
{
	bool rcu = chance(g, 50);

	if (s->section || s->callback)
		return;
	kfunc(g, s, rcu ? PROGEN_RCU_LOCK : PROGEN_PREEMPT_DISABLE);
	s->section = true;
	mix(g, s);
	if (chance(g, 50))
		helpers(g, s);
	mix(g, s);
	s->section = false;
	kfunc(g, s, rcu ? PROGEN_RCU_UNLOCK : PROGEN_PREEMPT_ENABLE);
	mov_imm(g, s, 0, number(g));
}

/* Only where some comparison says so. */
static void throw(struct gen *g, struct scope *s)
{
	u32 a = some_number(g, s), jump;

	if (s->in_callback || s->section)
		return;
	jump = emit(g, BPF_JMP | BPF_JNE | BPF_K, a, 0, 0, number(g));
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 1, a, 0, 0);
	emit(g, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, PROGEN_THROW);
	if (chance(g, 50)) /* not reached */
		emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	land(g, jump);
}

/* --- others ---------------------------------------------------------------------------------- */

/* The loads of classic BPF: r6 is the context for them. */
static void load_packet(struct gen *g, struct scope *s)
{
	static const u8 sizes[] = { BPF_B, BPF_H, BPF_W };
	int ctx = find(g, s, CTX);
	u8 size = sizes[below(g, 3)];

	if (ctx < 0 || s->callback || s->section || s->callee || g->plain)
		return;
	if (ctx != 6)
		mov(g, s, 6, (u32)ctx);
	if (chance(g, 50)) {
		emit(g, BPF_LD | BPF_ABS | size, 0, 0, 0, (s32)below(g, PROGEN_PACKET + 2));
	} else {
		u32 reg = some_number(g, s);

		emit(g, BPF_ALU64 | BPF_AND | BPF_K, reg, 0, 0, 0x3f);
		emit(g, BPF_LD | BPF_IND | size, 0, reg, 0, (s32)below(g, 3));
	}
	clobber(s);
	s->kind[0] = NUMBER;
}

static void atomic_on_stack(struct gen *g, struct scope *s)
{
	static const s32 ops[] = { BPF_ADD, BPF_XOR, BPF_ADD | BPF_FETCH, BPF_OR | BPF_FETCH,
				   BPF_AND | BPF_FETCH, BPF_XOR | BPF_FETCH, BPF_XCHG,
				   BPF_CMPXCHG };
	u32 src = some_number(g, s), to = some_number(g, s);
	s32 op = ops[below(g, sizeof(ops) / sizeof(*ops))], off = -8 * (1 + (s32)below(g, 4));
	bool wide = chance(g, 50);

	if (op == BPF_CMPXCHG && s->kind[0] != NUMBER)
		return;
	emit(g, BPF_STX | BPF_MEM | BPF_DW, 10, to, off, 0);
	s->stack |= 1ULL << (-off / 8 - 1);
	emit(g, BPF_STX | BPF_ATOMIC | (wide ? BPF_DW : BPF_W), 10, src,
	     off + (wide ? 0 : 4 * (s32)below(g, 2)), op);
	emit(g, BPF_LDX | BPF_MEM | BPF_DW, to, 10, off, 0);
}

static void jump_far(struct gen *g, struct scope *s)
{
	u32 at = emit(g, BPF_JMP32 | BPF_JA, 0, 0, 0, 0), a = some_number(g, s), back;

	/* there, back, and on */
	back = emit(g, BPF_ALU64 | BPF_XOR | BPF_K, a, 0, 0, number(g));
	emit(g, BPF_JMP32 | BPF_JA, 0, 0, 0, 2);
	g->p->insns[at].imm = (s32)(g->p->len - at - 1);
	emit(g, BPF_ALU | BPF_ADD | BPF_K, a, 0, 0, number(g));
	emit(g, BPF_JMP32 | BPF_JA, 0, 0, 0, (s32)back - (s32)g->p->len - 1);
}

static void print(struct gen *g, struct scope *s)
{
	u32 value = some_number(g, s);

	emit(g, BPF_STX | BPF_MEM | BPF_DW, 10, value, -24, 0);
	emit(g, BPF_LDX | BPF_MEM | BPF_DW, 3, 10, -24, 0);
	emit(g, BPF_ST | BPF_MEM | BPF_DW, 10, 0, -32, 0x786c6c25); /* "%llx" */
	fp_minus(g, 1, 32);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 8);
	helper(g, s, BPF_FUNC_trace_printk);
	s->stack |= 12;
}

void more(struct gen *g, struct scope *s)
{
	static void (*const kinds[])(struct gen *g, struct scope *s) = {
		fill, mix, mix, mix, helpers, helpers, update_or_delete, percpu, direct_value,
		direct_value, call_numbers, call_numbers, call_numbers, callback, callback,
		tail_call, iterate, iterate, section, throw, load_packet, atomic_on_stack,
		atomic_on_stack, jump_far, print, kernel_thing, kernel_thing, kernel_thing,
		kernel_thing,
	};

	kinds[below(g, sizeof(kinds) / sizeof(*kinds))](g, s);
}

/* --- what functions are --------------------------------------------------------------------- */

static void enter(struct gen *g, struct scope *s, enum function kind)
{
	u32 bytes, value = 0;
	u8 size = access_size(g, &bytes);

	switch (kind) {
	case PLAIN:
	case LOOP_CALLBACK:
		s->kind[1] = NUMBER;
		emit(g, BPF_LDX | BPF_MEM | size, 7, 2, 0, 0);
		s->kind[7] = NUMBER;
		break;
	case EACH_CALLBACK:
		emit(g, BPF_LDX | BPF_MEM | BPF_W, 1, 2, 0, 0);
		s->kind[1] = NUMBER;
		s->kind[3] = VALUE;
		s->size[3] = PROGEN_HASH_VALUE;
		mov(g, s, 8, 3);
		value = 4;
		break;
	case ASYNC_CALLBACK:
		emit(g, BPF_LDX | BPF_MEM | BPF_W, 1, 2, 0, 0);
		s->kind[1] = NUMBER;
		s->kind[3] = VALUE;
		s->size[3] = PROGEN_STATE_NUMBERS;
		mov(g, s, 8, 3);
		break;
	case LESS_CALLBACK: /* the nodes are inside of the objects */
		emit(g, BPF_LDX | BPF_MEM | BPF_DW, 1, 1, OBJECT_KEY - OBJECT_NODE, 0);
		emit(g, BPF_LDX | BPF_MEM | BPF_DW, 7, 2, OBJECT_KEY - OBJECT_NODE, 0);
		s->kind[1] = s->kind[7] = NUMBER;
		break;
	case EXCEPTION_CALLBACK:
		s->kind[1] = NUMBER;
		break;
	case NUMBERS:
	case GLOBAL:
		for (u32 arg = 1; arg <= (kind == GLOBAL ? 2 : 5); arg++)
			s->kind[arg] = NUMBER;
		break;
	}
	mov(g, s, 6, 1);
	if (kind == LOOP_CALLBACK || kind == EACH_CALLBACK)
		emit(g, BPF_STX | BPF_MEM | BPF_DW, value ? value : 2, 6, 0, 0);
}

static void leave(struct gen *g, struct scope *s, enum function kind)
{
	mov(g, s, 0, some_number(g, s));
	if (kind == LOOP_CALLBACK || kind == EACH_CALLBACK)
		emit(g, BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, chance(g, 30) ? 1 : 0);
	else if (kind == ASYNC_CALLBACK)
		emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	else if (kind == LESS_CALLBACK)
		emit(g, BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, 1);
	else if (kind == GLOBAL || kind == EXCEPTION_CALLBACK) /* an int */
		emit(g, BPF_ALU | BPF_MOV | BPF_X, 0, 0, 0, 0);
	emit(g, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Its code, here. */
static void write_function(struct gen *g, struct scope *s, enum function kind)
{
	struct progen_func *f = &g->p->funcs[g->p->nr_funcs++];

	s->callee = s->light = true;
	s->callback = kind == LOOP_CALLBACK || kind == EACH_CALLBACK || kind == ASYNC_CALLBACK;
	s->in_callback |= s->callback || kind == LESS_CALLBACK;
	f->start = g->p->len;
	f->is = kind == GLOBAL ? PROGEN_GLOBAL :
		kind == EXCEPTION_CALLBACK ? PROGEN_EXCEPTION : PROGEN_STATIC;
	enter(g, s, kind);
	g->budget += 50;
	if (kind == LESS_CALLBACK) {
		/* a lock is held: nothing else may be called */
		mix(g, s);
	} else {
		if (chance(g, 50) && can_call(g, s))
			call_numbers(g, s);
		block(g, s, 1 + below(g, 3));
	}
	leave(g, s, kind);
}

void more_function(struct gen *g, u32 i)
{
	struct scope s = { .calls = g->calls[i].depth, .in_callback = g->calls[i].in_callback };
	u32 at = g->calls[i].at;

	g->p->insns[at].imm = (s32)(g->p->len - at - 1);
	write_function(g, &s, g->calls[i].kind);
}

void exception_function(struct gen *g)
{
	struct scope s = { .calls = 1 };

	write_function(g, &s, EXCEPTION_CALLBACK);
}
