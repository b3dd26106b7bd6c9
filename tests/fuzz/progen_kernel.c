// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel has for generated programs: objects of their own in lists and trees
 * under a lock, masks that are handed over, timers and work queues, arenas, and the
 * kernel's objects, to look around in.
 *
 * The members of struct state come from PROGEN_STATE. What is at hand stays in r8
 * while functions are called.
 */
#include <stddef.h>

#include "../../kernel/sched.h"
#include "progen_internal.h"

static void state_field(struct gen *g, u32 reg, s32 off)
{
	emit(g, BPF_LD | BPF_IMM | BPF_DW, reg, BPF_PSEUDO_MAP_VALUE, 0, PROGEN_STATE);
	emit(g, 0, 0, 0, 0, off);
}

static void set(struct gen *g, u32 reg, s32 imm)
{
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, imm);
}

static void copy(struct gen *g, u32 dst, u32 src)
{
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

/* r8 is a number again. */
static void done(struct gen *g, struct scope *s)
{
	clobber(s);
	mov_imm(g, s, 0, number(g));
	mov_imm(g, s, 8, number(g));
}

/* --- objects, lists, trees --------------------------------------------------------------- */

static void lock(struct gen *g, struct scope *s, bool on)
{
	state_field(g, 1, PROGEN_STATE_LOCK);
	helper(g, s, on ? BPF_FUNC_spin_lock : BPF_FUNC_spin_unlock);
}

/* r8 = an object; the jump that is taken when there is none. */
static u32 new_object(struct gen *g, struct scope *s, u32 type)
{
	set(g, 1, (s32)type);
	set(g, 2, 0);
	kfunc(g, s, PROGEN_NEW);
	copy(g, 8, 0);
	s->kind[8] = NONE;
	return emit(g, BPF_JMP | BPF_JEQ | BPF_K, 8, 0, 0, 0);
}

static void touch_object(struct gen *g, struct scope *s, u32 reg)
{
	if (chance(g, 50))
		emit(g, BPF_ST | BPF_MEM | BPF_DW, reg, 0, OBJECT_KEY, number(g));
	else
		emit(g, BPF_STX | BPF_MEM | BPF_DW, reg, some_number(g, s), OBJECT_KEY, 0);
	if (chance(g, 30)) {
		emit(g, BPF_LDX | BPF_MEM | BPF_W, 7, reg, OBJECT_KEY, 0);
		s->kind[7] = NUMBER;
	}
}

/* The object whose node is in r8, unless it is NULL. */
static void drop_node(struct gen *g, struct scope *s)
{
	u32 none = emit(g, BPF_JMP | BPF_JEQ | BPF_K, 8, 0, 0, 0);

	emit(g, BPF_LDX | BPF_MEM | BPF_DW, 7, 8, OBJECT_KEY - OBJECT_NODE, 0);
	copy(g, 1, 8);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, -OBJECT_NODE);
	set(g, 2, 0);
	kfunc(g, s, PROGEN_DROP);
	land(g, none);
	mov_imm(g, s, 7, number(g));
}

/* The object in @reg. */
static void drop(struct gen *g, struct scope *s, u32 reg)
{
	copy(g, 1, reg);
	set(g, 2, 0);
	kfunc(g, s, PROGEN_DROP);
}

static void own_object(struct gen *g, struct scope *s)
{
	u32 none = new_object(g, s, chance(g, 50) ? tree_object() : list_object());

	touch_object(g, s, 8);
	mix(g, s);
	drop(g, s, 8);
	land(g, none);
	s->kind[7] = NONE;
	done(g, s);
}

/* A second reference, given back before the first or after it. */
static void shared_object(struct gen *g, struct scope *s)
{
	u32 none = new_object(g, s, tree_object());

	touch_object(g, s, 8);
	copy(g, 1, 8);
	set(g, 2, 0);
	kfunc(g, s, PROGEN_REFERENCE);
	if (chance(g, 50)) {
		copy(g, 7, 0);
		s->kind[7] = NONE;
		drop(g, s, 8);
		copy(g, 8, 7);
	} else {
		drop(g, s, 0);
	}
	touch_object(g, s, 8);
	drop(g, s, 8);
	land(g, none);
	s->kind[7] = NONE;
	done(g, s);
}

