// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of status words of an enclave: one entry per task and agent, dense,
 * so that the index is a number that programs and userspace can use for tables of
 * their own. An entry is free again once its task's DEAD or DEPARTED is told:
 * with no queue to userspace, nobody can be late in reading it.
 *
 * Entries are written with the rq of their task locked; the table itself is
 * touched between two payments only.
 */
#include "../../base/alloc.h"
#include "internal.h"

static u64 table_size(u32 capacity)
{
	return sizeof(struct ghost_sw_region_header) +
	       (u64)capacity * sizeof(struct ghost_status_word);
}

void ghost_sw_init(struct ghost_enclave *e, u32 capacity)
{
	e->region = sched_alloc(OBJ_GHOST_SW, table_size(capacity));
	e->region->version = GHOST_SW_REGION_VERSION;
	e->region->start = sizeof(*e->region);
	e->region->capacity = e->region->available = capacity;
	e->sw_used = xcalloc(DIV_ROUND_UP(capacity, 64), sizeof(u64));
}

void ghost_sw_exit(struct ghost_enclave *e)
{
	kheap_free(e->region);
	free(e->sw_used);
}

struct ghost_status_word *ghost_sw(const struct ghost_enclave *e, u32 index)
{
	VRT_ASSERT(index < e->region->capacity);
	return (struct ghost_status_word *)((u8 *)e->region + e->region->start) + index;
}

static bool is_used(const struct ghost_enclave *e, u32 index)
{
	return e->sw_used[index / 64] >> (index % 64) & 1;
}

struct ghost_status_word *ghost_sw_alloc(struct ghost_enclave *e, s64 gtid, u32 *index)
{
	struct ghost_status_word *sw;
	u32 i = e->sw_first_free;

	if (!e->region->available)
		return NULL;
	while (is_used(e, i))
		i++;
	e->sw_used[i / 64] |= 1ULL << (i % 64);
	e->sw_first_free = i + 1;
	e->region->available--;
	sw = ghost_sw(e, i);
	memset(sw, 0, sizeof(*sw));
	sw->gtid = gtid;
	sw->flags = GHOST_SW_F_INUSE | GHOST_SW_F_ALLOCATED;
	*index = i;
	return sw;
}

void ghost_sw_free(struct ghost_enclave *e, u32 index)
{
	VRT_ASSERT(is_used(e, index));
	e->sw_used[index / 64] &= ~(1ULL << (index % 64));
	e->sw_first_free = min(e->sw_first_free, index);
	e->region->available++;
	ghost_sw(e, index)->flags = 0;
}
