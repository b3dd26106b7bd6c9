// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loop over instructions and paths. One path is followed until it ends or
 * turns out to be covered by one that was followed before; where it forks, the
 * other branch waits on a stack. The program is safe when the stack is empty.
 *
 * The main program is followed from its start, then each global function that
 * was called, for any arguments that its prototype allows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../base/alloc.h"
#include "../btf/internal.h"
#include "verifier.h"

struct bpf_verifier_stack_elem {
	struct bpf_verifier_state st;
	struct bpf_verifier_stack_elem *next;
	u32 insn_idx, prev_insn_idx;
	u64 log_pos;
};

/* --- branches that wait ---------------------------------------------------------- */

static struct bpf_verifier_stack_elem *push_elem(struct bpf_verifier_env *env, u32 insn_idx,
						 u32 prev_insn_idx, const char *what)
{
	struct bpf_verifier_stack_elem *elem;

	if (env->stack_size >= BPF_COMPLEXITY_LIMIT_JMP_SEQ) {
		verbose(env, "The sequence of %u jumps is too complex%s.\n", env->stack_size + 1,
			what);
		return NULL;
	}
	elem = xcalloc(1, sizeof(*elem));
	elem->insn_idx = insn_idx;
	elem->prev_insn_idx = prev_insn_idx;
	elem->log_pos = verifier_log_pos(env);
	elem->st.branches = 1;
	elem->next = env->head;
	env->head = elem;
	env->stack_size++;
	return elem;
}

struct bpf_verifier_state *push_stack(struct bpf_verifier_env *env, u32 insn_idx,
				      u32 prev_insn_idx)
{
	struct bpf_verifier_stack_elem *elem = push_elem(env, insn_idx, prev_insn_idx, "");
	struct bpf_verifier_state *cur = env->cur;

	if (!elem)
		return NULL;
	state_copy(&elem->st, cur);
	state_copy_history(&elem->st, cur);
	elem->st.parent = cur->parent;
	elem->st.branches = 1;
	if (elem->st.parent)
		elem->st.parent->branches++;
	return &elem->st;
}

struct bpf_verifier_state *push_async_cb(struct bpf_verifier_env *env, u32 insn_idx,
					 u32 prev_insn_idx, u32 subprog, bool sleepable)
{
	struct bpf_verifier_stack_elem *elem =
		push_elem(env, insn_idx, prev_insn_idx, " for async cb");

	if (!elem)
		return NULL;
	/* it runs some time later: nothing of the current state matters */
	elem->st.in_sleepable = sleepable;
	elem->st.frame[0] = new_frame(BPF_MAIN_FUNC, 0, subprog);
	return &elem->st;
}

static void drop_elem(struct bpf_verifier_env *env)
{
	struct bpf_verifier_stack_elem *elem = env->head;

	env->head = elem->next;
	env->stack_size--;
	free(elem);
}

/* The branch that was pushed last becomes the current path. False: there is none. */
static bool pop_stack(struct bpf_verifier_env *env)
{
	struct bpf_verifier_stack_elem *elem = env->head;

	state_free(env->cur);
	env->cur = NULL;
	if (!elem)
		return false;
	env->cur = state_new();
	*env->cur = elem->st; /* its frames and arrays change hands */
	env->insn_idx = elem->insn_idx;
	env->prev_insn_idx = elem->prev_insn_idx;
	if (!(env->log->level & BPF_LOG_LEVEL2))
		verifier_log_reset(env, elem->log_pos);
	drop_elem(env);
	return true;
}

static void free_stack(struct bpf_verifier_env *env)
{
	state_free(env->cur);
	env->cur = NULL;
	while (env->head) {
		state_free_content(&env->head->st);
		drop_elem(env);
	}
}

/* --- 64-bit constants -------------------------------------------------------------- */

static int load_map(struct bpf_verifier_env *env, const struct bpf_insn *insn,
		    struct bpf_reg_state *reg, struct bpf_map *map)
{
	if (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_IDX) {
		reg->type = CONST_PTR_TO_MAP;
		reg->map_ptr = map;
		return 0;
	}
	if (map->type == BPF_MAP_TYPE_ARENA) { /* an address of user space */
		reg_mark_unknown(reg);
		return 0;
	}
	reg->type = PTR_TO_MAP_VALUE;
	reg->map_ptr = map;
	reg->off = insn[1].imm;
	return 0;
}

