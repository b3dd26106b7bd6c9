// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps: OPS operations on keys all over a map of 1,024 elements, values of 64
 * bytes, as schedulers keep them per task or CPU.
 */
#include "micro.h"

#define OPS 256
#define ELEMENTS 1024
#define VALUE_SIZE 64
#define KEY (-8) /* on the stack */
#define VALUE (KEY - VALUE_SIZE)
#define RING_SIZE (1U << 20)
#define RECORD_SIZE 8

static struct bench_map of_type(enum bpf_map_type type)
{
	return (struct bench_map){ type, 4, VALUE_SIZE, ELEMENTS, 0, ELEMENTS };
}

/* Keys in no order, the same in every run. */
static s32 key_at(u32 i)
{
	return (s32)((i * 619 + 37) % ELEMENTS);
}

static void set_key(struct program *p, u32 map, s32 key)
{
	store_imm(p, BPF_W, BPF_REG_10, KEY, key);
	load_map(p, BPF_REG_1, map);
	alu(p, BPF_MOV, BPF_REG_2, BPF_REG_10);
	alu_imm(p, BPF_ADD, BPF_REG_2, KEY);
}

/* The sum of what is found. */
static u32 write_lookup(struct program *p, struct bench_map kind)
{
	u32 map = add_map(p, kind);

	alu_imm(p, BPF_MOV, BPF_REG_6, 0);
	for (u32 i = 0; i < OPS; i++) {
		set_key(p, map, key_at(i));
		call_helper(p, BPF_FUNC_map_lookup_elem);
		jump_if_imm(p, BPF_JEQ, BPF_REG_0, 0, 2);
		load(p, BPF_DW, BPF_REG_1, BPF_REG_0, 0);
		alu(p, BPF_ADD, BPF_REG_6, BPF_REG_1);
	}
	alu(p, BPF_MOV, BPF_REG_0, BPF_REG_6);
	finish(p);
	return OPS;
}

/* The value is on the stack; what the helper returns is added to R6. */
static void update(struct program *p, u32 map, s32 key, s32 flags)
{
	set_key(p, map, key);
	alu(p, BPF_MOV, BPF_REG_3, BPF_REG_10);
	alu_imm(p, BPF_ADD, BPF_REG_3, VALUE);
	alu_imm(p, BPF_MOV, BPF_REG_4, flags);
	call_helper(p, BPF_FUNC_map_update_elem);
	alu(p, BPF_ADD, BPF_REG_6, BPF_REG_0);
}

/* The sum of what the updates return, which is 0. */
static u32 write_update(struct program *p, struct bench_map kind)
{
	u32 map = add_map(p, kind);

	for (s16 off = VALUE; off < 0; off += 8)
		store_imm(p, BPF_DW, BPF_REG_10, off, 1);
	alu_imm(p, BPF_MOV, BPF_REG_6, 0);
	for (u32 i = 0; i < OPS; i++)
		update(p, map, key_at(i), BPF_ANY);
	alu(p, BPF_MOV, BPF_REG_0, BPF_REG_6);
	finish(p);
	return OPS;
}

static u32 write_array_lookup(struct program *p)
{
	return write_lookup(p, of_type(BPF_MAP_TYPE_ARRAY));
}

static u32 write_array_update(struct program *p)
{
	return write_update(p, of_type(BPF_MAP_TYPE_ARRAY));
}

static u32 write_percpu_lookup(struct program *p)
{
	struct bench_map kind = of_type(BPF_MAP_TYPE_PERCPU_ARRAY);

	/* its values are there, of zeros */
	kind.nr_keys = 0;
	return write_lookup(p, kind);
}

static u32 write_hash_lookup(struct program *p)
{
	return write_lookup(p, of_type(BPF_MAP_TYPE_HASH));
}

static u32 write_hash_update(struct program *p)
{
	return write_update(p, of_type(BPF_MAP_TYPE_HASH));
}

static u32 write_hash_insert(struct program *p)
{
	struct bench_map kind = of_type(BPF_MAP_TYPE_HASH);
	u32 map;

	kind.nr_keys = 0;
	map = add_map(p, kind);
	for (s16 off = VALUE; off < 0; off += 8)
		store_imm(p, BPF_DW, BPF_REG_10, off, 1);
	alu_imm(p, BPF_MOV, BPF_REG_6, 0);
	for (u32 i = 0; i < OPS; i++) {
		update(p, map, key_at(i), BPF_NOEXIST);
		set_key(p, map, key_at(i));
		call_helper(p, BPF_FUNC_map_delete_elem);
		alu(p, BPF_ADD, BPF_REG_6, BPF_REG_0);
	}
	alu(p, BPF_MOV, BPF_REG_0, BPF_REG_6);
	finish(p);
	return OPS;
}

