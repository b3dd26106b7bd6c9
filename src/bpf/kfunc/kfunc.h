/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kfuncs inside the bpf room: what is registered, what their prototypes in the
 * kernel BTF ask of arguments, and calling them.
 */
#ifndef VRT_BPF_KFUNC_H
#define VRT_BPF_KFUNC_H

#include "../exec/exec.h"

enum bpf_kfunc_arg_kind {
	KARG_SCALAR,
	KARG_CONST, /* __k */
	KARG_IGNORE, /* __ign; and void pointers that the kfunc looks at itself */
	KARG_MAP,
	KARG_DYNPTR,
	KARG_ITER, /* on the stack; whether it must be initialised follows from the flags */
	KARG_CALLBACK,
	KARG_OBJECT, /* of kernel type btf_id, or plain memory of its size */
	KARG_MEM, /* of fixed size */
	KARG_MEM_SIZE, /* the next argument is its size */
	KARG_STR, /* NUL-terminated */
	KARG_FIELD, /* a special field: list head, tree, wq; see field */
	KARG_NODE, /* a special field in an allocated object */
	KARG_ALLOC, /* an allocated object, from its beginning */
};

struct bpf_kfunc_arg {
	enum bpf_kfunc_arg_kind kind;
	const char *name;
	u32 btf_id; /* struct pointed to */
	u32 size; /* of what is pointed to; scalars: of themselves */
	enum btf_field_type field;
	bool nullable, writable, boolean, uninit;
	bool optional; /* __opt: nullable memory of the size in the next argument */
	bool const_size; /* the next argument is __szk: its size, and known at load */
	bool unchecked; /* __ign */
	bool refcounted; /* __refcounted_kptr: an allocated object that is only borrowed */
};

enum bpf_kfunc_ret_kind {
	KRET_VOID,
	KRET_SCALAR,
	KRET_OBJECT, /* of kernel type btf_id */
	KRET_NODE, /* of an allocated object */
	KRET_MEM, /* read-only, of the pointed-to type's size */
	KRET_CUSTOM, /* the kfunc fills in the register itself */
};

/* kfuncs of which the verifier knows more than their prototypes say. */
enum bpf_special_kfunc {
	KFUNC_ORDINARY,
	KFUNC_OBJ_NEW,
	KFUNC_PERCPU_OBJ_NEW,
	KFUNC_OBJ_DROP,
	KFUNC_PERCPU_OBJ_DROP,
	KFUNC_REFCOUNT_ACQUIRE,
	KFUNC_LIST_PUSH_FRONT,
	KFUNC_LIST_PUSH_BACK,
	KFUNC_LIST_POP_FRONT,
	KFUNC_LIST_POP_BACK,
	KFUNC_RBTREE_ADD,
	KFUNC_RBTREE_REMOVE,
	KFUNC_RBTREE_FIRST,
	KFUNC_CAST_TO_KERN_CTX,
	KFUNC_RDONLY_CAST,
	KFUNC_RCU_READ_LOCK,
	KFUNC_RCU_READ_UNLOCK,
	KFUNC_PREEMPT_DISABLE,
	KFUNC_PREEMPT_ENABLE,
	KFUNC_DYNPTR_FROM_SKB,
	KFUNC_DYNPTR_FROM_XDP,
	KFUNC_DYNPTR_SLICE,
	KFUNC_DYNPTR_SLICE_RDWR,
	KFUNC_DYNPTR_CLONE,
	KFUNC_THROW,
	KFUNC_WQ_SET_CALLBACK,
	KFUNC_ITER_CSS_TASK_NEW,
	KFUNC_SESSION_COOKIE,
	NR_SPECIAL_KFUNCS,
};

struct bpf_kfunc_desc {
	const struct bpf_kfunc *kfunc;
	u32 btf_id; /* of the FUNC */
	enum bpf_special_kfunc special;
	u32 nr_args;
	struct bpf_kfunc_arg args[5];
	enum bpf_kfunc_ret_kind ret;
	u32 ret_btf_id, ret_size;
	bool ret_signed, ret_bool;
};

/* The kfunc whose FUNC in the kernel BTF is @btf_id, or NULL when it is not registered. */
const struct bpf_kfunc_desc *bpf_kfunc_find(u32 btf_id);
/* 0 or -EACCES: programs of that type, or this one, may not call it. */
int bpf_kfunc_allowed(const struct bpf_prog *prog, const struct bpf_kfunc_desc *desc);

/* Does it take a callback that runs later, outside of the program? */
bool bpf_kfunc_is_async(const struct bpf_kfunc_desc *desc);

/* Checks arguments, calls, and puts the result in @r[0]; x->stopped if it went wrong. */
void bpf_kfunc_call(struct bpf_exec *x, const struct bpf_kfunc_desc *desc, struct bpf_reg *r);

/* Argument @arg, from 0, alone; @r as above. False when stopped. */
bool bpf_kfunc_check_arg(struct bpf_exec *x, const struct bpf_kfunc_desc *desc, u32 arg,
			 const struct bpf_reg *r);
/* The value that is passed for the argument @arg. */
static inline u64 bpf_kfunc_pass(const struct bpf_kfunc_arg *arg, u64 v)
{
	return arg->boolean ? (u8)v != 0 : v;
}

/* The call alone, of arguments as they are passed: charged, and what it acquires remembered. */
u64 bpf_kfunc_execute(struct bpf_exec *x, const struct bpf_kfunc_desc *desc, const u64 args[5]);
/* r0 from what the function returned. */
u64 bpf_kfunc_extend(const struct bpf_kfunc_desc *desc, u64 ret);

/* The subsystem's own kfuncs. 0 or -errno. */
int bpf_kfuncs_init(void);
void bpf_kfuncs_exit(void);

/* Variables of the kernel, by the VAR's id in the kernel BTF. */
const struct bpf_kernel_var *bpf_kernel_var_find(u32 btf_id, u32 *type_id);

/* Sets that bpf_kfuncs_init() registers, each in its kfuncs_*.c. */
extern const struct bpf_kfunc_set bpf_cpumask_kfuncs, bpf_iter_kfuncs, bpf_key_kfuncs,
	bpf_obj_kfuncs, bpf_dynptr_kfuncs, bpf_misc_kfuncs;
/* What bpf_iter_bits_new() allocates. */
extern const struct kheap_type bpf_iter_bits_type;
/* Per-CPU state of bpf_cpumask_any_distribute(). */
void bpf_cpumask_kfuncs_reset(void);

#define BPF_KFUNC_ENTRY(name_, flags_) { .name = #name_, .fn = (void *)name_, .flags = flags_ }

#endif
