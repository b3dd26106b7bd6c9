// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF_OBJ_GET_INFO_BY_FD: what is known of maps, programs, BTF and links, in
 * the kernel's structs, as much of them as the caller has room for.
 */
#include <errno.h>
#include <string.h>

#include "../jit/jit.h"
#include "../link.h"
#include "../prog.h"
#include "syscall.h"

/* @size is what the caller says his struct has; beyond what we know it must be zero. */
static int check_info(const union bpf_attr *attr, size_t known)
{
	const char *tail = (const char *)bpf_user_ptr(attr->info.info);
	size_t i;

	if (attr->info.info_len > 4096)
		return -E2BIG;
	if (!tail)
		return -EFAULT;
	for (i = known; i < attr->info.info_len; i++)
		if (tail[i])
			return -E2BIG;
	return 0;
}

static void read_info(const union bpf_attr *attr, void *info, size_t known)
{
	memset(info, 0, known);
	memcpy(info, bpf_user_ptr(attr->info.info), min(known, (size_t)attr->info.info_len));
}

static void write_info(union bpf_attr *attr, const void *info, size_t known)
{
	attr->info.info_len = (u32)min(known, (size_t)attr->info.info_len);
	memcpy(bpf_user_ptr(attr->info.info), info, attr->info.info_len);
}

/* An array of @have elements for which the caller has room for @want. */
static int copy_array(u64 dst, u32 want, const void *src, u32 have, size_t size)
{
	if (!want || !have)
		return 0;
	if (!dst)
		return -EFAULT;
	memcpy(bpf_user_ptr(dst), src, min(want, have) * size);
	return 0;
}

static int map_info(const struct bpf_map *map, union bpf_attr *attr)
{
	struct bpf_map_info info = {
		.type = map->type,
		.id = map->obj.id,
		.key_size = map->key_size,
		.value_size = map->value_size,
		.max_entries = map->max_entries,
		.map_flags = map->flags,
		.map_extra = map->extra,
		.btf_vmlinux_value_type_id = map->btf_vmlinux_value_type_id,
	};
	int err = check_info(attr, sizeof(info));

	if (err)
		return err;
	memcpy(info.name, map->name, sizeof(info.name));
	if (map->btf) {
		info.btf_id = map->btf->obj.id;
		info.btf_key_type_id = map->btf_key_type_id;
		info.btf_value_type_id = map->btf_value_type_id;
	}
	if (map->type == BPF_MAP_TYPE_STRUCT_OPS)
		info.btf_vmlinux_id = bpf_kernel_btf()->obj.id;
	write_info(attr, &info, sizeof(info));
	return 0;
}

static int copy_map_ids(struct bpf_prog_info *info, const struct bpf_prog *prog)
{
	u32 *ids = bpf_user_ptr(info->map_ids), i;

	if (info->nr_map_ids && prog->nr_maps && !ids)
		return -EFAULT;
	for (i = 0; i < min(info->nr_map_ids, prog->nr_maps); i++)
		ids[i] = prog->maps[i]->obj.id;
	info->nr_map_ids = prog->nr_maps;
	return 0;
}

static int copy_prog_arrays(struct bpf_prog_info *info, const struct bpf_prog *prog)
{
	u32 bytes = prog->len * (u32)sizeof(struct bpf_insn);
	int err;

	if ((info->nr_func_info && info->func_info_rec_size != sizeof(struct bpf_func_info)) ||
	    (info->nr_line_info && info->line_info_rec_size != sizeof(struct bpf_line_info)))
		return -EINVAL;
	err = copy_map_ids(info, prog) ?:
	      copy_array(info->xlated_prog_insns, info->xlated_prog_len, prog->orig_insns, bytes, 1) ?:
	      copy_array(info->func_info, info->nr_func_info, prog->func_info, prog->nr_func_info,
			 sizeof(struct bpf_func_info)) ?:
	      copy_array(info->line_info, info->nr_line_info, prog->line_info, prog->nr_line_info,
			 sizeof(struct bpf_line_info)) ?:
	      copy_array(info->prog_tags, info->nr_prog_tags, prog->tag, 1, BPF_TAG_SIZE);
	info->xlated_prog_len = bytes;
	info->nr_func_info = prog->nr_func_info;
	info->nr_line_info = prog->nr_line_info;
	info->func_info_rec_size = sizeof(struct bpf_func_info);
	info->line_info_rec_size = sizeof(struct bpf_line_info);
	info->nr_prog_tags = 1;
	return err;
}

