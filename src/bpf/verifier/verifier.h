/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verifier: follows every path of a program and proves that none of them
 * can read, write, leak or hang what it should not. Entered by bpf_verify()
 * after the structural checks (../check.h), which leave resolved instructions.
 *
 *	verify.c	the loop over instructions and paths
 *	state.c		states: made, copied, freed
 *	regs.c		registers read and written; marks of what they hold
 *	tnum.c		tracked numbers
 *	bounds.c	ranges of numbers: what each view of them tells the others
 *	bounds_alu.c, bounds_branch.c  ... arithmetic and comparisons; see lane.h
 *	alu.c		arithmetic instructions, also on pointers
 *	branch.c	conditional jumps, and what they teach; see branch.h
 *	branch_ptr.c	... of pointers and packets
 *	linked.c	... of other numbers that depend on those compared
 *	mem.c		loads and stores by kind of pointer; memory given to calls
 *	stack.c		loads and stores on the stack
 *	ctx.c		the context of each program type
 *	btf_access.c	walks through objects that BTF describes
 *	call.c		functions of the program, callbacks and returns
 *	func_args.c	what functions take, by BTF
 *	callgraph.c	what follows from who calls whom: depth of the stack
 *	retval.c	what programs and callbacks may return
 *	helper.c	calls of helpers
 *	helper_args.c	... their arguments, by type
 *	helper_map.c	... which maps go with which
 *	kfunc.c		calls of kfuncs
 *	kfunc_args.c	... their arguments, by BTF
 *	kfunc_ret.c	... their results
 *	kfunc_context.c	... from where they may be called, and which function they get
 *	callbacks.c	registers that callbacks get
 *	fields.c	locks, timers, work queues and kptrs as arguments
 *	graph.c		lists and trees
 *	dynptr.c, iter.c  what they keep on the stack
 *	refs.c		references, locks and other sections
 *	liveness.c	which registers are read later; liveness_stack.c: which slots
 *	precision.c	which numbers mattered; backtrack.c: one instruction back
 *	prune.c		checkpoints: when a path need not be followed further; see prune.h
 *	log.c, log_state.c  the log in the kernel's words
 *	explain.c	why a program is refused, for people
 *	facts.c		what the compiler must know
 *
 * Every function that can find fault returns 0 or -errno, having said why with
 * verbose(). -EFAULT is for what cannot be (a bug of ours, said so in the log).
 * Nothing here trusts the program; VRT_ASSERT is for our own invariants.
 */
#ifndef VRT_BPF_VERIFIER_VERIFIER_H
#define VRT_BPF_VERIFIER_VERIFIER_H

#include "../check/check.h"
#include "../kfunc/kfunc.h"
#include "state.h"
#include "verify.h"

#define BPF_COMPLEXITY_LIMIT_INSNS 1000000
#define BPF_COMPLEXITY_LIMIT_JMP_SEQ 8192 /* branches that wait to be followed */
#define BPF_COMPLEXITY_LIMIT_STATES 64
#define BPF_COMPLEXITY_LIMIT_BYTES (2ULL << 30) /* of all states; Linux runs out of memory */

/* What a load through a pointer was taken for: one instruction, one kind (Linux's rule). */
struct bpf_insn_aux {
	u32 ptr_type; /* enum bpf_reg_type and flags of the pointer; NOT_INIT: none yet */
	u32 seen; /* pass in which it was reached; 0: never */
	/* prune.c */
	bool prune_point, jmp_point, force_checkpoint, calls_callback;
	u32 scc; /* strongly connected component of the control flow; 0: not in a loop */
	u16 live_regs; /* before it, bit per register: liveness.c */
	/* facts.c */
	bool probe; /* a load whose pointer may be garbage */
	u8 packet; /* ACCESS_PACKET or _END: a load of that from the context */
	u8 doubts; /* a call: bit per argument, an object that may not be there */
	bool arena_op, number_op; /* arithmetic: on addresses in an arena; on anything else */
	u16 map; /* a call of a helper: its map */
	bool is_iter_next; /* kfunc call */
	u8 contexts; /* kfunc call: BPF_CONTEXT_* that it was reached from */
	u8 call_arity; /* arguments that a call reads, by its prototype; see liveness.c */
};