static int load_func(struct bpf_verifier_env *env, const struct bpf_insn *insn,
		     struct bpf_reg_state *reg)
{
	int subprog = find_subprog(env, env->insn_idx + 1 + (u32)insn->imm);

	if (!env->prog->nr_func_info) {
		verbose(env, "missing btf func_info\n");
		return -EINVAL;
	}
	VRT_ASSERT(subprog >= 0);
	if (env->subprogs[subprog].is_global) {
		verbose(env, "callback function not static\n");
		return -EINVAL;
	}
	if (!subprog) {
		verbose(env, "callback function cannot be the main program\n");
		return -EINVAL;
	}
	reg->type = PTR_TO_FUNC;
	reg->subprogno = (u32)subprog;
	return 0;
}

/* A variable of the kernel: memory to read, an object, or one per CPU. Or where a kfunc is. */
static int load_ksym(struct bpf_verifier_env *env, const struct bpf_insn *insn,
		     struct bpf_reg_state *reg)
{
	const struct bpf_reg *value = &env->prog->exec->consts[insn->imm];
	const struct bpf_region *region = value->region;
	struct btf *btf = bpf_kernel_btf();

	if (region && region->kind == REGION_PERCPU) {
		reg->type = PTR_TO_BTF_ID | MEM_PERCPU;
	} else if (region && region->btf_id &&
		   btf_is_struct(btf_type_skip_modifiers(btf, region->btf_id, NULL))) {
		reg->type = PTR_TO_BTF_ID;
	} else {
		reg->type = PTR_TO_MEM | MEM_RDONLY;
		reg->mem_size = region ? value->rsize : 0;
		return 0;
	}
	reg->btf = btf;
	reg->btf_id = region->btf_id;
	return 0;
}

static int check_ld_imm(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	struct bpf_reg_state *reg = reg_state(env, insn->dst_reg);
	int err = check_reg_arg(env, insn->dst_reg, DST_OP);

	if (err)
		return err;
	if (!insn->src_reg) {
		reg_mark_known(reg, (u64)(u32)insn[1].imm << 32 | (u32)insn->imm);
		return 0;
	}
	reg_mark_known_zero(reg);
	if (insn->src_reg == BPF_PSEUDO_BTF_ID)
		return load_ksym(env, insn, reg);
	if (insn->src_reg == BPF_PSEUDO_FUNC)
		return load_func(env, insn, reg);
	return load_map(env, insn, reg, env->prog->exec->consts[insn->imm].region->map);
}

/* --- one instruction ----------------------------------------------------------------- */

/* What became of the path. */
enum step { STEP_NEXT, STEP_END };

static int finish_exit(struct bpf_verifier_env *env, enum step *step)
{
	int err = check_resource_leak(env, false, !env->cur->curframe, NULL);

	if (err)
		return err;
	if (env->cur->curframe)
		return prepare_func_exit(env, &env->insn_idx);
	*step = STEP_END;
	return check_return_code(env, BPF_REG_0, "R0");
}

static int locked_call(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	if (!env->cur->active_locks || insn->src_reg == BPF_PSEUDO_CALL)
		return 0;
	if (insn->src_reg ? is_bpf_graph_api_kfunc_insn(env, insn) :
			    insn->imm == BPF_FUNC_spin_unlock)
		return 0;
	verbose(env, "function calls are not allowed while holding a lock\n");
	return -EINVAL;
}

static int do_call(struct bpf_verifier_env *env, const struct bpf_insn *insn, enum step *step)
{
	int err = locked_call(env, insn);

	if (err)
		return err;
	if (insn->src_reg == BPF_PSEUDO_CALL)
		err = check_func_call(env, insn, &env->insn_idx);
	else if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
		err = check_kfunc_call(env, insn, &env->insn_idx);
	else
		err = check_helper_call(env, insn, &env->insn_idx);
	if (err)
		return err;
	mark_reg_scratched(env, BPF_REG_0);
	if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL && is_bpf_throw_insn(env, insn)) {
		*step = STEP_END;
		return check_resource_leak(env, true, true, "bpf_throw");
	}
	env->insn_idx++;
	return 0;
}

