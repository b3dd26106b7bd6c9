// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of helpers: may this program call it, here; are its arguments what its
 * prototype says; what becomes of references, packets and memory that it
 * writes; what it returns.
 */
#include <errno.h>
#include <string.h>

#include "call_internal.h"

/* A call that is being checked. */
struct helper_call {
	const struct bpf_func_proto *proto;
	const struct bpf_insn *insn;
	u32 id, insn_idx;
	struct bpf_call_arg_meta meta;
	bool changes_packet;
	bool percpu_object; /* bpf_per_cpu_ptr() of an allocated object */
	u32 dynptr_ref; /* bpf_dynptr_data(): the reference that the dynptr owns */
};

static const char *name_of(const struct bpf_verifier_env *env, const struct helper_call *c)
{
	return bpf_helper_name(env->prog, c->id);
}

/* --- may it be called ------------------------------------------------------------------ */

static int find_proto(struct bpf_verifier_env *env, struct helper_call *c)
{
	c->proto = bpf_helper_proto(env->prog, c->id);
	if (!c->id || (!c->proto && c->id >= __BPF_FUNC_MAX_ID)) {
		verbose(env, "invalid func %s#%d\n", name_of(env, c), (int)c->id);
		return -EINVAL;
	}
	if (c->proto && bpf_helper_available(env->prog, c->proto))
		return 0;
	verbose(env, "program of this type cannot use helper %s#%u\n", name_of(env, c), c->id);
	return -EINVAL;
}

static int check_sections(struct bpf_verifier_env *env, const struct helper_call *c)
{
	const char *section = env->cur->active_rcu_lock	     ? "rcu_read_lock" :
			      env->cur->active_preempt_locks ? "non-preemptible" :
							       NULL;

	if (!c->proto->might_sleep)
		return 0;
	if (!in_sleepable(env)) {
		verbose(env, "helper call might sleep in a non-sleepable prog\n");
		return -EINVAL;
	}
	if (!section)
		return 0;
	verbose(env, "sleepable helper %s#%u in %s region\n", name_of(env, c), c->id, section);
	return -EINVAL;
}

static int check_permission(struct bpf_verifier_env *env, struct helper_call *c)
{
	int err = find_proto(env, c);

	if (err)
		return err;
	if (c->proto->gpl_only && !env->prog->gpl_compatible) {
		verbose(env,
			"cannot call GPL-restricted function from non-GPL compatible program\n");
		return -EINVAL;
	}
	if (c->proto->allowed && !c->proto->allowed(env->prog)) {
		verbose(env, "helper call is not allowed in probe\n");
		return -EINVAL;
	}
	return check_sections(env, c);
}

/* --- arguments, together ------------------------------------------------------------------ */

static int check_args(struct bpf_verifier_env *env, struct helper_call *c)
{
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(c->proto->args) && !err; i++)
		err = check_func_arg(env, i, &c->meta, c->proto, c->insn_idx);
	return err;
}

static bool writes_map(u32 id)
{
	return id == BPF_FUNC_map_delete_elem || id == BPF_FUNC_map_update_elem ||
	       id == BPF_FUNC_map_push_elem || id == BPF_FUNC_map_pop_elem;
}

static int check_map_flags(struct bpf_verifier_env *env, const struct helper_call *c)
{
	const struct bpf_map *map = c->meta.map_ptr;

	if (!map || !(map->flags & BPF_F_RDONLY_PROG) || !writes_map(c->id))
		return 0;
	verbose(env, "write into map forbidden\n");
	return -EACCES;
}

/* Memory that need not have been initialised is, from now on. */
static int write_raw_memory(struct bpf_verifier_env *env, const struct helper_call *c)
{
	int err = 0;

	for (s32 i = 0; i < c->meta.access_size && !err; i++)
		err = check_mem_access(env, c->insn_idx, (u32)c->meta.regno, i, BPF_B, BPF_WRITE,
				       -1, false, false);
	return err;
}

/*
 * The kptr field has the reference. In an RCU section per-CPU objects outlive
 * whoever takes them out of it again.
 */