static void push(struct gen *g, struct scope *s)
{
	u32 none = new_object(g, s, list_object());

	touch_object(g, s, 8);
	lock(g, s, true);
	state_field(g, 1, PROGEN_STATE_HEAD);
	copy(g, 2, 8);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, OBJECT_NODE);
	set(g, 3, 0);
	set(g, 4, OBJECT_NODE);
	kfunc(g, s, chance(g, 50) ? PROGEN_PUSH_FRONT : PROGEN_PUSH_BACK);
	lock(g, s, false);
	land(g, none);
	s->kind[7] = NONE;
	done(g, s);
}

static void pop(struct gen *g, struct scope *s)
{
	lock(g, s, true);
	state_field(g, 1, PROGEN_STATE_HEAD);
	kfunc(g, s, chance(g, 50) ? PROGEN_POP_FRONT : PROGEN_POP_BACK);
	copy(g, 8, 0);
	s->kind[8] = NONE;
	lock(g, s, false);
	drop_node(g, s);
	done(g, s);
}

static void add(struct gen *g, struct scope *s)
{
	u32 none;

	if (!can_call(g, s))
		return;
	none = new_object(g, s, tree_object());
	touch_object(g, s, 8);
	lock(g, s, true);
	state_field(g, 1, PROGEN_STATE_ROOT);
	copy(g, 2, 8);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, OBJECT_NODE);
	function_reference(g, s, 3, LESS_CALLBACK);
	set(g, 4, 0);
	set(g, 5, OBJECT_NODE);
	kfunc(g, s, PROGEN_ADD);
	lock(g, s, false);
	land(g, none);
	s->kind[7] = NONE;
	done(g, s);
}

/* The first node is looked at, or taken out. */
static void first(struct gen *g, struct scope *s)
{
	bool take = chance(g, 60);
	u32 none, over;

	lock(g, s, true);
	state_field(g, 1, PROGEN_STATE_ROOT);
	kfunc(g, s, PROGEN_FIRST);
	copy(g, 8, 0);
	none = emit(g, BPF_JMP | BPF_JEQ | BPF_K, 8, 0, 0, 0);
	if (take) {
		state_field(g, 1, PROGEN_STATE_ROOT);
		copy(g, 2, 8);
		kfunc(g, s, PROGEN_REMOVE);
		copy(g, 8, 0);
		s->kind[8] = NONE;
	} else {
		emit(g, BPF_LDX | BPF_MEM | BPF_DW, 8, 8, OBJECT_KEY - OBJECT_NODE, 0);
	}
	lock(g, s, false);
	if (take)
		drop_node(g, s);
	over = emit(g, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	land(g, none);
	lock(g, s, false);
	land(g, over);
	mov_imm(g, s, 7, number(g));
	done(g, s);
}

/* Numbers under a lock. */
static void locked(struct gen *g, struct scope *s)
{
	lock(g, s, true);
	mix(g, s);
	state_field(g, 4, 8 * (s32)below(g, PROGEN_STATE_NUMBERS / 8));
	emit(g, BPF_STX | BPF_MEM | BPF_DW, 4, some_number(g, s), 0, 0);
	emit(g, BPF_LDX | BPF_MEM | BPF_W, 7, 4, 0, 0);
	s->kind[7] = NUMBER;
	lock(g, s, false);
	mov_imm(g, s, 0, number(g));
}

/* --- masks ------------------------------------------------------------------------------- */

static void release_mask(struct gen *g, struct scope *s)
{
	u32 none = emit(g, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0, 0);

	copy(g, 1, 0);
	kfunc(g, s, PROGEN_MASK_RELEASE);
	land(g, none);
}

/* Made, filled, and given back or put into the map; what was there is given back. */
static void mask(struct gen *g, struct scope *s)
{
	u32 none;

	if (!g->plain) /* traffic control may not */
		return;
	kfunc(g, s, PROGEN_MASK_NEW);
	copy(g, 8, 0);
	s->kind[8] = NONE;
	none = emit(g, BPF_JMP | BPF_JEQ | BPF_K, 8, 0, 0, 0);
	for (u32 i = below(g, 3); i; i--) {
		set(g, 1, (s32)below(g, 5) - 1);
		copy(g, 2, 8);
		kfunc(g, s, chance(g, 60) ? PROGEN_MASK_SET : PROGEN_MASK_TEST);
	}
	copy(g, 1, 8);
	kfunc(g, s, PROGEN_MASK_FIRST);
	emit(g, BPF_STX | BPF_MEM | BPF_DW, 10, 0, -40, 0);
	s->stack |= 1 << 4;
	if (chance(g, 60)) {
		state_field(g, 1, PROGEN_STATE_MASK);
		copy(g, 2, 8);
		helper(g, s, BPF_FUNC_kptr_xchg);
		release_mask(g, s);
	} else {
		copy(g, 1, 8);
		kfunc(g, s, PROGEN_MASK_RELEASE);
	}
	land(g, none);
	done(g, s);
}

/* --- timers and work queues -------------------------------------------------------------- */

static void timer(struct gen *g, struct scope *s)
{
	u32 how = below(g, 4);

	if (!can_call(g, s))
		return;
	if (how) {
		state_field(g, 1, PROGEN_STATE_TIMER);
		map_fd(g, 2, PROGEN_STATE);
		set(g, 3, chance(g, 90) ? 1 : number(g) & 15);
		helper(g, s, BPF_FUNC_timer_init);
		state_field(g, 1, PROGEN_STATE_TIMER);
		function_reference(g, s, 2, ASYNC_CALLBACK);
		helper(g, s, BPF_FUNC_timer_set_callback);
		state_field(g, 1, PROGEN_STATE_TIMER);
		set(g, 2, (s32)below(g, 5000));
		set(g, 3, (s32)below(g, 4));
		helper(g, s, BPF_FUNC_timer_start);
	}
	if (how < 2) {
		state_field(g, 1, PROGEN_STATE_TIMER);
		helper(g, s, BPF_FUNC_timer_cancel);
	}
}

static void work(struct gen *g, struct scope *s)
{
	if (!can_call(g, s))
		return;
	state_field(g, 1, PROGEN_STATE_WQ);
	map_fd(g, 2, PROGEN_STATE);
	set(g, 3, 0);
	kfunc(g, s, PROGEN_WQ_INIT);
	state_field(g, 1, PROGEN_STATE_WQ);
	function_reference(g, s, 2, ASYNC_CALLBACK);
	set(g, 3, 0);
	set(g, 4, 0);
	kfunc(g, s, PROGEN_WQ_CALLBACK);
	state_field(g, 1, PROGEN_STATE_WQ);
	set(g, 2, 0);
	kfunc(g, s, PROGEN_WQ_START);
	s->kind[0] = NUMBER;
}

/* --- arenas ------------------------------------------------------------------------------ */

#define CAST 1 /* off of a move: between address spaces */
#define TO_KERNEL 1 /* imm of it */
#define TO_USER (1 << 16)

/* @reg may be used as a pointer; what is in it is anything. */
static void to_arena(struct gen *g, u32 reg)
{
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, reg, reg, CAST, TO_KERNEL);
}