static int do_cond_jmp(struct bpf_verifier_env *env, const struct bpf_insn *insn)
{
	u32 insn_idx = env->insn_idx;
	int err = check_cond_jmp_op(env, insn, &insn_idx);

	/* what it has taught, before the number of the next instruction is that of its target */
	if (!err && !is_may_goto_insn(insn) &&
	    env->log->level & (BPF_LOG_LEVEL1 | BPF_LOG_LEVEL2)) {
		env->printing = true;
		print_insn_state(env, env->cur, env->cur->curframe);
		env->printing = false;
	}
	env->insn_idx = insn_idx + 1;
	return err;
}

static int do_jmp(struct bpf_verifier_env *env, const struct bpf_insn *insn, enum step *step)
{
	env->jmps_processed++;
	switch (BPF_OP(insn->code)) {
	case BPF_CALL:
		return do_call(env, insn, step);
	case BPF_JA:
		env->insn_idx = (u32)bpf_jump_target(insn, env->insn_idx);
		return 0;
	case BPF_EXIT:
		return finish_exit(env, step);
	default:
		return do_cond_jmp(env, insn);
	}
}

static int do_insn(struct bpf_verifier_env *env, const struct bpf_insn *insn, enum step *step)
{
	int err;

	switch (BPF_CLASS(insn->code)) {
	case BPF_JMP:
	case BPF_JMP32:
		return do_jmp(env, insn, step);
	case BPF_ALU:
	case BPF_ALU64:
		err = check_alu_op(env, insn);
		break;
	case BPF_LDX:
		err = check_load(env, insn);
		break;
	case BPF_STX:
		err = BPF_MODE(insn->code) == BPF_ATOMIC ? check_atomic(env, insn) :
							   check_store(env, insn);
		break;
	case BPF_ST:
		err = check_store(env, insn);
		break;
	default: /* BPF_LD */
		if (BPF_MODE(insn->code) == BPF_IMM) {
			err = check_ld_imm(env, insn);
			env->insn_idx++;
		} else {
			err = check_ld_abs(env, insn);
		}
		break;
	}
	env->insn_idx++;
	return err;
}

/* --- the loop --------------------------------------------------------------------------- */

static void log_insn(struct bpf_verifier_env *env, bool *print_state)
{
	if (!(env->log->level & (BPF_LOG_LEVEL1 | BPF_LOG_LEVEL2)))
		return;
	env->printing = true;
	if (*print_state && env->log->level & BPF_LOG_LEVEL2) {
		verbose(env, "\nfrom %d to %d:", (int)env->prev_insn_idx, (int)env->insn_idx);
		print_verifier_state(env, env->cur, env->cur->curframe, true);
		*print_state = false;
	}
	print_insn_state(env, env->cur, env->cur->curframe);
	verbose_linfo(env, env->insn_idx);
	print_insn(env, env->insn_idx);
	env->printing = false;
}

static void log_pruned(struct bpf_verifier_env *env, bool print_state)
{
	if (!(env->log->level & (BPF_LOG_LEVEL1 | BPF_LOG_LEVEL2)))
		return;
	if (print_state)
		verbose(env, "\nfrom %d to %d: safe\n", (int)env->prev_insn_idx,
			(int)env->insn_idx);
	else
		verbose(env, "%u: safe\n", env->insn_idx);
}

/* Limits of what is done for one program. */
static int check_size(struct bpf_verifier_env *env)
{
	u64 bytes = bpf_env->verifier_bytes ?: BPF_COMPLEXITY_LIMIT_BYTES;

	if (env->insn_processed > (bpf_env->verifier_insns ?: BPF_COMPLEXITY_LIMIT_INSNS)) {
		verbose(env, "BPF program is too large. Processed %u insn\n",
			env->insn_processed);
		return -E2BIG;
	}
	if (state_bytes() > bytes) {
		verbose(env, "BPF program is too large. What is kept of its paths takes more than %llu KiB after %u insn\n",
			bytes >> 10, env->insn_processed);
		return -E2BIG;
	}
	return 0;
}