struct bpf_subprog_info {
	const char *name; /* "" without BTF */
	u32 start, end;
	u32 stack_depth; /* deepest access below fp, bytes */
	bool reads_uninit; /* of this stack somebody may read what was not written */
	bool has_tail_call, tail_call_reachable, has_ld_abs, is_cb, is_async_cb, is_exception_cb;
	bool changes_pkt_data, might_sleep;
	/* global functions (call.c) */
	bool is_global, args_known, verified, called;
	u8 contexts; /* BPF_CONTEXT_* that it was called from */
	u32 arg_cnt;
	struct bpf_subprog_arg {
		u32 type; /* enum bpf_arg_type and flags */
		u32 mem_size;
		u32 btf_id; /* in the kernel BTF */
	} args[5];
	u16 postorder_start; /* unused unless liveness.c wants it */
};

struct bpf_verifier_stack_elem; /* verify.c: a branch that waits */
struct bpf_liveness; /* liveness.c */
struct bpf_prune; /* prune.c */
struct bpf_precision; /* precision.c: what backtracking works on */

struct bpf_verifier_env {
	struct bpf_check_env *check;
	struct bpf_prog *prog;
	struct bpf_log *log;
	/*
	 * prog->insns as the structural checks leave them: the imm of a 64-bit load
	 * with a src_reg is an index of prog->exec->consts; of a kfunc call, the BTF
	 * id of the FUNC until fix-ups.
	 */
	const struct bpf_insn *insns;
	u32 len;
	struct bpf_insn_aux *aux; /* by instruction */
	struct bpf_subprog_info *subprogs; /* as prog->subprogs */
	u32 nr_subprogs;
	u32 exception_callback_subprog; /* 0: none */

	u32 insn_idx, prev_insn_idx;
	struct bpf_verifier_state *cur;
	struct bpf_verifier_stack_elem *head;
	u32 stack_size; /* waiting branches */
	u32 id_gen;
	u32 pass; /* one for the main program, one for each global function */

	bool strict_alignment, test_state_freq, test_reg_invariants;
	bool seen_exception;

	/* statistics */
	u32 insn_processed, max_states_per_insn, total_states, peak_states, longest_mark_read_walk;
	u32 prev_insn_processed, jmps_processed, prev_jmps_processed;
	/* log.c */
	u64 prev_log_pos, prev_insn_print_pos;
	u32 scratched_regs; /* what changed since it was printed: of the current frame */
	u64 scratched_slots;
	const struct bpf_line_info *prev_line; /* that was printed last */

	char said[512]; /* by verbose() of the instruction at hand, for explain.c */
	bool printing; /* what is written now is no reason */

	struct bpf_liveness *liveness;
	struct bpf_prune *prune;
	struct bpf_precision *precision;
	/* branch.c, stack.c: a constant of the instruction at hand */
	struct bpf_reg_state fake_reg;
};

static inline struct bpf_func_state *cur_func(const struct bpf_verifier_env *env)
{
	return cur_func_of(env->cur);
}

static inline struct bpf_reg_state *cur_regs(const struct bpf_verifier_env *env)
{
	return cur_func(env)->regs;
}

static inline struct bpf_reg_state *reg_state(const struct bpf_verifier_env *env, int regno)
{
	return cur_regs(env) + regno;
}

/* --- verify.c ------------------------------------------------------------------------ */

/*
 * A path to follow later, from @insn_idx, with a copy of the current state;
 * callers may change the copy. NULL: -E2BIG, said already.
 */
struct bpf_verifier_state *push_stack(struct bpf_verifier_env *env, u32 insn_idx,
				      u32 prev_insn_idx);
/* The same for a callback that runs later: one frame, nothing held. */
struct bpf_verifier_state *push_async_cb(struct bpf_verifier_env *env, u32 insn_idx,
					 u32 prev_insn_idx, u32 subprog, bool sleepable);

/* --- log.c ----------------------------------------------------------------------------- */

/* Into the log, at any level but 0. */
__printf(2, 3) void verbose(struct bpf_verifier_env *env, const char *fmt, ...);
/* "; text @ file.c:12" when the source line changes. */
void verbose_linfo(struct bpf_verifier_env *env, u32 insn_idx);
/* "func#0 @0", where functions begin; "stack depth 8+0", by function */
void print_subprogs(struct bpf_verifier_env *env);
void print_stack_depths(struct bpf_verifier_env *env);
/* "0: (b7) r0 = 0" */
void print_insn(struct bpf_verifier_env *env, u32 insn_idx);
void print_verifier_state(struct bpf_verifier_env *env, const struct bpf_verifier_state *st,
			  u32 frameno, bool print_all);
/* What changed, if anything, behind the last instruction: "; R0_w=scalar()". */
void print_insn_state(struct bpf_verifier_env *env, const struct bpf_verifier_state *st,
		      u32 frameno);
