// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log by the letter: registers, slots, instructions, source of precision, and
 * what is left of it when a path is taken back.
 */
#include <stdio.h>

#include "verifier_fixture.h"

static const struct bpf_insn two[] = { MOV64_IMM(R0, 0), EXIT };

static void init(struct fixture *f)
{
	fixture_init(f, two, ARRAY_SIZE(two), (const u32[]){ 0 }, 1);
}

static const char *state_text(struct fixture *f, u32 frameno, bool all)
{
	print_verifier_state(&f->env, f->env.cur, frameno, all);
	return fixture_log(f);
}

/* "R1=..." alone */
static void check_reg(struct fixture *f, const struct bpf_reg_state *reg, const char *want)
{
	char line[256];

	reg_mark_not_init(&f->env.cur->frame[0]->regs[R10]);
	f->env.cur->frame[0]->regs[R1] = *reg;
	snprintf(line, sizeof(line), " R1=%s\n", want);
	assert_string_equal(state_text(f, 0, true), line);
}

static void test_scalars(void **state)
{
	struct bpf_reg_state reg;
	struct fixture f;

	init(&f);
	reg_mark_unknown(&reg);
	check_reg(&f, &reg, "scalar()");
	reg.precise = true;
	check_reg(&f, &reg, "Pscalar()");
	reg.id = 7;
	check_reg(&f, &reg, "Pscalar(id=7)");
	reg.id |= BPF_ADD_CONST;
	reg.off = -4;
	check_reg(&f, &reg, "Pscalar(id=7-4)");
	reg_mark_known(&reg, 5);
	check_reg(&f, &reg, "5");
	reg_mark_known(&reg, (u64)-3);
	check_reg(&f, &reg, "-3");
	reg_mark_known(&reg, 0x12345);
	check_reg(&f, &reg, "0x12345");
	/* from tests of the kernel: verifier_bounds.c, verifier_ldsx.c */
	reg_mark_unknown(&reg);
	reg.s.var_off = TNUM(0, 0x1af);
	reg.s.smin_value = 0;
	reg.s.smax_value = reg.s.umax_value = 431;
	reg.s.s32_min_value = 0;
	reg.s.s32_max_value = reg.s.u32_max_value = 431;
	check_reg(&f, &reg,
		  "scalar(smin=smin32=0,smax=umax=smax32=umax32=431,var_off=(0x0; 0x1af))");
	reg_mark_unknown(&reg);
	reg.s.smin_value = reg.s.s32_min_value = -128;
	reg.s.smax_value = reg.s.s32_max_value = 127;
	check_reg(&f, &reg, "scalar(smin=smin32=-128,smax=smax32=127)");
	reg.s.umax_value = 0xffffffffffffff80ULL;
	check_reg(&f, &reg, "scalar(smin=smin32=-128,smax=smax32=127,umax=0xffffffffffffff80)");
	/* negative numbers are not the same as large ones, and not sign extended in hexadecimal */
	reg_mark_unknown(&reg);
	reg.s.smin_value = -2;
	reg.s.umin_value = (u64)-2;
	reg.s.s32_min_value = -100000;
	check_reg(&f, &reg, "scalar(smin=-2,umin=0xfffffffffffffffe,smin32=0xfffe7960)");
	fixture_free(&f);
}

