// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that are a few instructions instead: lookups in arrays, the
 * CPU, number iterators, sections. What they do and what they cost in virtual time is what
 * the function does and costs; only the counter is looked at, as after any call.
 */
#include "../../../../kernel/kfuncs.h"
#include "x86.h"

/* --- the CPU --------------------------------------------------------------------- */

static bool load_cpu(struct jit_buffer *b, u32 reg)
{
	u32 nowhere;

	if (!bpf_env->cpu_id)
		return false;
	x86_load_var(b, reg, bpf_env->cpu_id);
	x86_test_rr(b, true, reg, reg);
	nowhere = x86_jcc8_forward(b, CC_E);
	x86_load(b, 4, false, reg, reg, 0);
	x86_land8(b, nowhere);
	return true;
}

/* --- maps ------------------------------------------------------------------------ */

static void scale(struct jit_buffer *b, u32 reg, u32 size)
{
	if (size & (size - 1))
		x86_imul_rri(b, true, reg, reg, (s32)size);
	else if (size > 1)
		x86_shift_ri(b, true, SHIFT_SHL, reg, (u8)__builtin_ctz(size));
}

/* The key is an index, at R2. */
static bool array_lookup(struct x86_jit *j, const struct bpf_jit_call *call)
{
	struct bpf_array_layout layout;
	struct jit_buffer *b = j->b;
	u32 outside, done;

	if (!call->map || !bpf_map_array_layout(call->map, &layout) ||
	    !is_imm32(layout.max_entries) || !is_imm32(layout.elem_size) ||
	    !is_imm32((s64)layout.percpu_stride) || (layout.percpu_stride && !bpf_env->cpu_id))
		return false;
	x86_load(b, 4, false, RAX, RSI, 0);
	x86_alu_ri(b, false, ALU_CMP, RAX, (s32)layout.max_entries);
	outside = x86_jcc8_forward(b, CC_AE);
	scale(b, RAX, layout.elem_size);
	if (layout.percpu_stride) {
		load_cpu(b, X86_T0);
		scale(b, X86_T0, (u32)layout.percpu_stride);
		x86_alu_rr(b, true, ALU_ADD, RAX, X86_T0);
	}
	x86_mov_ri64(b, X86_T0, (u64)layout.base);
	x86_alu_rr(b, true, ALU_ADD, RAX, X86_T0);
	done = x86_jmp8_forward(b);
	x86_land8(b, outside);
	x86_alu_rr(b, false, ALU_XOR, RAX, RAX);
	x86_land8(b, done);
	return true;
}

/* --- iterators ---------------------------------------------------------------------- */

/* struct bpf_iter_num: the number at hand and the end, 4 bytes each */
static void num_next(struct jit_buffer *b)
{
	u32 end, done;

	x86_load(b, 4, false, RAX, RDI, 0);
	x86_alu_ri(b, false, ALU_ADD, RAX, 1);
	x86_alu_rm(b, false, ALU_CMP, RAX, RDI, 4);
	end = x86_jcc8_forward(b, CC_GE);
	x86_store(b, 4, RAX, RDI, 0);
	x86_mov_rr(b, true, RAX, RDI);
	done = x86_jmp8_forward(b);
	x86_land8(b, end);
	x86_store_imm(b, 8, 0, RDI, 0);
	x86_alu_rr(b, false, ALU_XOR, RAX, RAX);
	x86_land8(b, done);
}

static bool kfunc(struct x86_jit *j, const struct bpf_jit_call *call)
{
	if (call->fn == (void *)bpf_iter_num_next)
		num_next(j->b);
	else
		return false;
	return true;
}

/* --- all of them -------------------------------------------------------------------- */

static bool body(struct x86_jit *j, const struct bpf_jit_call *call)
{
	if (call->kind == JIT_CALL_COUNT) {
		x86_alu_mi(j->b, false, ALU_ADD, X86_RUN, (s32)call->counter, call->delta);
		x86_alu_rr(j->b, false, ALU_XOR, RAX, RAX);
		return true;
	}
	if (call->kind != JIT_CALL_DIRECT || call->settle)
		return false;
	if (call->helper == BPF_FUNC_map_lookup_elem)
		return array_lookup(j, call);
	if (call->helper == BPF_FUNC_get_smp_processor_id)
		return load_cpu(j->b, RAX);
	return !call->helper && kfunc(j, call);
}

bool x86_inline_call(struct x86_jit *j, const struct bpf_jit_call *call)
{
	u32 from;

	if (!body(j, call))
		return false;
	x86_owe(j, call->ns);
	x86_alu_ri(j->b, true, ALU_SUB, X86_COUNT, (s32)j->lag.insns);
	j->lag.insns = 0;
	from = x86_jcc32_forward(j->b, CC_S);
	x86_detour(j, from, STUB_REFILL, j->i + 1, j->b->used);
	return true;
}
