// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wait queues on futexes, and the lock that behaviours run under.
 *
 * A waker only changes the sleeper's word; the system call that wakes it is
 * made when the lock is free, so that it does not block again at once.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

/* Spins for a little before it sleeps: behaviours are short. */
static pthread_mutex_t lock = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
static struct task *to_wake, **to_wake_tail = &to_wake;

u64 native_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

bool futex_wait(u32 *word, u32 value, u64 deadline)
{
	struct timespec ts = { deadline / NSEC_PER_SEC, deadline % NSEC_PER_SEC };
	/* FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC */
	long err = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, value,
			   deadline ? &ts : NULL, NULL, FUTEX_BITSET_MATCH_ANY);

	return !err || errno != ETIMEDOUT;
}

void futex_wake(u32 *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX, NULL, NULL, 0);
}

void native_lock(void)
{
	pthread_mutex_lock(&lock);
}

void native_wake_later(struct task *t)
{
	if (t->waking)
		return;
	t->waking = true;
	t->wake_next = NULL;
	*to_wake_tail = t;
	to_wake_tail = &t->wake_next;
}

void native_unlock(void)
{
	struct task *t = to_wake, *next;

	to_wake = NULL;
	to_wake_tail = &to_wake;
	pthread_mutex_unlock(&lock);
	for (; t; t = next) {
		/* once its word has changed it may run, end, and wait anew */
		next = t->wake_next;
		__atomic_store_n(&t->word, WORD_RUNNING, __ATOMIC_RELEASE);
		futex_wake(&t->word);
	}
}

void wait_queue_init(struct wait_queue *wq)
{
	INIT_LIST_HEAD(&wq->waiters);
}

void wait_queue_add(struct wait_queue *wq, u64 timeout_ns)
{
	struct task *t = current_task();

	VRT_ASSERT(t && !t->wait_queue);
	t->wait_queue = wq;
	t->deadline = timeout_ns ? native_clock() + timeout_ns : 0;
	t->timed_out = false;
	t->waking = false;
	__atomic_store_n(&t->word, WORD_WAITING, __ATOMIC_RELAXED);
	list_add_tail(&t->wait_node, &wq->waiters);
}

static void leave_queue(struct task *t)
{
	list_del_init(&t->wait_node);
	t->wait_queue = NULL;
}

u32 wait_queue_wake(struct wait_queue *wq, u32 nr, bool sync)
{
	u32 woken = 0;

	for (; woken < nr && !list_empty(&wq->waiters); woken++) {
		struct task *t = list_first_entry(&wq->waiters, struct task, wait_node);

		leave_queue(t);
		native_wake_later(t);
	}
	return woken;
}

bool wait_timed_out(void)
{
	return current_task()->timed_out;
}

/* True when somebody woke it after all. */
static bool give_up(struct task *t)
{
	bool waiting;

	native_lock();
	waiting = t->wait_queue;
	if (waiting) {
		leave_queue(t);
		t->timed_out = true;
	}
	native_unlock();
	return !waiting;
}

void native_block(struct task *t)
{
	while (__atomic_load_n(&t->word, __ATOMIC_ACQUIRE) == WORD_WAITING) {
		bool over = __atomic_load_n(&native_stopping, __ATOMIC_RELAXED) ||
			    !futex_wait(&t->word, WORD_WAITING, t->deadline);

		if (!over)
			continue;
		if (!give_up(t))
			return;
		/* the waker has dropped the lock and is about to change the word */
		while (__atomic_load_n(&t->word, __ATOMIC_ACQUIRE) == WORD_WAITING)
			futex_wait(&t->word, WORD_WAITING, 0);
	}
}