static u32 write_lru_lookup(struct program *p)
{
	return write_lookup(p, of_type(BPF_MAP_TYPE_LRU_HASH));
}

static u32 write_lru_update(struct program *p)
{
	return write_update(p, of_type(BPF_MAP_TYPE_LRU_HASH));
}

/* The key's first four bytes are the length of its prefix, here of 32 bits. */
static u32 write_lpm_lookup(struct program *p)
{
	u32 map = add_map(p, (struct bench_map){ BPF_MAP_TYPE_LPM_TRIE, 8, VALUE_SIZE, ELEMENTS,
						 BPF_F_NO_PREALLOC, ELEMENTS });

	alu_imm(p, BPF_MOV, BPF_REG_6, 0);
	for (u32 i = 0; i < OPS; i++) {
		store_imm(p, BPF_W, BPF_REG_10, KEY, 32);
		store_imm(p, BPF_W, BPF_REG_10, KEY + 4, key_at(i));
		load_map(p, BPF_REG_1, map);
		alu(p, BPF_MOV, BPF_REG_2, BPF_REG_10);
		alu_imm(p, BPF_ADD, BPF_REG_2, KEY);
		call_helper(p, BPF_FUNC_map_lookup_elem);
		jump_if_imm(p, BPF_JEQ, BPF_REG_0, 0, 2);
		load(p, BPF_DW, BPF_REG_1, BPF_REG_0, 0);
		alu(p, BPF_ADD, BPF_REG_6, BPF_REG_1);
	}
	alu(p, BPF_MOV, BPF_REG_0, BPF_REG_6);
	finish(p);
	return OPS;
}

/* Returns how many records found no room: none, if the engine empties the buffer in time. */
static u32 write_ringbuf(struct program *p)
{
	u32 ring = add_map(p, (struct bench_map){ BPF_MAP_TYPE_RINGBUF, 0, 0, RING_SIZE, 0, 0 });

	alu_imm(p, BPF_MOV, BPF_REG_6, 0);
	for (u32 i = 0; i < OPS; i++) {
		load_map(p, BPF_REG_1, ring);
		alu_imm(p, BPF_MOV, BPF_REG_2, RECORD_SIZE);
		alu_imm(p, BPF_MOV, BPF_REG_3, 0);
		call_helper(p, BPF_FUNC_ringbuf_reserve);
		jump_if_imm(p, BPF_JNE, BPF_REG_0, 0, 2);
		alu_imm(p, BPF_ADD, BPF_REG_6, 1);
		jump(p, 4);
		store_imm(p, BPF_DW, BPF_REG_0, 0, (s32)i);
		alu(p, BPF_MOV, BPF_REG_1, BPF_REG_0);
		alu_imm(p, BPF_MOV, BPF_REG_2, BPF_RB_NO_WAKEUP);
		call_helper(p, BPF_FUNC_ringbuf_submit);
	}
	alu(p, BPF_MOV, BPF_REG_0, BPF_REG_6);
	finish(p);
	return OPS;
}

static const struct micro micros[] = {
	{ "array-lookup", "lookups in an array", .write = write_array_lookup },
	{ "array-update", "updates of an array", .write = write_array_update },
	{ "percpu-lookup", "lookups in an array per CPU", .write = write_percpu_lookup },
	{ "hash-lookup", "lookups in a hash", .write = write_hash_lookup },
	{ "hash-update", "updates of what is in a hash", .write = write_hash_update },
	{ "hash-insert", "insertions into a hash, and deletions", .write = write_hash_insert },
	{ "lru-lookup", "lookups in an LRU hash", .write = write_lru_lookup },
	{ "lru-update", "updates of what is in an LRU hash", .write = write_lru_update },
	{ "lpm-lookup", "lookups of 32 bits in a trie of prefixes", .write = write_lpm_lookup },
	/* a header of 8 bytes with every record */
	{ "ringbuf", "records reserved in a ring buffer and submitted", .write = write_ringbuf,
	  .max_repeat = RING_SIZE / (OPS * (RECORD_SIZE + 8)) - 1 },
};

const struct micro_group map_group = {
	"map", "maps", micros, ARRAY_SIZE(micros),
};