static void access_arena(struct gen *g, struct scope *s, u32 base)
{
	static const s32 ops[] = { BPF_ADD, BPF_OR | BPF_FETCH, BPF_XCHG, BPF_ADD | BPF_FETCH };
	u32 bytes, reg = some_number(g, s);
	u8 size = access_size(g, &bytes);
	s32 off = (s32)below(g, 64) * 8 - (chance(g, 20) ? 256 : 0);

	switch (below(g, 7)) {
	case 0:
		emit(g, BPF_ST | BPF_MEM | size, base, 0, off, number(g));
		break;
	case 1:
	case 2:
		emit(g, BPF_STX | BPF_MEM | size, base, reg, off, 0);
		break;
	case 3:
		emit(g, BPF_STX | BPF_ATOMIC | (chance(g, 50) ? BPF_W : BPF_DW), base, reg, off,
		     ops[below(g, 4)]);
		break;
	default:
		emit(g, BPF_LDX | BPF_MEM | size, 7, base, off, 0);
		s->kind[7] = NUMBER;
	}
}

/* A program has an arena by having its map somewhere. */
static void arena(struct gen *g, struct scope *s)
{
	map_fd(g, 3, PROGEN_ARENA);
	s->kind[3] = NONE;
	if (chance(g, 60)) {
		u32 page = below(g, PROGEN_ARENA_PAGES + 1);

		emit(g, BPF_LD | BPF_IMM | BPF_DW, 4, 0, 0, (s32)(page * 4096 + below(g, 4096)));
		emit(g, 0, 0, 0, 0, chance(g, 80) ? (s32)(PROGEN_ARENA_START >> 32) : number(g));
	} else {
		copy(g, 4, some_number(g, s));
		if (chance(g, 80))
			emit(g, BPF_ALU64 | BPF_AND | BPF_K, 4, 0, 0, 0x3fff);
	}
	to_arena(g, 4);
	s->kind[4] = NONE;
	for (u32 i = 1 + below(g, 5); i; i--) {
		if (chance(g, 20))
			emit(g, BPF_ALU64 | (chance(g, 50) ? BPF_ADD : BPF_SUB) | BPF_X, 4,
			     some_number(g, s), 0, 0);
		access_arena(g, s, 4);
	}
	if (chance(g, 30))
		emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 4, 4, CAST, TO_USER);
	s->kind[4] = NUMBER;
	if (chance(g, 50))
		mov_imm(g, s, 4, number(g));
}