static void test_pointers(void **state)
{
	struct bpf_map map = { .name = "counters", .key_size = 4, .value_size = 8 };
	struct bpf_reg_state reg = { .type = PTR_TO_CTX };
	struct fixture f;

	init(&f);
	reg_mark_known_zero(&reg);
	check_reg(&f, &reg, "ctx()");
	reg.off = 8;
	check_reg(&f, &reg, "ctx(off=8)");
	reg.type = PTR_TO_STACK;
	reg.off = -16;
	check_reg(&f, &reg, "fp-16");
	reg.frameno = 2;
	check_reg(&f, &reg, "fp[2]-16");
	reg_mark_known_zero(&reg);
	reg.type = PTR_TO_MAP_VALUE | PTR_MAYBE_NULL;
	reg.map_ptr = &map;
	reg.id = 3;
	check_reg(&f, &reg, "map_value_or_null(id=3,map=counters,ks=4,vs=8)");
	reg.type = PTR_TO_MAP_VALUE;
	reg.id = 0;
	reg.off = 4;
	scalar_set_unknown(&reg.s);
	reg.s.var_off = TNUM(0, 0xf8);
	reg.s.smin_value = 0;
	reg.s.smax_value = reg.s.umax_value = 248;
	reg.s.s32_min_value = 0;
	reg.s.s32_max_value = reg.s.u32_max_value = 248;
	check_reg(&f, &reg,
		  "map_value(map=counters,ks=4,vs=8,off=4,smin=smin32=0,smax=umax=smax32=umax32=248,var_off=(0x0; 0xf8))");
	memset(&reg, 0, sizeof(reg));
	reg.type = PTR_TO_MEM | MEM_RINGBUF;
	reg.mem_size = 64;
	reg.ref_obj_id = 2;
	check_reg(&f, &reg, "ringbuf_mem(ref_obj_id=2,sz=64)");
	reg = (struct bpf_reg_state){ .type = PTR_TO_PACKET, .range = 14, .off = 2, .id = 1 };
	check_reg(&f, &reg, "pkt(id=1,off=2,r=14)");
	reg = (struct bpf_reg_state){ .type = PTR_TO_ARENA };
	check_reg(&f, &reg, "arena");
	fixture_free(&f);
}

static void test_types(void **state)
{
	static const struct {
		u32 type;
		const char *text;
	} types[] = {
		{ PTR_TO_BTF_ID | PTR_TRUSTED, "trusted_ptr_" },
		{ PTR_TO_BTF_ID | PTR_MAYBE_NULL | MEM_RCU, "rcu_ptr_or_null_" },
		{ PTR_TO_BTF_ID | MEM_PERCPU | PTR_UNTRUSTED, "percpu_untrusted_ptr_" },
		{ PTR_TO_BUF | MEM_RDONLY, "rdonly_buf" },
		{ PTR_TO_SOCK_COMMON | PTR_MAYBE_NULL, "sock_common_or_null" },
		{ CONST_PTR_TO_DYNPTR, "dynptr_ptr" },
	};
	char buf[128];

	for (u32 i = 0; i < ARRAY_SIZE(types); i++)
		assert_string_equal(reg_type_str(NULL, types[i].type, buf), types[i].text);
}

static void fill(struct bpf_stack_state *slot, const char *types)
{
	for (u32 i = 0; i < 8; i++)
		slot->slot_type[i] = types[i] == 'm' ? STACK_MISC : types[i] == '0' ? STACK_ZERO :
				     types[i] == 'r' ? STACK_SPILL : STACK_INVALID;
}

static void test_frames(void **state)
{
	struct bpf_func_state *func;
	struct fixture f;

	init(&f);
	func = f.env.cur->frame[0];
	func->regs[R1].type = PTR_TO_CTX;
	reg_mark_known_zero(&func->regs[R1]);
	assert_string_equal(state_text(&f, 0, true), " R1=ctx() R10=fp0\n");
	func_state_grow(func, 40);
	fill(&func->stack[0], "????mmmm");
	fill(&func->stack[2], "0000rrrr");
	reg_mark_known(&func->stack[2].spilled_ptr, 1);
	fill(&func->stack[3], "rrrrrrrr");
	reg_mark_unknown(&func->stack[3].spilled_ptr);
	func->stack[3].spilled_ptr.id = 2;
	fill(&func->stack[4], "0000mmmm");
	assert_string_equal(state_text(&f, 0, true),
			    " R1=ctx() R10=fp0 fp-8=????mmmm fp-24=00001 fp-32=scalar(id=2) fp-40=0000mmmm\n");
	*state_add_ref(f.env.cur) = (struct bpf_reference_state){ REF_TYPE_PTR, .id = 3 };
	*state_add_ref(f.env.cur) = (struct bpf_reference_state){ REF_TYPE_LOCK, .id = 4 };
	*state_add_ref(f.env.cur) = (struct bpf_reference_state){ REF_TYPE_PTR, .id = 6 };
	push_frame(f.env.cur, 0, 0);
	f.env.cur->curframe = 1;
	f.env.cur->frame[1]->in_callback_fn = true;
	assert_string_equal(state_text(&f, 1, true), " frame1: R10=fp0 refs=3,6 cb\n");
	fixture_free(&f);
}

