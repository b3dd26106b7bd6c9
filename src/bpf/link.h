/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Links: the tie between a program or struct_ops map and the place it is
 * attached to. A link ends when its last descriptor is closed, or by DETACH.
 *
 * Places that are not struct_ops are registered by the room that has them
 * (bpf_register_attach()); what nobody registered is answered as a kernel
 * answers that lacks it.
 */
#ifndef VRT_BPF_LINK_H
#define VRT_BPF_LINK_H

#include "object.h"

struct bpf_link;

struct bpf_link_ops {
	/* The link is no more: undo the attachment and free what holds the link. */
	void (*release)(struct bpf_link *link);
	/* Undo the attachment only; absent: -EOPNOTSUPP. */
	int (*detach)(struct bpf_link *link);
	/* absent: -EINVAL. @old may be NULL */
	int (*update_map)(struct bpf_link *link, struct bpf_map *map, struct bpf_map *old);
	/* the part of the info that depends on the type */
	void (*fill_info)(const struct bpf_link *link, struct bpf_link_info *info);
};

struct bpf_link {
	struct bpf_obj obj;
	enum bpf_link_type type;
	const struct bpf_link_ops *ops;
	struct bpf_prog *prog; /* a reference, or NULL */
};

/* @prog's reference is handed over. The link has one reference. */
void bpf_link_init(struct bpf_link *link, enum bpf_link_type type, const struct bpf_link_ops *ops,
		   struct bpf_prog *prog);
struct bpf_link *bpf_link_from_fd(int fd);
void bpf_link_put(struct bpf_link *link);

/* BPF_LINK_CREATE, UPDATE, DETACH, BPF_RAW_TRACEPOINT_OPEN. */
int sys_link_create(const union bpf_attr *attr);
int sys_link_update(const union bpf_attr *attr);
int sys_link_detach(const union bpf_attr *attr);
int sys_raw_tracepoint_open(const union bpf_attr *attr);

/*
 * A kind of attach point: who may be attached where. attach() returns 0 and
 * fills in *@state, or -errno; -ENOENT passes the question on to the next.
 * @name: of a raw tracepoint; NULL when the program itself says where
 * (prog->attach_btf_id).
 */
struct bpf_attach_ops {
	int (*attach)(struct bpf_prog *prog, const char *name, u64 cookie, void **state);
	void (*detach)(struct bpf_prog *prog, void *state);
};

/* @ops must stay. */
void bpf_register_attach(const struct bpf_attach_ops *ops);
/* Forgets all of them; no link may be left. */
void bpf_link_exit(void);

#endif