static void arena_pages(struct gen *g, struct scope *s)
{
	if (!g->sleepable || s->callback || s->section)
		return;
	map_fd(g, 1, PROGEN_ARENA);
	if (chance(g, 60)) {
		set(g, 2, 0);
		set(g, 3, (s32)below(g, 3));
		set(g, 4, -1);
		set(g, 5, 0);
		kfunc(g, s, PROGEN_ARENA_ALLOC);
		copy(g, 8, 0);
		s->kind[8] = NONE;
		for (u32 i = below(g, 4); i; i--)
			access_arena(g, s, 8);
	} else {
		set(g, 2, (s32)below(g, PROGEN_ARENA_PAGES) * 4096);
		set(g, 3, (s32)below(g, 3));
		kfunc(g, s, PROGEN_ARENA_FREE);
	}
	done(g, s);
}

/* --- the kernel's objects ---------------------------------------------------------------- */

#define FIELD(name) (s32)offsetof(struct task_struct, name)
static const s32 pointers[] = { FIELD(parent), FIELD(real_parent), FIELD(group_leader) };

static void task_field(struct gen *g, struct scope *s, u32 base)
{
	static const struct {
		s32 off;
		u8 size;
	} fields[] = { { FIELD(pid), BPF_W }, { FIELD(tgid), BPF_W }, { FIELD(comm), BPF_B },
		       { FIELD(flags), BPF_W }, { FIELD(prio), BPF_W } };
	u32 i = below(g, sizeof(fields) / sizeof(*fields));
	bool sign = fields[i].size == BPF_W && chance(g, 20);

	emit(g, BPF_LDX | (sign ? BPF_MEMSX : BPF_MEM) | fields[i].size, 7, base, fields[i].off, 0);
	s->kind[7] = NUMBER;
}

/* From the current task, or what is said to be one, to others. */
static void walk(struct gen *g, struct scope *s)
{
	if (chance(g, 50)) {
		helper(g, s, BPF_FUNC_get_current_task_btf);
	} else {
		u32 reg = below(g, 10);

		if (s->kind[reg] == NONE || chance(g, 40)) {
			helper(g, s, BPF_FUNC_get_current_task);
			reg = 0;
		}
		copy(g, 1, reg);
		if (chance(g, 30)) /* nowhere in particular */
			emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 1, some_number(g, s), 0, 0);
		set(g, 2, progen_task_struct);
		kfunc(g, s, PROGEN_CAST);
	}
	s->kind[0] = NONE;
	for (u32 i = below(g, 4); i; i--) {
		if (chance(g, 50))
			task_field(g, s, 0);
		emit(g, BPF_LDX | BPF_MEM | BPF_DW, 0, 0,
		     pointers[below(g, sizeof(pointers) / sizeof(*pointers))], 0);
	}
	task_field(g, s, 0);
	mov_imm(g, s, 0, number(g));
}

/* Somebody whom nobody holds a reference of goes to a kfunc. */
static void doubt(struct gen *g, struct scope *s)
{
	kfunc(g, s, PROGEN_RCU_LOCK);
	helper(g, s, BPF_FUNC_get_current_task_btf);
	emit(g, BPF_LDX | BPF_MEM | BPF_DW, 1, 0, FIELD(parent), 0);
	kfunc(g, s, PROGEN_TASK_CPU);
	copy(g, 8, 0);
	kfunc(g, s, PROGEN_RCU_UNLOCK);
	mov_imm(g, s, 0, number(g));
	s->kind[8] = NUMBER;
}

void kernel_thing(struct gen *g, struct scope *s)
{
	static void (*const kinds[])(struct gen *g, struct scope *s) = {
		own_object, shared_object, push, push, pop, pop, add, add, first, first, locked, mask, timer, work,
		arena, arena, arena, arena_pages, walk, walk, doubt, mask,
	};

	if (s->section || s->kind[8] == CTX)
		return;
	if (g->sleepable && chance(g, 20))
		arena_pages(g, s);
	else
		kinds[below(g, sizeof(kinds) / sizeof(*kinds))](g, s);
}