static int release_to_kptr(struct bpf_verifier_env *env, u32 ref_obj_id)
{
	const u32 percpu = MEM_ALLOC | MEM_PERCPU;
	bool in_rcu = in_rcu_cs(env);
	struct bpf_func_state *func;
	struct bpf_reg_state *reg;
	int err = release_reference_nomark(env->cur, ref_obj_id);

	if (err)
		return err;
	bpf_for_each_reg_in_vstate(env->cur, func, reg, {
		if (reg->ref_obj_id == ref_obj_id) {
			if (in_rcu && (reg->type & percpu) == percpu) {
				reg->ref_obj_id = 0;
				reg->type &= ~(u32)MEM_ALLOC;
				reg->type |= MEM_RCU;
			} else {
				reg_mark_unknown(reg);
			}
		}
	});
	return 0;
}

static int release(struct bpf_verifier_env *env, const struct helper_call *c)
{
	u32 regno = c->meta.release_regno;
	const struct bpf_reg_state *reg = reg_state(env, (int)regno);
	int err = -EINVAL;

	if (!regno)
		return 0;
	if (base_type(c->proto->args[regno - BPF_REG_1]) == ARG_PTR_TO_DYNPTR)
		err = unmark_stack_slots_dynptr(env, reg);
	else if (c->id == BPF_FUNC_kptr_xchg && c->meta.ref_obj_id)
		err = release_to_kptr(env, c->meta.ref_obj_id);
	else if (c->meta.ref_obj_id)
		err = release_reference(env, c->meta.ref_obj_id);
	else if (register_is_null(reg))
		err = 0;
	if (err)
		verbose(env, "func %s#%u reference has not been acquired before\n",
			name_of(env, c), c->id);
	return err;
}

/* --- what single helpers ask for ------------------------------------------------------------- */

static int check_tail_call(struct bpf_verifier_env *env, const struct helper_call *c)
{
	return check_resource_leak(env, false, true, "tail_call");
}

static int check_get_local_storage(struct bpf_verifier_env *env, const struct helper_call *c)
{
	if (!register_is_null(reg_state(env, BPF_REG_2))) {
		verbose(env, "get_local_storage() doesn't support non-zero flags\n");
		return -EINVAL;
	}
	return mark_chain_precision(env, BPF_REG_2);
}

static int check_snprintf(struct bpf_verifier_env *env, const struct helper_call *c)
{
	const struct bpf_reg_state *size = reg_state(env, BPF_REG_5);
	u64 bytes = size->s.var_off.value;

	if (bytes % 8)
		return -EINVAL;
	if (bpf_printf_check(reg_const_str(reg_state(env, BPF_REG_3)), (u32)(bytes / 8)) >= 0)
		return 0;
	verbose(env, "Invalid format string\n");
	return -EINVAL;
}

/* Turns are followed until a state is covered, or as many as there are. */
static int check_loop(struct bpf_verifier_env *env, const struct helper_call *c)
{
	int err = 0;

	/* without flags it may be made a loop of the program */
	if (register_is_null(reg_state(env, BPF_REG_4)))
		err = mark_chain_precision(env, BPF_REG_4);
	err = err ?: mark_chain_precision(env, BPF_REG_1);
	if (err)
		return err;
	if (cur_func(env)->callback_depth < reg_state(env, BPF_REG_1)->s.umax_value)
		return push_callback_call(env, c->insn, c->insn_idx, c->meta.subprogno,
					  set_loop_callback_state);
	cur_func(env)->callback_depth = 0;
	if (env->log->level & BPF_LOG_LEVEL2)
		verbose(env, "frame%u bpf_loop iteration limit reached\n", env->cur->curframe);
	return 0;
}

static int check_dynptr_from_mem(struct bpf_verifier_env *env, const struct helper_call *c)
{
	u32 type = reg_state(env, BPF_REG_1)->type;
	char buf[128];

	if (type == PTR_TO_MAP_VALUE)
		return 0;
	verbose(env, "Unsupported reg type %s for bpf_dynptr_from_mem data\n",
		reg_type_str(env, type, buf));
	return -EACCES;
}

static int check_set_retval(struct bpf_verifier_env *env, const struct helper_call *c)
{
	const struct bpf_prog *prog = env->prog;

	if (prog->type != BPF_PROG_TYPE_LSM || !prog->attach_func_proto ||
	    prog->attach_func_proto->type)
		return 0;
	verbose(env, "BPF_LSM_CGROUP that attach to void LSM hooks can't modify return value!\n");
	return -EINVAL;
}

