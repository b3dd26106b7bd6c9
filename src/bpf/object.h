/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What maps, programs, links and BTF have in common: a reference count, an id,
 * and any number of descriptors. A descriptor is a real memfd; the object is
 * found from the memfd's identity (st_dev, st_ino), so that dup(2) and friends
 * need no help. When the last descriptor of an object is closed (the facade
 * tells), the reference that all descriptors share is dropped.
 */
#ifndef VRT_BPF_OBJECT_H
#define VRT_BPF_OBJECT_H

#include "bpf.h"

enum bpf_obj_kind { BPF_OBJ_MAP, BPF_OBJ_PROG, BPF_OBJ_LINK, BPF_OBJ_BTF };

struct bpf_obj {
	enum bpf_obj_kind kind;
	u32 refs;
	u32 id;
	/* the identity shared by all descriptors; fd_count of them are open */
	u64 dev, ino;
	u32 fd_count;
	struct list_head node;
	void (*release)(struct bpf_obj *obj);
};

void bpf_obj_init(struct bpf_obj *obj, enum bpf_obj_kind kind,
		  void (*release)(struct bpf_obj *obj));
void bpf_obj_get(struct bpf_obj *obj);
void bpf_obj_put(struct bpf_obj *obj);

/* A new descriptor for @obj (close-on-exec), or -errno. Consumes a reference on success. */
int bpf_obj_new_fd(struct bpf_obj *obj);
/* The object behind @fd with a reference taken; NULL when it is none of ours or of another kind. */
struct bpf_obj *bpf_obj_from_fd(int fd, enum bpf_obj_kind kind);
struct bpf_obj *bpf_obj_from_id(u32 id, enum bpf_obj_kind kind);

/* The facade's notices. is_ours(): is @fd the descriptor of an object? */
bool bpf_fd_is_ours(int fd);
void bpf_fd_closing(int fd); /* before close() or before dup2/3 replaces it */
void bpf_fd_duplicated(int fd); /* after a dup made @fd */

#endif
