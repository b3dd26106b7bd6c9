/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Polymorphic kfuncs inside the bpf room: the tables of rules, and the pass of
 * the load pipeline that binds calls by them.
 */
#ifndef VRT_BPF_KFUNC_RELOC_H
#define VRT_BPF_KFUNC_RELOC_H

#include "../check/check.h"

struct bpf_kfunc_desc;

/*
 * Resolves @ops->kfunc_rules; a type without a callback of its own answers by
 * all tables. -ENOENT: a name that is not there; -EINVAL: an implementation of
 * another prototype; -EEXIST: two rules for one place.
 */
int bpf_kfunc_table_register(struct bpf_struct_ops *ops);
/* Forgets all tables, and what calls were bound to; no program may be left. */
void bpf_kfunc_tables_exit(void);

/*
 * The call of @desc at @i can be reached from @contexts, of which @more are new:
 * decides what it gets. -errno with lines in the log.
 */
int bpf_kfunc_bind(struct bpf_check_env *env, u32 i, u8 contexts, u8 more,
		   const struct bpf_kfunc_desc *desc);
/* What was decided. */
const struct bpf_kfunc_desc *bpf_kfunc_bound(const struct bpf_prog *prog, u32 i,
					     const struct bpf_kfunc_desc *desc);
/* For the listing: a call that cannot be reached. */
void bpf_kfunc_unreached(struct bpf_prog *prog, u32 i, u32 kfunc);
/* All calls are known: puts them in order. */
void bpf_kfunc_calls_done(struct bpf_prog *prog);

#endif
