/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Program types that other rooms bring: what their context is, which helpers
 * they may call beyond everybody's, and where they are attached. In the kernel
 * this is struct bpf_verifier_ops, bpf_prog_ops and a case in link_create().
 */
#ifndef VRT_BPF_PROG_TYPE_H
#define VRT_BPF_PROG_TYPE_H

#include "bpf.h"

struct bpf_func_proto;
struct bpf_log;

/* A helper of the room's own, by its number: from 1000 on, Linux's are below. */
struct bpf_type_helper {
	u32 id;
	const struct bpf_func_proto *proto;
};

struct bpf_prog_type_ops {
	u32 type; /* what BPF_PROG_LOAD gives as prog_type */
	const char *name; /* for messages and listings: "ghost_msg" */
	/*
	 * The context is a struct of the kernel BTF, plain bytes, all of which the
	 * program may read and write at any offset and width.
	 */
	const char *ctx;
	const struct bpf_type_helper *helpers;
	u32 nr_helpers;
	bool may_sleep; /* BPF_F_SLEEPABLE is possible */
	/* At load, with a line in @log unless 0: look at expected_attach_type and the like. */
	int (*check)(const struct bpf_prog *prog, struct bpf_log *log);
	/* The program goes into, or leaves, the world. @loaded: 0 or -errno. Both may be NULL. */
	int (*loaded)(struct bpf_prog *prog);
	void (*unloaded)(struct bpf_prog *prog);
	/*
	 * BPF_LINK_CREATE. @target: what target_fd stands for (bpf_target_fd()), NULL
	 * when it is 0; descriptors of other types than ->target are refused with
	 * EINVAL. @attach_type is the request's. 0 or -errno; *@state is the link's.
	 * detach() is called once, at the latest when the link goes; it must stand
	 * that the target has ended meanwhile.
	 */
	const struct bpf_target_type *target; /* NULL: target_fd must be 0 */
	int (*attach)(struct bpf_prog *prog, void *target, u32 attach_type, void **state);
	void (*detach)(struct bpf_prog *prog, void *state);
};

/*
 * @ops must stay until bpf_exit(), which forgets it. Before any program of the
 * type is loaded. -EEXIST, -ENOENT (no such struct), -EINVAL (number of a helper).
 * All calls of @ops but check() come inside the machine (bpf_env->run_inside).
 */
int bpf_register_prog_type(const struct bpf_prog_type_ops *ops);

/*
 * A kind of thing that links are made to and that is neither a program nor a
 * map, as a cgroup's directory is in Linux. release() is called when the last
 * descriptor is closed, inside the machine.
 */
struct bpf_target_type {
	const char *name;
	void (*release)(void *target);
};

/* A new descriptor that stands for @target, as others may already, or -errno. */
int bpf_target_fd(const struct bpf_target_type *type, void *target);

/*
 * Calls @prog with a context of the registered type: @ctx, in the kernel heap,
 * of the size of that struct. What the program leaves there stays. Returns what
 * the program returned; 0 if it was stopped.
 */
u64 bpf_prog_run_ctx(struct bpf_prog *prog, void *ctx);

#endif
