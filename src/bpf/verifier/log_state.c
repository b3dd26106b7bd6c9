// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers, slots and frames as text: "R1=ctx() R10=fp0 fp-8=mmmm????".
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "verifier.h"

#define DYNPTR_NR_SLOTS 2
#define ITER_PREFIX "bpf_iter_"
#define REG_TYPE_STR_SIZE 128

/* --- names ------------------------------------------------------------------------ */

static const char *const reg_type_names[__BPF_REG_TYPE_MAX] = {
	[NOT_INIT] = "?",
	[SCALAR_VALUE] = "scalar",
	[PTR_TO_CTX] = "ctx",
	[CONST_PTR_TO_MAP] = "map_ptr",
	[PTR_TO_MAP_VALUE] = "map_value",
	[PTR_TO_MAP_KEY] = "map_key",
	[PTR_TO_STACK] = "fp",
	[PTR_TO_PACKET_META] = "pkt_meta",
	[PTR_TO_PACKET] = "pkt",
	[PTR_TO_PACKET_END] = "pkt_end",
	[PTR_TO_FLOW_KEYS] = "flow_keys",
	[PTR_TO_SOCKET] = "sock",
	[PTR_TO_SOCK_COMMON] = "sock_common",
	[PTR_TO_TCP_SOCK] = "tcp_sock",
	[PTR_TO_XDP_SOCK] = "xdp_sock",
	[PTR_TO_TP_BUFFER] = "tp_buffer",
	[PTR_TO_BTF_ID] = "ptr_",
	[PTR_TO_MEM] = "mem",
	[PTR_TO_ARENA] = "arena",
	[PTR_TO_BUF] = "buf",
	[PTR_TO_FUNC] = "func",
	[CONST_PTR_TO_DYNPTR] = "dynptr_ptr",
};

const char *reg_type_str(struct bpf_verifier_env *env, u32 type, char *buf)
{
	const char *null = !type_may_be_null(type)		? "" :
			   base_type(type) == PTR_TO_BTF_ID ? "or_null_" :
							      "_or_null";

	(void)env;
	snprintf(buf, REG_TYPE_STR_SIZE, "%s%s%s%s%s%s%s%s%s",
		 type & MEM_RDONLY ? "rdonly_" : "", type & MEM_RINGBUF ? "ringbuf_" : "",
		 type & MEM_USER ? "user_" : "", type & MEM_PERCPU ? "percpu_" : "",
		 type & MEM_RCU ? "rcu_" : "", type & PTR_UNTRUSTED ? "untrusted_" : "",
		 type & PTR_TRUSTED ? "trusted_" : "", reg_type_names[base_type(type)], null);
	return buf;
}

const char *dynptr_type_str(enum bpf_dynptr_type type)
{
	switch (type) {
	case BPF_DYNPTR_LOCAL:
		return "local";
	case BPF_DYNPTR_RINGBUF:
		return "ringbuf";
	case BPF_DYNPTR_SKB:
		return "skb";
	case BPF_DYNPTR_XDP:
		return "xdp";
	case BPF_DYNPTR_INVALID:
		return "<invalid>";
	default:
		return "<unknown>";
	}
}

static const char *type_name(const struct btf *btf, u32 btf_id)
{
	const struct btf_type *t = btf ? btf_type_by_id(btf, btf_id) : NULL;

	return t ? btf_name(btf, t->name_off) : "";
}

const char *iter_type_str(const struct btf *btf, u32 btf_id)
{
	const char *name = type_name(btf, btf_id);

	if (strncmp(name, ITER_PREFIX, strlen(ITER_PREFIX)))
		return "<invalid>";
	return name + strlen(ITER_PREFIX);
}

const char *iter_state_str(enum bpf_iter_state state)
{
	switch (state) {
	case BPF_ITER_STATE_ACTIVE:
		return "active";
	case BPF_ITER_STATE_DRAINED:
		return "drained";
	default:
		return "<invalid>";
	}
}

/* --- numbers ---------------------------------------------------------------------- */