/* Marks for the above; reset when printed. */
void mark_reg_scratched(struct bpf_verifier_env *env, u32 regno);
void mark_stack_slot_scratched(struct bpf_verifier_env *env, u32 spi);
void mark_verifier_state_scratched(struct bpf_verifier_env *env); /* everything */
/*
 * The suffixes of "R0_rw=": written since the last checkpoint, read behind it. Kept
 * for the log alone.
 */
void log_reg_read(struct bpf_verifier_env *env, u32 regno);
void log_reg_written(struct bpf_verifier_env *env, u32 regno);
void log_slots_read(struct bpf_verifier_env *env, u32 frameno, u64 slots);
void log_slots_written(struct bpf_verifier_env *env, u32 frameno, u64 slots);
/* "map_value_or_null"; @buf of at least 128 bytes, and returned. */
const char *reg_type_str(struct bpf_verifier_env *env, u32 type, char *buf);
const char *dynptr_type_str(enum bpf_dynptr_type type);
const char *iter_type_str(const struct btf *btf, u32 btf_id);
const char *iter_state_str(enum bpf_iter_state state);
/* Level 1 keeps only the failing path: text from @pos on is dropped. */
u64 verifier_log_pos(const struct bpf_verifier_env *env);
void verifier_log_reset(struct bpf_verifier_env *env, u64 pos);

/*
 * Between the two, what other passes write into the log of env->check is kept,
 * to be said with verbose() then.
 */
struct captured_log {
	struct bpf_log log;
	char text[1024];
};
void capture_log(struct bpf_verifier_env *env, struct captured_log *captured);
void verbose_captured(struct bpf_verifier_env *env, struct captured_log *captured);
/* What is known of a register, as in the log. */
void reg_str(struct bpf_verifier_env *env, u32 regno, char *buf, u32 size);

/* --- facts.c ----------------------------------------------------------------------------- */

/* Before the load at env->insn_idx through @regno is checked. */
void facts_of_load(struct bpf_verifier_env *env, u32 regno);
/* It is allowed, and may lie beyond the object's end. */
void facts_of_beyond(struct bpf_verifier_env *env);
/* A load of the context gives a @reg_type. */
void facts_of_ctx_load(struct bpf_verifier_env *env, u32 insn_idx, u32 reg_type);
/* Before the arguments of a call are checked. */
void facts_of_helper(struct bpf_verifier_env *env, u32 insn_idx,
		     const struct bpf_func_proto *proto);
void facts_of_kfunc(struct bpf_verifier_env *env, u32 insn_idx, const struct bpf_kfunc_desc *desc);
/* Stack of @func may be read that was not written. */
void facts_of_unwritten(struct bpf_verifier_env *env, const struct bpf_func_state *func);
/* @cur is not followed further, as @old was: what that one reads, @cur may not have written. */
void facts_of_pruned(struct bpf_verifier_env *env, const struct bpf_verifier_state *old,
		     const struct bpf_verifier_state *cur);
/* Into the program, which is good. */
void facts_write(const struct bpf_verifier_env *env);

/* --- explain.c --------------------------------------------------------------------------- */

/* Before the state goes in which the path ended: bpf_explanation() has it from then on. */
void explain_failure(struct bpf_verifier_env *env);
void explain_stats(const struct bpf_verifier_stats *stats);
void explain_nothing(void);

/* --- regs.c ------------------------------------------------------------------------------ */

enum reg_arg_type { SRC_OP, DST_OP, DST_OP_NO_MARK /* written, but content is set by the caller */ };

/* May this register be read or written here? Does the books of zero extension. */
int check_reg_arg(struct bpf_verifier_env *env, u32 regno, enum reg_arg_type t);

void mark_reg_not_init(struct bpf_verifier_env *env, struct bpf_reg_state *regs, u32 regno);
/* A number of which nothing is known; imprecise unless there are no privileges (never). */
void mark_reg_unknown(struct bpf_verifier_env *env, struct bpf_reg_state *regs, u32 regno);
void reg_mark_unknown(struct bpf_reg_state *reg);
void reg_mark_not_init(struct bpf_reg_state *reg);
/* The number @imm. */
void reg_mark_known(struct bpf_reg_state *reg, u64 imm);
/* Pointers start like this: offset 0, no ids; the type stays. */
void reg_mark_known_zero(struct bpf_reg_state *reg);
void mark_reg_known_zero(struct bpf_verifier_env *env, struct bpf_reg_state *regs, u32 regno);
/* What a load through BTF gives: a pointer to @btf_id with @flag, or (SCALAR_VALUE) a number. */
void mark_btf_ld_reg(struct bpf_verifier_env *env, struct bpf_reg_state *regs, u32 regno,
		     u32 reg_type, struct btf *btf, u32 btf_id, u32 flag);