static const struct bpf_reg_state *dynptr_arg(struct bpf_verifier_env *env,
					      const struct helper_call *c)
{
	u32 i = 0;

	while (base_type(c->proto->args[i]) != ARG_PTR_TO_DYNPTR)
		i++;
	return dynptr_of(env, reg_state(env, (int)i + BPF_REG_1));
}

static int check_get_func_ip(struct bpf_verifier_env *env, const struct helper_call *c)
{
	const struct bpf_prog *prog = env->prog;

	if (prog->type == BPF_PROG_TYPE_KPROBE ||
	    (prog->type == BPF_PROG_TYPE_TRACING && bpf_prog_has_trampoline(prog)))
		return 0;
	if (prog->type == BPF_PROG_TYPE_TRACING)
		verbose(env, "func %s#%u supported only for fentry/fexit/fmod_ret programs\n",
			name_of(env, c), c->id);
	else
		verbose(env, "func %s#%u not supported for program type %d\n", name_of(env, c),
			c->id, prog->type);
	return -ENOTSUPP;
}

static int push_callback(struct bpf_verifier_env *env, const struct helper_call *c,
			 set_callee_state_fn set_state)
{
	return push_callback_call(env, c->insn, c->insn_idx, c->meta.subprogno, set_state);
}

static int check_special(struct bpf_verifier_env *env, struct helper_call *c)
{
	const struct bpf_reg_state *reg;

	switch (c->id) {
	case BPF_FUNC_tail_call:
		return check_tail_call(env, c);
	case BPF_FUNC_get_local_storage:
		return check_get_local_storage(env, c);
	case BPF_FUNC_for_each_map_elem:
		return push_callback(env, c, set_map_elem_callback_state);
	case BPF_FUNC_timer_set_callback:
		return push_callback(env, c, set_timer_callback_state);
	case BPF_FUNC_find_vma:
		return push_callback(env, c, set_find_vma_callback_state);
	case BPF_FUNC_user_ringbuf_drain:
		return push_callback(env, c, set_user_ringbuf_callback_state);
	case BPF_FUNC_snprintf:
		return check_snprintf(env, c);
	case BPF_FUNC_loop:
		return check_loop(env, c);
	case BPF_FUNC_dynptr_from_mem:
		return check_dynptr_from_mem(env, c);
	case BPF_FUNC_set_retval:
		return check_set_retval(env, c);
	case BPF_FUNC_get_func_ip:
		return check_get_func_ip(env, c);
	case BPF_FUNC_dynptr_data:
		reg = dynptr_arg(env, c);
		c->meta.dynptr_id = reg->id;
		c->dynptr_ref = reg->ref_obj_id;
		return 0;
	case BPF_FUNC_dynptr_write: /* into a packet: it may move */
		c->changes_packet = dynptr_arg(env, c)->dynptr.type == BPF_DYNPTR_SKB;
		return 0;
	case BPF_FUNC_per_cpu_ptr:
	case BPF_FUNC_this_cpu_ptr:
		c->percpu_object = reg_state(env, BPF_REG_1)->type & MEM_RCU;
		return 0;
	default:
		return 0;
	}
}

/* --- results ------------------------------------------------------------------------------------ */

static void return_pointer(struct bpf_reg_state *r0, u32 type)
{
	r0->type = type;
	reg_mark_known_zero(r0);
}

static void return_map_value(struct bpf_verifier_env *env, const struct helper_call *c,
			     struct bpf_reg_state *r0)
{
	u32 flags = c->proto->ret_flags;

	VRT_ASSERT(c->meta.map_ptr);
	if (c->meta.key_found)
		flags &= ~(u32)PTR_MAYBE_NULL;
	return_pointer(r0, PTR_TO_MAP_VALUE | flags);
	r0->map_ptr = c->meta.map_ptr;
	r0->map_uid = c->meta.map_uid;
	/* tells values with locks apart */
	if (!type_may_be_null(r0->type) && record_has(c->meta.map_ptr->record, BPF_SPIN_LOCK))
		r0->id = ++env->id_gen;
}