static bool is_unum_decimal(u64 num)
{
	return num <= UINT16_MAX;
}

static bool is_snum_decimal(s64 num)
{
	return num >= INT16_MIN && num <= INT16_MAX;
}

static void verbose_unum(struct bpf_verifier_env *env, u64 num)
{
	verbose(env, is_unum_decimal(num) ? "%llu" : "%#llx", num);
}

static void verbose_snum(struct bpf_verifier_env *env, s64 num)
{
	verbose(env, is_snum_decimal(num) ? "%lld" : "%#llx", num);
}

/* Not sign extended: a negative number of 32 bits in hexadecimal must not look like one of 64. */
static u64 s32_as_printed(s32 num)
{
	return is_snum_decimal(num) ? (u64)(s64)num : (u64)(u32)num;
}

struct bound {
	const char *name;
	u64 value;
	bool omit;
};

static bool is_negative(const struct bound *b)
{
	return b->name[0] == 's' && (s64)b->value < 0;
}

/* "smin=umin=5,smax=...": minima with each other, maxima with each other, when they are equal. */
static void print_scalar_ranges(struct bpf_verifier_env *env, const struct bpf_scalar *s,
				const char **sep)
{
	struct bound bounds[] = {
		{ "smin", (u64)s->smin_value, s->smin_value == INT64_MIN },
		{ "smax", (u64)s->smax_value, s->smax_value == INT64_MAX },
		{ "umin", s->umin_value, s->umin_value == 0 },
		{ "umax", s->umax_value, s->umax_value == UINT64_MAX },
		{ "smin32", s32_as_printed(s->s32_min_value), s->s32_min_value == INT32_MIN },
		{ "smax32", s32_as_printed(s->s32_max_value), s->s32_max_value == INT32_MAX },
		{ "umin32", s->u32_min_value, s->u32_min_value == 0 },
		{ "umax32", s->u32_max_value, s->u32_max_value == UINT32_MAX },
	};
	struct bound *end = bounds + ARRAY_SIZE(bounds), *b, *same;

	for (b = bounds; b < end; b++) {
		if (b->omit)
			continue;
		verbose(env, "%s%s=", *sep, b->name);
		*sep = ",";
		for (same = b + 2; same < end; same += 2) {
			if (same->omit || same->value != b->value ||
			    is_negative(same) != is_negative(b))
				continue;
			same->omit = true;
			verbose(env, "%s=", same->name);
		}
		if (b->name[0] == 's')
			verbose_snum(env, (s64)b->value);
		else
			verbose_unum(env, b->value);
	}
}

static void print_var_off(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			  const char **sep)
{
	const struct bpf_scalar *s = &reg->s;

	if (!tnum_is_const(s->var_off)) {
		print_scalar_ranges(env, s, sep);
		if (!tnum_is_unknown(s->var_off))
			verbose(env, "%svar_off=(0x%llx; 0x%llx)", *sep, s->var_off.value,
				s->var_off.mask);
	} else if (s->var_off.value) {
		verbose(env, "%simm=", *sep);
		verbose_snum(env, (s64)s->var_off.value);
	}
}

/* --- registers -------------------------------------------------------------------- */

static bool is_map_pointer(u32 type)
{
	type = base_type(type);
	return type == CONST_PTR_TO_MAP || type == PTR_TO_MAP_KEY || type == PTR_TO_MAP_VALUE;
}

static bool is_non_owning_ref(u32 type)
{
	return base_type(type) == PTR_TO_BTF_ID && type & MEM_ALLOC && type & NON_OWN_REF;
}