/* Its range is exactly known to be in s32/u32 size bytes. */
static inline bool reg_is_const(const struct bpf_reg_state *reg, bool subreg32)
{
	return reg->type == SCALAR_VALUE &&
	       tnum_is_const(subreg32 ? tnum_subreg(reg->s.var_off) : reg->s.var_off);
}
void clear_caller_saved_regs(struct bpf_verifier_env *env, struct bpf_reg_state *regs);
/* Calls: r1-r5 are gone. */

/* --- bounds*.c: on numbers alone ------------------------------------------------------------ */

void scalar_set_unknown(struct bpf_scalar *s);
void scalar_set_const(struct bpf_scalar *s, u64 value);
/* From var_off alone, 64 and 32 bits. */
void scalar_update_bounds(struct bpf_scalar *s);
/* Everything that each view teaches the others: to be called after any change. */
void scalar_sync(struct bpf_scalar *s);
/* Nothing is known of the low half but var_off, or of the high one. */
void scalar_set_unbounded(struct bpf_scalar *s); /* ranges; var_off stays */
void scalar_set_unbounded32(struct bpf_scalar *s);
void scalar_set_unbounded64(struct bpf_scalar *s);
/* The low @size bytes; zero or sign extended. */
void scalar_truncate(struct bpf_scalar *s, u32 size);
void scalar_sign_extend(struct bpf_scalar *s, u32 size);
/* A 32-bit result: the high half is 0. */
void scalar_zext_32(struct bpf_scalar *s);
/* s op= v, of 64 bits or of the low 32 (high half cleared). What cannot be computed: unknown. */
void scalar_alu(struct bpf_scalar *s, const struct bpf_scalar *v, u8 op, bool is64);
void scalar_neg(struct bpf_scalar *s, bool is64);
/* BPF_END: to little or big endian with BPF_ALU, swapped with BPF_ALU64. */
void scalar_bswap(struct bpf_scalar *s, const struct bpf_insn *insn);
/* Does a jump "a op b" happen: 1 always, 0 never, -1 who knows. */
int scalar_is_branch_taken(const struct bpf_scalar *a, const struct bpf_scalar *b, u8 op,
			   bool is_jmp32);
/* The same of a number and itself. */
int scalar_is_self_taken(const struct bpf_scalar *s, u8 op, bool is_jmp32);
/* What is known of both when "a op b" is true. For false, give rev_opcode(op). */
void scalar_refine(struct bpf_scalar *a, struct bpf_scalar *b, u8 op, bool is_jmp32);
u8 rev_opcode(u8 op); /* "not": BPF_JSET has no opposite and gives BPF_JSET | BPF_X's marker */
u8 flip_opcode(u8 op); /* operands exchanged */
/* Is the state of the ranges possible? */
bool scalar_is_sane(const struct bpf_scalar *s);

/* --- alu.c, branch.c ------------------------------------------------------------------------ */

/* ALU and ALU64 instructions, whole. */
int check_alu_op(struct bpf_verifier_env *env, const struct bpf_insn *insn);
/* JMP and JMP32 with a condition (may_goto too): env->insn_idx goes on at the fall-through or target. */
int check_cond_jmp_op(struct bpf_verifier_env *env, const struct bpf_insn *insn, u32 *insn_idx);
/* Numbers with the id of @known, everywhere, are what @known is. */
void sync_linked_regs(struct bpf_verifier_state *st, struct bpf_reg_state *known,
		      const struct linked_regs *linked);
/* Gives @reg an id of its own, so that copies of it can be found. */
void assign_scalar_id_before_mov(struct bpf_verifier_env *env, struct bpf_reg_state *reg);

/* --- mem.c ------------------------------------------------------------------------------------ */

enum bpf_access_type { BPF_READ = 1, BPF_WRITE = 2 };

/* What check_helper_mem_access() and others tell of a call that is being checked. */
struct bpf_call_arg_meta {
	struct bpf_map *map_ptr;
	u32 map_uid;
	bool key_found; /* a lookup of a constant key that the map has for certain */
	bool raw_mode; /* the memory is written only: it need not be initialised */
	bool pkt_access;
	u8 release_regno;
	s32 regno; /* raw_mode: the register of the memory */
	s32 access_size; /* and how much of it is written */
	u32 mem_size;
	u64 msize_max_value;
	u32 ref_obj_id;
	u32 dynptr_id;
	u32 func_id;
	struct btf *btf;
	u32 btf_id;
	struct btf *ret_btf;
	u32 ret_btf_id;
	u32 subprogno;
	const struct btf_field *kptr_field;
};

