// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of simulated tasks does not exist for native ones: accesses take the
 * time that the behaviour gives them, and touch nothing. mm_map() says so.
 */
#include <errno.h>
#include <string.h>

#include "../sched/mm/mm.h"

void mm_set_totalram(u64 pages)
{
}

int mm_map(struct task *task, u64 pages)
{
	return -EOPNOTSUPP;
}

int mm_read(u64 index)
{
	return 0;
}

int mm_write(u64 index, u64 content)
{
	return 0;
}

u64 mm_content_own(void)
{
	return 0;
}

u64 mm_unmap(u32 nr)
{
	return 0;
}

bool mm_killed(void)
{
	return false;
}

void mm_stats(struct mm_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
}
