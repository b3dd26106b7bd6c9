/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct_ops types and their maps, inside the bpf room. Types are registered
 * through bpf.h.
 */
#ifndef VRT_BPF_STRUCT_OPS_H
#define VRT_BPF_STRUCT_OPS_H

#include "map.h"

/* The registered type whose struct has id @type_id in the kernel BTF, or NULL. */
const struct bpf_struct_ops *bpf_struct_ops_find(u32 type_id);
/* The same by the id of its bpf_struct_ops_<name>. */
const struct bpf_struct_ops *bpf_struct_ops_find_value(u32 value_id);
/* Unregisters what is registered without a link. */
void bpf_struct_ops_unreg_all(void);
/* Forgets all types; no map of theirs may be left. */
void bpf_struct_ops_exit(void);

/* BPF_LINK_CREATE with attach_type BPF_STRUCT_OPS: a descriptor or -errno. */
int bpf_struct_ops_link_create(const union bpf_attr *attr);

#endif