/* 1: this path is safe from here on. */
static int before_insn(struct bpf_verifier_env *env)
{
	const struct bpf_insn_aux *aux = &env->aux[env->insn_idx];
	int ret;

	env->said[0] = '\0';
	env->insn_processed++;
	ret = check_size(env);
	if (ret)
		return ret;
	env->cur->last_insn_idx = env->prev_insn_idx;
	env->cur->insn_idx = env->insn_idx;
	if (bpf_env->verifier_state)
		bpf_env->verifier_state(env->insn_idx, cur_regs(env), aux->live_regs);
	if (aux->prune_point) {
		ret = is_state_visited(env, env->insn_idx);
		if (ret)
			return ret;
	}
	return aux->jmp_point ? push_jmp_history(env, 0, NULL) : 0;
}

/* What can be told from the instruction alone. */
static int first_look(struct bpf_verifier_env *env, u32 insn_idx)
{
	struct captured_log captured;
	int err;

	if (env->aux[insn_idx].seen)
		return 0;
	env->aux[insn_idx].seen = env->pass;
	capture_log(env, &captured);
	err = bpf_check_insn(env->check, &env->insns[insn_idx]);
	verbose_captured(env, &captured);
	return err;
}

static int follow(struct bpf_verifier_env *env, bool *print_state)
{
	enum step step = STEP_NEXT;
	u32 insn_idx = env->insn_idx;
	int ret;

	VRT_ASSERT(insn_idx < env->len);
	ret = before_insn(env);
	if (ret < 0)
		return ret;
	if (ret) {
		log_pruned(env, *print_state);
		step = STEP_END;
	} else {
		log_insn(env, print_state);
		ret = first_look(env, insn_idx) ?: liveness_begin_insn(env, insn_idx);
		ret = ret ?: do_insn(env, &env->insns[insn_idx], &step);
		ret = ret ?: liveness_end_insn(env);
		if (ret)
			return ret;
		env->prev_insn_idx = insn_idx;
		if (BPF_OP(env->insns[insn_idx].code) == BPF_EXIT &&
		    BPF_CLASS(env->insns[insn_idx].code) == BPF_JMP)
			*print_state = true;
	}
	if (step == STEP_NEXT)
		return 1;
	mark_verifier_state_scratched(env);
	ret = update_branch_counts(env, env->cur);
	*print_state = true;
	return ret ?: pop_stack(env);
}

static int do_check(struct bpf_verifier_env *env)
{
	bool print_state = false;
	int ret;

	do {
		ret = follow(env, &print_state);
	} while (ret > 0);
	return ret;
}

/* The main program, or global function @subprog, on its own. */
static int do_check_common(struct bpf_verifier_env *env, u32 subprog)
{
	struct bpf_verifier_state *st = state_new();
	int err = 0;

	env->pass++;
	env->prev_line = NULL;
	mark_verifier_state_scratched(env);
	env->cur = st;
	env->insn_idx = env->subprogs[subprog].start;
	env->prev_insn_idx = (u32)-1;
	st->frame[0] = new_frame(BPF_MAIN_FUNC, 0, subprog);
	st->first_insn_idx = env->insn_idx;
	st->last_insn_idx = (u32)-1;
	/* callbacks of timers cannot, nor can whom they call */
	st->in_sleepable = env->prog->sleepable &&
			   !(env->subprogs[subprog].contexts & BPF_CONTEXT_TIMER);
	if (subprog) {
		verbose(env, "Validating %s() func#%u...\n", env->subprogs[subprog].name, subprog);
		err = set_global_args(env, subprog);
	} else {
		st->frame[0]->regs[BPF_REG_1].type = PTR_TO_CTX;
		reg_mark_known_zero(&st->frame[0]->regs[BPF_REG_1]);
	}
	err = err ?: do_check(env);
	if (err)
		explain_failure(env);
	free_stack(env);
	if (!err && !(env->log->level & BPF_LOG_LEVEL2))
		verifier_log_reset(env, 0);
	prune_forget(env);
	return err;
}

/* Those that were called; they may call others. */
static int do_check_subprogs(struct bpf_verifier_env *env)
{
	bool again = true;
	int err;

	while (again) {
		again = false;
		for (u32 i = 1; i < env->nr_subprogs; i++) {
			struct bpf_subprog_info *sub = &env->subprogs[i];

			if (!sub->is_global || !sub->called || sub->verified)
				continue;
			err = do_check_common(env, i);
			if (err)
				return err;
			if (env->log->level & (BPF_LOG_LEVEL1 | BPF_LOG_LEVEL2))
				verbose(env, "Func#%u ('%s') is safe for any args that match its prototype\n",
					i, sub->name);
			sub->verified = true;
			again = true;
		}
	}
	return 0;
}

