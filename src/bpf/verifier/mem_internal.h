/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files about memory tell each other: mem.c, mem_align.c, mem_arg.c,
 * map_access.c, packet.c, ctx.c and its tables, btf_access.c and btf_walk.c.
 */
#ifndef VRT_BPF_VERIFIER_MEM_INTERNAL_H
#define VRT_BPF_VERIFIER_MEM_INTERNAL_H

#include "verifier.h"

/* Flags that say that a pointer is good; any other makes it suspicious. */
#define TRUSTED_MODIFIERS (MEM_ALLOC | PTR_TRUSTED | NON_OWN_REF)

/* --- mem.c ---------- */

/* A load or store that is being checked. */
struct mem_access {
	u32 insn_idx, regno;
	struct bpf_reg_state *reg; /* regs[regno]: the pointer */
	s32 off; /* with the fixed part of the pointer's own offset */
	s32 size;
	enum bpf_access_type t;
	s32 value_regno; /* < 0: none */
	bool is_ldsx;
};

/* "(0x0; 0xff)", and numbers that are known as such. */
#define TNUM_STR_SIZE 48
const char *tnum_str(struct tnum a, char *buf);
/* A load that gives a number of which nothing is known. */
void mark_loaded_scalar(struct bpf_verifier_env *env, const struct mem_access *a);
/* @off and @size against [0, @mem_size), in the words for what register @regno holds. */
int check_mem_bounds(struct bpf_verifier_env *env, u32 regno, s32 off, s32 size, u32 mem_size,
		     bool zero_size_allowed);
int cannot_write(struct bpf_verifier_env *env, u32 regno);
/* Pointers whose floor is not known: a message and -EACCES. */
int complain_negative(struct bpf_verifier_env *env, u32 regno);

/* --- mem_arg.c ---------- */

int check_buffer_access(struct bpf_verifier_env *env, const char *what, u32 regno, s32 off,
			s32 size);

/* --- map_access.c ---------- */

int access_map_key(struct bpf_verifier_env *env, const struct mem_access *a);
int access_map_value(struct bpf_verifier_env *env, const struct mem_access *a);

/* --- packet.c ---------- */

int access_packet(struct bpf_verifier_env *env, const struct mem_access *a);
int access_flow_keys(struct bpf_verifier_env *env, const struct mem_access *a);
int check_packet_access(struct bpf_verifier_env *env, u32 regno, s32 off, s32 size,
			bool zero_size_allowed);

/* --- ctx.c ---------- */

/*
 * A piece of a context (or socket), as the UAPI headers lay it out, and how it may be
 * read and written: widths between a least and a greatest one; 0: not at all.
 */
struct ctx_field {
	u16 start, end;
	u8 read_min, read_max, write_min, write_max;
	u32 type; /* what a load gives; 0: a number */
	bool no_ldsx; /* a pointer's half: must not be sign extended */
	bool first_only; /* narrow loads from its first byte only */
	bool as_u32; /* two bytes that once were four, and may be read as such */
	/* bits of enum bpf_prog_type or bpf_attach_type, by the table; 0: all */
	u64 readers, writers;
};

struct ctx_table {
	const struct ctx_field *fields;
	u32 nr, size;
	enum { CTX_FOR_ALL, CTX_BY_PROG_TYPE, CTX_BY_ATTACH_TYPE } by;
};

#define CTX_BIT(n) (1ULL << (n))

/* Where in @table the access would go, if it may be made; NULL if not. @key: see ->by. */
const struct ctx_field *ctx_field_at(const struct ctx_table *table, u32 key, s32 off, s32 size,
				     enum bpf_access_type t, bool is_ldsx);
/* Does what programs see of the context differ from what there is? */
bool ctx_is_converted(const struct bpf_prog *prog);
int access_ctx(struct bpf_verifier_env *env, const struct mem_access *a);
int access_sock(struct bpf_verifier_env *env, const struct mem_access *a);

/* --- ctx_net.c, ctx_cgroup.c ---------- */

/* NULL: the type's context is not one of tables. */
const struct ctx_table *ctx_net_table(enum bpf_prog_type type);
const struct ctx_table *ctx_cgroup_table(enum bpf_prog_type type);
const struct ctx_table *sock_table(u32 reg_type);

/* --- ctx_tracing.c ---------- */

/* The contexts that are no tables: 0, -EACCES, or -ENOENT: another kind of program. */
int ctx_tracing_access(struct bpf_verifier_env *env, s32 off, s32 size, enum bpf_access_type t,
		       struct bpf_insn_access_aux *info);

/* --- btf_walk.c ---------- */

/* What is found in a struct. */
struct btf_place {
	enum { BTF_PLACE_SCALAR, BTF_PLACE_PTR, BTF_PLACE_STRUCT } kind;
	u32 id; /* of the struct, or the one that is pointed to */
	u32 flags; /* of the pointer: MEM_USER, MEM_PERCPU, MEM_RCU, PTR_UNTRUSTED */
	const char *field; /* of the pointer */
	bool beyond; /* the struct's end: in an array that may have fewer elements, or none */
};

/*
 * The next piece of struct @id that holds [@off, @off+@size): a nested struct that
 * begins at @off, or what cannot be taken apart. Flags add up in @place. 0 or -errno.
 */
int btf_walk(struct bpf_verifier_env *env, const struct btf *btf, u32 id, s32 off, s32 size,
	     struct btf_place *place);
/* The scalar or pointer there, however deep. */
int btf_find_place(struct bpf_verifier_env *env, const struct btf *btf, u32 id, s32 off, s32 size,
		   struct btf_place *place);

/* --- btf_access.c ---------- */

int access_btf_object(struct bpf_verifier_env *env, const struct mem_access *a);
int access_map_struct(struct bpf_verifier_env *env, const struct mem_access *a);

#endif
