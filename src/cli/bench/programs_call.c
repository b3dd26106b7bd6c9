// SPDX-License-Identifier: GPL-2.0-only
/* Calls: of functions of the program, of helpers, of callbacks, of other programs. */
#include "micro.h"

#define CALLS 256
#define ROUNDS 1000
#define TAIL_CALLS 33 /* as many as are allowed */

static u32 write_function(struct program *p)
{
	u32 sites[CALLS];

	alu_imm(p, BPF_MOV, BPF_REG_0, 1);
	for (u32 i = 0; i < CALLS; i++) {
		alu(p, BPF_MOV, BPF_REG_1, BPF_REG_0);
		sites[i] = call_function(p);
	}
	finish(p);
	begin_function(p);
	for (u32 i = 0; i < CALLS; i++)
		set_function(p, sites[i]);
	alu(p, BPF_MOV, BPF_REG_0, BPF_REG_1);
	alu_imm(p, BPF_ADD, BPF_REG_0, 3);
	finish(p);
	return CALLS;
}

/* bpf_loop(): a callback that adds its index to a number on our stack. */
static u32 write_callback(struct program *p)
{
	u32 site;

	store_imm(p, BPF_DW, BPF_REG_10, -8, 0);
	alu_imm(p, BPF_MOV, BPF_REG_1, ROUNDS);
	site = load_function(p, BPF_REG_2);
	alu(p, BPF_MOV, BPF_REG_3, BPF_REG_10);
	alu_imm(p, BPF_ADD, BPF_REG_3, -8);
	alu_imm(p, BPF_MOV, BPF_REG_4, 0);
	call_helper(p, BPF_FUNC_loop);
	load(p, BPF_W, BPF_REG_0, BPF_REG_10, -8);
	finish(p);
	begin_function(p);
	set_function(p, site);
	load(p, BPF_DW, BPF_REG_3, BPF_REG_2, 0);
	alu(p, BPF_ADD, BPF_REG_3, BPF_REG_1);
	store(p, BPF_DW, BPF_REG_2, 0, BPF_REG_3);
	alu_imm(p, BPF_MOV, BPF_REG_0, 0);
	finish(p);
	return ROUNDS;
}

/* The program calls itself until that is too often; the engine puts it into the array. */
static u32 write_tail(struct program *p)
{
	u32 progs = add_map(p, (struct bench_map){ BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1, 0, 0 });

	load_map(p, BPF_REG_2, progs);
	alu_imm(p, BPF_MOV, BPF_REG_3, 0);
	call_helper(p, BPF_FUNC_tail_call);
	alu_imm(p, BPF_MOV, BPF_REG_0, 0);
	finish(p);
	return TAIL_CALLS;
}

static u32 write_helper(struct program *p, s32 id)
{
	for (u32 i = 0; i < CALLS; i++)
		call_helper(p, id);
	alu_imm(p, BPF_MOV, BPF_REG_0, 0);
	finish(p);
	return CALLS;
}

static u32 write_ktime(struct program *p)
{
	return write_helper(p, BPF_FUNC_ktime_get_ns);
}

static u32 write_cpu(struct program *p)
{
	return write_helper(p, BPF_FUNC_get_smp_processor_id);
}

static u32 write_prandom(struct program *p)
{
	return write_helper(p, BPF_FUNC_get_prandom_u32);
}

static const struct micro micros[] = {
	{ "function", "calls of a function of the program", .write = write_function },
	{ "callback", "callbacks of bpf_loop()", .write = write_callback },
	{ "tail", "tail calls", .write = write_tail },
	{ "ktime", "bpf_ktime_get_ns()", .write = write_ktime },
	{ "cpu", "bpf_get_smp_processor_id()", .write = write_cpu },
	{ "prandom", "bpf_get_prandom_u32()", .write = write_prandom },
};

const struct micro_group call_group = {
	"call", "calls", micros, ARRAY_SIZE(micros),
};