/* --- the whole ----------------------------------------------------------------------------- */

static void init_subprog(struct bpf_verifier_env *env, u32 n)
{
	const struct bpf_prog *prog = env->prog;
	const struct bpf_subprog *from = &prog->subprogs[n];
	struct bpf_subprog_info *sub = &env->subprogs[n];
	const struct btf_type *func;

	sub->start = from->start;
	sub->end = from->end;
	sub->name = "";
	if (!prog->btf || !from->func_type_id)
		return;
	func = btf_type_by_id(prog->btf, from->func_type_id);
	sub->name = btf_name(prog->btf, func->name_off);
	sub->is_global = n && btf_vlen(func) == BTF_FUNC_GLOBAL;
}

/* Facts about functions that follow from their instructions alone. */
static void scan_subprogs(struct bpf_verifier_env *env)
{
	for (u32 i = 0; i < env->len; i++) {
		const struct bpf_insn *insn = &env->insns[i];
		struct bpf_subprog_info *sub = &env->subprogs[subprog_of(env, i)];

		if (bpf_is_ldimm64(insn)) {
			i++;
			continue;
		}
		if (bpf_is_call(insn, 0) && insn->imm == BPF_FUNC_tail_call)
			sub->has_tail_call = true;
		if (BPF_CLASS(insn->code) == BPF_LD)
			sub->has_ld_abs = true;
	}
}

static void env_init(struct bpf_verifier_env *env, struct bpf_check_env *check)
{
	struct bpf_prog *prog = check->prog;

	*env = (struct bpf_verifier_env){
		.check = check,
		.prog = prog,
		.log = check->log,
		.insns = prog->insns,
		.len = prog->len,
		.nr_subprogs = prog->nr_subprogs,
		.strict_alignment = prog->flags & BPF_F_STRICT_ALIGNMENT &&
				    !(prog->flags & BPF_F_ANY_ALIGNMENT),
		.test_state_freq = prog->flags & BPF_F_TEST_STATE_FREQ,
		.test_reg_invariants = prog->flags & BPF_F_TEST_REG_INVARIANTS,
	};
	env->aux = xcalloc(env->len, sizeof(*env->aux));
	env->subprogs = xcalloc(env->nr_subprogs, sizeof(*env->subprogs));
	for (u32 i = 0; i < env->nr_subprogs; i++)
		init_subprog(env, i);
	scan_subprogs(env);
}

static void env_free(struct bpf_verifier_env *env)
{
	prune_free(env);
	precision_free(env);
	liveness_free(env);
	free(env->aux);
	free(env->subprogs);
}

static u8 *reached(const struct bpf_verifier_env *env)
{
	u8 *live = xcalloc(env->len, 1);

	for (u32 i = 0; i < env->len; i++)
		live[i] = env->aux[i].seen != 0;
	return live;
}

static u64 host_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

static void take_stats(const struct bpf_verifier_env *env, u64 start,
		       struct bpf_verifier_stats *stats)
{
	*stats = (struct bpf_verifier_stats){
		.insns = env->insn_processed,
		.max_states_per_insn = env->max_states_per_insn,
		.total_states = env->total_states,
		.peak_states = env->peak_states,
		.longest_mark_read_walk = env->longest_mark_read_walk,
		.time_ns = host_ns() - start,
		.peak_memory = state_peak_bytes(),
		.stack_depth = env->subprogs[0].stack_depth,
	};
}

int bpf_verify(struct bpf_check_env *check)
{
	struct bpf_verifier_env env;
	u64 start = host_ns();
	int err;

	if (!check->verify)
		return 0;

	explain_nothing();
	state_books_open();
	env_init(&env, check);
	print_subprogs(&env);
	find_exception_callback(&env);
	err = scan_packet_changes(&env);
	err = err ?: compute_live_registers(&env);
	err = err ?: prune_init(&env);
	err = err ?: do_check_common(&env, 0);
	err = err ?: do_check_subprogs(&env);
	err = err ?: check_max_stack_depth(&env);
	print_stack_depths(&env);
	if (!err) {
		check->live = reached(&env);
		facts_write(&env);
	}
	take_stats(&env, start, &check->verified);
	explain_stats(&check->verified);
	env_free(&env);
	return err;
}
