// SPDX-License-Identifier: GPL-2.0-only
/*
 * The subsystem's beginning and end, and the kernel BTF.
 */
#include "bpf.h"

#include <errno.h>
#include <string.h>

#include "btf/btf.h"
#include "exec/exec.h"
#include "helpers/helpers.h"
#include "kfunc/kfunc.h"
#include "log.h"
#include "timer.h"

const struct bpf_env *bpf_env;

static struct btf *kernel_btf;

static void obj_drop(const struct btf_field *field, void *obj)
{
	struct bpf_alloc_header *h = bpf_alloc_find(obj);

	if (h)
		bpf_alloc_drop(h);
}

static const struct bpf_field_ops field_ops = {
	.timer_free = bpf_timer_field_free,
	.obj_drop = obj_drop,
	.graph_free = bpf_graph_free,
};

int bpf_init(const struct bpf_env *env, const void *raw_btf, u32 raw_btf_size)
{
	int err;

	err = kheap_init();
	if (err)
		return err;
	kernel_btf = btf_parse(raw_btf, raw_btf_size, true, NULL, &err);
	if (!kernel_btf)
		return err;
	strcpy(kernel_btf->name, "vmlinux");
	bpf_env = env;
	bpf_set_field_ops(&field_ops);
	bpf_helpers_init();
	return bpf_kfuncs_init();
}

void bpf_exit(void)
{
	if (!bpf_env)
		return;
	bpf_objects_release_all();
	bpf_alloc_exit();
	VRT_ASSERT(bpf_obj_count() == 1); /* the kernel BTF is ours */
	bpf_exec_pool_exit();
	bpf_kfuncs_exit();
	bpf_kernel_regions_exit();
	btf_put(kernel_btf);
	kernel_btf = NULL;
	bpf_env = NULL;
}

struct btf *bpf_kernel_btf(void)
{
	return kernel_btf;
}

const void *bpf_kernel_btf_raw(u32 *size)
{
	*size = kernel_btf ? kernel_btf->raw_size : 0;
	return kernel_btf ? kernel_btf->raw : NULL;
}

int bpf_register_object_type(struct kheap_type *type)
{
	s32 id = btf_find_by_name_kind(kernel_btf, type->name, BTF_KIND_STRUCT);

	if (id < 0)
		return -ENOENT;
	type->btf_id = (u32)id;
	return 0;
}
