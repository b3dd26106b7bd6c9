/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Vectors for every instruction of RFC 9669, by conformance group.
 *
 * A vector is an instruction (or a few) between a load of all registers from
 * memory and a store of all of them to memory: a "step". Many steps make a
 * program, so that loading it costs little; a program runs once for each pair of
 * operands. What must be in memory afterwards says model.c, which follows the
 * text of the RFC and shares nothing with the interpreter.
 *
 *	isa.c		the command, groups, comparing
 *	build.c		from steps to programs
 *	model.c		what instructions mean
 *	engines.c	who executes: our interpreter, our compiler, the kernel of this host
 *	alu.c, atomic.c, call.c, jump.c, linux.c, memory.c, packet.c	vectors
 *	undefined.c	what is no instruction is rejected
 */
#ifndef VRT_TESTS_ISA_H
#define VRT_TESTS_ISA_H

#include <linux/bpf.h>
#include <stddef.h>

#include "../../../src/base/util.h"

/* linux/bpf.h of older systems lacks some */
#ifndef BPF_MEMSX
#define BPF_MEMSX 0x80
#endif
#ifndef BPF_JCOND
#define BPF_JCOND 0xe0
#endif

#define INSN(c, d, s, o, i)                                                                        \
	((struct bpf_insn){ .code = (u8)(c), .dst_reg = (d) & 15, .src_reg = (s) & 15,             \
			    .off = (s16)(o), .imm = (s32)(i) })

/* --- a program ------------------------------------------------------------------------ */

#define ISA_MAX_INSNS 100000
#define ISA_STEPS 32
#define ISA_FUNCTIONS 64
#define ISA_REGS 10 /* that are loaded and stored: r0 to r9 */

/* Memory that a program has: a map's value. Its middle is where pointers point. */
#define ISA_SMALL 1024
#define ISA_BIG (1 << 16 | 64)
#define ISA_PACKET 128 /* bytes behind the Ethernet header */

enum isa_type {
	ISA_SYSCALL, /* registers come from the context and go there */
	ISA_SOCKET, /* a SOCKET_FILTER: from and to the map, one step only */
};

/* Registers, as they lie in memory: of a step before it and after it. */
struct isa_regs {
	u64 in[ISA_REGS], out[ISA_REGS];
};

struct isa_step {
	u32 start, end; /* instructions */
	char what[64];
	u8 dst, src; /* get the operands of the run; if they are the same, the first */
};

struct isa_prog {
	enum isa_type type;
	u32 map_size; /* ISA_SMALL, ISA_BIG */
	struct bpf_insn insns[ISA_MAX_INSNS];
	u32 len;
	struct isa_step steps[ISA_STEPS];
	u32 nr_steps;
	/* functions that steps call: from here on behind the main program */
	struct bpf_insn funcs[ISA_MAX_INSNS];
	u32 funcs_len, func_starts[ISA_FUNCTIONS], nr_funcs;
	bool lone; /* the step must be alone: it may exit */
};

/* What goes in and comes out of a run. */
struct isa_io {
	struct isa_regs regs[ISA_STEPS];
	u8 map[ISA_BIG];
	u32 ret;
};

/* --- build.c: called by the files of vectors ---------------------------------------------- */

extern struct isa_prog isa_prog;

#define NO_OPERAND 0xff

/*
 * Begins a step; @dst and @src are the registers that get the operands, or NO_OPERAND. It
 * runs on all pairs of operands if it has two, on all operands if it has one.
 */
__printf(3, 4) void isa_step(u32 dst, u32 src, const char *fmt, ...);
void isa_emit(struct bpf_insn insn);
/* r@reg = pointer to the middle of the map's value, plus @off */
void isa_map_pointer(u32 reg, s32 off);
/* A function; what follows goes there until isa_func_end(). */
u32 isa_func(void);
void isa_func_end(void);
/* call of it */
void isa_call(u32 func);
/* Ends the step; runs the program when it is full. */
void isa_end(void);
/* Runs what there is: for vectors that want a program of their own. */
void isa_flush(void);
/* For the program that begins now: it must be empty. */
void isa_set(enum isa_type type, u32 map_size);
/* A step that may end the program: alone. */
void isa_alone(void);

/* Descriptor of the map in place of its mark (imm of a 64-bit load with a src_reg). */
#define ISA_MAP_MARK 0x4d4150

/* --- model.c --------------------------------------------------------------------------------- */

/* From what is in @io before a run to what must be there after it. */
void isa_model(const struct isa_prog *prog, struct isa_io *io, const u8 packet[ISA_PACKET]);

/* One instruction on two numbers: arithmetic (BPF_MOV, too) and comparisons. */
u64 isa_model_alu(const struct bpf_insn *insn, u64 dst, u64 src);
bool isa_model_jump(const struct bpf_insn *insn, u64 dst, u64 src);

/* --- engines.c ----------------------------------------------------------------------------- */

enum { ISA_INTERPRETER, ISA_JIT, ISA_HOST, ISA_ENGINES };

struct isa_engine {
	const char *name;
	const char *why_not; /* is it not there; NULL: it is */
	bool interpreted;
	long (*bpf)(int cmd, union bpf_attr *attr);
	void (*close)(int fd);
	int maps[2]; /* small, big */
};

extern struct isa_engine isa_engines[ISA_ENGINES];
extern char isa_log[1 << 20]; /* of the last load */

void isa_engines_init(void);
/* A descriptor, or -errno with the reason in isa_log; @type of BPF. */
int isa_load_attr(struct isa_engine *e, union bpf_attr *attr);
int isa_load(struct isa_engine *e, u32 type, const struct bpf_insn *insns, u32 len);
int isa_load_prog(struct isa_engine *e, const struct isa_prog *prog);
/* 0 or -errno. */
int isa_run(struct isa_engine *e, int fd, const struct isa_prog *prog, struct isa_io *io,
	    const u8 packet[ISA_PACKET]);

/* --- isa.c ------------------------------------------------------------------------------------- */

/* The verdict on one vector of the group in progress. */
void isa_count(const struct isa_engine *e, u64 vectors);
__printf(2, 3) void isa_wrong(const struct isa_engine *e, const char *fmt, ...);
/* Called by build.c: all engines on all operands. */
void isa_run_all(void);

/* --- vectors ----------------------------------------------------------------------------------- */

void alu_base32(void);
void alu_base64(void);
void alu_divmul32(void);
void alu_divmul64(void);
void atomic32(void);
void atomic64(void);
void call_base32(void);
void jump_base32(void);
void jump_base64(void);
void linux_extensions(void);
void memory_base32(void);
void memory_base64(void);
void packet(void);
void undefined(void);

/* Around the limits of what fits into 8, 16 and 32 bits. */
extern const s32 isa_imms[];
extern const u32 isa_nr_imms;

#endif
