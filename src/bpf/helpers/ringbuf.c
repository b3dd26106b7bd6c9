// SPDX-License-Identifier: GPL-2.0-only
/*
 * Helpers on ring buffers, those with dynptrs included.
 */
#include <errno.h>
#include <string.h>

#include "helpers.h"
#include "../maps/ringbuf.h"

#define MAP ((struct bpf_map *)a1)

static const struct bpf_mem_regions sample_mem = BPF_MEM_REGIONS("ring buffer sample");

static bool is_ring(struct bpf_map *map, enum bpf_map_type type)
{
	if (map->type == type)
		return true;
	return bpf_exec_fault(bpf_exec_current, "map '%s' of type %s is not the right ring buffer",
			      map->name, bpf_map_type_name(map->type));
}

BPF_HELPER(ringbuf_output)
{
	if (!is_ring(MAP, BPF_MAP_TYPE_RINGBUF))
		return 0;
	return (u64)bpf_ringbuf_output(MAP, (const void *)a2, a3, a4);
}

BPF_HELPER(ringbuf_reserve)
{
	void *sample;

	if (!is_ring(MAP, BPF_MAP_TYPE_RINGBUF) || a3)
		return 0;
	sample = bpf_ringbuf_reserve(MAP, a2);
	bpf_ref_add(bpf_exec_current, sample);
	return (u64)sample;
}

BPF_HELPER(ringbuf_submit)
{
	bpf_ref_del(bpf_exec_current, (void *)a1);
	bpf_ringbuf_commit((void *)a1, a2, false);
	return 0;
}

BPF_HELPER(ringbuf_discard)
{
	bpf_ref_del(bpf_exec_current, (void *)a1);
	bpf_ringbuf_commit((void *)a1, a2, true);
	return 0;
}

BPF_HELPER(ringbuf_query)
{
	if (!is_ring(MAP, BPF_MAP_TYPE_RINGBUF))
		return 0;
	return bpf_ringbuf_query(MAP, a2);
}

/* Perf buffers have no readers in the simulated machine. */
BPF_HELPER(perf_event_output)
{
	return (u64)-ENOENT;
}

/* --- dynptrs --------------------------------------------------------------------------- */

BPF_HELPER(ringbuf_reserve_dynptr)
{
	struct bpf_exec *x = bpf_exec_current;
	struct bpf_dynptr_state state = { .type = BPF_DYNPTR_RINGBUF,
					  .region = &sample_mem.rdwr };
	u32 size = (u32)a2;
	int err = 0;

	if (!is_ring(MAP, BPF_MAP_TYPE_RINGBUF))
		return 0;
	if (a3)
		err = -EINVAL;
	else if (size > 0xffffff)
		err = -E2BIG;
	else if (!(state.data = bpf_ringbuf_reserve(MAP, size)))
		err = -EINVAL;
	bpf_ref_add(x, state.data);
	state.size = state.data ? size : 0;
	if (!bpf_dynptr_set(x, 4, a4, &state))
		return 0;
	return (u64)(s64)err;
}

static u64 commit_dynptr(u64 dynptr, u64 flags, bool discard)
{
	struct bpf_exec *x = bpf_exec_current;
	struct bpf_dynptr_state state;

	if (!bpf_dynptr_get(x, 1, dynptr, &state))
		return 0;
	if (state.type != BPF_DYNPTR_RINGBUF) {
		bpf_exec_fault(x, "the dynptr is not of a ring buffer");
		return 0;
	}
	bpf_ref_del(x, state.data);
	if (state.data)
		bpf_ringbuf_commit(state.data, flags, discard);
	bpf_dynptr_clear(x, 1, dynptr);
	return 0;
}

BPF_HELPER(ringbuf_submit_dynptr)
{
	return commit_dynptr(a1, a2, false);
}

BPF_HELPER(ringbuf_discard_dynptr)
{
	return commit_dynptr(a1, a2, true);
}

/* --- from user space -------------------------------------------------------------------------- */

/* Linux's BPF_MAX_USER_RINGBUF_SAMPLES. */
#define MAX_SAMPLES (128 * 1024)

static long drain(struct bpf_exec *x, struct bpf_map *map, u64 func, const struct bpf_reg *ctx)
{
	struct bpf_dynptr_state state = { .type = BPF_DYNPTR_USER, .rdonly = true,
					  .region = &sample_mem.rdonly };
	struct bpf_reg args[2];
	long nr = 0;
	bool stop = false;

	while (nr < MAX_SAMPLES && !stop && !x->stopped) {
		void *sample;
		u32 size;
		int err = bpf_user_ringbuf_peek(map, &sample, &size);

		if (err == -ENODATA)
			break;
		if (err == -EAGAIN) { /* discarded */
			nr++;
			continue;
		}
		if (err)
			return err;
		state.data = sample;
		state.size = size;
		bpf_dynptr_lend(x, &args[0], &state);
		args[1] = *ctx;
		stop = bpf_exec_callback(x, func, args, 2) != 0;
		bpf_dynptr_take_back(x, &state);
		bpf_user_ringbuf_release(map, size);
		nr++;
	}
	return nr;
}

BPF_HELPER(user_ringbuf_drain)
{
	struct bpf_exec *x = bpf_exec_current;
	struct bpf_reg ctx = bpf_exec_arg(x, 3, a3);
	long ret;

	if (!is_ring(MAP, BPF_MAP_TYPE_USER_RINGBUF))
		return 0;
	if (a4 & ~(u64)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
		return (u64)-EINVAL;
	ret = bpf_user_ringbuf_start(MAP);
	if (ret)
		return (u64)ret;
	ret = drain(x, MAP, a2, &ctx);
	bpf_user_ringbuf_end(MAP);
	return (u64)ret;
}
