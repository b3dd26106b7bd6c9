/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Program types of other rooms, inside the bpf room: what was registered
 * through prog_type.h, with its names resolved.
 */
#ifndef VRT_BPF_PROG_TYPE_INTERNAL_H
#define VRT_BPF_PROG_TYPE_INTERNAL_H

#include "prog_type.h"

struct bpf_own_helper {
	u32 id;
	u32 btf_id; /* of proto->btf, 0 if there is none */
	const struct bpf_func_proto *proto;
	char name[64]; /* with "bpf_" */
};

struct bpf_own_type {
	const struct bpf_prog_type_ops *ops;
	u32 ctx_size;
	struct bpf_own_helper *helpers;
	u32 nr_helpers;
};

/* The registered type of that number, or NULL: Linux's or nobody's. */
const struct bpf_own_type *bpf_own_type_find(u32 type);
/* NULL when the type has no such helper. */
const struct bpf_own_helper *bpf_own_helper_find(const struct bpf_own_type *type, u32 id);
/* Tells the room, once, that @prog is there, or goes. */
int bpf_own_type_load(struct bpf_prog *prog);
void bpf_own_type_unload(struct bpf_prog *prog);
/* BPF_LINK_CREATE of such a program: a descriptor or -errno. Consumes a reference on success. */
int bpf_own_type_link_create(struct bpf_prog *prog, const union bpf_attr *attr);
/* Forgets all types; no program of theirs may be left. */
void bpf_own_types_exit(void);

#endif
