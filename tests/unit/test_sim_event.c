// SPDX-License-Identifier: GPL-2.0-only
/* The event queue: order, determinism, and what ends a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/base/util.h"
#include "../../src/sim/internal.h"

#define NR 500
#define AT(ns) (SIM_BOOT_NS + (ns))

struct named {
	struct event event;
	u32 name;
};

static struct named events[NR];
static u32 fired[20000], nr_fired;

static void record(struct event *ev)
{
	assert_int_equal(sim_now(), ev->time);
	assert_false(event_queued(ev));
	fired[nr_fired++] = container_of(ev, struct named, event)->name;
}

static void start(u64 seed)
{
	sim_init(seed);
	nr_fired = 0;
	for (u32 i = 0; i < NR; i++)
		events[i] = (struct named){ .event.fire = record, .name = i };
}

static void test_time_starts_above_zero(void **state)
{
	start(1);
	assert_int_equal(sim_now(), SIM_BOOT_NS);
	assert_int_equal(sim_clock.next, SIM_NEVER);
	sim_run(AT(1000));
	assert_int_equal(sim_now(), AT(1000));
	assert_int_equal(sim_clock.fired, 0);
	sim_run(AT(500)); /* the past: nothing happens */
	assert_int_equal(sim_now(), AT(1000));
	sim_exit();
}

/* Random adding, moving and removing against a plain scan for the minimum. */
static void test_order_against_a_model(void **state)
{
	u64 times[NR] = {}, earliest;
	struct rng rng;

	rng_init(&rng, 11);
	start(2);
	for (u32 step = 0; step < 20000; step++) {
		u32 i = rng_below(&rng, NR);

		if (rng_below(&rng, 4)) {
			times[i] = AT(rng_below(&rng, 1000000));
			event_add(&events[i].event, times[i]);
		} else {
			times[i] = 0;
			event_del(&events[i].event);
		}
		assert_int_equal(event_queued(&events[i].event), times[i] != 0);
		earliest = SIM_NEVER;
		for (u32 j = 0; j < NR; j++)
			if (times[j])
				earliest = min(earliest, times[j]);
		assert_int_equal(sim_clock.next, earliest);
	}
	sim_run(SIM_NEVER);
	for (u32 i = 1; i < nr_fired; i++)
		assert_true(times[fired[i - 1]] <= times[fired[i]]);
	for (u32 i = 0; i < NR; i++)
		nr_fired -= times[i] != 0;
	assert_int_equal(nr_fired, 0);
	assert_int_equal(sim_clock.next, SIM_NEVER);
	sim_exit();
}

static void run_ties(u64 seed, u32 *order)
{
	start(seed);
	for (u32 i = 0; i < NR; i++)
		event_add(&events[i].event, AT(10 + i % 3));
	sim_run(SIM_NEVER);
	assert_int_equal(nr_fired, NR);
	memcpy(order, fired, NR * sizeof(*order));
	sim_exit();
}

/* The same seed gives the same order of equal times, another one another. */
static struct {
	struct rng rng;
	const struct event *expected; /* to fire next */
	u32 left; /* to be queued again */
} scales;

/* From now on to an hour later, every scale as likely; half of them on round times. */
static u64 some_time(void)
{
	u64 delay = rng_next(&scales.rng) >> (22 + rng_below(&scales.rng, 42));

	if (rng_below(&scales.rng, 2))
		delay &= ~0ULL << rng_below(&scales.rng, 20);
	return sim_now() + delay;
}

static void add_some_time(struct event *ev)
{
	scales.left -= scales.left && !event_queued(ev);
	event_add(ev, some_time());
}

static const struct event *earliest_queued(void)
{
	const struct event *best = NULL;

	for (u32 i = 0; i < NR; i++) {
		const struct event *ev = &events[i].event;

		if (event_queued(ev) && (!best || ev->time < best->time ||
					 (ev->time == best->time && ev->order < best->order)))
			best = ev;
	}
	return best;
}

/* What fired is what the scan found before; some others move, come or go. */
static void fire_and_shuffle(struct event *ev)
{
	const struct event *next;

	assert_ptr_equal(ev, scales.expected);
	assert_int_equal(sim_now(), ev->time);
	for (u32 n = rng_below(&scales.rng, 4); n; n--) {
		struct event *other = &events[rng_below(&scales.rng, NR)].event;

		if (rng_below(&scales.rng, 8) && (event_queued(other) || scales.left))
			add_some_time(other);
		else
			event_del(other);
	}
	if (scales.left)
		add_some_time(ev);
	next = earliest_queued();
	assert_int_equal(sim_clock.next, next ? next->time : SIM_NEVER);
	scales.expected = next;
}

/* All the way through the queue's levels, many at one time. */
static void test_order_at_all_scales(void **state)
{
	sim_init(5);
	rng_init(&scales.rng, 23);
	scales.left = 100000;
	for (u32 i = 0; i < NR; i++) {
		events[i] = (struct named){ .event.fire = fire_and_shuffle };
		event_add(&events[i].event, some_time());
	}
	scales.expected = earliest_queued();
	sim_run(SIM_NEVER);
	assert_null(earliest_queued());
	assert_true(sim_clock.fired > 50000); /* the others were removed */
	sim_exit();
}

