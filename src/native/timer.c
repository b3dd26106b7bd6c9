// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers of workloads (arrivals of requests) on one thread, whose handlers run
 * under the lock as interrupts do on the simulated machine.
 *
 * There are few: a search finds the earliest.
 */
#include <errno.h>
#include <time.h>

#include "../sim/cpu.h"
#include "internal.h"

#define MAX_TIMERS 1024

static struct {
	struct hrtimer *timers[MAX_TIMERS];
	u32 nr;
	pthread_t thread;
	u32 changed; /* a futex: counts changes of the list */
} ts;

static struct hrtimer *earliest(void)
{
	struct hrtimer *first = NULL;

	for (u32 i = 0; i < ts.nr; i++)
		if (!first || ts.timers[i]->event.time < first->event.time)
			first = ts.timers[i];
	return first;
}

static void *timer_thread(void *arg)
{
	pthread_setname_np(pthread_self(), "timer");
	native_lock();
	while (!native_stopping) {
		struct hrtimer *t = earliest();
		u32 changed = ts.changed;
		u64 when = t ? t->event.time : 0;

		if (t && when <= native_clock()) {
			hrtimer_cancel(t);
			t->fn(t);
			continue;
		}
		native_unlock();
		futex_wait(&ts.changed, changed, when);
		native_lock();
	}
	native_unlock();
	return NULL;
}

static void list_changed(void)
{
	__atomic_add_fetch(&ts.changed, 1, __ATOMIC_RELEASE);
	futex_wake(&ts.changed);
}

void native_timers_init(void)
{
	ts.nr = 0;
	if (pthread_create(&ts.thread, NULL, timer_thread, NULL))
		vrt_bug(__FILE__, __LINE__, "no thread for timers can be made");
}

void native_timers_exit(void)
{
	list_changed();
	pthread_join(ts.thread, NULL);
}

void hrtimer_init(struct hrtimer *timer, void (*fn)(struct hrtimer *timer))
{
	*timer = (struct hrtimer){ .fn = fn };
}

bool hrtimer_cancel(struct hrtimer *timer)
{
	for (u32 i = 0; i < ts.nr; i++) {
		if (ts.timers[i] != timer)
			continue;
		ts.timers[i] = ts.timers[--ts.nr];
		return true;
	}
	return false;
}

void hrtimer_start(struct hrtimer *timer, u64 when)
{
	hrtimer_cancel(timer);
	VRT_ASSERT(ts.nr < MAX_TIMERS);
	timer->event.time = when;
	ts.timers[ts.nr++] = timer;
	list_changed();
}

/* Which CPU takes the interrupt is the kernel's choice here. */
void hrtimer_start_on(struct hrtimer *timer, struct cpu *cpu, u64 when)
{
	hrtimer_start(timer, when);
}
