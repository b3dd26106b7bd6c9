/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the native tasks: what the files share.
 *
 * Locking: native_lock() guards all state of tasks, wait queues and timers, and
 * behaviours run under it. A task's word is changed under it and waited on
 * without it.
 */
#ifndef VRT_NATIVE_INTERNAL_H
#define VRT_NATIVE_INTERNAL_H

#include <pthread.h>

#include "../base/alloc.h"
#include "../sched/kernel.h"
#include "native.h"

enum task_word {
	WORD_PARKED, /* made, not started */
	WORD_RUNNING, /* started, or woken up */
	WORD_WAITING, /* is on a wait queue, or about to be off it */
};

struct task {
	const struct task_behaviour *behaviour;
	void *data;
	char comm[TASK_COMM_LEN];
	u32 group;
	s32 parent;
	/* how it is to be scheduled, until it runs */
	s32 policy, nice;
	u32 rt_priority;
	struct cpumask allowed;
	bool restricted; /* @allowed counts */
	u64 slice;

	pthread_t thread;
	s32 tid;
	int error; /* why its thread could not become what was asked for; valid with tid */
	u32 word; /* enum task_word, a futex */
	struct wait_queue *wait_queue;
	struct list_head wait_node;
	u64 deadline; /* of the wait; 0: none */
	bool timed_out;
	struct task *wake_next; /* to be woken when the lock is dropped */
	/* was put on that list, and has not waited since; the waker may not be done with it */
	bool waking;
	struct list_head all;
};

extern struct native_config native_config;
extern bool native_stopping;

void native_lock(void);
/* Drops the lock, then wakes who was woken under it. */
void native_unlock(void);
/* The lock held: @t will be woken by native_unlock(). */
void native_wake_later(struct task *t);

u64 native_clock(void);
/* FUTEX_WAIT while *@word is @value, until @deadline (0: for ever). False when it has passed. */
bool futex_wait(u32 *word, u32 value, u64 deadline);
void futex_wake(u32 *word);

/* act.c: carries out an action of the current task, the lock not held. */
void native_calibrate(void);
void native_act(struct task *t, const struct task_action *action);

/* wait.c */
void native_block(struct task *t);

/* timer.c */
void native_timers_init(void);
void native_timers_exit(void);

/* files.c */
void native_files_exit(void);

/* task.c */
void native_emit(enum trace_type type, s32 pid, u64 a, u64 b);

#endif
