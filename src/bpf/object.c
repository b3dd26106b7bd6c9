// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of objects: ids, reference counts, descriptors.
 *
 * Invariants: an object is on the list of its kind from init to release, in
 * order of id; it is in the hash table from its first memfd on. All its open
 * descriptors together hold one reference. The object's own memfd is no
 * descriptor in this sense: nobody outside knows its number.
 */
#include "object.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NR_KINDS 5
#define HASH_SIZE 1024

static struct list_head kinds[NR_KINDS] = {
	LIST_HEAD_INIT(kinds[BPF_OBJ_MAP]),
	LIST_HEAD_INIT(kinds[BPF_OBJ_PROG]),
	LIST_HEAD_INIT(kinds[BPF_OBJ_LINK]),
	LIST_HEAD_INIT(kinds[BPF_OBJ_BTF]),
	LIST_HEAD_INIT(kinds[BPF_OBJ_TARGET]),
};
static u32 last_id[NR_KINDS];
static struct list_head table[HASH_SIZE];

static struct list_head *bucket(u64 dev, u64 ino)
{
	struct list_head *head = &table[(ino ^ dev * 31) % HASH_SIZE];

	if (!head->next)
		INIT_LIST_HEAD(head);
	return head;
}

void bpf_obj_init(struct bpf_obj *obj, enum bpf_obj_kind kind,
		  void (*release)(struct bpf_obj *obj))
{
	obj->kind = kind;
	obj->refs = 1;
	obj->id = ++last_id[kind];
	obj->memfd = -1;
	obj->dev = obj->ino = 0;
	obj->fd_count = 0;
	obj->release = release;
	obj->unused = NULL;
	list_add_tail(&obj->node, &kinds[kind]);
	INIT_LIST_HEAD(&obj->hash);
}

void bpf_obj_hold(struct bpf_obj *obj)
{
	VRT_ASSERT(obj->refs > 0);
	obj->refs++;
}

void bpf_obj_put(struct bpf_obj *obj)
{
	VRT_ASSERT(obj->refs > 0);
	if (--obj->refs)
		return;
	VRT_ASSERT(obj->fd_count == 0);
	list_del_init(&obj->node);
	list_del_init(&obj->hash);
	if (obj->memfd >= 0)
		close(obj->memfd);
	obj->release(obj);
}

int bpf_obj_make_memfd(struct bpf_obj *obj, u64 size)
{
	static const char *const names[NR_KINDS] = {
		"bpf-map", "bpf-prog", "bpf-link", "btf", "bpf-target",
	};
	struct stat st;
	int fd, err;

	if (obj->memfd >= 0)
		return 0;
	fd = memfd_create(names[obj->kind], MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) || fstat(fd, &st)) {
		err = -errno;
		close(fd);
		return err;
	}
	obj->memfd = fd;
	obj->dev = st.st_dev;
	obj->ino = st.st_ino;
	list_add(&obj->hash, bucket(obj->dev, obj->ino));
	return 0;
}

int bpf_obj_new_fd(struct bpf_obj *obj)
{
	int fd, err = bpf_obj_make_memfd(obj, 0);

	if (err)
		return err;
	fd = fcntl(obj->memfd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (obj->fd_count++)
		bpf_obj_put(obj); /* the descriptors share one reference */
	return fd;
}

static struct bpf_obj *find_fd(int fd)
{
	struct list_head *head;
	struct bpf_obj *obj;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return NULL;
	head = bucket(st.st_dev, st.st_ino);
	list_for_each_entry(obj, head, hash)
		if (obj->ino == st.st_ino && obj->dev == st.st_dev)
			return obj;
	return NULL;
}

struct bpf_obj *bpf_obj_from_fd(int fd, enum bpf_obj_kind kind)
{
	struct bpf_obj *obj = find_fd(fd);

	if (!obj || obj->kind != kind)
		return NULL;
	bpf_obj_hold(obj);
	return obj;
}

struct bpf_obj *bpf_obj_from_id(u32 id, enum bpf_obj_kind kind)
{
	struct bpf_obj *obj;

	list_for_each_entry(obj, &kinds[kind], node) {
		if (obj->id == id) {
			bpf_obj_hold(obj);
			return obj;
		}
	}
	return NULL;
}

u32 bpf_obj_next_id(u32 id, enum bpf_obj_kind kind)
{
	struct bpf_obj *obj;

	list_for_each_entry(obj, &kinds[kind], node)
		if (obj->id > id)
			return obj->id;
	return 0;
}

int bpf_obj_name_copy(char *dst, const char *src)
{
	u32 i;

	for (i = 0; i < BPF_OBJ_NAME_LEN && src[i]; i++)
		if (!isalnum((unsigned char)src[i]) && src[i] != '_' && src[i] != '.')
			return -EINVAL;
	if (i == BPF_OBJ_NAME_LEN)
		return -EINVAL;
	memset(dst, 0, BPF_OBJ_NAME_LEN);
	memcpy(dst, src, i);
	return 0;
}

int bpf_fd_error(int fd)
{
	return fcntl(fd, F_GETFD) < 0 ? -EBADF : -EINVAL;
}

bool bpf_fd_is_ours(int fd)
{
	return find_fd(fd) != NULL;
}

static void no_descriptors(struct bpf_obj *obj)
{
	if (obj->unused)
		obj->unused(obj);
	bpf_obj_put(obj);
}

void bpf_fd_closing(int fd)
{
	struct bpf_obj *obj = find_fd(fd);

	if (!obj || fd == obj->memfd || obj->fd_count == 0)
		return;
	if (--obj->fd_count == 0)
		no_descriptors(obj);
}

void bpf_fd_duplicated(int fd)
{
	struct bpf_obj *obj = find_fd(fd);

	if (!obj)
		return;
	if (obj->fd_count++ == 0)
		bpf_obj_hold(obj);
}

void bpf_obj_drop_descriptors(enum bpf_obj_kind kind)
{
	struct bpf_obj *obj;

again: /* objects may go meanwhile, also of other kinds */
	list_for_each_entry(obj, &kinds[kind], node) {
		if (obj->fd_count) {
			obj->fd_count = 0;
			list_del_init(&obj->hash);
			no_descriptors(obj);
			goto again;
		}
	}
}

u32 bpf_obj_count(void)
{
	struct bpf_obj *obj;
	u32 nr = 0, kind;

	for (kind = 0; kind < NR_KINDS; kind++)
		list_for_each_entry(obj, &kinds[kind], node)
			nr++;
	return nr;
}

void bpf_obj_reset_ids(void)
{
	memset(last_id, 0, sizeof(last_id));
}
