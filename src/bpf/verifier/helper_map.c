// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which maps helpers take: some maps are for certain helpers only, and some
 * helpers for certain maps only.
 */
#include <errno.h>

#include "call_internal.h"

#define STORAGE(type)                                                                              \
	{ BPF_FUNC_##type##_storage_get, BPF_FUNC_##type##_storage_delete, BPF_FUNC_kptr_xchg }
#define PERF                                                                                       \
	{ BPF_FUNC_perf_event_read, BPF_FUNC_perf_event_output, BPF_FUNC_skb_output,               \
	  BPF_FUNC_perf_event_read_value, BPF_FUNC_xdp_output }
#define RINGBUF                                                                                    \
	{ BPF_FUNC_ringbuf_output, BPF_FUNC_ringbuf_reserve, BPF_FUNC_ringbuf_query,               \
	  BPF_FUNC_ringbuf_reserve_dynptr, BPF_FUNC_ringbuf_submit_dynptr,                         \
	  BPF_FUNC_ringbuf_discard_dynptr }
#define QUEUE { BPF_FUNC_map_peek_elem, BPF_FUNC_map_pop_elem, BPF_FUNC_map_push_elem }

/* The helpers that go with a map: no others do, unless the map is open to all that are not picky. */
static const struct row {
	enum bpf_map_type map;
	bool open;
	u32 helpers[7]; /* up to 0 */
} rows[] = {
	{ BPF_MAP_TYPE_PROG_ARRAY, false, { BPF_FUNC_tail_call } },
	{ BPF_MAP_TYPE_PERF_EVENT_ARRAY, false, PERF },
	{ BPF_MAP_TYPE_RINGBUF, false, RINGBUF },
	{ BPF_MAP_TYPE_USER_RINGBUF, false, { BPF_FUNC_user_ringbuf_drain } },
	{ BPF_MAP_TYPE_STACK_TRACE, false, { BPF_FUNC_get_stackid } },
	{ BPF_MAP_TYPE_CGROUP_ARRAY, false,
	  { BPF_FUNC_skb_under_cgroup, BPF_FUNC_current_task_under_cgroup } },
	{ BPF_MAP_TYPE_CGROUP_STORAGE, false, { BPF_FUNC_get_local_storage } },
	{ BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, false, { BPF_FUNC_get_local_storage } },
	{ BPF_MAP_TYPE_DEVMAP, false, { BPF_FUNC_redirect_map, BPF_FUNC_map_lookup_elem } },
	{ BPF_MAP_TYPE_DEVMAP_HASH, false, { BPF_FUNC_redirect_map, BPF_FUNC_map_lookup_elem } },
	{ BPF_MAP_TYPE_CPUMAP, false, { BPF_FUNC_redirect_map } },
	{ BPF_MAP_TYPE_XSKMAP, false, { BPF_FUNC_redirect_map, BPF_FUNC_map_lookup_elem } },
	{ BPF_MAP_TYPE_ARRAY_OF_MAPS, false, { BPF_FUNC_map_lookup_elem } },
	{ BPF_MAP_TYPE_HASH_OF_MAPS, false, { BPF_FUNC_map_lookup_elem } },
	{ BPF_MAP_TYPE_SOCKMAP, false,
	  { BPF_FUNC_sk_redirect_map, BPF_FUNC_sock_map_update, BPF_FUNC_msg_redirect_map,
	    BPF_FUNC_sk_select_reuseport, BPF_FUNC_map_lookup_elem } },
	{ BPF_MAP_TYPE_SOCKHASH, false,
	  { BPF_FUNC_sk_redirect_hash, BPF_FUNC_sock_hash_update, BPF_FUNC_msg_redirect_hash,
	    BPF_FUNC_sk_select_reuseport, BPF_FUNC_map_lookup_elem } },
	{ BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, false, { BPF_FUNC_sk_select_reuseport } },
	{ BPF_MAP_TYPE_QUEUE, false, QUEUE },
	{ BPF_MAP_TYPE_STACK, false, QUEUE },
	{ BPF_MAP_TYPE_BLOOM_FILTER, false, { BPF_FUNC_map_peek_elem, BPF_FUNC_map_push_elem } },
	{ BPF_MAP_TYPE_SK_STORAGE, false, STORAGE(sk) },
	{ BPF_MAP_TYPE_INODE_STORAGE, false, STORAGE(inode) },
	{ BPF_MAP_TYPE_TASK_STORAGE, false, STORAGE(task) },
	{ BPF_MAP_TYPE_CGRP_STORAGE, false, STORAGE(cgrp) },
	{ BPF_MAP_TYPE_PERCPU_ARRAY, true, { BPF_FUNC_map_lookup_percpu_elem } },
	{ BPF_MAP_TYPE_PERCPU_HASH, true, { BPF_FUNC_map_lookup_percpu_elem } },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH, true, { BPF_FUNC_map_lookup_percpu_elem } },
};

static bool lists(const struct row *row, u32 func_id)
{
	u32 i = 0;

	while (row->helpers[i] && row->helpers[i] != func_id)
		i++;
	return row->helpers[i] != 0;
}

/* Only for maps whose row lists it? */
static bool is_picky(u32 func_id)
{
	if (func_id == BPF_FUNC_map_lookup_elem || func_id == BPF_FUNC_kptr_xchg)
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (lists(&rows[i], func_id))
			return true;
	return false;
}

/* Where no lock of a socket can be held. */
static bool may_update_sockmap(const struct bpf_prog *prog, u32 func_id)
{
	if (func_id != BPF_FUNC_map_update_elem && func_id != BPF_FUNC_map_delete_elem)
		return false;
	switch (prog->type) {
	case BPF_PROG_TYPE_TRACING:
		return prog->expected_attach_type == BPF_TRACE_ITER;
	case BPF_PROG_TYPE_SOCK_OPS:
		return func_id == BPF_FUNC_map_delete_elem;
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_XDP:
	case BPF_PROG_TYPE_SK_REUSEPORT:
	case BPF_PROG_TYPE_FLOW_DISSECTOR:
	case BPF_PROG_TYPE_SK_LOOKUP:
		return true;
	default:
		return false;
	}
}

static bool suits_sockmap(struct bpf_verifier_env *env, u32 func_id)
{
	if (may_update_sockmap(env->prog, func_id))
		return true;
	if (func_id == BPF_FUNC_map_update_elem || func_id == BPF_FUNC_map_delete_elem)
		verbose(env, "cannot update sockmap in this context\n");
	return false;
}

static bool suits(struct bpf_verifier_env *env, enum bpf_map_type type, u32 func_id)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].map != type)
			continue;
		if (lists(&rows[i], func_id))
			return true;
		if (type == BPF_MAP_TYPE_SOCKMAP || type == BPF_MAP_TYPE_SOCKHASH)
			return suits_sockmap(env, func_id);
		return rows[i].open && !is_picky(func_id);
	}
	return !is_picky(func_id);
}

int check_map_func_compatibility(struct bpf_verifier_env *env, const struct bpf_map *map,
				 u32 func_id)
{
	if (!map || suits(env, map->type, func_id))
		return 0;
	verbose(env, "cannot pass map_type %d into func %s#%u\n", map->type,
		bpf_helper_name(env->prog, func_id), func_id);
	return -EINVAL;
}
