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

enum bpf_obj_kind {
	BPF_OBJ_MAP,
	BPF_OBJ_PROG,
	BPF_OBJ_LINK,
	BPF_OBJ_BTF,
	BPF_OBJ_TARGET, /* of links: prog_type.h */
};

struct bpf_obj {
	enum bpf_obj_kind kind;
	u32 refs;
	u32 id;
	/*
	 * The memfd whose identity all descriptors share; the object keeps it
	 * open. -1 until the first descriptor is made. fd_count others are open.
	 */
	int memfd;
	u64 dev, ino;
	u32 fd_count;
	struct list_head node; /* of its kind, in order of id */
	struct list_head hash; /* by (dev, ino) */
	void (*release)(struct bpf_obj *obj);
	/* the last descriptor was closed, other references may remain; NULL: nothing to do */
	void (*unused)(struct bpf_obj *obj);
};

void bpf_obj_init(struct bpf_obj *obj, enum bpf_obj_kind kind,
		  void (*release)(struct bpf_obj *obj));
/* Takes a reference. (bpf_obj_get() is libbpf's, which is linked to the same program.) */
void bpf_obj_hold(struct bpf_obj *obj);
void bpf_obj_put(struct bpf_obj *obj);

/*
 * Makes the object's memfd, of @size bytes, if it has none yet: for objects
 * whose storage it is. 0 or -errno.
 */
int bpf_obj_make_memfd(struct bpf_obj *obj, u64 size);
/* A new descriptor for @obj (close-on-exec), or -errno. Consumes a reference on success. */
int bpf_obj_new_fd(struct bpf_obj *obj);
/* The object behind @fd with a reference taken; NULL when it is none of ours or of another kind. */
struct bpf_obj *bpf_obj_from_fd(int fd, enum bpf_obj_kind kind);
/* Why bpf_obj_from_fd() found nothing: -EBADF, or -EINVAL for another kind of descriptor. */
int bpf_fd_error(int fd);
/* The object with that id, with a reference taken, or NULL. */
struct bpf_obj *bpf_obj_from_id(u32 id, enum bpf_obj_kind kind);
/* The smallest id in use greater than @id, or 0. */
u32 bpf_obj_next_id(u32 id, enum bpf_obj_kind kind);

/*
 * For bpf_exit(): detaches and releases all that descriptors, mappings and
 * registered struct_ops hold; open descriptors become plain files. Forgets all
 * struct_ops types, attach points and destructors; ids start anew at 1. Returns
 * the number of objects that are still held otherwise (by the caller: the
 * kernel BTF). In teardown.c.
 */
u32 bpf_objects_release_all(void);
void bpf_obj_drop_descriptors(enum bpf_obj_kind kind);
u32 bpf_obj_count(void);
void bpf_obj_reset_ids(void);

/* Copies an object's name: -EINVAL if it has other characters than [A-Za-z0-9_.] or no end. */
int bpf_obj_name_copy(char *dst, const char *src);

/* The facade's notices. is_ours(): is @fd the descriptor of an object? */
bool bpf_fd_is_ours(int fd);
void bpf_fd_closing(int fd); /* before close() or before dup2/3 replaces it */
void bpf_fd_duplicated(int fd); /* after a dup made @fd */

#endif
