// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutexes, conditions, barriers, semaphores and gates over wait queues.
 *
 * No lock of their own: every operation first lets global time catch up with
 * this CPU (cpu_sync()), and is atomic to everyone else from there until it
 * wakes somebody. So state changes come before the wakeup that tells of them.
 *
 * Programs that trace the futex calls run between user space's look at the word
 * and the kernel's: others may come in between, and the kernel looks again.
 */
#include "sync.h"

#include <errno.h>

#include "../sim/cpu.h"

static bool block_on(struct wait_queue *wq, struct task_action *action)
{
	task_charge_syscall();
	wait_queue_add(wq, 0);
	action->kind = ACT_BLOCK;
	action->ns = 0;
	return false;
}

/* FUTEX_WAIT: returns from the function with the task blocked unless @cond is false. */
#define BLOCK_WHILE(cond, wq, action)                                                              \
	do {                                                                                       \
		while (cond) {                                                                     \
			syscall_futex(wq, 0);                                                      \
			if (cond)                                                                  \
				return block_on(wq, action);                                       \
			syscall_return(-EAGAIN);                                                   \
		}                                                                                  \
	} while (0)

static u32 wake(struct wait_queue *wq, u32 nr)
{
	u32 woken;

	if (list_empty(&wq->waiters))
		return 0;
	task_charge_syscall();
	syscall_futex(wq, nr);
	woken = wait_queue_wake(wq, nr, false);
	syscall_return(woken);
	return woken;
}

void sync_mutex_init(struct sync_mutex *m)
{
	m->owner = NULL;
	wait_queue_init(&m->wq);
}

bool sync_mutex_lock(struct sync_mutex *m, struct task_action *action)
{
	cpu_sync();
	BLOCK_WHILE(m->owner, &m->wq, action);
	m->owner = current_task();
	return true;
}

void sync_mutex_unlock(struct sync_mutex *m)
{
	cpu_sync();
	m->owner = NULL;
	wake(&m->wq, 1);
}

/* The same in the middle of another call. */
static void unlock_quietly(struct sync_mutex *m)
{
	cpu_sync();
	m->owner = NULL;
	if (list_empty(&m->wq.waiters))
		return;
	task_charge_syscall();
	wait_queue_wake(&m->wq, 1, false);
}

void sync_cond_init(struct sync_cond *c)
{
	wait_queue_init(&c->wq);
}

bool sync_cond_wait(struct sync_cond *c, struct sync_mutex *m, struct sync_cond_wait *wait,
		    struct task_action *action)
{
	if (!wait->blocked) {
		bool owner;

		cpu_sync();
		owner = m->owner == current_task();
		/* what is traced comes first, what is done is one */
		if (owner && !list_empty(&m->wq.waiters)) {
			syscall_futex(&m->wq, 1);
			syscall_return(1);
		}
		syscall_futex(&c->wq, 0);
		cpu_sync();
		wait->blocked = true;
		/* on the queue before the mutex is free: a signal in between counts */
		block_on(&c->wq, action);
		if (owner)
			unlock_quietly(m);
		return false;
	}
	if (!sync_mutex_lock(m, action))
		return false;
	wait->blocked = false;
	return true;
}

u32 sync_cond_signal(struct sync_cond *c)
{
	cpu_sync();
	return wake(&c->wq, 1);
}

u32 sync_cond_broadcast(struct sync_cond *c)
{
	cpu_sync();
	return wake(&c->wq, ~0U);
}

void sync_barrier_init(struct sync_barrier *b, u32 users)
{
	b->users = users;
	b->arrived = b->generation = 0;
	wait_queue_init(&b->wq);
}

bool sync_barrier_wait(struct sync_barrier *b, struct sync_barrier_wait *wait,
		       struct task_action *action)
{
	cpu_sync();
	if (!wait->arrived) {
		if (b->arrived + 1 >= b->users) {
			b->arrived = 0;
			b->generation++;
			wake(&b->wq, ~0U);
			return true;
		}
		b->arrived++;
		wait->arrived = true;
		wait->generation = b->generation;
	}
	BLOCK_WHILE(wait->generation == b->generation, &b->wq, action);
	wait->arrived = false;
	wait->generation = 0;
	return true;
}

void sync_sem_init(struct sync_sem *s, u32 count)
{
	s->count = count;
	wait_queue_init(&s->wq);
}

bool sync_sem_down(struct sync_sem *s, struct task_action *action)
{
	cpu_sync();
	BLOCK_WHILE(!s->count, &s->wq, action);
	s->count--;
	return true;
}

void sync_sem_up(struct sync_sem *s)
{
	cpu_sync();
	s->count++;
	wake(&s->wq, 1);
}

void sync_gate_init(struct sync_gate *g)
{
	g->open = true;
	wait_queue_init(&g->wq);
}

void sync_gate_close(struct sync_gate *g)
{
	cpu_sync();
	g->open = false;
}

void sync_gate_open(struct sync_gate *g)
{
	cpu_sync();
	g->open = true;
	wake(&g->wq, 1);
}

bool sync_gate_wait(struct sync_gate *g, struct task_action *action)
{
	cpu_sync();
	BLOCK_WHILE(!g->open, &g->wq, action);
	return true;
}
