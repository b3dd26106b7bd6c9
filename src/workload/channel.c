// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels. An operation begins at global now (cpu_sync()) and is atomic to
 * everyone else until it wakes somebody; state changes come before that.
 */
#include "channel.h"

#include "../sim/cpu.h"

#define PIPE_BUFFERS 16
#define PIPE_PAGE 4096
#define SOCKET_SNDBUF 212992 /* net.core.wmem_default */
#define SKB_OVERHEAD 576 /* struct sk_buff and skb_shared_info, in their caches */
#define SKB_ALIGN 64

static void init(struct channel *c, u32 size, u32 fd)
{
	*c = (struct channel){ .size = size, .fd = fd };
	wait_queue_init(&c->readers);
	wait_queue_init(&c->writers);
}

void channel_init_pipe(struct channel *c, u32 size, u32 fd)
{
	init(c, size, fd);
	c->buffers = PIPE_BUFFERS;
	c->per_buffer = PIPE_PAGE / size;
	c->wake_at = PIPE_BUFFERS - 1;
	c->wake_nr = 1;
}

void channel_init_socket(struct channel *c, u32 size, u32 fd)
{
	u32 truesize = SKB_OVERHEAD + ALIGN_UP(size, (u32)SKB_ALIGN);

	init(c, size, fd);
	c->buffers = SOCKET_SNDBUF / truesize;
	c->per_buffer = 1;
	c->wake_at = c->buffers / 4;
	c->wake_nr = ~0U;
}

u32 channel_count(const struct channel *c)
{
	return c->used ? (c->used - 1) * c->per_buffer + c->written - c->read : 0;
}

bool channel_write(struct channel *c, struct task_action *action)
{
	syscall_enter(SYSCALL_WRITE, c->fd + 1, c->size);
	cpu_sync();
	if (c->used && c->written < c->per_buffer) {
		c->written++;
	} else if (c->used < c->buffers) {
		if (!c->used)
			c->read = 0;
		c->used++;
		c->written = 1;
	} else {
		wait_queue_add(&c->writers, 0);
		syscall_resumes();
		action->kind = ACT_BLOCK;
		return false;
	}
	c->passed++;
	task_charge_syscall();
	if (!list_empty(&c->readers.waiters))
		wait_queue_wake(&c->readers, 1, true);
	/* a pipe wakes writers one by one: who got in lets the next one try */
	if (c->wake_nr == 1 && c->used < c->buffers && !list_empty(&c->writers.waiters))
		wait_queue_wake(&c->writers, 1, true);
	syscall_return(c->size);
	return true;
}

bool channel_read(struct channel *c, struct task_action *action)
{
	bool room = false;

	syscall_enter(SYSCALL_READ, c->fd, c->size);
	cpu_sync();
	if (!c->used) {
		wait_queue_add(&c->readers, 0);
		syscall_resumes();
		action->kind = ACT_BLOCK;
		return false;
	}
	c->read++;
	if (c->read == (c->used == 1 ? c->written : c->per_buffer)) {
		c->used--;
		c->read = 0;
		room = c->used <= c->wake_at;
	}
	task_charge_syscall();
	if (room && !list_empty(&c->writers.waiters))
		wait_queue_wake(&c->writers, c->wake_nr, true);
	syscall_return(c->size);
	return true;
}