static void check_first(void)
{
	const struct event *expected = earliest_queued();

	assert_ptr_equal(event_first(), expected);
	assert_int_equal(sim_clock.next, expected ? expected->time : SIM_NEVER);
}

/*
 * Crowds that are all in one slot or in some, of all widths, far from now; the first
 * of them is deleted again and again, others go and come. In the end all fire.
 */
static void test_crowds(void **state)
{
	struct rng rng;

	start(3);
	rng_init(&rng, 31);
	for (u32 bits = 0; bits < 40; bits++) {
		u64 start = sim_now() + (1ULL << bits) + rng_below(&rng, 5000);
		u32 mask = bits < 32 ? (1U << bits) - 1 : ~0U;

		for (u32 i = 0; i < NR; i++)
			event_add(&events[i].event, start + (rng_next(&rng) & mask));
		for (u32 step = 0; step < 700; step++) {
			struct event *any = &events[rng_below(&rng, NR)].event;
			const struct event *first = event_first();
			u32 what = rng_below(&rng, 8);

			if (what < 4 && first)
				event_del(&events[(struct named *)first - events].event);
			else if (what < 6)
				event_del(any);
			else
				event_add(any, start + (rng_next(&rng) & mask));
			check_first();
		}
		while (earliest_queued()) {
			const struct event *expected = earliest_queued();

			assert_ptr_equal(event_take_first(), expected);
			assert_int_equal(sim_now(), expected->time);
		}
		check_first();
	}
	sim_exit();
}

/*
 * What events that come and go leave behind is bounded by how many there were at once:
 * a crowd goes from slot to slot, and in each stays one, not always the last that came.
 */
static void test_memory_is_bounded(void **state)
{
	const u32 crowd = NR * 3 / 4, slots = NR - crowd;
	size_t before;
	struct rng rng;

	start(4);
	rng_init(&rng, 41);
	for (u32 i = 0; i < crowd; i++)
		event_add(&events[i].event, AT(1ULL << 32));
	for (u32 i = 0; i < crowd; i++)
		event_del(&events[i].event);
	before = event_memory();
	assert_true(before >= crowd * 2 * sizeof(u64));
	for (u32 slot = 0; slot < slots; slot++) {
		u64 time = AT((u64)(slot + 1) << (slot % 2 ? 24 : 11));
		u32 stays = rng_below(&rng, crowd);

		for (u32 i = 0; i < crowd; i++) {
			if (i == stays)
				event_add(&events[crowd + slot].event, time);
			event_add(&events[i].event, time + 1 + rng_below(&rng, 1000));
		}
	}
	/* each slot has less than two batches now, of 256 bytes, besides those of the crowd */
	assert_true(event_memory() - before < slots * 2 * 256);
	before = event_memory();
	for (u32 step = 0; step < 100000; step++) {
		u32 i = rng_below(&rng, crowd);

		event_add(&events[i].event, AT((u64)(i % slots + 1) << (i % 2 ? 24 : 11)));
		if (step % 3 == 0)
			event_del(&events[rng_below(&rng, crowd)].event);
	}
	assert_true(event_memory() - before < slots * 4 * 256);
	for (u32 i = 0; i < 10; i++) { /* nothing new for what was there before */
		before = event_memory();
		sim_run(SIM_NEVER);
		for (u32 n = 0; n < NR; n++)
			event_add(&events[n].event, sim_now() + rng_below(&rng, 1000000));
		nr_fired = 0;
		assert_true(i < 2 || event_memory() == before);
	}
	sim_exit();
}

static void test_ties_by_seed(void **state)
{
	static u32 a[NR], b[NR];
	u32 ascending = 0;

	run_ties(5, a);
	run_ties(5, b);
	assert_memory_equal(a, b, sizeof(a));
	run_ties(6, b);
	assert_memory_not_equal(a, b, sizeof(a));
	for (u32 i = 1; i < NR; i++)
		ascending += a[i] > a[i - 1];
	assert_in_range(ascending, NR * 4 / 10, NR * 6 / 10); /* not the order of adding */
}

/* CPUs may let time pass up to the next event, or to the end of the run. */
static void check_next(struct event *ev)
{
	record(ev);
	assert_int_equal(sim_clock.next, nr_fired == 1 ? AT(150) : AT(170));
}

static void test_next_in_a_run(void **state)
{
	start(1);
	for (u32 i = 0; i < 3; i++) {
		events[i].event.fire = check_next;
		event_add(&events[i].event, AT(100 + 50 * i));
	}
	sim_run(AT(170));
	assert_int_equal(nr_fired, 2);
	assert_int_equal(sim_clock.next, AT(200));
	sim_exit();
}

static void test_run_until(void **state)
{
	start(1);
	for (u32 i = 0; i < 10; i++)
		event_add(&events[i].event, AT(100 * i));
	sim_run(AT(300)); /* those at 300 excluded */
	assert_int_equal(nr_fired, 3);
	assert_int_equal(sim_now(), AT(300));
	sim_run(AT(301));
	assert_int_equal(nr_fired, 4);
	assert_int_equal(sim_now(), AT(301));
	sim_run(SIM_NEVER);
	assert_int_equal(nr_fired, 10);
	assert_int_equal(sim_now(), AT(900)); /* of the last event */
	assert_int_equal(sim_clock.fired, 10);
	sim_exit();
}

