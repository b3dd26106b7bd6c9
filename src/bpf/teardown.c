// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of all objects, in an order in which everything that is attached is
 * detached before what it uses goes.
 */
#include "btf/btf.h"
#include "link.h"
#include "map.h"
#include "prog_type_internal.h"
#include "struct_ops.h"

u32 bpf_objects_release_all(void)
{
	u32 left;

	bpf_obj_drop_descriptors(BPF_OBJ_LINK);
	bpf_obj_drop_descriptors(BPF_OBJ_TARGET);
	bpf_struct_ops_unreg_all();
	bpf_obj_drop_descriptors(BPF_OBJ_MAP);
	bpf_obj_drop_descriptors(BPF_OBJ_PROG);
	bpf_obj_drop_descriptors(BPF_OBJ_BTF);
	bpf_map_mappings_exit();
	bpf_rcu_reclaim(BPF_RCU_ALL);
	left = bpf_obj_count();
	bpf_struct_ops_exit();
	bpf_link_exit();
	bpf_own_types_exit();
	btf_dtors_exit();
	bpf_obj_reset_ids();
	return left;
}