/*
 * A load into (@value_regno) or store from register @value_regno (-1: a constant,
 * or none) of @bpf_size (BPF_W...) bytes at @regno + @off. @is_ldsx: sign extended.
 */
int check_mem_access(struct bpf_verifier_env *env, u32 insn_idx, u32 regno, s32 off, u32 bpf_size,
		     enum bpf_access_type t, s32 value_regno, bool strict_once, bool is_ldsx);
/* LDX, ST/STX, atomics, LD_ABS/LD_IND: instructions, whole. */
int check_load(struct bpf_verifier_env *env, const struct bpf_insn *insn);
int check_store(struct bpf_verifier_env *env, const struct bpf_insn *insn);
int check_atomic(struct bpf_verifier_env *env, const struct bpf_insn *insn);
int check_ld_abs(struct bpf_verifier_env *env, const struct bpf_insn *insn);
/* @access_size bytes behind @regno are read (or written) by a call. */
int check_helper_mem_access(struct bpf_verifier_env *env, u32 regno, s32 access_size,
			    enum bpf_access_type t, bool zero_size_allowed,
			    struct bpf_call_arg_meta *meta);
/* The same, with the size in register @regno (the pointer is in the one before). */
int check_mem_size_reg(struct bpf_verifier_env *env, struct bpf_reg_state *reg, u32 regno,
		       enum bpf_access_type t, bool zero_size_allowed,
		       struct bpf_call_arg_meta *meta);
/* @reg, which may be NULL, as memory of @mem_size that is read and written: global functions, kfuncs. */
int check_mem_reg(struct bpf_verifier_env *env, struct bpf_reg_state *reg, u32 regno, u32 mem_size);
/* May @size bytes at @reg + @off be accessed at once? @strict_once: however lax the program is. */
int check_ptr_alignment(struct bpf_verifier_env *env, const struct bpf_reg_state *reg, s32 off,
			s32 size, bool strict_once);
/* Pointers with no variable offset and off == 0 (or fixed_off_ok). */
int check_ptr_off_reg(struct bpf_verifier_env *env, const struct bpf_reg_state *reg, u32 regno,
		      bool fixed_off_ok);
/* Does [off, off+size) of [0, mem_size) hold, with a message for what @reg is? */
int check_mem_region_access(struct bpf_verifier_env *env, u32 regno, s32 off, s32 size,
			    u32 mem_size, bool zero_size_allowed);
/* Map values: bounds, special fields, flags of the map. */
int check_map_access(struct bpf_verifier_env *env, u32 regno, s32 off, s32 size,
		     bool zero_size_allowed, enum bpf_access_type t);
/* The special field of that type at the place that @reg points to, or NULL. */
const struct btf_field *reg_find_field_offset(const struct bpf_reg_state *reg, s32 off,
					      u32 fields);
const struct btf_record *reg_btf_record(const struct bpf_reg_state *reg);
/* May @reg be what the kptr @field points to? -errno, said, if not. */
int map_kptr_match_type(struct bpf_verifier_env *env, const struct btf_field *field,
			const struct bpf_reg_state *reg, u32 regno);
bool may_access_direct_pkt_data(struct bpf_verifier_env *env,
				const struct bpf_call_arg_meta *meta, enum bpf_access_type t);
/* Packet data moved: pointers into it are numbers from now on. */
void clear_all_pkt_pointers(struct bpf_verifier_env *env);

/* --- stack.c ----------------------------------------------------------------------------------- */

int check_stack_read(struct bpf_verifier_env *env, u32 ptr_regno, s32 off, s32 size,
		     s32 dst_regno);
int check_stack_write(struct bpf_verifier_env *env, u32 ptr_regno, s32 off, s32 size,
		      s32 value_regno, u32 insn_idx);
/* [off, off+size) relative to the pointer is inside of a frame; grows the depth of the function. */
int check_stack_access_within_bounds(struct bpf_verifier_env *env, u32 regno, s32 off,
				     s32 access_size, enum bpf_access_type t);
/* Bytes that a call reads are initialised; those that it writes (meta->raw_mode) need not be. */
int check_stack_range_initialized(struct bpf_verifier_env *env, u32 regno, s32 off,
				  s32 access_size, bool zero_size_allowed, enum bpf_access_type t,
				  struct bpf_call_arg_meta *meta);
