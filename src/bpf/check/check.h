/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The structural check of a program at load, in the order in which Linux's
 * verifier does its passes, so that a wrong program gets the same message:
 *
 *	check/cfg.c	functions, jumps, reachability, depth of calls
 *	check/btf.c	function and line information
 *	check/attach.c	what the program will be attached to, and its context
 *	check/resolve.c	maps, kernel variables, functions, kfuncs, helpers
 *	check/insn.c	opcodes and reserved fields
 *	verifier/	all paths: what memory they touch, that they end, what they call
 *	kfunc/reloc.c	where kfuncs may be called, and which one a call gets
 *
 * Afterwards prog->insns refers to what was resolved: the imm of a 64-bit load
 * with a src_reg is an index of exec->consts, that of a kfunc call one of
 * exec->kfuncs.
 *
 * The passes before the verifier decide what does not hang on values. A program
 * that is not verified is stopped where it goes wrong (exec.h).
 */
#ifndef VRT_BPF_CHECK_H
#define VRT_BPF_CHECK_H

#include "../exec/exec.h"

struct bpf_check_env {
	struct bpf_prog *prog;
	const union bpf_attr *attr;
	struct bpf_log *log;
	bool verify; /* by following all paths; else what values decide is checked at run time */
	struct bpf_verifier_stats verified;
	u8 *live; /* by instruction: the verifier has reached it; NULL: it has not looked */
};

enum {
	BPF_CONTEXT_MAIN = 1 << 0, /* where the program is attached */
	BPF_CONTEXT_TIMER = 1 << 1, /* as a callback of bpf_timer */
	BPF_CONTEXT_WQ = 1 << 2, /* ... of bpf_wq */
	BPF_CONTEXT_ASYNC = BPF_CONTEXT_TIMER | BPF_CONTEXT_WQ,
};

#define BPF_POISON_CORE 195896080 /* libbpf: a field, type or enumerator that is not there */
#define BPF_POISON_MAP 2001000000 /* ... a map that was not created, plus its index */
#define BPF_POISON_KFUNC 2002000000 /* ... a weak kfunc that is not there, plus its index */
#define BPF_POISON_UNREACHED 2003000000 /* an instruction that verification did not reach */

static inline bool bpf_is_ldimm64(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static inline bool bpf_is_call(const struct bpf_insn *insn, u32 src_reg)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == src_reg;
}

/* Does it jump, with a target? */
static inline bool bpf_is_jump(const struct bpf_insn *insn)
{
	return (BPF_CLASS(insn->code) == BPF_JMP || BPF_CLASS(insn->code) == BPF_JMP32) &&
	       BPF_OP(insn->code) != BPF_CALL && BPF_OP(insn->code) != BPF_EXIT;
}

static inline s64 bpf_jump_target(const struct bpf_insn *insn, u32 i)
{
	bool far = insn->code == (BPF_JMP32 | BPF_JA);

	return (s64)i + 1 + (far ? insn->imm : insn->off);
}

/* A reference to a function, as a callback. */
static inline bool bpf_is_func_ref(const struct bpf_insn *insn)
{
	return bpf_is_ldimm64(insn) && insn->src_reg == BPF_PSEUDO_FUNC;
}

/* addr_space_cast: between the address spaces of user space (1) and of the kernel (0) */
#define BPF_CAST_KERN 1
#define BPF_CAST_USER (1 << 16)

static inline bool bpf_is_cast(const struct bpf_insn *insn)
{
	return insn->code == (BPF_ALU64 | BPF_MOV | BPF_X) && insn->off == 1;
}

/* A call that stands for something that libbpf did not find: an error only when executed. */
static inline bool bpf_call_is_missing(const struct bpf_insn *insn)
{
	return bpf_is_call(insn, 0) &&
	       (insn->imm == BPF_POISON_CORE || insn->imm >= BPF_POISON_MAP);
}

/*
 * Where control can go from @i inside of its function (calls return): at most two
 * instructions, the next one first. Their number.
 */
u32 bpf_insn_successors(const struct bpf_prog *prog, u32 i, u32 succ[2]);
/* The function that starts at, or NULL; or contains, @insn. */
struct bpf_subprog *bpf_subprog_at(const struct bpf_prog *prog, u32 start);
struct bpf_subprog *bpf_subprog_of(const struct bpf_prog *prog, u32 insn);

/* Each pass: 0, or -errno with a message in the log. */
int bpf_check_btf_early(struct bpf_check_env *env);
int bpf_check_add_subprogs(struct bpf_check_env *env);
int bpf_check_subprogs(struct bpf_check_env *env);
int bpf_check_btf_info(struct bpf_check_env *env);
int bpf_check_attach(struct bpf_check_env *env);
int bpf_check_resolve(struct bpf_check_env *env);
int bpf_check_cfg(struct bpf_check_env *env);
int bpf_check_insns(struct bpf_check_env *env);
/* Reserved fields and registers of one whose opcode is known. */
int bpf_check_insn(struct bpf_check_env *env, const struct bpf_insn *insn);
/* Calls of kfuncs can be resolved; without verification also: all calls are allowed. */
int bpf_check_calls(struct bpf_check_env *env);
/* References become what is executed, and what cannot be reached stops the run. */
int bpf_check_link(struct bpf_check_env *env);

/* The map behind @fd, which prog->maps holds from then on; its index or -errno. */
int bpf_check_add_map(struct bpf_check_env *env, int fd);

/* "7: (85) call bpf_loop#181" into the log, before a message about instruction @i. */
void bpf_check_log_insn(struct bpf_check_env *env, u32 i);

/* disasm.c: the kernel's text of an instruction. */
void bpf_disasm(const struct bpf_prog *prog, u32 i, char *buf, size_t size);

#endif
