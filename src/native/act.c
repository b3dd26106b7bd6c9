// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a native task does between two questions to its behaviour: computing,
 * spinning, sleeping.
 *
 * Work is a loop whose speed is measured once, as rt-app does it: a nanosecond
 * of work is what an idle machine did in a nanosecond then. Under an emulator
 * the loop is as slow as everything else, so proportions hold.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "internal.h"

#define CALIBRATION_ROUNDS (1u << 16)
#define CALIBRATION_NS (100 * NSEC_PER_MSEC)
#define PIECE_NS NSEC_PER_MSEC /* of work, between two looks whether it is over */

static u64 rounds_per_ms;

static void compute_rounds(u64 rounds)
{
	u64 x = rounds;

	for (u64 i = 0; i < rounds; i++)
		__asm__ volatile("" : "+r"(x));
}

u64 native_rounds_per_ms(void)
{
	return rounds_per_ms;
}

/* The fastest of many short runs is the one that nobody disturbed. */
void native_calibrate(void)
{
	u64 start = native_clock(), best = ~0ULL;

	while (native_clock() - start < CALIBRATION_NS) {
		u64 before = native_clock();

		compute_rounds(CALIBRATION_ROUNDS);
		best = min(best, max(native_clock() - before, (u64)1));
	}
	rounds_per_ms = max(CALIBRATION_ROUNDS * NSEC_PER_MSEC / best, (u64)1);
}

static void compute(u64 ns)
{
	while (ns && !__atomic_load_n(&native_stopping, __ATOMIC_RELAXED)) {
		u64 piece = min(ns, (u64)PIECE_NS);

		compute_rounds(max(piece * rounds_per_ms / NSEC_PER_MSEC, (u64)1));
		ns -= piece;
	}
}

static u64 thread_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* On a CPU for @ns, whatever its speed. */
static void spin(u64 ns)
{
	u64 end = thread_clock() + ns;

	while (!__atomic_load_n(&native_stopping, __ATOMIC_RELAXED) && thread_clock() < end)
		compute_rounds(max(rounds_per_ms / 1024, (u64)1));
}

static void sleep_until(u64 when)
{
	struct timespec ts = { when / NSEC_PER_SEC, when % NSEC_PER_SEC };

	while (!__atomic_load_n(&native_stopping, __ATOMIC_RELAXED) &&
	       clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

void native_act(struct task *t, const struct task_action *action)
{
	switch (action->kind) {
	case ACT_COMPUTE:
		compute(action->ns);
		return;
	case ACT_SPIN:
		spin(action->ns);
		return;
	case ACT_SLEEP:
		sleep_until(native_clock() + action->ns);
		return;
	case ACT_SLEEP_UNTIL:
		sleep_until(action->ns);
		return;
	case ACT_BLOCK:
		native_block(t);
		return;
	case ACT_YIELD:
		sched_yield();
		return;
	case ACT_EXIT:
		return;
	}
	vrt_bug(__FILE__, __LINE__, "task %s does something unknown: %d", t->comm, action->kind);
}