static void return_mem(const struct helper_call *c, struct bpf_reg_state *r0, u32 flags)
{
	return_pointer(r0, PTR_TO_MEM | c->proto->ret_flags | flags);
	r0->mem_size = c->meta.mem_size;
}

static int return_percpu(struct bpf_verifier_env *env, const struct helper_call *c,
			 struct bpf_reg_state *r0)
{
	struct btf *btf = c->meta.ret_btf;
	u32 flags = c->proto->ret_flags, id, size;
	const struct btf_type *t = btf_type_skip_modifiers(btf, c->meta.ret_btf_id, &id);

	if (!btf_is_struct(t)) {
		size = btf_type_size(btf, id);
		if (!size) {
			verbose(env, "unable to resolve the size of type '%s': %d\n",
				type_name(btf, id), -EINVAL);
			return -EINVAL;
		}
		return_pointer(r0, PTR_TO_MEM | flags);
		r0->mem_size = size;
		return 0;
	}
	if (c->percpu_object)
		return_pointer(r0, PTR_TO_BTF_ID | MEM_ALLOC | MEM_RCU);
	else
		return_pointer(r0, PTR_TO_BTF_ID | (flags & ~(u32)MEM_RDONLY));
	r0->btf = btf;
	r0->btf_id = c->meta.ret_btf_id;
	return 0;
}

static void return_kptr(const struct helper_call *c, struct bpf_reg_state *r0)
{
	const struct btf_field *field = c->meta.kptr_field;
	u32 type = PTR_TO_BTF_ID | c->proto->ret_flags;

	if (!field->kptr_btf->kernel)
		type |= MEM_ALLOC | (field->type == BPF_KPTR_PERCPU ? MEM_PERCPU : 0);
	return_pointer(r0, type);
	r0->btf = field->kptr_btf;
	r0->btf_id = field->kptr_btf_id;
}

static int return_object(struct bpf_verifier_env *env, const struct helper_call *c,
			 struct bpf_reg_state *r0)
{
	const char *name = c->proto->ret_btf ? c->proto->ret_btf : c->proto->btf;
	s32 id = btf_find_by_name_kind(bpf_kernel_btf(), name, BTF_KIND_STRUCT);

	if (id <= 0) {
		verbose(env, "func %s#%u returns a struct %s, which this kernel does not have\n",
			name_of(env, c), c->id, name);
		return -EINVAL;
	}
	return_pointer(r0, PTR_TO_BTF_ID | c->proto->ret_flags);
	r0->btf = bpf_kernel_btf();
	r0->btf_id = (u32)id;
	return 0;
}

static int set_result(struct bpf_verifier_env *env, const struct helper_call *c)
{
	struct bpf_reg_state *r0 = reg_state(env, BPF_REG_0);
	u32 flags = c->proto->ret_flags;

	switch (c->proto->ret) {
	case RET_INTEGER:
		reg_mark_unknown(r0);
		return 0;
	case RET_VOID:
		reg_mark_not_init(r0);
		return 0;
	case RET_PTR_TO_MAP_VALUE:
		return_map_value(env, c, r0);
		return 0;
	case RET_PTR_TO_RINGBUF_MEM:
		return_mem(c, r0, MEM_RINGBUF);
		return 0;
	case RET_PTR_TO_DYNPTR_MEM:
		return_mem(c, r0, 0);
		r0->dynptr_id = c->meta.dynptr_id;
		r0->ref_obj_id = c->dynptr_ref;
		return 0;
	case RET_PTR_TO_BTF_ID:
		return return_object(env, c, r0);
	case RET_PTR_TO_MEM_OR_BTF_ID:
		return return_percpu(env, c, r0);
	case RET_PTR_TO_KPTR:
		return_kptr(c, r0);
		return 0;
	case RET_PTR_TO_SOCKET:
		return_pointer(r0, PTR_TO_SOCKET | flags);
		return 0;
	case RET_PTR_TO_SOCK_COMMON:
		return_pointer(r0, PTR_TO_SOCK_COMMON | flags);
		return 0;
	case RET_PTR_TO_TCP_SOCK:
		return_pointer(r0, PTR_TO_TCP_SOCK | flags);
		return 0;
	}
	return -EFAULT;
}