/* The slot of @reg, which points to the 8-byte slot's beginning, for dynptrs and iterators. -errno. */
int stack_slot_obj_get_spi(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			   const char *obj_kind, u32 nr_slots);
bool is_spi_bounds_valid(const struct bpf_func_state *func, s32 spi, u32 nr_slots);
/* The frame that @reg (PTR_TO_STACK) points into. */
struct bpf_func_state *reg_func(struct bpf_verifier_env *env, const struct bpf_reg_state *reg);

/* --- ctx.c -------------------------------------------------------------------------------------- */

/* What a load from the context gives. */
struct bpf_insn_access_aux {
	u32 reg_type;
	bool is_ldsx;
	bool is_retval; /* LSM: bounded by the hook */
	u32 ctx_field_size; /* narrower loads of fields that get converted; 0: plain */
	struct btf *btf;
	u32 btf_id;
	u32 mem_size;
};

/* May the program read or write its context there? 0, or -EACCES, said. */
int check_ctx_access(struct bpf_verifier_env *env, u32 insn_idx, s32 off, s32 size,
		     enum bpf_access_type t, struct bpf_insn_access_aux *info);
/* r1 of the main program (call.c sets the registers of other functions). */
u32 ctx_size_of(const struct bpf_prog *prog);

/* --- btf_access.c ---------------------------------------------------------------------------------- */

/* A load or store at PTR_TO_BTF_ID. */
int check_ptr_to_btf_access(struct bpf_verifier_env *env, struct bpf_reg_state *regs, u32 regno,
			    s32 off, s32 size, enum bpf_access_type t, s32 value_regno);
int check_ptr_to_map_access(struct bpf_verifier_env *env, struct bpf_reg_state *regs, u32 regno,
			    s32 off, s32 size, enum bpf_access_type t, s32 value_regno);
/* Is there, at @off of struct @id, a struct @need_id (first members, arrays)? @strict: only itself. */
bool btf_struct_ids_match(struct bpf_verifier_env *env, const struct btf *btf, u32 id, s32 off,
			  const struct btf *need_btf, u32 need_id, bool strict);
bool is_trusted_reg(const struct bpf_reg_state *reg);
bool is_rcu_reg(const struct bpf_reg_state *reg);

/* --- call.c ------------------------------------------------------------------------------------------ */

/* BPF_CALL of a function of the program; goes into it, or (global ones) over it. */
int check_func_call(struct bpf_verifier_env *env, const struct bpf_insn *insn, u32 *insn_idx);
/* BPF_EXIT of a frame that is not the main one. */
int prepare_func_exit(struct bpf_verifier_env *env, u32 *insn_idx);
/* Fills the registers of a callback's frame from those of the caller. */
typedef int (*set_callee_state_fn)(struct bpf_verifier_env *env, struct bpf_func_state *caller,
				   struct bpf_func_state *callee, u32 insn_idx);
/*
 * A helper or kfunc at @insn_idx that calls back @subprog: pushes the path into
 * the callback; the caller goes on as if it had been called often enough.
 */
int push_callback_call(struct bpf_verifier_env *env, const struct bpf_insn *insn, u32 insn_idx,
		       u32 subprog, set_callee_state_fn set_callee_state);
/* The subprogram that starts there, or -1. */
int find_subprog(const struct bpf_verifier_env *env, u32 start);
/* ... that contains it. */
u32 subprog_of(const struct bpf_verifier_env *env, u32 insn_idx);
bool in_sleepable(const struct bpf_verifier_env *env);
/* May a callback- or subprogram-calling path here sleep: no lock, no RCU, no preemption disabled. */
bool in_sleepable_context(const struct bpf_verifier_env *env);

/* --- func_args.c, callgraph.c, retval.c ------------------------------------------------------------------- */

/* Types of arguments of subprog @n from BTF and tags, into subprogs[n]; -errno, said. */
int btf_prepare_func_args(struct bpf_verifier_env *env, u32 n);
/* The registers of a call of @subprog against its prototype. */
int btf_check_subprog_call(struct bpf_verifier_env *env, u32 subprog, struct bpf_reg_state *regs);
/* r1-r5 of a global function, or of an exception callback, that is verified on its own. */
int set_global_args(struct bpf_verifier_env *env, u32 subprog);
/* Name of the context's struct as programs write it; NULL: it has none. */
const char *prog_ctx_name(const struct bpf_prog *prog);
/* The function that bpf_throw() ends in, if the main one names its own. */
void find_exception_callback(struct bpf_verifier_env *env);
/* Depth of the stack over all chains of calls. */
int check_max_stack_depth(struct bpf_verifier_env *env);
/* subprogs[].changes_pkt_data */
int scan_packet_changes(struct bpf_verifier_env *env);
/* R@regno, which the program (or asynchronous or exception callback) returns. */
int check_return_code(struct bpf_verifier_env *env, u32 regno, const char *reg_name);
/* What an LSM hook can have returned before the program is asked. False: nothing is known. */
bool lsm_retval_range(const struct bpf_prog *prog, struct bpf_retval_range *range);
bool retval_range_within(struct bpf_retval_range range, const struct bpf_reg_state *reg,
			 bool return_32bit);