/* Only what changed, behind the instruction when that was printed last. */
static void test_changes(void **state)
{
	struct fixture f;

	init(&f);
	mark_verifier_state_scratched(&f.env);
	print_insn_state(&f.env, f.env.cur, 0);
	print_insn(&f.env, 0);
	mark_reg_scratched(&f.env, R0);
	log_reg_written(&f.env, R0);
	reg_mark_known(&f.env.cur->frame[0]->regs[R0], 0);
	f.env.insn_idx = 1;
	print_insn_state(&f.env, f.env.cur, 0);
	print_insn(&f.env, 1);
	print_insn_state(&f.env, f.env.cur, 0); /* nothing */
	verbose(&f.env, "something else\n");
	mark_reg_scratched(&f.env, R10);
	print_insn_state(&f.env, f.env.cur, 0);
	assert_string_equal(fixture_log(&f), "0: R10=fp0\n"
					     "0: (b7) r0 = 0                        ; R0_w=0\n"
					     "1: (95) exit\n"
					     "something else\n"
					     "1: R10=fp0\n");
	fixture_free(&f);
}

/* A read counts for every checkpoint since the register was written. */
static void test_accesses(void **state)
{
	struct bpf_verifier_state *old = state_new();
	struct fixture f;

	init(&f);
	state_copy(old, f.env.cur);
	f.env.cur->parent = old;
	old->frame[0]->regs[R0].type = old->frame[0]->regs[R2].type = PTR_TO_CTX;
	reg_mark_known_zero(&old->frame[0]->regs[R0]);
	reg_mark_known_zero(&old->frame[0]->regs[R2]);
	old->frame[0]->written_regs = 1U << R2;
	log_reg_read(&f.env, R2);
	log_reg_written(&f.env, R0);
	log_reg_read(&f.env, R0); /* the new one */
	print_verifier_state(&f.env, old, 0, true);
	assert_string_equal(fixture_log(&f), " R0=ctx() R2_rw=ctx() R10=fp0\n");
	state_free(old);
	fixture_free(&f);
}

/* A path that is taken back leaves nothing, the size that was needed remains. */
static void test_reset(void **state)
{
	struct bpf_log log;
	char text[16];
	u64 pos;
	u32 size;

	assert_int_equal(bpf_log_init(&log, BPF_LOG_LEVEL1, text, sizeof(text)), 0);
	bpf_log(&log, "kept ");
	pos = log.total;
	bpf_log(&log, "dropped");
	bpf_log_reset(&log, pos);
	bpf_log(&log, "new");
	assert_int_equal(bpf_log_finish(&log, &size), 0);
	assert_string_equal(text, "kept new");
	assert_int_equal(size, sizeof("kept dropped"));

	/* the beginning was overwritten before the end was taken back */
	assert_int_equal(bpf_log_init(&log, BPF_LOG_LEVEL1, text, sizeof(text)), 0);
	bpf_log(&log, "0123456789");
	pos = log.total;
	bpf_log(&log, "abcdefghij");
	bpf_log_reset(&log, pos);
	bpf_log(&log, "end");
	assert_int_equal(bpf_log_finish(&log, &size), -ENOSPC);
	assert_string_equal(text, "456789end");
	assert_int_equal(size, 21);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars), cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_types),	cmocka_unit_test(test_frames),
		cmocka_unit_test(test_changes), cmocka_unit_test(test_accesses),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