#define verbose_a(fmt, ...)                                                                        \
	({                                                                                         \
		verbose(env, "%s" fmt, sep, ##__VA_ARGS__);                                        \
		sep = ",";                                                                         \
	})

/* What is between the parentheses. */
static void print_reg_attributes(struct bpf_verifier_env *env, const struct bpf_reg_state *reg)
{
	const char *sep = "";
	u32 type = reg->type;

	if (reg->id)
		verbose_a("id=%u", reg->id & ~BPF_ADD_CONST);
	if (reg->id & BPF_ADD_CONST)
		verbose(env, "%+d", reg->off);
	if (reg->ref_obj_id)
		verbose_a("ref_obj_id=%u", reg->ref_obj_id);
	if (is_non_owning_ref(type))
		verbose_a("non_own_ref");
	if (is_map_pointer(type)) {
		if (reg->map_ptr->name[0])
			verbose_a("map=%s", reg->map_ptr->name);
		verbose_a("ks=%u,vs=%u", reg->map_ptr->key_size, reg->map_ptr->value_size);
	}
	if (type != SCALAR_VALUE && reg->off) {
		verbose_a("off=");
		verbose_snum(env, reg->off);
	}
	if (type_is_pkt_pointer(type)) {
		verbose_a("r=");
		verbose_unum(env, (u64)(s64)reg->range);
	}
	if (base_type(type) == PTR_TO_MEM) {
		verbose_a("sz=");
		verbose_unum(env, reg->mem_size);
	}
	if (type == CONST_PTR_TO_DYNPTR)
		verbose_a("type=%s", dynptr_type_str(reg->dynptr.type));
	print_var_off(env, reg, &sep);
}

static void print_reg_state(struct bpf_verifier_env *env, const struct bpf_func_state *func,
			    const struct bpf_reg_state *reg)
{
	char buf[REG_TYPE_STR_SIZE];
	u32 type = reg->type;

	if (type == SCALAR_VALUE && reg->precise)
		verbose(env, "P");
	if (type == SCALAR_VALUE && tnum_is_const(reg->s.var_off)) {
		verbose_snum(env, (s64)reg->s.var_off.value);
		return;
	}
	verbose(env, "%s", reg_type_str(env, type, buf));
	if (type == PTR_TO_ARENA)
		return;
	if (type == PTR_TO_STACK) {
		if (func->frameno != reg->frameno)
			verbose(env, "[%u]", reg->frameno);
		if (tnum_is_const(reg->s.var_off)) {
			verbose_snum(env, (s64)reg->s.var_off.value + reg->off);
			return;
		}
	}
	if (base_type(type) == PTR_TO_BTF_ID)
		verbose(env, "%s", type_name(reg->btf, reg->btf_id));
	verbose(env, "(");
	print_reg_attributes(env, reg);
	verbose(env, ")");
}

void reg_str(struct bpf_verifier_env *env, u32 regno, char *buf, u32 size)
{
	struct bpf_log to_buf, *log = env->log;
	u32 true_size;

	bpf_log_init(&to_buf, BPF_LOG_LEVEL1 | BPF_LOG_FIXED, buf, size);
	env->log = &to_buf;
	env->printing = true;
	print_reg_state(env, cur_func(env), reg_state(env, (int)regno));
	env->printing = false;
	env->log = log;
	bpf_log_finish(&to_buf, &true_size);
}

/* --- frames ----------------------------------------------------------------------- */

static void print_accesses(struct bpf_verifier_env *env, bool read, bool written)
{
	if (read || written)
		verbose(env, "_%s%s", read ? "r" : "", written ? "w" : "");
}

static void print_slot_name(struct bpf_verifier_env *env, const struct bpf_func_state *func,
			    u32 spi)
{
	verbose(env, " fp%d", -(int)(spi + 1) * BPF_REG_SIZE);
	print_accesses(env, func->read_slots >> spi & 1, func->written_slots >> spi & 1);
}

static void print_dynptr(struct bpf_verifier_env *env, const struct bpf_func_state *func, u32 spi)
{
	const struct bpf_reg_state *reg = &func->stack[spi].spilled_ptr;
	const char *sep = "";

	print_slot_name(env, func, spi);
	verbose(env, "=dynptr_%s(", dynptr_type_str(reg->dynptr.type));
	if (reg->id)
		verbose_a("id=%u", reg->id);
	if (reg->ref_obj_id)
		verbose_a("ref_id=%u", reg->ref_obj_id);
	verbose(env, ")");
}

static void print_iter(struct bpf_verifier_env *env, const struct bpf_func_state *func, u32 spi)
{
	const struct bpf_reg_state *reg = &func->stack[spi].spilled_ptr;

	if (!reg->ref_obj_id) /* the reference is in the first slot of an iterator */
		return;
	print_slot_name(env, func, spi);
	verbose(env, "=iter_%s(ref_id=%u,state=%s,depth=%u)",
		iter_type_str(reg->iter.btf, reg->iter.btf_id), reg->ref_obj_id,
		iter_state_str(reg->iter.state), reg->iter.depth);
}

/* A register in the high bytes, whatever is in those below. */
static void print_spill(struct bpf_verifier_env *env, const struct bpf_func_state *func, u32 spi,
			char *types)
{
	u32 j = 0;

	while (j < BPF_REG_SIZE && func->stack[spi].slot_type[j] != STACK_SPILL)
		j++;
	types[j] = '\0';
	print_slot_name(env, func, spi);
	verbose(env, "=%s", types);
	print_reg_state(env, func, &func->stack[spi].spilled_ptr);
}

/* Returns how many slots it was about. */
static u32 print_slot(struct bpf_verifier_env *env, const struct bpf_func_state *func, u32 spi)
{
	static const char letters[] = {
		[STACK_INVALID] = '?', [STACK_SPILL] = 'r',  [STACK_MISC] = 'm',
		[STACK_ZERO] = '0',    [STACK_DYNPTR] = 'd', [STACK_ITER] = 'i',
	};
	const u8 *slot_type = func->stack[spi].slot_type;
	char types[BPF_REG_SIZE + 1] = "";
	bool valid = false;

	for (u32 j = 0; j < BPF_REG_SIZE; j++) {
		types[j] = letters[slot_type[j]];
		valid |= slot_type[j] != STACK_INVALID;
	}
	if (!valid)
		return 1;
	switch (slot_type[BPF_REG_SIZE - 1]) {
	case STACK_SPILL:
		print_spill(env, func, spi, types);
		return 1;
	case STACK_DYNPTR: /* what is known is in the last slot of a dynptr */
		if (spi + 1 < func->allocated_stack / BPF_REG_SIZE)
			print_dynptr(env, func, spi + 1);
		return DYNPTR_NR_SLOTS;
	case STACK_ITER:
		print_iter(env, func, spi);
		return 1;
	default:
		print_slot_name(env, func, spi);
		verbose(env, "=%s", types);
		return 1;
	}
}

static void print_refs(struct bpf_verifier_env *env, const struct bpf_verifier_state *st)
{
	const char *sep = " refs=";

	for (u32 i = 0; i < st->nr_refs; i++)
		if (st->refs[i].type == REF_TYPE_PTR)
			verbose_a("%u", st->refs[i].id);
}

void print_verifier_state(struct bpf_verifier_env *env, const struct bpf_verifier_state *st,
			  u32 frameno, bool print_all)
{
	const struct bpf_func_state *func = st->frame[frameno];
	u32 i;

	if (frameno)
		verbose(env, " frame%u:", frameno);
	for (i = 0; i < MAX_BPF_REG_NR; i++) {
		if (func->regs[i].type == NOT_INIT ||
		    (!print_all && !(env->scratched_regs >> i & 1)))
			continue;
		verbose(env, " R%u", i);
		print_accesses(env, func->read_regs >> i & 1, func->written_regs >> i & 1);
		verbose(env, "=");
		print_reg_state(env, func, &func->regs[i]);
	}
	for (i = 0; i < func->allocated_stack / BPF_REG_SIZE;)
		i += print_all || env->scratched_slots >> i & 1 ? print_slot(env, func, i) : 1;
	print_refs(env, st);
	if (func->in_callback_fn)
		verbose(env, " cb");
	if (func->in_async_callback_fn)
		verbose(env, " async_cb");
	verbose(env, "\n");
	if (!print_all) {
		env->scratched_regs = 0;
		env->scratched_slots = 0;
	}
}