void verbose_invalid_scalar(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			    struct bpf_retval_range range, const char *ctx, const char *reg_name);

/* --- helper.c, kfunc.c -------------------------------------------------------------------------------- */

int check_helper_call(struct bpf_verifier_env *env, const struct bpf_insn *insn, u32 *insn_idx);
int check_kfunc_call(struct bpf_verifier_env *env, const struct bpf_insn *insn, u32 *insn_idx);
/* kfuncs that branch.c, call.c, prune.c must know. */
bool is_iter_next_kfunc_insn(const struct bpf_verifier_env *env, const struct bpf_insn *insn);
bool is_bpf_throw_insn(const struct bpf_verifier_env *env, const struct bpf_insn *insn);
bool is_callback_calling_insn(const struct bpf_verifier_env *env, const struct bpf_insn *insn);
bool is_sync_callback_calling_insn(const struct bpf_verifier_env *env, const struct bpf_insn *insn);
/* ... whose callback may sleep, although what registers it may not (bpf_wq) */
bool is_sleepable_callback_insn(const struct bpf_verifier_env *env, const struct bpf_insn *insn);
/* kfuncs that may be called while a bpf_spin_lock is held: lists, trees, rcu */
bool is_bpf_graph_api_kfunc_insn(const struct bpf_verifier_env *env, const struct bpf_insn *insn);
bool is_may_goto_insn(const struct bpf_insn *insn);
/* helpers behind which packet pointers are stale */
bool helper_changes_pkt_data(s32 func_id);
/* Does register @regno hold what an argument of @arg_type takes (@arg_btf_id: its type)? */
int check_reg_type(struct bpf_verifier_env *env, u32 regno, u32 arg_type, const u32 *arg_btf_id,
		   struct bpf_call_arg_meta *meta);
/* ... and may it have the offset that it has? */
int check_func_arg_reg_off(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			   u32 regno, u32 arg_type);
/* How many of r1-r5 a helper or kfunc call reads; 5 if it is not known. */
u32 call_arity(const struct bpf_verifier_env *env, const struct bpf_insn *insn);
/* A call of the global function @subprog from here: whatever kfuncs it calls, it calls from here. */
void note_global_call(struct bpf_verifier_env *env, u32 subprog);

/* --- dynptr.c, iter.c: what is on the stack ------------------------------------------------------------ */

/* A CONST_PTR_TO_DYNPTR, or one of the two slots of a dynptr. */
void mark_dynptr_reg(struct bpf_reg_state *reg, enum bpf_dynptr_type type, bool first_slot,
		     u32 dynptr_id);
int mark_stack_slots_dynptr(struct bpf_verifier_env *env, const struct bpf_reg_state *reg,
			    enum bpf_dynptr_type type, u32 insn_idx, u32 clone_ref_obj_id);
int unmark_stack_slots_dynptr(struct bpf_verifier_env *env, const struct bpf_reg_state *reg);
/* A store to slot @spi: a dynptr there is gone, unless it needs release (-EINVAL, said). */
int destroy_if_dynptr_stack_slot(struct bpf_verifier_env *env, struct bpf_func_state *func,
				 s32 spi);
/* meta, reg: argument checks for helpers and kfuncs. @arg_type: flags of helpers.h. */
int process_dynptr_func(struct bpf_verifier_env *env, u32 regno, u32 insn_idx, u32 arg_type,
			u32 clone_ref_obj_id);
int process_iter_arg(struct bpf_verifier_env *env, u32 regno, u32 insn_idx,
		     const struct bpf_kfunc_desc *desc, s32 *spi, u32 *frameno);
/* iter_next: the path where it returns NULL is pushed, the other one goes on. */
int process_iter_next_call(struct bpf_verifier_env *env, u32 insn_idx, s32 spi, u32 frameno);

/* --- refs.c ------------------------------------------------------------------------------------------------ */