static bool acquires(const struct helper_call *c)
{
	const struct bpf_map *map = c->meta.map_ptr;

	switch (c->id) {
	case BPF_FUNC_sk_lookup_tcp:
	case BPF_FUNC_sk_lookup_udp:
	case BPF_FUNC_skc_lookup_tcp:
	case BPF_FUNC_ringbuf_reserve:
	case BPF_FUNC_kptr_xchg:
		return true;
	case BPF_FUNC_map_lookup_elem:
		return map->type == BPF_MAP_TYPE_SOCKMAP || map->type == BPF_MAP_TYPE_SOCKHASH;
	default:
		return false;
	}
}

/* The result is the argument, as something else. */
static bool casts(u32 id)
{
	switch (id) {
	case BPF_FUNC_tcp_sock:
	case BPF_FUNC_sk_fullsock:
	case BPF_FUNC_skc_to_tcp_sock:
	case BPF_FUNC_skc_to_tcp6_sock:
	case BPF_FUNC_skc_to_udp6_sock:
	case BPF_FUNC_skc_to_mptcp_sock:
	case BPF_FUNC_skc_to_tcp_timewait_sock:
	case BPF_FUNC_skc_to_tcp_request_sock:
		return true;
	default:
		return false;
	}
}

static void set_reference(struct bpf_verifier_env *env, const struct helper_call *c)
{
	struct bpf_reg_state *r0 = reg_state(env, BPF_REG_0);

	if (casts(c->id))
		r0->ref_obj_id = c->meta.ref_obj_id;
	else if (acquires(c))
		r0->id = r0->ref_obj_id = acquire_reference(env, c->insn_idx);
}

static void set_signed_range(struct bpf_reg_state *r0, s64 min, s64 max)
{
	r0->s.smin_value = min;
	r0->s.smax_value = max;
	r0->s.s32_min_value = (s32)min;
	r0->s.s32_max_value = (s32)max;
	scalar_sync(&r0->s);
}

static void refine_result(struct bpf_verifier_env *env, const struct helper_call *c)
{
	struct bpf_reg_state *r0 = reg_state(env, BPF_REG_0);

	switch (c->id) {
	case BPF_FUNC_get_stack:
	case BPF_FUNC_get_task_stack:
	case BPF_FUNC_probe_read_str:
	case BPF_FUNC_probe_read_kernel_str:
	case BPF_FUNC_probe_read_user_str:
		set_signed_range(r0, -MAX_ERRNO, (s64)c->meta.msize_max_value);
		break;
	case BPF_FUNC_get_smp_processor_id:
		r0->s.umin_value = r0->s.u32_min_value = 0;
		r0->s.umax_value = r0->s.u32_max_value = bpf_env->nr_cpus - 1;
		set_signed_range(r0, 0, bpf_env->nr_cpus - 1);
		break;
	default:
		break;
	}
}

/* --- the call ------------------------------------------------------------------------------------- */

static int check_before(struct bpf_verifier_env *env, struct helper_call *c)
{
	return check_permission(env, c) ?: check_args(env, c) ?: check_map_flags(env, c) ?:
	       write_raw_memory(env, c) ?: release(env, c) ?: check_special(env, c);
}

int check_helper_call(struct bpf_verifier_env *env, const struct bpf_insn *insn, u32 *insn_idx)
{
	struct helper_call c = { .insn = insn, .id = (u32)insn->imm, .insn_idx = *insn_idx };
	int err;

	c.meta.func_id = c.id;
	c.proto = bpf_helper_proto(env->prog, c.id);
	c.meta.pkt_access = c.proto && c.proto->pkt_access;
	c.changes_packet = c.proto && c.proto->changes_packet;
	facts_of_helper(env, c.insn_idx, c.proto);
	err = check_before(env, &c);
	if (err)
		return err;
	clear_caller_saved_regs(env, cur_regs(env));
	err = set_result(env, &c);
	if (err)
		return err;
	if (type_may_be_null(reg_state(env, BPF_REG_0)->type))
		reg_state(env, BPF_REG_0)->id = ++env->id_gen;
	set_reference(env, &c);
	refine_result(env, &c);
	err = check_map_func_compatibility(env, c.meta.map_ptr, c.id);
	if (!err && c.changes_packet)
		clear_all_pkt_pointers(env);
	return err;
}
