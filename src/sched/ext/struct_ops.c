// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct sched_ext_ops as a type of struct_ops map: which programs may be
 * members, which values its fields may have, and attach and detach.
 */
#include <linux/btf.h>

#include "../../bpf/btf/btf.h"
#include "../../bpf/prog.h"
#include "ext.h"

static int scx_check_member(const struct btf_type *t, const struct btf_member *member,
			    const struct bpf_prog *prog)
{
	switch (btf_member_bit_offset(t, member) / 8) {
	case offsetof(struct sched_ext_ops, init_task):
	case offsetof(struct sched_ext_ops, cgroup_init):
	case offsetof(struct sched_ext_ops, cgroup_exit):
	case offsetof(struct sched_ext_ops, cgroup_prep_move):
	case offsetof(struct sched_ext_ops, cpu_online):
	case offsetof(struct sched_ext_ops, cpu_offline):
	case offsetof(struct sched_ext_ops, init):
	case offsetof(struct sched_ext_ops, exit):
		return 0;
	default:
		return prog->sleepable ? -EINVAL : 0;
	}
}

/* The kernel's bpf_obj_name_cpy(): letters, digits, '_' and '.', terminated. */
static int copy_name(char *dst, const char *src, u32 size)
{
	u32 i;

	for (i = 0; i < size && src[i]; i++) {
		char c = src[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_' || c == '.'))
			return -EINVAL;
		dst[i] = c;
	}
	if (!i || i == size)
		return -EINVAL;
	dst[i] = 0;
	return 1;
}

static int scx_init_member(const struct btf_type *t, const struct btf_member *member, void *kdata,
			   const void *udata)
{
	const struct sched_ext_ops *user = udata;
	struct sched_ext_ops *ops = kdata;

	switch (btf_member_bit_offset(t, member) / 8) {
	case offsetof(struct sched_ext_ops, dispatch_max_batch):
		if (user->dispatch_max_batch > 0x7fffffff)
			return -E2BIG;
		ops->dispatch_max_batch = user->dispatch_max_batch;
		return 1;
	case offsetof(struct sched_ext_ops, flags):
		if (user->flags & ~scx_generation()->ops_flags)
			return -EINVAL;
		ops->flags = user->flags;
		return 1;
	case offsetof(struct sched_ext_ops, name):
		return copy_name(ops->name, user->name, sizeof(ops->name));
	case offsetof(struct sched_ext_ops, timeout_ms):
		if (user->timeout_ms > SCX_TIMEOUT_MAX_MS)
			return -E2BIG;
		ops->timeout_ms = user->timeout_ms;
		return 1;
	case offsetof(struct sched_ext_ops, exit_dump_len):
		ops->exit_dump_len = user->exit_dump_len ? user->exit_dump_len
							 : SCX_EXIT_DUMP_DFL_LEN;
		return 1;
	case offsetof(struct sched_ext_ops, hotplug_seq):
		ops->hotplug_seq = user->hotplug_seq;
		return 1;
	}
	return 0;
}

static int scx_reg(void *kdata, struct bpf_link *link)
{
	return scx_enable(kdata);
}

static void scx_unreg(void *kdata, struct bpf_link *link)
{
	/* of a machine that has stopped nothing is left but memory: scx_shutdown() */
	if (!kernel.stopping)
		scx_disable(SCX_EXIT_UNREG);
}

/* A swap is detach, a moment under fair, attach. */
static int scx_update(void *kdata, void *old_kdata, struct bpf_link *link)
{
	return -EOPNOTSUPP;
}

static bool within(u32 off, u32 size, u32 field, u32 field_size)
{
	return off >= field && off + size <= field + field_size;
}

static bool scx_may_write(const char *name, u32 off, u32 size)
{
	const struct sched_ext_entity *e = NULL;
	u32 base = offsetof(struct task_struct, scx);

	if (strcmp(name, "task_struct") || off < base)
		return false;
	off -= base;
	return within(off, size, offsetof(struct sched_ext_entity, slice), sizeof(e->slice)) ||
	       within(off, size, offsetof(struct sched_ext_entity, dsq_vtime),
		      sizeof(e->dsq_vtime)) ||
	       within(off, size, offsetof(struct sched_ext_entity, disallow),
		      sizeof(e->disallow));
}

static struct bpf_struct_ops scx_struct_ops = {
	.name = "sched_ext_ops",
	.check_member = scx_check_member,
	.init_member = scx_init_member,
	.reg = scx_reg,
	.unreg = scx_unreg,
	.update = scx_update,
	.may_write = scx_may_write,
};

int scx_register_struct_ops(void)
{
	scx_struct_ops.contexts_at_run = kernel.config.contexts_at_run;
	scx_struct_ops.kfunc_rules = scx_kfunc_rules();
	scx_struct_ops.partial_rules = kernel.config.generation != GENERATION_ANY;
	return bpf_register_struct_ops(&scx_struct_ops);
}