/* A new reference: its id. */
u32 acquire_reference(struct bpf_verifier_env *env, u32 insn_idx);
/* It was given back: all registers with it are not initialised any more. -EINVAL: not held. */
int release_reference(struct bpf_verifier_env *env, u32 ref_obj_id);
/* Only the books: -EINVAL: not held. */
int release_reference_nomark(struct bpf_verifier_state *st, u32 ref_obj_id);
bool find_reference(const struct bpf_verifier_state *st, u32 ref_obj_id);
int acquire_lock(struct bpf_verifier_env *env, u32 insn_idx, u32 id, const void *ptr);
int release_lock(struct bpf_verifier_env *env, u32 id, const void *ptr);
bool find_lock(const struct bpf_verifier_state *st, u32 id, const void *ptr);
/* At the end of the program (or a throw): nothing may be held. */
int check_reference_leak(struct bpf_verifier_env *env, bool exception_exit);
/*
 * ... nor (@check_lock) any section be open. @prefix: who would leave it: "tail_call",
 * "bpf_throw"; NULL: the end of the program.
 */
int check_resource_leak(struct bpf_verifier_env *env, bool exception_exit, bool check_lock,
			const char *prefix);
/* Non-owning references end with the lock. */
void invalidate_non_owning_refs(struct bpf_verifier_env *env);
/* MEM_RCU pointers become untrusted. */
void invalidate_rcu_protected(struct bpf_verifier_env *env);
bool in_rcu_cs(const struct bpf_verifier_env *env);

/* --- liveness.c ---------------------------------------------------------------------------------------------- */

/* aux[].live_regs of all instructions. */
int compute_live_registers(struct bpf_verifier_env *env);
/* Slots (bit i: fp-8*(i+1)) of frame @frameno of the current path that @insn_idx reads or overwrites. */
void mark_stack_slots_read(struct bpf_verifier_env *env, u32 frameno, u64 slots);
void mark_stack_slots_written(struct bpf_verifier_env *env, u32 frameno, u64 slots);
/* Around each instruction that is looked at: what a visit does not write need not be written. */
int liveness_begin_insn(struct bpf_verifier_env *env, u32 insn_idx);
int liveness_end_insn(struct bpf_verifier_env *env);
/*
 * By frame, the slots that are read later; right for a checkpoint that has no open
 * paths, see liveness_stack.c.
 */
void live_stack_slots(struct bpf_verifier_env *env, const struct bpf_verifier_state *st,
		      u64 slots[BPF_MAX_FRAMES]);
void liveness_free(struct bpf_verifier_env *env);

/* --- precision.c ------------------------------------------------------------------------------------------------ */

/* @regno's number mattered: so did what it was computed from. */
int mark_chain_precision(struct bpf_verifier_env *env, u32 regno);
/* The same of a number spilled to slot @spi of frame @frameno. */
int mark_chain_precision_stack(struct bpf_verifier_env *env, u32 frameno, u32 spi);
/* The instruction at hand goes into the history of this path. @linked is copied; may be NULL. */
int push_jmp_history(struct bpf_verifier_env *env, u32 insn_flags,
		     const struct linked_regs *linked);
/* Of all checkpoints that @st went through. Has anything changed? */
bool mark_all_scalars_precise(struct bpf_verifier_env *env, struct bpf_verifier_state *st);
void mark_all_scalars_imprecise(struct bpf_verifier_env *env, struct bpf_verifier_state *st);
/* The numbers of @old, a checkpoint that covers @st, matter to that, too. Sets *@changed. */
int propagate_precision(struct bpf_verifier_env *env, const struct bpf_verifier_state *old,
			struct bpf_verifier_state *st, bool *changed);
void precision_free(struct bpf_verifier_env *env);

/* --- prune.c --------------------------------------------------------------------------------------------------------- */

/* Marks prune, jump and force points, and loops; after the structural checks. */
int prune_init(struct bpf_verifier_env *env);
void prune_free(struct bpf_verifier_env *env);
/* All checkpoints: the next global function is verified from new. */
void prune_forget(struct bpf_verifier_env *env);
/* At a prune point: 1: this path is safe; 0: go on (a checkpoint may have been made); -errno. */
int is_state_visited(struct bpf_verifier_env *env, u32 insn_idx);
/* A path ended (@st, still allocated): its checkpoints have one branch less. */
int update_branch_counts(struct bpf_verifier_env *env, struct bpf_verifier_state *st);
/* The state at the entry of the loop that an iterator's next at @insn_idx closes, or NULL. */
struct bpf_verifier_state *find_prev_entry(struct bpf_verifier_env *env,
					   struct bpf_verifier_state *cur, u32 insn_idx);
/* Ranges that differ between @old and @cur are forgotten in @cur, to converge. */
int widen_imprecise_scalars(struct bpf_verifier_env *env, struct bpf_verifier_state *old,
			    struct bpf_verifier_state *cur);

#endif