/* Where a function's code ends is where the next one's begins. */
static u32 func_len(const struct bpf_jit_image *image, u32 func)
{
	u32 end = func + 1 < image->nr_funcs ? image->entries[func + 1] : image->size;

	return end - image->entries[func];
}

/*
 * How long the machine code is, and that of each function: not the code itself nor where
 * it is, as in a kernel that shows no addresses (kernel.kptr_restrict).
 */
static int copy_jited(struct bpf_prog_info *info, const struct bpf_prog *prog)
{
	const struct bpf_jit_image *image = prog->jit;
	u32 nr = image ? image->nr_funcs : 0, *lens = bpf_user_ptr(info->jited_func_lens);

	if (info->nr_jited_func_lens && nr && !lens)
		return -EFAULT;
	for (u32 i = 0; i < min(info->nr_jited_func_lens, nr); i++)
		lens[i] = func_len(image, i);
	info->jited_prog_len = image ? image->size : 0;
	info->jited_prog_insns = 0;
	info->nr_jited_func_lens = nr;
	info->nr_jited_ksyms = info->nr_jited_line_info = 0;
	info->jited_line_info_rec_size = sizeof(u64);
	return 0;
}

static int prog_info(const struct bpf_prog *prog, union bpf_attr *attr)
{
	struct bpf_prog_info info;
	int err = check_info(attr, sizeof(info));

	if (err)
		return err;
	read_info(attr, &info, sizeof(info));
	err = copy_prog_arrays(&info, prog) ?: copy_jited(&info, prog);
	if (err)
		return err;
	info.type = prog->type;
	info.id = prog->obj.id;
	memcpy(info.tag, prog->tag, sizeof(info.tag));
	memcpy(info.name, prog->name, sizeof(info.name));
	info.gpl_compatible = prog->gpl_compatible;
	info.btf_id = prog->btf ? prog->btf->obj.id : 0;
	info.run_cnt = prog->run_cnt;
	info.recursion_misses = prog->misses;
	info.verified_insns = prog->verified.insns;
	info.attach_btf_obj_id = prog->attach_btf ? prog->attach_btf->obj.id : 0;
	info.attach_btf_id = prog->attach_btf_id;
	write_info(attr, &info, sizeof(info));
	return 0;
}

static int btf_info(const struct btf *btf, union bpf_attr *attr)
{
	struct bpf_btf_info info;
	u32 len = (u32)strlen(btf->name);
	char *name;
	int err;

	if (attr->info.info_len && !attr->info.info)
		return -EFAULT;
	read_info(attr, &info, sizeof(info));
	name = bpf_user_ptr(info.name);
	if (!name != !info.name_len)
		return -EINVAL;
	err = copy_array(info.btf, info.btf_size, btf->raw, btf->raw_size, 1);
	if (err)
		return err;
	if (name) {
		u32 n = min(len, info.name_len - 1);

		memcpy(name, btf->name, n);
		name[n] = '\0';
		err = n < len ? -ENOSPC : 0;
	}
	info.id = btf->obj.id;
	info.btf_size = btf->raw_size;
	info.kernel_btf = btf->kernel;
	info.name_len = len;
	write_info(attr, &info, sizeof(info));
	return err;
}

static int link_info(const struct bpf_link *link, union bpf_attr *attr)
{
	struct bpf_link_info info;
	int err = check_info(attr, sizeof(info));

	if (err)
		return err;
	read_info(attr, &info, sizeof(info));
	info.type = link->type;
	info.id = link->obj.id;
	info.prog_id = link->prog ? link->prog->obj.id : 0;
	if (link->ops->fill_info)
		link->ops->fill_info(link, &info);
	write_info(attr, &info, sizeof(info));
	return 0;
}

int sys_obj_get_info_by_fd(union bpf_attr *attr)
{
	int fd = (int)attr->info.bpf_fd, err;
	struct bpf_obj *obj;

	if ((obj = bpf_obj_from_fd(fd, BPF_OBJ_MAP)))
		err = map_info(container_of(obj, struct bpf_map, obj), attr);
	else if ((obj = bpf_obj_from_fd(fd, BPF_OBJ_PROG)))
		err = prog_info(container_of(obj, struct bpf_prog, obj), attr);
	else if ((obj = bpf_obj_from_fd(fd, BPF_OBJ_BTF)))
		err = btf_info(container_of(obj, struct btf, obj), attr);
	else if ((obj = bpf_obj_from_fd(fd, BPF_OBJ_LINK)))
		err = link_info(container_of(obj, struct bpf_link, obj), attr);
	else
		return bpf_fd_error(fd);
	bpf_obj_put(obj);
	return err;
}