static void stop(struct event *ev)
{
	record(ev);
	sim_stop();
	assert_int_equal(sim_clock.next, 0);
}

static void test_stop(void **state)
{
	start(1);
	for (u32 i = 0; i < 10; i++)
		event_add(&events[i].event, AT(100 * i));
	events[4].event.fire = stop;
	sim_run(AT(1000));
	assert_int_equal(nr_fired, 5);
	assert_int_equal(sim_now(), AT(400));
	assert_int_equal(sim_clock.next, AT(500));
	sim_run(AT(1000)); /* and on */
	assert_int_equal(nr_fired, 10);
	assert_int_equal(sim_now(), AT(1000));
	sim_stop(); /* outside of a run: nothing to stop */
	event_add(&events[0].event, AT(1001));
	sim_run(SIM_NEVER);
	assert_int_equal(nr_fired, 11);
	sim_exit();
}

/* An event that queues itself again, for the same instant too. */
static void again(struct event *ev)
{
	record(ev);
	if (nr_fired < 5)
		event_add(ev, sim_now());
	else if (nr_fired < 10)
		event_add(ev, sim_now() + 7);
}

static void test_self_requeue(void **state)
{
	start(1);
	events[0].event.fire = again;
	event_add(&events[0].event, AT(1));
	sim_run(SIM_NEVER);
	assert_int_equal(nr_fired, 10);
	assert_int_equal(sim_now(), AT(1 + 5 * 7));
	sim_exit();
}

static void test_exit_forgets(void **state)
{
	start(1);
	event_add(&events[0].event, AT(1));
	sim_exit();
	assert_false(event_queued(&events[0].event));
	event_del(&events[0].event);
	assert_int_equal(nr_fired, 0);
}

/* Have been seen, the last time something was. */
static struct scouted seen[SCOUTS];

static void check_seen(u32 i, u32 name)
{
	assert_int_equal(seen[i].time, events[name].event.time);
	assert_ptr_equal(event_scouted(&seen[i]), &events[name].event);
}

/* @name is the next to be seen, and alone. */
static void check_scout(u32 name)
{
	assert_int_equal(event_scout(seen), 1);
	check_seen(0, name);
}

/* What is near is seen once, far things when they are near, and nothing is changed by looking. */
static void test_scout(void **state)
{
	static const u64 times[] = { 10, 500, 9100, 1000000000, 400, 9000, 9200, 20000 };
	struct scouted gone;

	start(1);
	for (u32 i = 0; i < 4; i++)
		event_add(&events[i].event, AT(times[i]));
	check_scout(0);
	check_scout(1);
	/* it comes too late for that, not for being fired */
	event_add(&events[4].event, AT(times[4]));
	/* some slots away, where the order is not that of time */
	for (u32 i = 5; i < 8; i++)
		event_add(&events[i].event, AT(times[i]));
	assert_int_equal(event_scout(seen), 3);
	check_seen(0, 5);
	check_seen(1, 2);
	check_seen(2, 6);
	event_del(&events[6].event);
	assert_null(event_scouted(&seen[2]));
	gone = seen[1];
	check_scout(7);
	assert_int_equal(event_scout(seen), 0);
	assert_int_equal(event_scout(seen), 0);
	/* it is in another place then */
	sim_run(AT(9050));
	assert_ptr_equal(event_scouted(&gone), &events[2].event);
	sim_run(AT(99000));
	assert_int_equal(nr_fired, 6);
	assert_int_equal(fired[1], 4);
	assert_null(event_scouted(&gone));
	event_add(&events[0].event, AT(999999990));
	sim_run(AT(999999995)); /* makes what is far near */
	check_scout(3);
	assert_int_equal(event_scout(seen), 0);
	sim_run(SIM_NEVER);
	assert_int_equal(nr_fired, 8);
	sim_exit();
}

/* A crowd is seen when it is in fine slots, one event after the other. */
static void test_scout_crowd(void **state)
{
	start(1);
	event_add(&events[0].event, AT(5));
	for (u32 i = 1; i < 50; i++)
		event_add(&events[i].event, AT(50000 + i));
	check_scout(0);
	assert_int_equal(event_scout(seen), 0);
	sim_run(AT(50002));
	for (u32 i = 3; i < 50; i++)
		check_scout(i);
	assert_int_equal(event_scout(seen), 0);
	sim_exit();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time_starts_above_zero),
		cmocka_unit_test(test_order_against_a_model),
		cmocka_unit_test(test_order_at_all_scales),
		cmocka_unit_test(test_crowds),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_ties_by_seed),
		cmocka_unit_test(test_next_in_a_run),
		cmocka_unit_test(test_run_until),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_self_requeue),
		cmocka_unit_test(test_exit_forgets),
		cmocka_unit_test(test_scout),
		cmocka_unit_test(test_scout_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
