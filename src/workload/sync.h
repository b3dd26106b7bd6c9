/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tasks synchronize with, as glibc builds it on futexes: who is woken
 * competes again, nothing is handed over; a system call is charged only where
 * there is somebody to wait for or to wake.
 *
 * Behaviours have no stack, so waiting is a retry: a function that may have to
 * wait returns true when it is through. When it returns false it has filled in
 * @action, and is to be called again with the same arguments from the next
 * next().
 *
 * An object is all its state; it owns no memory and needs no destruction. It
 * must outlive the tasks that wait on it.
 */
#ifndef VRT_WORKLOAD_SYNC_H
#define VRT_WORKLOAD_SYNC_H

#include "../sched/kernel.h"

/* Not recursive: the owner who locks again waits for ever, as with pthreads. */
struct sync_mutex {
	struct task *owner;
	struct wait_queue wq;
};

void sync_mutex_init(struct sync_mutex *m);
bool sync_mutex_lock(struct sync_mutex *m, struct task_action *action);
/* By anyone; harmless when it is not locked. */
void sync_mutex_unlock(struct sync_mutex *m);

struct sync_cond {
	struct wait_queue wq;
};

/* How far a task has come in waiting on a condition. Zero it before. */
struct sync_cond_wait {
	bool blocked;
};

void sync_cond_init(struct sync_cond *c);
/*
 * Releases @m (if the caller owns it), waits for a signal, and takes @m again.
 * True when all of that is done; @wait is then zero again.
 */
bool sync_cond_wait(struct sync_cond *c, struct sync_mutex *m, struct sync_cond_wait *wait,
		    struct task_action *action);
/* Return how many were woken. */
u32 sync_cond_signal(struct sync_cond *c);
u32 sync_cond_broadcast(struct sync_cond *c);

struct sync_barrier {
	u32 users; /* how many must arrive */
	u32 arrived;
	u32 generation;
	struct wait_queue wq;
};

/* How far a task has come in a barrier. Zero it before. */
struct sync_barrier_wait {
	bool arrived;
	u32 generation;
};

void sync_barrier_init(struct sync_barrier *b, u32 users);
/* True when all have arrived; @wait is then zero again. */
bool sync_barrier_wait(struct sync_barrier *b, struct sync_barrier_wait *wait,
		       struct task_action *action);

struct sync_sem {
	u32 count;
	struct wait_queue wq;
};

void sync_sem_init(struct sync_sem *s, u32 count);
bool sync_sem_down(struct sync_sem *s, struct task_action *action);
void sync_sem_up(struct sync_sem *s);

/* A futex word that says whether to go: closed by who will wait, opened by others. */
struct sync_gate {
	bool open;
	struct wait_queue wq;
};

void sync_gate_init(struct sync_gate *g);
void sync_gate_close(struct sync_gate *g);
void sync_gate_open(struct sync_gate *g);
bool sync_gate_wait(struct sync_gate *g, struct task_action *action);

#endif
