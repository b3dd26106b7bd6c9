// SPDX-License-Identifier: GPL-2.0-only
/*
 * The types of kernel object that the scheduler keeps in the kernel heap, in
 * one table, so that the BPF subsystem learns all of them (by BTF name) before
 * the first object is made.
 */
#include "../bpf/bpf.h"
#include "ext/ext.h"
#include "sched.h"

struct kheap_type kheap_types[NR_OBJ_TYPES] = {
	[OBJ_TASK] = { .name = "task_struct", .visible = sizeof(struct task_struct) },
	[OBJ_MM] = { .name = "mm_struct", .visible = sizeof(struct mm_struct) },
	[OBJ_RQ] = { .name = "rq", .visible = sizeof(struct rq) },
	[OBJ_CPUMASK] = { .name = "cpumask" },
	[OBJ_DSQ] = { .name = "scx_dispatch_q", .visible = sizeof(struct scx_dispatch_q) },
	[OBJ_CGROUP] = { .name = "cgroup" },
	[OBJ_KERNFS_NODE] = { .name = "kernfs_node" },
	[OBJ_CGROUP_SUBSYS] = { .name = "cgroup_subsys" },
	[OBJ_TASK_GROUP] = { .name = "task_group", .visible = sizeof(struct task_group) },
	[OBJ_CFS_RQ] = { .name = "cfs_rq", .visible = sizeof(struct cfs_rq) },
	[OBJ_SCHED_ENTITY] = { .name = "sched_entity", .visible = sizeof(struct sched_entity) },
	[OBJ_POINTERS] = { .name = "[pointers]" },
	[OBJ_CSS_SET] = { .name = "css_set" },
	[OBJ_SCX_EXIT_INFO] = { .name = "scx_exit_info" },
	[OBJ_SCX_DUMP_CTX] = { .name = "scx_dump_ctx" },
	[OBJ_SCX_INIT_TASK_ARGS] = { .name = "scx_init_task_args" },
	[OBJ_SCX_EXIT_TASK_ARGS] = { .name = "scx_exit_task_args" },
	[OBJ_SCX_CGROUP_INIT_ARGS] = { .name = "scx_cgroup_init_args" },
	[OBJ_SCX_CPU_RELEASE_ARGS] = { .name = "scx_cpu_release_args" },
	[OBJ_PERIODIC_CTX] = { .name = "bpf_periodic_ctx" },
	[OBJ_GHOST_MSG] = { .name = "bpf_ghost_msg" },
	[OBJ_GHOST_SCHED] = { .name = "bpf_ghost_sched" },
	[OBJ_GHOST_SELECT_RQ] = { .name = "bpf_ghost_select_rq" },
	[OBJ_GHOST_SW] = { .name = "[ghOSt status words]" },
	[OBJ_PT_REGS] = { .name = "pt_regs" },
	[OBJ_OPEN_HOW] = { .name = "open_how" },
	[OBJ_USER_MEMORY] = { .name = "[user memory]", .user = true },
	[OBJ_TEXT] = { .name = "[text]" },
};

int sched_register_objects(void)
{
	for (u32 i = 0; i < NR_OBJ_TYPES; i++) {
		int err = kheap_types[i].name[0] == '[' ? 0 :
							  bpf_register_object_type(&kheap_types[i]);

		if (err)
			return err;
	}
	return 0;
}

void *sched_alloc(enum sched_object type, u64 size)
{
	void *obj = kheap_alloc(&kheap_types[type], size);

	if (!obj)
		vrt_bug(__FILE__, __LINE__, "the kernel heap is full: no room for a %s",
			kheap_types[type].name);
	return obj;
}

struct cpumask *cpumask_alloc(void)
{
	return sched_alloc(OBJ_CPUMASK, sizeof(struct cpumask));
}
