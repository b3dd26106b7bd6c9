/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A loaded program: its instructions after resolution of maps, subprograms and
 * kfuncs, and everything that is known of it.
 *
 * The load pipeline (prog.c): copy and check the attributes -> resolve
 * pseudo-instructions -> check structure -> fix up. Verification by abstract
 * interpretation and JIT take their places between the last two.
 */
#ifndef VRT_BPF_PROG_H
#define VRT_BPF_PROG_H

#include "btf/btf.h"
#include "log.h"
#include "map.h"
#include "verifier/stats.h"

#define BPF_MAX_INSNS 1000000
#define BPF_MAX_SUBPROGS 256
#define BPF_MAX_FRAMES 8
#define BPF_STACK_SIZE 512

struct bpf_subprog {
	u32 start, end; /* instruction indices, end exclusive */
	u32 stack; /* bytes, multiple of 8 */
	bool reads_uninit; /* it may read of its stack what was not written: as 0 */
	u32 func_type_id; /* BTF FUNC in prog->btf, 0 if unknown */
	bool is_callback;
};

/* What an argument of a struct_ops member or tracing program is. */
struct bpf_ctx_arg {
	bool is_ptr;
	bool maybe_null;
	u32 btf_id; /* pointed-to struct in the kernel BTF; 0: scalar or opaque */
	u8 size; /* scalars: bytes */
};

/* A call of a kfunc, as bpf_kfunc_bind() has decided on it. */
struct bpf_kfunc_call {
	u32 insn;
	u32 kfunc, impl; /* BTF ids of FUNCs; impl 0: it cannot be reached */
	u8 contexts; /* BPF_CONTEXT_* */
};

/* What a load, store or atomic operation has to do beyond the access itself. */
enum bpf_insn_access {
	ACCESS_PLAIN,
	ACCESS_PROBE, /* the pointer may be anything: what is not there reads as 0 */
	ACCESS_ARENA, /* 32 bits of the pointer count, and pages may be missing */
	ACCESS_PACKET, /* a load of the context's pointer to the packet */
	ACCESS_PACKET_END, /* ... to its end */
};

/* What verification has found out for the compiler, by instruction. */
struct bpf_insn_facts {
	u8 access; /* enum bpf_insn_access */
	bool same_map; /* a map helper or tail call: the map is always prog->maps[map] */
	u8 map;
};

struct bpf_prog {
	struct bpf_obj obj;
	enum bpf_prog_type type;
	enum bpf_attach_type expected_attach_type; /* struct_ops: member index */
	u32 flags; /* BPF_F_* of the load */
	char name[BPF_OBJ_NAME_LEN];
	bool gpl_compatible, sleepable;
	/*
	 * Set by whoever calls it: it runs in task context on a stack of its own and
	 * may be preempted there. Its timers' callbacks may not.
	 */
	bool preemptible;

	struct bpf_insn *insns; /* as executed */
	u32 len;
	struct bpf_insn *orig_insns; /* as loaded, for reporting */
	struct bpf_subprog *subprogs;
	u32 nr_subprogs;
	u32 exception_cb; /* where the function starts that bpf_throw() ends in; 0: there is none */

	struct bpf_map **maps; /* referenced, each once */
	u32 nr_maps;

	struct btf *btf;
	struct bpf_func_info *func_info;
	u32 nr_func_info;
	struct bpf_line_info *line_info;
	u32 nr_line_info;

	u32 attach_btf_id; /* struct_ops: the type id; tracing: the function */
	struct btf *attach_btf;
	const struct bpf_struct_ops *st_ops;
	const struct bpf_own_type *own_type; /* a type of another room (prog_type.h); NULL: Linux's */
	bool in_world; /* own_type: its room was told */
	/* what ctx_args describe: a FUNC_PROTO of the kernel BTF and its name; NULL: none */
	const struct btf_type *attach_func_proto;
	const char *attach_func_name;
	u32 attach_first_arg; /* parameters before it are no part of the context */
	struct bpf_ctx_arg ctx_args[12];
	u32 nr_ctx_args;
	/* verification: ends of what it may touch of the context, and of a tracepoint's buffer */
	u32 max_ctx_offset, max_tp_access;

	struct bpf_kfunc_call *kfunc_calls;
	u32 nr_kfunc_calls;

	struct bpf_verifier_stats verified;
	struct bpf_prog_exec *exec; /* how it is executed, see exec.h */
	struct bpf_insn_facts *facts; /* while it is loaded; NULL: not verified */
	struct bpf_jit_image *jit; /* jit/jit.h; NULL: it is interpreted */
	u64 run_cnt, run_insns; /* statistics, as bpftool shows them */
	u64 misses; /* times that it was not run because it was running: set by whoever calls it */
	u8 tag[BPF_TAG_SIZE];
};

/* BPF_PROG_LOAD: a descriptor or -errno. In prog.c. (libbpf has one, too.) */
int bpf_prog_load(union bpf_attr *attr, u32 size) __asm__("vrt_bpf_prog_load");
void bpf_prog_get(struct bpf_prog *prog);
void bpf_prog_put(struct bpf_prog *prog);
struct bpf_prog *bpf_prog_from_fd(int fd);

/* BPF_PROG_TEST_RUN. In test_run.c. */
int bpf_prog_test_run(union bpf_attr *attr, u32 size);

/*
 * Structural check and resolution (check.c): opcodes and reserved fields of
 * RFC 9669, jump targets, subprogram bounds, falling off the end, calls of
 * unknown helpers or kfuncs, map descriptors. 0 or -errno with a log in the
 * kernel's format.
 */
int bpf_check(struct bpf_prog *prog, const union bpf_attr *attr, struct bpf_log *log);

/* The line information that covers an instruction, or NULL. */
const struct bpf_line_info *bpf_prog_line(const struct bpf_prog *prog, u32 insn);
/* "file.bpf.c:12" of an instruction, or "insn 7" without line info. */
void bpf_prog_where(const struct bpf_prog *prog, u32 insn, char *buf, size_t size);
/* The text of the source line, without its indentation; "" if not known. */
const char *bpf_prog_source_line(const struct bpf_prog *prog, u32 insn);

/*
 * The checked interpreter (interp.c). @ctx is the program's context of
 * @ctx_size bytes; when the program's ctx_args are known, pointers loaded from
 * it carry the bounds of their objects.
 */
u64 bpf_interp_run(struct bpf_prog *prog, void *ctx, u32 ctx_size);

#endif
